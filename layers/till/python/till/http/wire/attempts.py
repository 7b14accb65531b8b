"""Purchase attempts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Self
from uuid import UUID

from pydantic import Field

from till.domain.purchase import (
    AttemptState,
    NotShipped,
    OrphanClosing,
    OrphanOutcome,
    OrphanShipment,
    OrphanStatus,
    OutcomeUnknown,
    PurchaseAttempt,
    Resolution,
    Shipped,
)
from till.http.wire.snapshots import AddressResponse, ProductSnapshotResponse
from till.http.wire.types import Instant, StaffName, WireResponse


class CarrierAnswerResponse(WireResponse):
    """What the carrier answered, or what became of the call."""

    outcome: Literal["shipped", "not_shipped", "unknown"]
    message: str | None
    shipment_id: str | None
    answered_at: Instant | None

    @classmethod
    def of(cls, attempt: PurchaseAttempt) -> Self | None:
        """The answer that an attempt got, if any."""
        at = attempt.carrier_answered_at
        outcome = attempt.carrier_outcome
        if outcome is None and attempt.purchase is not None and attempt.resolution is None:
            outcome, at = Shipped(shipment_id=attempt.purchase.shipment_id), attempt.settled_at
        match outcome:
            case None:
                return None
            case Shipped(shipment_id=shipment_id):
                return cls(outcome="shipped", message=None, shipment_id=shipment_id, answered_at=at)
            case NotShipped(message=message):
                return cls(outcome="not_shipped", message=message, shipment_id=None, answered_at=at)
            case OutcomeUnknown(message=message):
                return cls(outcome="unknown", message=message, shipment_id=None, answered_at=at)


class AttemptResolutionResponse(WireResponse):
    """Who or what decided the outcome that the carrier had not told, and why."""

    actor: str
    actor_name: StaffName
    reason: str

    @classmethod
    def of(cls, resolution: Resolution) -> Self:
        """A resolution."""
        actor = resolution.actor
        return cls(actor=actor.subject, actor_name=actor.name, reason=resolution.reason)


class OrphanClosingResponse(WireResponse):
    """Who closed a possible orphan shipment, when and why."""

    outcome: OrphanOutcome
    reason: str
    closed_at: Instant
    closed_by: str
    closed_by_name: StaffName

    @classmethod
    def of(cls, closing: OrphanClosing) -> Self:
        """A closing."""
        return cls(
            outcome=closing.outcome,
            reason=closing.reason,
            closed_at=closing.at,
            closed_by=closing.actor.subject,
            closed_by_name=closing.actor.name,
        )


class OrphanShipmentResponse(WireResponse):
    """A parcel that may exist although its attempt was voided. Open until a person closes it."""

    status: OrphanStatus
    since: Instant
    shipment_id: str | None = Field(
        description="The carrier's id, if its answer came after the attempt was voided"
    )
    closing: OrphanClosingResponse | None
    earlier_closings: list[OrphanClosingResponse] = Field(
        description="How it was closed before its parcel turned up and opened it again"
    )

    @classmethod
    def of(cls, orphan: OrphanShipment) -> Self:
        """A possible orphan shipment."""
        return cls(
            status=orphan.status,
            since=orphan.since,
            shipment_id=orphan.shipment_id,
            closing=OrphanClosingResponse.of(orphan.closing) if orphan.closing else None,
            earlier_closings=[OrphanClosingResponse.of(each) for each in orphan.earlier_closings],
        )


class AttemptResponse(WireResponse):
    """A purchase attempt. Its funds are held while it is PENDING or UNKNOWN."""

    id: UUID
    customer_id: UUID
    state: AttemptState
    product: ProductSnapshotResponse
    quantity: int
    subtotal: int
    discount: int
    total: int
    currency: str
    promo_code: str | None
    shipping_address: AddressResponse
    created_at: Instant
    created_by: str
    created_by_name: StaffName
    expires_at: Instant = Field(description="A PENDING attempt becomes UNKNOWN after this")
    unknown_since: Instant | None
    deadline_at: Instant | None = Field(
        description="An UNKNOWN attempt is voided in the customer's favour after this"
    )
    settled_at: Instant | None = Field(description="When it got its final outcome")
    carrier: CarrierAnswerResponse | None
    resolution: AttemptResolutionResponse | None
    orphan: OrphanShipmentResponse | None = Field(
        description="Set if the attempt was voided although a parcel may have been sent"
    )
    purchase_id: UUID | None
    shipment_id: str | None

    @classmethod
    def of(cls, attempt: PurchaseAttempt) -> Self:
        """An attempt."""
        order, purchase, resolution = attempt.order, attempt.purchase, attempt.resolution
        return cls(
            id=attempt.id,
            customer_id=attempt.customer_id,
            state=attempt.state,
            product=ProductSnapshotResponse.of(order.product),
            quantity=order.quantity,
            subtotal=order.subtotal.amount_minor,
            discount=order.discount.amount_minor,
            total=order.total.amount_minor,
            currency=order.total.currency,
            promo_code=order.promo_code,
            shipping_address=AddressResponse.of(order.shipping_address),
            created_at=attempt.reserved_at,
            created_by=attempt.actor.subject,
            created_by_name=attempt.actor.name,
            expires_at=attempt.expires_at,
            unknown_since=attempt.unknown_since,
            deadline_at=attempt.deadline_at,
            settled_at=attempt.settled_at,
            carrier=CarrierAnswerResponse.of(attempt),
            resolution=AttemptResolutionResponse.of(resolution) if resolution else None,
            orphan=OrphanShipmentResponse.of(attempt.orphan) if attempt.orphan else None,
            purchase_id=purchase.id if purchase else None,
            shipment_id=purchase.shipment_id if purchase else None,
        )


class NamedAttemptResponse(AttemptResponse):
    """A purchase attempt on a list of many customers'."""

    customer_name: str | None = Field(description="Null if unknown, or not asked for")

    @classmethod
    def named(cls, attempt: PurchaseAttempt, names: Mapping[UUID, str]) -> Self:
        """An attempt, with its customer's name if that is among the names."""
        fields = dict(AttemptResponse.of(attempt))
        return cls(**fields, customer_name=names.get(attempt.customer_id))


class AttemptListResponse(WireResponse):
    """Purchase attempts, newest first."""

    items: list[NamedAttemptResponse]
    next_cursor: str | None
