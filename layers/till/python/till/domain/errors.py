"""Everything that can go wrong in the rules of the domain, as one tree under ``TillError``.

``till.http.problems`` holds the one table from these to what the caller sees.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uuid import UUID

    from till.domain.money import Money
    from till.domain.promo import PromoRestriction


class TillError(Exception):
    """Base of every error that Till raises on purpose."""


# Not found


class NotFoundError(TillError):
    """What was asked for does not exist."""


class CustomerNotFoundError(NotFoundError):
    """The Customer API does not know this customer."""


class ProductNotFoundError(NotFoundError):
    """The Product API does not know this product."""


class PurchaseNotFoundError(NotFoundError):
    """There is no such purchase (an attempt that never completed is not one)."""


class AttemptNotFoundError(NotFoundError):
    """There is no such purchase attempt."""


# Input that only the rules can judge


class AmountOutOfBoundsError(TillError):
    """An amount or a total is larger than Till handles."""


class InvalidCursorError(TillError):
    """A cursor that this list did not hand out."""


# What the caller may not do


class AmountAboveLimitError(TillError):
    """More than this caller may move in one operation."""

    def __init__(self, *, amount: Money, limit: Money) -> None:
        super().__init__("amount above limit")
        self.amount = amount
        self.limit = limit


# Conflicts with the state of the books


class InsufficientCreditError(TillError):
    """The available credit does not cover the amount."""

    def __init__(self, *, needed: Money, available: Money) -> None:
        super().__init__("insufficient credit")
        self.needed = needed
        self.available = available


class BalanceLimitError(TillError):
    """The balance would grow past the largest that Till keeps."""


class TotalChangedError(TillError):
    """The total has risen above the one the caller expects."""

    def __init__(self, *, expected: Money, total: Money) -> None:
        super().__init__("total changed")
        self.expected = expected
        self.total = total


class RefundExceedsPurchaseError(TillError):
    """More than what is left to refund of this purchase (perhaps nothing is)."""

    def __init__(self, *, requested: Money | None, refundable: Money) -> None:
        super().__init__("refund exceeds purchase")
        self.requested = requested
        self.refundable = refundable


class RefundQuantityExceededError(TillError):
    """More units than are left to refund of this purchase."""

    def __init__(self, *, refundable_quantity: int) -> None:
        super().__init__("refund quantity exceeded")
        self.refundable_quantity = refundable_quantity


class CarrierAnsweredOtherwiseError(TillError):
    """The carrier's answer, noted on the attempt, contradicts what the caller found out."""

    def __init__(self, *, outcome: str, shipment_id: str | None) -> None:
        super().__init__("the carrier answered otherwise")
        self.outcome = outcome
        self.shipment_id = shipment_id


class ShipmentIdTakenError(TillError):
    """The shipment id belongs to another purchase."""

    def __init__(self, *, purchase_id: UUID) -> None:
        super().__init__("shipment id taken")
        self.purchase_id = purchase_id


class NoOrphanShipmentError(TillError):
    """The attempt has no possible orphan shipment that could be closed."""


class OrphanAlreadyClosedError(TillError):
    """The possible orphan shipment of this attempt was closed before."""


class AttemptAlreadyResolvedError(TillError):
    """The attempt has its final outcome; it is resolved exactly once."""

    def __init__(self, *, state: str) -> None:
        super().__init__("attempt already resolved")
        self.state = state


class AttemptStillPendingError(TillError):
    """The attempt is under way; its outcome may yet become known by itself."""


class UnresolvedAttemptError(TillError):
    """An earlier attempt at the same product and quantity has no known outcome yet."""

    def __init__(self, *, attempt_id: UUID) -> None:
        super().__init__("unresolved attempt")
        self.attempt_id = attempt_id


class TooManyOpenAttemptsError(TillError):
    """The customer has as many open purchase attempts as there may be."""

    def __init__(self, *, limit: int) -> None:
        super().__init__("too many open attempts")
        self.limit = limit


# Promo codes


class PromoCodeNotFoundError(NotFoundError):
    """There is no such promo code."""


class InvalidPromoTermsError(TillError):
    """Terms that contradict each other."""

    def __init__(self, *, field: str, message: str) -> None:
        super().__init__("invalid promo terms")
        self.field = field
        self.message = message


class PromoCodeExistsError(TillError):
    """The code is taken, perhaps in another case."""


class PromoCodeRefusedError(TillError):
    """The promo code cannot be used for this purchase."""

    def __init__(self, *, code: str, restriction: PromoRestriction) -> None:
        super().__init__("promo code refused")
        self.code = code
        self.restriction = restriction


class StaleVersionError(TillError):
    """Somebody else has changed it since the version that the caller knows."""

    def __init__(self, *, version: int) -> None:
        super().__init__("stale version")
        self.version = version


class PromoCodeDeactivatedError(TillError):
    """A deactivated promo code stays as it is."""


# Idempotency


class IdempotencyKeyReusedError(TillError):
    """The same Idempotency-Key came with another request."""


class RequestInFlightError(TillError):
    """The same request is being worked on at this moment."""

    def __init__(self, *, retry_after_seconds: int) -> None:
        super().__init__("request in flight")
        self.retry_after_seconds = retry_after_seconds


# The external APIs


class UpstreamUnavailableError(TillError):
    """An external API could not be reached, or answered with a failure."""

    def __init__(self, api: str, detail: str) -> None:
        super().__init__(f"{api}: {detail}")
        self.api = api


class UpstreamContractError(TillError):
    """An external API answered with something that breaks its contract."""

    def __init__(self, api: str, detail: str) -> None:
        super().__init__(f"{api}: {detail}")
        self.api = api


class ShipmentFailedError(TillError):
    """The shipment was definitely not made: the attempt is VOIDED, nothing was charged."""

    def __init__(self, *, attempt_id: UUID, message: str, replayed: bool) -> None:
        super().__init__("shipment failed")
        self.attempt_id = attempt_id
        self.message = message
        self.replayed = replayed


class ShipmentOutcomeUnknownError(TillError):
    """Nobody knows yet whether the shipment was made: the attempt waits for its resolution."""

    def __init__(self, *, attempt_id: UUID, replayed: bool) -> None:
        super().__init__("shipment outcome unknown")
        self.attempt_id = attempt_id
        self.replayed = replayed


# Ourselves


class BusyError(TillError):
    """The request was not confirmed in its time.

    There were too many changes of one account at once, or the database did not answer. Whether the
    last try took effect may be unknown: the same request with the same key tells.
    """


class LedgerCorruptError(TillError):
    """The ledger contradicts itself: a changed, removed or inserted entry."""

    def __init__(self, *, sequence: int, detail: str) -> None:
        super().__init__(f"entry {sequence}: {detail}")
        self.sequence = sequence
