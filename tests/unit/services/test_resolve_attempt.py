"""Resolving an attempt whose outcome is unknown."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest

from tests.unit.fakes import NOON, FakeDeadline, Fault
from tests.unit.services.conftest import World
from tests.unit.services.open_attempts import (
    LOST,
    NOT_SHIPPED,
    REFUSED,
    SHIPPED,
    audit_both,
    die_at_the_carrier,
    lose_sight,
    resolution,
)
from till.domain.ledger import EntryKind, LedgerCorruptError
from till.domain.money import Money
from till.domain.purchase import (
    AttemptAlreadyResolvedError,
    AttemptState,
    AttemptStillPendingError,
    CarrierAnsweredOtherwiseError,
    NotShipped,
    OutcomeUnknown,
    ShipmentIdTakenError,
    Shipped,
)
from till.services.errors import (
    AttemptNotFoundError,
    ShipmentFailedError,
    ShipmentOutcomeUnknownError,
)
from till.services.shared.amount_limit import AmountAboveLimitError
from till.services.shared.idempotency import IdempotencyKeyReusedError


@pytest.mark.parametrize("faults", [[], [REFUSED], [LOST], [REFUSED, LOST]])
def test_confirmed_as_shipped_it_is_charged(world: World, faults: list[Fault | None]) -> None:
    lose_sight(world)
    world.store.faults = list(faults)
    request = resolution(world, SHIPPED)
    resolved = world.resolve(request, FakeDeadline()).attempt
    assert resolved.state is AttemptState.COMPLETED
    assert world.balance() == (9000, 0)
    entry = world.store.changes[world.customer_id][-1].entry
    assert entry is not None
    assert (entry.kind, entry.actor.subject, entry.reason) == (
        EntryKind.PURCHASE,
        "rep",
        "asked the carrier",
    )
    assert world.buy().purchase.shipment_id == "S9", "the first key learns the result"
    again = world.resolve(request, FakeDeadline())
    assert (again.attempt, again.replayed) == (resolved, True)
    assert world.store.account(world.customer_id).open_attempts == ()
    world.audit()


@pytest.mark.parametrize("faults", [[], [REFUSED], [LOST], [REFUSED, LOST]])
def test_resolved_as_not_shipped_nothing_is_charged(
    world: World, faults: list[Fault | None]
) -> None:
    lose_sight(world)
    world.store.faults = list(faults)
    resolved = world.resolve(resolution(world, NOT_SHIPPED), FakeDeadline()).attempt
    assert (resolved.state, resolved.orphan) == (AttemptState.VOIDED, None)
    assert world.balance() == (10_000, 0)
    with pytest.raises(ShipmentFailedError) as raised:
        world.buy()
    assert raised.value.replayed
    world.carrier.outcome = Shipped(shipment_id="S10")
    assert world.buy("a new key").purchase.shipment_id == "S10", "no longer blocked"
    audit_both(world)


def test_an_attempt_is_resolved_once(world: World) -> None:
    lose_sight(world)
    request = resolution(world, SHIPPED)
    world.resolve(request, FakeDeadline())
    with pytest.raises(IdempotencyKeyReusedError):
        world.resolve(replace(request, outcome=NOT_SHIPPED), FakeDeadline())
    with pytest.raises(AttemptAlreadyResolvedError):
        world.resolve(
            replace(request, outcome=NOT_SHIPPED, idempotency_key="other"), FakeDeadline()
        )
    assert world.balance() == (9000, 0)


def test_what_is_under_way_or_unknown_cannot_be_resolved(world: World) -> None:
    die_at_the_carrier(world)
    request = resolution(world, SHIPPED)
    with pytest.raises(AttemptStillPendingError, match="under way"):
        world.resolve(request, FakeDeadline())
    with pytest.raises(AttemptNotFoundError):
        world.resolve(replace(request, attempt_id=uuid4()), FakeDeadline())


def test_what_may_be_under_way_cannot_be_resolved(world: World) -> None:
    """By a clock that is ahead, the recovery gives up a run that is waiting for the carrier."""

    def given_up() -> None:
        world.clock.advance(3600)
        assert world.recover().made_unknown
        world.clock.advance(-3600)
        with pytest.raises(AttemptStillPendingError) as raised:
            world.resolve(resolution(world, NOT_SHIPPED), FakeDeadline())
        assert raised.value.state == "UNKNOWN"

    world.carrier.during = given_up
    world.carrier.outcome = SHIPPED
    assert world.buy().purchase.shipment_id == "S9"
    world.audit()


def test_what_a_dead_run_left_is_resolved_once_it_has_expired(world: World) -> None:
    die_at_the_carrier(world)
    world.clock.advance(61)
    world.recover()
    world.resolve(resolution(world, NOT_SHIPPED), FakeDeadline())
    assert world.the_attempt().state is AttemptState.VOIDED
    audit_both(world)


def test_what_was_shipped_again_is_resolved_once_every_run_has_ended(world: World) -> None:
    """Another run of the recovery may have called as well."""
    die_at_the_carrier(world)
    world.clock.advance(61)
    world.policy = replace(world.policy, shipments_idempotent=True)
    world.carrier.outcome = OutcomeUnknown(message="no answer")
    assert world.recover().made_unknown
    request = resolution(world, NOT_SHIPPED)
    with pytest.raises(AttemptStillPendingError, match="under way"):
        world.resolve(request, FakeDeadline())
    world.clock.advance(61)
    world.resolve(request, FakeDeadline())
    assert world.the_attempt().state is AttemptState.VOIDED


def test_two_reps_at_once_and_a_stale_reading(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The attempt is read, another rep resolves it, and then the account is read."""
    lose_sight(world)
    stale = world.the_attempt()
    request = resolution(world, SHIPPED)
    world.resolve(replace(request, idempotency_key="the other rep's"), FakeDeadline())
    readings = [stale]
    read = world.store.attempt
    monkeypatch.setattr(world.store, "attempt", lambda i: readings.pop() if readings else read(i))
    with pytest.raises(AttemptAlreadyResolvedError):
        world.resolve(request, FakeDeadline())
    assert world.balance() == (9000, 0)
    world.audit()


def test_a_twin_of_the_same_resolution_is_told_the_outcome(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The attempt is read, the twin resolves it, and then the request is found remembered."""
    lose_sight(world)
    readings = [world.the_attempt()]
    request = resolution(world, SHIPPED)
    resolved = world.resolve(request, FakeDeadline()).attempt
    read = world.store.attempt
    monkeypatch.setattr(world.store, "attempt", lambda i: readings.pop() if readings else read(i))
    again = world.resolve(request, FakeDeadline())
    assert (again.attempt, again.replayed) == (resolved, True)


def test_a_ledger_that_lacks_a_hold_for_good_is_told(world: World) -> None:
    lose_sight(world)
    attempt = world.the_attempt()
    world.store.attempt_items[attempt.id] = replace(attempt, customer_id=world.customers.add())
    with pytest.raises(LedgerCorruptError):
        world.resolve(resolution(world, SHIPPED), FakeDeadline())


def test_a_limit_holds_for_resolutions_as_well(world: World) -> None:
    lose_sight(world)
    request = replace(resolution(world, SHIPPED), limit=Money(999))
    for outcome in (SHIPPED, NOT_SHIPPED):
        with pytest.raises(AmountAboveLimitError):
            world.resolve(replace(request, outcome=outcome), FakeDeadline())
    assert world.balance() == (10_000, 1000)
    world.resolve(replace(request, limit=Money(1000)), FakeDeadline())
    replay = world.resolve(request, FakeDeadline())
    assert replay.replayed, "what has had its effect is not checked again"


@pytest.mark.parametrize(
    ("noted", "found_out", "is_contradicted"),
    [
        (Shipped(shipment_id="S7"), NOT_SHIPPED, True),
        (Shipped(shipment_id="S7"), SHIPPED, True),
        (Shipped(shipment_id="S9"), SHIPPED, False),
        (NotShipped(message="no"), SHIPPED, True),
        (NotShipped(message="no"), NOT_SHIPPED, False),
        (OutcomeUnknown(message="?"), SHIPPED, False),
    ],
)
def test_a_noted_answer_of_the_carrier_cannot_be_contradicted(
    world: World,
    noted: Shipped | NotShipped | OutcomeUnknown,
    found_out: Shipped | NotShipped,
    is_contradicted: bool,
) -> None:
    lose_sight(world)
    attempt = world.the_attempt()
    world.store.attempt_items[attempt.id] = attempt.with_carrier_answer(noted, NOON)
    if is_contradicted:
        with pytest.raises(CarrierAnsweredOtherwiseError):
            world.resolve(resolution(world, found_out), FakeDeadline())
        assert world.balance() == (10_000, 1000)
    else:
        assert not world.resolve(resolution(world, found_out), FakeDeadline()).attempt.is_open
    world.audit()


def test_a_shipment_id_of_another_purchase_is_refused_by_its_name(world: World) -> None:
    first = world.buy("first").purchase
    world.carrier.outcome = OutcomeUnknown(message="no answer")
    with pytest.raises(ShipmentOutcomeUnknownError) as lost:
        world.buy("second")
    found_out = Shipped(shipment_id=first.shipment_id)
    request = resolution(world, found_out, lost.value.attempt_id)
    with pytest.raises(ShipmentIdTakenError) as raised:
        world.resolve(request, FakeDeadline())
    assert raised.value.purchase_id == first.id
    assert world.balance() == (9000, 1000)
