"""Purchase attempts and the purchases they become: reserve, ship, then post or void.

``attempt_id`` and ``purchase_id`` are one id: a completed attempt is the purchase.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final
from uuid import NAMESPACE_URL, UUID, uuid5

from till.domain.errors import TillError
from till.domain.money import MAX_AMOUNT_MINOR, ZERO, AmountOutOfBoundsError, Money

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from till.domain.actor import Actor
    from till.domain.catalogue import Address, Product
    from till.domain.promo import AppliedPromo

MAX_QUANTITY: Final = 1_000_000

_ATTEMPT_NAMESPACE: Final = uuid5(NAMESPACE_URL, "till/purchase-attempt")
_REFUND_NAMESPACE: Final = uuid5(NAMESPACE_URL, "till/refund")


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


class RefundAmountChangedError(TillError):
    """The refund comes to another amount than the caller expects."""

    def __init__(self, *, expected: Money, amount: Money) -> None:
        super().__init__("refund amount changed")
        self.expected = expected
        self.amount = amount


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


class NoOrphanShipmentError(TillError):
    """The attempt has no possible orphan shipment that could be closed."""


class OrphanAlreadyClosedError(TillError):
    """The possible orphan shipment of this attempt is closed."""


class AttemptStillPendingError(TillError):
    """The attempt is or may be under way; its outcome may yet become known by itself."""

    def __init__(self, *, state: str) -> None:
        super().__init__("still under way")
        self.state = state


class ShipmentIdTakenError(TillError):
    """The shipment id belongs to another purchase."""

    def __init__(self, *, purchase_id: UUID) -> None:
        super().__init__("shipment id taken")
        self.purchase_id = purchase_id


class AttemptAlreadyResolvedError(TillError):
    """The attempt has its final outcome; it is resolved exactly once."""

    def __init__(self, *, state: str) -> None:
        super().__init__("attempt already resolved")
        self.state = state


def attempt_id_for(customer_id: UUID, idempotency_key: str) -> UUID:
    """The one attempt that a customer's key can make: the same request, the same attempt."""
    return uuid5(_ATTEMPT_NAMESPACE, f"{customer_id}/{idempotency_key}")


def refund_id_for(customer_id: UUID, idempotency_key: str) -> UUID:
    """The one refund that a customer's key can make."""
    return uuid5(_REFUND_NAMESPACE, f"{customer_id}/{idempotency_key}")


class AttemptState(StrEnum):
    """PENDING, until it is exactly once COMPLETED or VOIDED, perhaps by way of UNKNOWN."""

    PENDING = "PENDING"
    UNKNOWN = "UNKNOWN"
    COMPLETED = "COMPLETED"
    VOIDED = "VOIDED"


OPEN_STATES: Final = (AttemptState.PENDING, AttemptState.UNKNOWN)
"""The states whose funds are held."""


class PurchaseStatus(StrEnum):
    """How much of a purchase was given back."""

    COMPLETED = "COMPLETED"
    PARTIALLY_REFUNDED = "PARTIALLY_REFUNDED"
    REFUNDED = "REFUNDED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is bought, at what price, for which address: a snapshot that never changes.

    Raises:
        ValueError: the quantity is not positive, the discount is negative or above the subtotal,
            or the total is not subtotal less discount.
    """

    product: Product
    quantity: int
    subtotal: Money
    discount: Money
    total: Money
    promo: AppliedPromo | None
    shipping_address: Address

    def __post_init__(self) -> None:
        if self.quantity < 1:
            raise ValueError("the quantity must be positive")
        self.discount.require_not_negative()
        self.total.require_not_negative()
        if self.total != self.subtotal - self.discount:
            raise ValueError("the total must be the subtotal less the discount")

    @property
    def promo_code(self) -> str | None:
        """The promo code that was used."""
        return self.promo.code if self.promo else None

    def price_of_units(self, first: int, count: int) -> Money:
        """What ``count`` of the units were sold for, counted from unit ``first`` (from 0).

        The total is spread over the units by largest remainder: the first ones cost a cent more
        where it does not divide, so that all units together cost the total exactly.
        """
        each, dearer = divmod(self.total.amount_minor, self.quantity)
        dearer_among_them = max(0, min(dearer, first + count) - first)
        return Money(each * count + dearer_among_them, self.total.currency)


def subtotal_of(product: Product, quantity: int) -> Money:
    """Multiply a product's price by a quantity, before any discount.

    Raises:
        ValueError: the price is negative.
        AmountOutOfBoundsError: the subtotal is larger than one operation may be.
    """
    product.unit_price.require_not_negative()
    if product.unit_price.amount_minor * quantity > MAX_AMOUNT_MINOR:
        raise AmountOutOfBoundsError
    return product.unit_price.times(quantity)


def make_order(
    product: Product,
    quantity: int,
    shipping_address: Address,
    *,
    promo: AppliedPromo | None,
    expected_total: Money | None,
) -> Order:
    """Price an order.

    Raises:
        AmountOutOfBoundsError: the total is larger than one operation may be.
        TotalChangedError: the total is above ``expected_total``; a lower one is simply charged.
    """
    subtotal = subtotal_of(product, quantity)
    discount = promo.off(subtotal) if promo else ZERO
    total = subtotal - discount
    if expected_total is not None and total > expected_total:
        raise TotalChangedError(expected=expected_total, total=total)
    return Order(
        product=product,
        quantity=quantity,
        subtotal=subtotal,
        discount=discount,
        total=total,
        promo=promo,
        shipping_address=shipping_address,
    )


# What the carrier said

SHIPMENT_ID_PATTERN: Final = r"^[\x21-\x7e]{1,255}$"
"""1 to 255 visible ASCII characters, from the carrier as from a rep."""


def is_shipment_id(text: str) -> bool:
    """Whether a text can be the id of a shipment."""
    # Not match(): for that, "$" also fits before a trailing newline.
    return re.fullmatch(SHIPMENT_ID_PATTERN, text) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipped:
    """CreateShipment succeeded."""

    shipment_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotShipped:
    """CreateShipment definitely made no shipment."""

    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeUnknown:
    """Whether CreateShipment made a shipment is unknown."""

    message: str


ShipmentOutcome = Shipped | NotShipped | OutcomeUnknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """Who or what decided the outcome of an attempt that the carrier had not told, and why."""

    actor: Actor
    reason: str


class OrphanOutcome(StrEnum):
    """What a person found out about a possible orphan shipment."""

    RECALLED = "RECALLED"
    """There is a parcel, and it was called back."""
    WRITTEN_OFF = "WRITTEN_OFF"
    """There is a parcel, and the customer keeps it."""
    NOT_REAL = "NOT_REAL"
    """No parcel was sent."""


class OrphanStatus(StrEnum):
    """Whether a possible orphan shipment still waits for a person."""

    OPEN = "OPEN"
    CLOSED = "CLOSED"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrphanClosing:
    """Who closed a possible orphan shipment, when, why and by which request."""

    outcome: OrphanOutcome
    reason: str
    actor: Actor
    at: datetime
    idempotency_key: str
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrphanShipment:
    """A parcel that may exist although its attempt was voided: a shipment with no purchase.

    It stays on a work list until a person closes it. ``shipment_id`` is set if the carrier
    answered with one after the attempt was voided. Such an answer opens it again if it was closed:
    ``earlier_closings`` are those before that, oldest first.
    """

    since: datetime
    shipment_id: str | None = None
    closing: OrphanClosing | None = None
    earlier_closings: tuple[OrphanClosing, ...] = ()

    @property
    def closings(self) -> tuple[OrphanClosing, ...]:
        """Each time that a person closed it, oldest first."""
        return (*self.earlier_closings, self.closing) if self.closing else self.earlier_closings

    @property
    def status(self) -> OrphanStatus:
        """Whether it still waits for a person."""
        return OrphanStatus.OPEN if self.closing is None else OrphanStatus.CLOSED


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """Credit given back for a purchase. Refunds are never changed or deleted.

    Raises:
        ValueError: the amount is not positive, or is more than the purchase had left.
    """

    id: UUID
    purchase_id: UUID
    customer_id: UUID
    number: int
    quantity: int | None
    amount: Money
    refunded_after: Money
    refundable_after: Money
    reason: str
    actor: Actor
    idempotency_key: str
    created_at: datetime
    balance_after: Money
    entry_sequence: int

    def __post_init__(self) -> None:
        self.amount.require_positive()
        self.refundable_after.require_not_negative()


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """A product sold: shipped, paid, and perhaps refunded."""

    id: UUID
    customer_id: UUID
    order: Order
    shipment_id: str
    created_at: datetime
    created_by: Actor
    refunded: Money
    refund_count: int
    refunded_quantity: int = 0

    @property
    def refundable(self) -> Money:
        """What is left to refund."""
        return self.order.total - self.refunded

    @property
    def refundable_quantity(self) -> int:
        """How many units can still be refunded as units: there must be the money for them, too."""
        if self.refundable == ZERO:
            return 0
        units_left = self.order.quantity - self.refunded_quantity
        return bisect_right(
            range(1, units_left + 1),
            self.refundable.amount_minor,
            key=lambda count: self._price_of_next_units(count).amount_minor,
        )

    def _price_of_next_units(self, count: int) -> Money:
        return self.order.price_of_units(self.refunded_quantity, count)

    @property
    def status(self) -> PurchaseStatus:
        """How much of it was given back."""
        if self.refund_count == 0:
            return PurchaseStatus.COMPLETED
        if self.refundable > ZERO:
            return PurchaseStatus.PARTIALLY_REFUNDED
        return PurchaseStatus.REFUNDED

    def as_sold(self) -> Purchase:
        """The purchase as it was before any refund: the first answer to its request."""
        return replace(self, refunded=ZERO, refund_count=0, refunded_quantity=0)

    def amount_to_refund(self, requested: Money | None, quantity: int | None) -> Money:
        """The amount of a refund: the one requested, or what so many units were sold for.

        Without either it is all that is left.

        Raises:
            ValueError: the amount or the quantity is not positive.
            RefundExceedsPurchaseError: more than is left, or nothing is.
            RefundQuantityExceededError: more units than are left.
        """
        if requested is not None:
            requested.require_positive()
        if quantity is not None:
            if quantity < 1:
                raise ValueError("the quantity must be positive")
            left = self.order.quantity - self.refunded_quantity
            if quantity > left:
                raise RefundQuantityExceededError(refundable_quantity=left)
            requested = self._price_of_next_units(quantity)
        amount = self.refundable if requested is None else requested
        if amount > self.refundable or amount <= ZERO:
            raise RefundExceedsPurchaseError(requested=requested, refundable=self.refundable)
        return amount


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseAttempt:
    """One attempt to sell, from the reservation to its outcome, with all that completes it.

    ``reservation_id`` names the one run of the code that may call the carrier: of two runs of
    the same request only the one whose reservation was written ships. ``revision`` counts the
    changes of the stored item. ``purchase`` is there if and only if the state is COMPLETED.
    ``carrier_outcome`` is what the carrier, or the lack of an answer from it, told us; it is None
    for an attempt that was shipped and posted immediately, since the purchase holds the answer.
    ``shipped_again_at`` is when the recovery called an idempotent carrier for it once more.
    ``settled_at`` is when it got its final outcome. ``orphan`` is set if it was voided although a
    parcel may exist.
    """

    id: UUID
    customer_id: UUID
    order: Order
    actor: Actor
    idempotency_key: str
    fingerprint: str
    reservation_id: str
    reserved_at: datetime
    expires_at: datetime
    revision: int = 1
    state: AttemptState = AttemptState.PENDING
    carrier_outcome: ShipmentOutcome | None = None
    carrier_answered_at: datetime | None = None
    shipped_again_at: datetime | None = None
    unknown_since: datetime | None = None
    deadline_at: datetime | None = None
    settled_at: datetime | None = None
    resolution: Resolution | None = None
    orphan: OrphanShipment | None = None
    purchase: Purchase | None = None

    @property
    def is_open(self) -> bool:
        """Its funds are held and its outcome is not final."""
        return self.state in OPEN_STATES

    def may_be_under_way(self, at: datetime, *, longest_run: timedelta) -> bool:
        """Whether a run may still be waiting for the carrier.

        By a clock that is ahead, the recovery may have given up a run that is alive. What it noted
        is of after the attempt expired; what the run itself noted is of before, by one clock. When
        one run of the recovery notes what its own call came to, another may have called as well.
        """
        answered_at = self.carrier_answered_at
        if self.shipped_again_at is not None and answered_at is not None:
            return at < answered_at + longest_run
        has_ended = answered_at is not None and answered_at < self.expires_at
        return at < self.expires_at and not has_ended

    @property
    def state_since(self) -> datetime:
        """When it entered its state."""
        return self.settled_at or self.unknown_since or self.reserved_at

    @property
    def listed_as(self) -> AttemptState | PurchaseStatus | OrphanStatus:
        """Under what it is found in lists: a purchase by its status, an open orphan as one."""
        if self.purchase is not None:
            return self.purchase.status
        if self.orphan is not None and self.orphan.status is OrphanStatus.OPEN:
            return OrphanStatus.OPEN
        return self.state

    def shipping_again(self, at: datetime) -> PurchaseAttempt:
        """The attempt, marked before an idempotent carrier is called for it once more.

        Raises:
            AttemptAlreadyResolvedError: it has its final outcome.
        """
        self._require_open()
        return replace(self, revision=self.revision + 1, shipped_again_at=at)

    def believed(self, outcome: ShipmentOutcome) -> ShipmentOutcome:
        """What a call's answer proves: that one call made no shipment says nothing of another."""
        if self.shipped_again_at is not None and isinstance(outcome, NotShipped):
            return OutcomeUnknown(message=outcome.message)
        return outcome

    def knows_more_than(self, outcome: ShipmentOutcome) -> bool:
        """Whether a definite answer is noted, and ``outcome`` only says that none is known."""
        definite = isinstance(self.carrier_outcome, Shipped | NotShipped)
        return definite and isinstance(outcome, OutcomeUnknown)

    def has_another_shipment_than(self, outcome: ShipmentOutcome) -> bool:
        """Whether ``outcome`` is a second parcel: of its purchase, an orphan, or a noted answer."""
        if not isinstance(outcome, Shipped):
            return False
        if self.purchase is not None:
            known = self.purchase.shipment_id
        elif self.orphan is not None:
            known = self.orphan.shipment_id or outcome.shipment_id
        elif isinstance(self.carrier_outcome, Shipped):
            known = self.carrier_outcome.shipment_id
        else:
            return False
        return known != outcome.shipment_id

    def with_carrier_answer(self, outcome: ShipmentOutcome, at: datetime) -> PurchaseAttempt:
        """Note what the carrier answered, while the attempt could not be settled yet.

        Raises:
            AttemptAlreadyResolvedError: it has its final outcome.
        """
        self._require_open()
        return replace(
            self, revision=self.revision + 1, carrier_outcome=outcome, carrier_answered_at=at
        )

    def require_not_answered_otherwise(self, found_out: Shipped | NotShipped) -> None:
        """Check what a person found out against the carrier's noted answer.

        A definite answer that is noted is settled by the recovery; a person cannot overrule it.

        Raises:
            CarrierAnsweredOtherwiseError: the carrier said something else.
        """
        match self.carrier_outcome:
            case Shipped(shipment_id=shipment_id) if found_out != self.carrier_outcome:
                raise CarrierAnsweredOtherwiseError(outcome="shipped", shipment_id=shipment_id)
            case NotShipped() if isinstance(found_out, Shipped):
                raise CarrierAnsweredOtherwiseError(outcome="not_shipped", shipment_id=None)
            case _:
                pass

    def completed(
        self, shipped: Shipped, at: datetime, *, resolution: Resolution | None = None
    ) -> PurchaseAttempt:
        """The attempt as the purchase it became.

        Raises:
            AttemptAlreadyResolvedError: it has its final outcome.
        """
        self._require_open()
        purchase = Purchase(
            id=self.id,
            customer_id=self.customer_id,
            order=self.order,
            shipment_id=shipped.shipment_id,
            created_at=at,
            created_by=self.actor,
            refunded=ZERO,
            refund_count=0,
        )
        return replace(
            self,
            revision=self.revision + 1,
            state=AttemptState.COMPLETED,
            settled_at=at,
            resolution=resolution,
            purchase=purchase,
        )

    def voided(
        self,
        at: datetime,
        *,
        resolution: Resolution | None = None,
        possible_orphan: bool = False,
    ) -> PurchaseAttempt:
        """The attempt that bought nothing; ``possible_orphan``: a parcel may exist all the same.

        Raises:
            AttemptAlreadyResolvedError: it has its final outcome.
        """
        self._require_open()
        return replace(
            self,
            revision=self.revision + 1,
            state=AttemptState.VOIDED,
            settled_at=at,
            resolution=resolution,
            orphan=OrphanShipment(since=at) if possible_orphan else None,
        )

    def unknown(self, at: datetime, *, deadline_at: datetime) -> PurchaseAttempt:
        """The attempt whose outcome is unknown, until ``deadline_at`` at the latest.

        Raises:
            AttemptAlreadyResolvedError: it is no longer pending.
        """
        if self.state is not AttemptState.PENDING:
            raise AttemptAlreadyResolvedError(state=self.state.value)
        return replace(
            self,
            revision=self.revision + 1,
            state=AttemptState.UNKNOWN,
            unknown_since=at,
            deadline_at=deadline_at,
        )

    def with_late_answer(self, outcome: ShipmentOutcome, at: datetime) -> PurchaseAttempt:
        """The voided attempt with what a call of the carrier came to after that.

        A parcel that was made after all is an open orphan shipment, and one that may have been made
        is a possible one: the void was made without knowing. If there is no parcel, a possible
        orphan stays open until a person closes it, who sees the answer.

        Raises:
            ValueError: the attempt is not voided.
        """
        if self.state is not AttemptState.VOIDED:
            raise ValueError("only the answer for a voided attempt can be late")
        orphan = self.orphan
        if isinstance(outcome, Shipped):
            orphan = OrphanShipment(
                since=at,
                shipment_id=outcome.shipment_id,
                earlier_closings=orphan.closings if orphan else (),
            )
        elif isinstance(outcome, OutcomeUnknown) and orphan is None:
            orphan = OrphanShipment(since=at)
        return replace(
            self,
            revision=self.revision + 1,
            carrier_outcome=outcome,
            carrier_answered_at=at,
            orphan=orphan,
        )

    def with_orphan_closed(self, closing: OrphanClosing) -> PurchaseAttempt:
        """The attempt whose possible orphan shipment a person has dealt with.

        Raises:
            NoOrphanShipmentError: there is none.
            OrphanAlreadyClosedError: it is closed.
            CarrierAnsweredOtherwiseError: there is no parcel, and the carrier has named one.
        """
        if self.orphan is None:
            raise NoOrphanShipmentError
        if self.orphan.closing is not None:
            raise OrphanAlreadyClosedError
        shipment_id = self.orphan.shipment_id
        if shipment_id is not None and closing.outcome is OrphanOutcome.NOT_REAL:
            raise CarrierAnsweredOtherwiseError(outcome="shipped", shipment_id=shipment_id)
        return replace(
            self, revision=self.revision + 1, orphan=replace(self.orphan, closing=closing)
        )

    def with_refund(self, refund: Refund) -> PurchaseAttempt:
        """The attempt whose purchase has one more refund."""
        if self.purchase is None:
            raise ValueError("only a purchase can be refunded")
        purchase = replace(
            self.purchase,
            refunded=refund.refunded_after,
            refund_count=refund.number,
            refunded_quantity=self.purchase.refunded_quantity + (refund.quantity or 0),
        )
        return replace(self, revision=self.revision + 1, purchase=purchase)

    def _require_open(self) -> None:
        if not self.is_open:
            raise AttemptAlreadyResolvedError(state=self.state.value)
