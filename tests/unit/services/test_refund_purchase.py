"""Refunds on fakes, under every fault of their one commit."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest

from tests.unit.fakes import FakeDeadline, Fault
from tests.unit.services.conftest import World
from till.domain.actor import Actor
from till.domain.ledger import EntryKind
from till.domain.money import Money
from till.domain.purchase import RefundAmountChangedError, RefundExceedsPurchaseError
from till.services.errors import PurchaseNotFoundError
from till.services.refund_purchase import RefundRequest
from till.services.shared.idempotency import IdempotencyKeyReusedError

LOST, REFUSED = Fault(applied=True), Fault(applied=False)
FAULTS = [[], [REFUSED], [LOST], [REFUSED, LOST], [LOST, REFUSED, LOST]]


def refund(
    world: World, amount_minor: int | None, key: str | None = None, *, expected: int | None = None
) -> RefundRequest:
    (attempt,) = world.store.attempt_items.values()
    return RefundRequest(
        purchase_id=attempt.id,
        amount=Money(amount_minor) if amount_minor is not None else None,
        quantity=None,
        reason="broken",
        limit=None,
        actor=Actor("rep"),
        idempotency_key=key or uuid4().hex,
        expected_amount=Money(expected) if expected is not None else None,
    )


def test_a_refund_of_all_that_is_left_is_of_what_the_rep_saw(world: World) -> None:
    """Another rep refunds a part after the first one saw what was left."""
    world.buy()
    world.refund(refund(world, 400), FakeDeadline())
    before = world.balance()
    with pytest.raises(RefundAmountChangedError) as caught:
        world.refund(refund(world, None, "key", expected=1000), FakeDeadline())
    assert (caught.value.expected, caught.value.amount) == (Money(1000), Money(600))
    assert world.balance() == before
    # Nothing was changed, so the key is still free.
    refunded = world.refund(refund(world, None, "key", expected=600), FakeDeadline())
    assert refunded.refund.amount == Money(600)
    again = world.refund(refund(world, None, "key", expected=600), FakeDeadline())
    assert again.replayed
    world.audit()


def test_a_refund_is_not_refused_by_its_own_effect(world: World) -> None:
    world.buy()
    request = refund(world, None, "key")
    first = world.refund(request, FakeDeadline())
    world.store.keys_hidden = True
    again = world.refund(request, FakeDeadline())
    assert (again.refund, again.replayed) == (first.refund, True)


@pytest.mark.parametrize("faults", FAULTS)
def test_a_refund_counts_once_whatever_befalls_its_commit(
    world: World, faults: list[Fault | None]
) -> None:
    world.buy()
    world.store.faults = list(faults)
    request = refund(world, 400, "key")
    first = world.refund(request, FakeDeadline())
    again = world.refund(request, FakeDeadline())
    assert (again.refund, again.replayed) == (first.refund, True)
    assert (first.refund.refunded_after, first.refund.refundable_after) == (Money(400), Money(600))
    assert first.refund.balance_after == Money(9400)
    assert world.balance() == (9400, 0)
    world.audit()


def test_refunds_up_to_the_total_and_not_a_cent_more(world: World) -> None:
    world.buy()
    world.refund(refund(world, 400), FakeDeadline())
    with pytest.raises(RefundExceedsPurchaseError):
        world.refund(refund(world, 601), FakeDeadline())
    rest = world.refund(refund(world, None), FakeDeadline())
    assert rest.refund.amount == Money(600)
    with pytest.raises(RefundExceedsPurchaseError):
        world.refund(refund(world, None), FakeDeadline())
    assert world.balance() == (10_000, 0)
    world.audit()


def test_a_refund_stands_in_the_ledger(world: World) -> None:
    world.buy()
    done = world.refund(refund(world, 400, "key"), FakeDeadline()).refund
    entry = world.store.changes[world.customer_id][-1].entry
    assert entry is not None
    assert (entry.kind, entry.purchase_id, entry.refund_id) == (
        EntryKind.REFUND,
        done.purchase_id,
        done.id,
    )
    assert (entry.reason, entry.sequence) == ("broken", done.entry_sequence)
    assert entry.actor == Actor("rep")


def test_a_refund_key_belongs_to_one_purchase_and_body(world: World) -> None:
    world.buy()
    request = refund(world, 400, "key")
    world.refund(request, FakeDeadline())
    with pytest.raises(IdempotencyKeyReusedError):
        world.refund(replace(request, amount=None), FakeDeadline())
    with pytest.raises(PurchaseNotFoundError):
        world.refund(replace(request, purchase_id=uuid4()), FakeDeadline())


def test_what_is_no_purchase_cannot_be_refunded(world: World) -> None:
    world.carrier.outcome = RuntimeError("died")
    with pytest.raises(RuntimeError):
        world.buy()
    with pytest.raises(PurchaseNotFoundError):
        world.refund(refund(world, 1), FakeDeadline())
