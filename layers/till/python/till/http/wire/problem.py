"""Problem documents (RFC 9457), as they are sent."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from till.http.wire.types import WireResponse


class FieldErrorResponse(WireResponse):
    """One field of a request, and what is wrong with it."""

    field: str
    message: str


class ProblemResponse(BaseModel):
    """A problem (RFC 9457): what was wrong and what to do about it."""

    # A client has to ignore members that it does not know (RFC 9457, 3.2).
    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        defer_build=True,
        json_schema_extra={"additionalProperties": True},
    )

    type: str = Field(description="Stable; made for programs")
    title: str
    status: int | None = Field(default=None, description="API Gateway's own answers may lack it")
    detail: str
    correlation_id: str = Field(description="Names this request in the log")
    errors: list[FieldErrorResponse] | None = None
    needed: int | None = None
    available: int | None = None
    refundable: int | None = None
    expected_total: int | None = None
    expected_amount: int | None = None
    total: int | None = None
    currency: str | None = None
    attempt_id: UUID | None = None
    parcel_possible: bool | None = None
    state: str | None = None
    promo_code: str | None = None
    restriction: str | None = None
    refundable_quantity: int | None = None
    version: int | None = None
    amount: int | None = None
    limit: int | None = None
    purchase_id: UUID | None = None
    shipment_id: str | None = None
    carrier_outcome: str | None = None
