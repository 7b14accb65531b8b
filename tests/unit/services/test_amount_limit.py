"""The most that a rep may move in one operation, and what a refund would come to."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypedDict

import pytest

from tests.unit.fakes import FakeDeadline
from till.domain.actor import Actor
from till.domain.errors import TillError
from till.domain.money import Money
from till.domain.purchase import RefundExceedsPurchaseError, RefundQuantityExceededError
from till.services.create_refund_quote import CreateRefundQuote, RefundIntent, RefundQuote
from till.services.errors import PurchaseNotFoundError
from till.services.refund_purchase import RefundRequest
from till.services.shared.amount_limit import AmountAboveLimitError

if TYPE_CHECKING:
    from uuid import UUID

    from tests.unit.services.conftest import World

LIMIT = Money(500)


def bought(world: World, quantity: int = 3) -> UUID:
    """A purchase of three for 10.00 each."""
    return world.buy(quantity=quantity).purchase.id


class Extent(TypedDict, total=False):
    amount: int
    quantity: int


def intent(purchase_id: UUID, extent: Extent, *, limit: Money | None = None) -> RefundIntent:
    amount = extent.get("amount")
    return RefundIntent(
        purchase_id=purchase_id,
        amount=Money(amount) if amount is not None else None,
        quantity=extent.get("quantity"),
        limit=limit,
    )


def quote(world: World, asked: RefundIntent) -> RefundQuote:
    return CreateRefundQuote(world.store, world.clock)(asked)


def refund(world: World, asked: RefundIntent) -> None:
    request = RefundRequest(
        purchase_id=asked.purchase_id,
        amount=asked.amount,
        quantity=asked.quantity,
        limit=asked.limit,
        reason="broken",
        actor=Actor("rep"),
        idempotency_key="refund",
    )
    world.refund(request, FakeDeadline())


@pytest.mark.parametrize("amount", [1, 499, 500])
def test_up_to_the_limit(world: World, amount: int) -> None:
    within = replace(world.adjustment(amount), limit=LIMIT)
    assert world.credit.grant(within, FakeDeadline()).change.amount == Money(amount)
    within = replace(world.adjustment(amount), limit=LIMIT)
    assert world.credit.deduct(within, FakeDeadline()).change.amount == Money(-amount)


def test_above_it_nothing_moves(world: World) -> None:
    before = world.balance()
    above = replace(world.adjustment(501), limit=LIMIT)
    for move in (world.credit.grant, world.credit.deduct):
        with pytest.raises(AmountAboveLimitError) as refused:
            move(above, FakeDeadline())
        assert (refused.value.amount, refused.value.limit) == (Money(501), LIMIT)
    assert world.balance() == before


def test_what_was_done_is_told_again_whoever_asks(world: World) -> None:
    by_an_admin = world.adjustment(501, "key")
    first = world.credit.grant(by_an_admin, FakeDeadline())
    again = world.credit.grant(replace(by_an_admin, limit=LIMIT), FakeDeadline())
    assert again.replayed
    assert again.change == first.change


@pytest.mark.parametrize("extent", [{}, {"quantity": 1}, {"amount": 501}], ids=str)
def test_a_refund_counts_by_what_it_comes_to(world: World, extent: Extent) -> None:
    purchase_id = bought(world)
    before = world.balance()
    asked = intent(purchase_id, extent, limit=LIMIT)
    with pytest.raises(AmountAboveLimitError):
        refund(world, asked)
    assert isinstance(quote(world, asked).refusal, AmountAboveLimitError)
    assert world.balance() == before
    refund(world, replace(asked, limit=Money(3_000)))


@pytest.mark.parametrize("extent", [{}, {"quantity": 2}, {"amount": 1}], ids=str)
def test_a_quote_is_what_the_refund_then_does(world: World, extent: Extent) -> None:
    purchase_id = bought(world)
    commits = world.store.commits
    told = quote(world, intent(purchase_id, extent))
    assert world.store.commits == commits, "a quote writes nothing"
    assert told.refusal is None
    assert told.account_after is not None
    assert told.amount is not None
    refund(world, intent(purchase_id, extent))
    assert world.balance() == (told.account_after.posted.amount_minor, 0)
    attempt = world.store.attempt(purchase_id)
    assert attempt is not None
    assert attempt.purchase is not None
    assert attempt.purchase.refunded == told.purchase.refunded + told.amount


@pytest.mark.parametrize(
    ("extent", "refusal"),
    [
        ({"amount": 3_001}, RefundExceedsPurchaseError),
        ({"quantity": 4}, RefundQuantityExceededError),
    ],
    ids=str,
)
def test_a_quote_says_what_would_be_refused(
    world: World, extent: Extent, refusal: type[TillError]
) -> None:
    asked = intent(bought(world), extent)
    told = quote(world, asked)
    assert isinstance(told.refusal, refusal)
    assert told.account_after is None
    with pytest.raises(refusal):
        refund(world, asked)


def test_only_a_purchase_can_be_refunded(world: World) -> None:
    with pytest.raises(PurchaseNotFoundError):
        quote(world, intent(world.customer_id, {}))
