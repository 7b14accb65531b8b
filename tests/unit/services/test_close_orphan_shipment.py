"""Possible orphan shipments stay on a work list until a person closes them."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest

from tests.unit.fakes import FakeDeadline, Fault
from tests.unit.services.conftest import World
from till.domain.actor import Actor
from till.domain.purchase import (
    AttemptState,
    CarrierAnsweredOtherwiseError,
    NoOrphanShipmentError,
    OrphanAlreadyClosedError,
    OrphanOutcome,
    OrphanStatus,
    OutcomeUnknown,
)
from till.services.close_orphan_shipment import Closed, CloseOrphanShipment, ClosingRequest
from till.services.errors import (
    AttemptNotFoundError,
    ShipmentFailedError,
    ShipmentOutcomeUnknownError,
)
from till.services.shared.idempotency import IdempotencyKeyReusedError

LOST, REFUSED = Fault(applied=True), Fault(applied=False)


@pytest.fixture
def closing(world: World) -> ClosingRequest:
    """A request to close the orphan shipment of an attempt that was voided at its deadline."""
    world.carrier.outcome = OutcomeUnknown(message="?")
    with pytest.raises(ShipmentOutcomeUnknownError):
        world.buy()
    world.clock.advance(24 * 3600)
    world.recover()
    return ClosingRequest(
        attempt_id=world.the_attempt().id,
        outcome=OrphanOutcome.WRITTEN_OFF,
        reason="the customer keeps it",
        actor=Actor("rep"),
        idempotency_key="close",
    )


def close(world: World) -> CloseOrphanShipment:
    return CloseOrphanShipment(world.store, world.clock)


@pytest.mark.parametrize("faults", [[], [REFUSED], [LOST], [REFUSED, LOST]])
def test_it_is_open_until_a_person_closes_it(
    world: World, closing: ClosingRequest, faults: list[Fault | None]
) -> None:
    assert world.recover().orphans.count == 1
    world.store.faults = list(faults)
    attempt = close(world)(closing, FakeDeadline()).attempt
    assert world.recover().orphans.count == 0
    assert attempt.orphan is not None
    assert attempt.orphan.status is OrphanStatus.CLOSED
    made = attempt.orphan.closing
    assert made is not None
    assert (made.outcome, made.reason, made.actor.subject, made.at) == (
        OrphanOutcome.WRITTEN_OFF,
        "the customer keeps it",
        "rep",
        world.clock.now(),
    )
    assert (attempt.state, attempt.listed_as) == (AttemptState.VOIDED, AttemptState.VOIDED)
    again = close(world)(closing, FakeDeadline())
    assert (again.attempt, again.replayed) == (attempt, True)
    world.audit()


def test_it_is_closed_once(world: World, closing: ClosingRequest) -> None:
    close(world)(closing, FakeDeadline())
    with pytest.raises(IdempotencyKeyReusedError):
        close(world)(replace(closing, reason="another"), FakeDeadline())
    with pytest.raises(OrphanAlreadyClosedError):
        close(world)(replace(closing, idempotency_key="another"), FakeDeadline())


def test_a_parcel_that_turns_up_opens_it_again_for_the_request_that_closed_it_too(
    world: World,
) -> None:
    """By a clock that is days ahead, all of this is possible while the carrier is being called."""
    closings: list[ClosingRequest] = []

    def closed(outcome: OrphanOutcome, key: str) -> Closed:
        request = ClosingRequest(
            attempt_id=world.the_attempt().id,
            outcome=outcome,
            reason="asked the carrier",
            actor=Actor("rep"),
            idempotency_key=key,
        )
        closings.append(request)
        return close(world)(request, FakeDeadline())

    def meanwhile() -> None:
        world.carrier.during = None
        world.clock.advance(61)
        world.recover()
        world.clock.advance(24 * 3600)
        world.recover()
        closed(OrphanOutcome.NOT_REAL, "first")

    world.carrier.during = meanwhile
    with pytest.raises(ShipmentFailedError):
        world.buy()
    again = close(world)(closings[0], FakeDeadline())
    assert again.replayed
    orphan = again.attempt.orphan
    assert orphan is not None
    assert (orphan.status, orphan.shipment_id) == (OrphanStatus.OPEN, "S1")
    assert [each.outcome for each in orphan.earlier_closings] == [OrphanOutcome.NOT_REAL]
    assert world.recover().orphans.count == 1
    with pytest.raises(IdempotencyKeyReusedError):
        closed(OrphanOutcome.RECALLED, "first")
    with pytest.raises(CarrierAnsweredOtherwiseError):
        closed(OrphanOutcome.NOT_REAL, "another")
    orphan = closed(OrphanOutcome.RECALLED, "second").attempt.orphan
    assert orphan is not None
    found = [each.outcome for each in orphan.closings]
    assert found == [OrphanOutcome.NOT_REAL, OrphanOutcome.RECALLED]
    assert close(world)(closings[0], FakeDeadline()).replayed
    world.audit()


def test_there_must_be_one(world: World) -> None:
    purchase = world.buy().purchase
    request = ClosingRequest(
        attempt_id=purchase.id,
        outcome=OrphanOutcome.NOT_REAL,
        reason="r",
        actor=Actor("rep"),
        idempotency_key="k",
    )
    with pytest.raises(NoOrphanShipmentError):
        close(world)(request, FakeDeadline())
    with pytest.raises(AttemptNotFoundError):
        close(world)(replace(request, attempt_id=uuid4()), FakeDeadline())
