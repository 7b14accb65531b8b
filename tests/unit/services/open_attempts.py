"""Attempts without an outcome, for the tests of resolving and of recovering them."""

from __future__ import annotations

from uuid import UUID

import pytest

from tests.unit.fakes import Fault
from tests.unit.services.conftest import World
from till.domain.actor import Actor
from till.domain.purchase import (
    NotShipped,
    OutcomeUnknown,
    Shipped,
)
from till.services.errors import (
    ShipmentOutcomeUnknownError,
)
from till.services.resolve_attempt import ResolutionRequest

LOST, REFUSED = Fault(applied=True), Fault(applied=False)
SHIPPED = Shipped(shipment_id="S9")
NOT_SHIPPED = NotShipped(message="asked the carrier")


def lose_sight(world: World) -> None:
    world.carrier.outcome = OutcomeUnknown(message="no answer")
    with pytest.raises(ShipmentOutcomeUnknownError):
        world.buy()


def die_at_the_carrier(world: World) -> None:
    world.carrier.outcome = RuntimeError("killed")
    with pytest.raises(RuntimeError):
        world.buy()


def resolution(
    world: World, outcome: Shipped | NotShipped, attempt_id: UUID | None = None
) -> ResolutionRequest:
    return ResolutionRequest(
        attempt_id=attempt_id or world.the_attempt().id,
        outcome=outcome,
        limit=None,
        reason="asked the carrier",
        actor=Actor("rep"),
        idempotency_key="resolve",
    )


def audit_both(world: World) -> None:
    world.audit()
    assert world.store.account(world.customer_id).open_attempts == ()
