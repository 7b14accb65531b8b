"""Requests about attempts: apart from attempts, which are read without what settles them."""

from __future__ import annotations

from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import ConfigDict, Field, model_validator

from till.domain.actor import Actor
from till.domain.money import Money
from till.domain.purchase import SHIPMENT_ID_PATTERN, NotShipped, OrphanOutcome, Shipped
from till.http.wire.text import Reason
from till.http.wire.types import Omittable, WireRequest
from till.services.close_orphan_shipment import ClosingRequest
from till.services.resolve_attempt import ResolutionRequest


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
        self, *, attempt_id: UUID, limit: Money | None, actor: Actor, idempotency_key: str
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
        self, *, attempt_id: UUID, actor: Actor, idempotency_key: str
    ) -> ClosingRequest:
        """The request as its use case knows it."""
        return ClosingRequest(
            attempt_id=attempt_id,
            outcome=self.outcome,
            reason=self.reason,
            actor=actor,
            idempotency_key=idempotency_key,
        )
