"""How use cases refuse, apart from what the domain and the ports say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from till.domain.errors import NotFoundError, TillError

if TYPE_CHECKING:
    from uuid import UUID


class PurchaseNotFoundError(NotFoundError):
    """There is no such purchase (an attempt that never completed is not one)."""


class AttemptNotFoundError(NotFoundError):
    """There is no such purchase attempt."""


class ShipmentIdTakenError(TillError):
    """The shipment id belongs to another purchase."""

    def __init__(self, *, purchase_id: UUID) -> None:
        super().__init__("shipment id taken")
        self.purchase_id = purchase_id


class AttemptStillPendingError(TillError):
    """The attempt is under way; its outcome may yet become known by itself."""


class PromoCodeNotFoundError(NotFoundError):
    """There is no such promo code."""


class PromoCodeExistsError(TillError):
    """The code is taken, perhaps in another case."""


class StaleVersionError(TillError):
    """It has changed since the version that the caller knows."""

    def __init__(self, *, version: int) -> None:
        super().__init__("stale version")
        self.version = version


class PromoCodeDeactivatedError(TillError):
    """A deactivated promo code stays as it is."""


class RequestInFlightError(TillError):
    """The same request is being worked on at this moment."""

    def __init__(self, *, retry_after_seconds: int) -> None:
        super().__init__("request in flight")
        self.retry_after_seconds = retry_after_seconds


class ShipmentFailedError(TillError):
    """The shipment was definitely not made: the attempt is VOIDED, nothing was charged."""

    def __init__(self, *, attempt_id: UUID, message: str, replayed: bool) -> None:
        super().__init__("shipment failed")
        self.attempt_id = attempt_id
        self.message = message
        self.replayed = replayed


class ShipmentOutcomeUnknownError(TillError):
    """The shipment outcome is unknown: the attempt waits for its resolution."""

    def __init__(self, *, attempt_id: UUID, replayed: bool) -> None:
        super().__init__("shipment outcome unknown")
        self.attempt_id = attempt_id
        self.replayed = replayed


class TimeInFutureError(TillError):
    """What is asked for has not happened yet."""


class BusyError(TillError):
    """The request was not confirmed in its time.

    There were too many changes of one account at once, or the database did not answer. Whether the
    last try took effect may be unknown: the same request with the same key tells.
    """
