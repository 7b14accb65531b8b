"""Errors of use cases that no rule of the domain and no port raises."""

from __future__ import annotations

from typing import TYPE_CHECKING

from till.domain.errors import NotFoundError, TillError

if TYPE_CHECKING:
    from uuid import UUID


class PurchaseNotFoundError(NotFoundError):
    """There is no such purchase (an attempt that never completed is not one)."""


class AttemptNotFoundError(NotFoundError):
    """There is no such purchase attempt."""


class RequestInFlightError(TillError):
    """The same request is being worked on at this moment."""

    def __init__(self, *, retry_after_seconds: int) -> None:
        super().__init__("request in flight")
        self.retry_after_seconds = retry_after_seconds


class ShipmentFailedError(TillError):
    """The attempt is VOIDED: nothing was charged.

    ``parcel_possible``: it was given up without knowing the carrier's answer.
    """

    def __init__(
        self, *, attempt_id: UUID, message: str, parcel_possible: bool, replayed: bool
    ) -> None:
        super().__init__("shipment failed")
        self.attempt_id = attempt_id
        self.message = message
        self.parcel_possible = parcel_possible
        self.replayed = replayed


class ShipmentOutcomeUnknownError(TillError):
    """The shipment outcome is unknown: the attempt waits for its resolution."""

    def __init__(self, *, attempt_id: UUID, replayed: bool) -> None:
        super().__init__("shipment outcome unknown")
        self.attempt_id = attempt_id
        self.replayed = replayed
