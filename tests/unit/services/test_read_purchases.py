"""Lists and their pages."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.unit.fakes import FakeDeadline
from tests.unit.services.conftest import World
from till.domain.actor import Actor
from till.domain.money import Money
from till.domain.purchase import AttemptState, PurchaseStatus
from till.services.errors import PurchaseNotFoundError
from till.services.ports.upstream import CustomerNotFoundError
from till.services.read_purchases import ReadPurchases
from till.services.refund_purchase import RefundRequest


@pytest.fixture
def read(world: World) -> ReadPurchases:
    return ReadPurchases(world.store, world.customers)


def test_a_customers_purchases_are_paged_newest_first(world: World, read: ReadPurchases) -> None:
    bought = [world.buy(str(n)).purchase.id for n in range(5)]
    seen, before = [], None
    while True:
        page = read.of_customer(world.customer_id, status=None, before=before, limit=2)
        seen += [p.id for p in page.purchases]
        if page.before is None:
            break
        assert isinstance(page.before, int)
        before = page.before
        world.buy(f"meanwhile {before}")
    assert seen == bought[::-1]


def test_a_rare_status_is_searched_for(world: World, read: ReadPurchases) -> None:
    bought = [world.buy(str(n)).purchase.id for n in range(9)]
    for purchase_id, amount in ((bought[0], 1000), (bought[7], 1000), (bought[4], 1)):
        world.refund(
            RefundRequest(
                purchase_id=purchase_id,
                amount=Money(amount),
                quantity=None,
                reason="r",
                limit=None,
                actor=Actor("rep"),
                idempotency_key=uuid4().hex,
            ),
            FakeDeadline(),
        )
    refunded, partly = PurchaseStatus.REFUNDED, PurchaseStatus.PARTIALLY_REFUNDED
    page = read.of_customer(world.customer_id, status=refunded, before=None, limit=2)
    assert [p.id for p in page.purchases] == [bought[7], bought[0]]
    page = read.of_customer(world.customer_id, status=partly, before=None, limit=2)
    assert ([p.id for p in page.purchases], page.before) == ([bought[4]], None)


def test_a_search_for_a_rare_status_ends_and_goes_on_where_it_ended(
    world: World, read: ReadPurchases, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("till.services.read_purchases.LOOKED_AT_MOST", 4)
    monkeypatch.setattr("till.services.read_purchases._AT_ONCE", 2)
    bought = [world.buy(str(n)).purchase.id for n in range(9)]
    world.refund(
        RefundRequest(
            purchase_id=bought[0],
            amount=None,
            quantity=None,
            reason="r",
            limit=None,
            actor=Actor("rep"),
            idempotency_key="k",
        ),
        FakeDeadline(),
    )
    pages: list[list[object]] = []
    before: int | None = None
    while True:
        page = read.of_customer(
            world.customer_id, status=PurchaseStatus.REFUNDED, before=before, limit=3
        )
        pages.append([p.id for p in page.purchases])
        if page.before is None:
            break
        assert isinstance(page.before, int)
        assert before is None or page.before < before
        before = page.before
    assert pages == [[], [], [bought[0]]]


def test_a_page_of_a_status_that_is_full_goes_on_right_after_it(
    world: World, read: ReadPurchases
) -> None:
    bought = [world.buy(str(n)).purchase.id for n in range(5)]
    completed = PurchaseStatus.COMPLETED
    page = read.of_customer(world.customer_id, status=completed, before=None, limit=2)
    assert [p.id for p in page.purchases] == [bought[4], bought[3]]
    assert isinstance(page.before, int)
    page = read.of_customer(world.customer_id, status=completed, before=page.before, limit=3)
    assert ([p.id for p in page.purchases], page.before) == (bought[2::-1], None)


def test_a_list_of_nobody_is_not_an_empty_list(world: World, read: ReadPurchases) -> None:
    newcomer = world.customers.add()
    page = read.of_customer(newcomer, status=None, before=None, limit=2)
    assert page.purchases == ()
    with pytest.raises(CustomerNotFoundError):
        read.of_customer(uuid4(), status=None, before=None, limit=2)


def test_a_purchase_is_another_customers_business(world: World, read: ReadPurchases) -> None:
    purchase_id = world.buy().purchase.id
    assert read.one(purchase_id, customer_id=world.customer_id)[0].id == purchase_id
    with pytest.raises(PurchaseNotFoundError):
        read.one(purchase_id, customer_id=world.customers.add())


def test_a_completed_attempt_is_found_whatever_was_refunded(
    world: World, read: ReadPurchases
) -> None:
    purchase_id = world.buy().purchase.id
    world.refund(
        RefundRequest(
            purchase_id=purchase_id,
            amount=None,
            quantity=None,
            reason="r",
            limit=None,
            actor=Actor("rep"),
            idempotency_key="k",
        ),
        FakeDeadline(),
    )
    page = read.attempts(state=AttemptState.COMPLETED, orphan=None, before=None, limit=10)
    assert [a.id for a in page.attempts] == [purchase_id]
    assert read.attempts(state=None, orphan=None, before=None, limit=10).attempts == ()
