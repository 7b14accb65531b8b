"""Purchase attempts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import ConfigDict, Field, model_validator

from till.domain.money import Money
from till.domain.purchase import (
    SHIPMENT_ID_PATTERN,
    AttemptState,
    NotShipped,
    OrphanOutcome,
    OrphanShipment,
    OrphanStatus,
    OutcomeUnknown,
    PurchaseAttempt,
    Shipped,
)
from till.http.wire.snapshots import AddressResponse, ProductSnapshotResponse
from till.http.wire.text import Reason
from till.http.wire.types import Instant, Omittable, WireRequest, WireResponse
from till.services.close_orphan_shipment import ClosingRequest
from till.services.resolve_attempt import ResolutionRequest


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
    reason: str


class OrphanClosingResponse(WireResponse):
    """Who closed a possible orphan shipment, when and why."""

    outcome: OrphanOutcome
    reason: str
    closed_at: Instant
    closed_by: str


class OrphanShipmentResponse(WireResponse):
    """A parcel that may exist although its attempt was voided. Open until a person closes it."""

    status: OrphanStatus
    since: Instant
    shipment_id: str | None = Field(
        description="The carrier's id, if its answer came after the attempt was voided"
    )
    closing: OrphanClosingResponse | None

    @classmethod
    def of(cls, orphan: OrphanShipment) -> Self:
        """A possible orphan shipment."""
        closing = orphan.closing
        return cls(
            status=orphan.status,
            since=orphan.since,
            shipment_id=orphan.shipment_id,
            closing=OrphanClosingResponse(
                outcome=closing.outcome,
                reason=closing.reason,
                closed_at=closing.at,
                closed_by=closing.actor,
            )
            if closing
            else None,
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
            created_by=attempt.actor,
            expires_at=attempt.expires_at,
            unknown_since=attempt.unknown_since,
            deadline_at=attempt.deadline_at,
            settled_at=attempt.settled_at,
            carrier=CarrierAnswerResponse.of(attempt),
            resolution=AttemptResolutionResponse(actor=resolution.actor, reason=resolution.reason)
            if resolution
            else None,
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


class ResolveAttemptRequest(WireRequest):
    """What was found out about an attempt of unknown outcome."""

    model_config = ConfigDict(
        json_schema_extra={
            "if": {"properties": {"outcome": {"const": "shipped"}}},
            "then": {"required": ["shipment_id"]},
            "else": {"not": {"required": ["shipment_id"]}},
        }
    )

    outcome: Literal["shipped", "not_shipped"]
    shipment_id: Omittable[
        Annotated[
            str,
            Field(
                pattern=SHIPMENT_ID_PATTERN,
                description="The carrier's id of the shipment: required with outcome shipped, and "
                "refused with not_shipped",
            ),
        ]
    ] = None
    reason: Reason

    @model_validator(mode="after")
    def _shipment_id_goes_with_shipped(self) -> Self:
        if (self.outcome == "shipped") != (self.shipment_id is not None):
            raise ValueError("shipment_id goes with the outcome shipped, and only with it")
        return self

    def resolution_request(
        self, *, attempt_id: UUID, limit: Money | None, actor: str, idempotency_key: str
    ) -> ResolutionRequest:
        """The request as its use case knows it."""
        return ResolutionRequest(
            attempt_id=attempt_id,
            outcome=Shipped(shipment_id=self.shipment_id)
            if self.shipment_id is not None
            else NotShipped(message=self.reason),
            limit=limit,
            reason=self.reason,
            actor=actor,
            idempotency_key=idempotency_key,
        )


class CloseOrphanShipmentRequest(WireRequest):
    """What was found out about a possible orphan shipment."""

    outcome: Annotated[
        OrphanOutcome,
        Field(
            strict=False,
            description="RECALLED: there is a parcel, and it was called back. WRITTEN_OFF: there "
            "is a parcel, and the customer keeps it. NOT_REAL: no parcel was sent",
        ),
    ]
    reason: Reason

    def closing_request(
        self, *, attempt_id: UUID, actor: str, idempotency_key: str
    ) -> ClosingRequest:
        """The request as its use case knows it."""
        return ClosingRequest(
            attempt_id=attempt_id,
            outcome=self.outcome,
            reason=self.reason,
            actor=actor,
            idempotency_key=idempotency_key,
        )
