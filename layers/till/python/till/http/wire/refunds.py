"""Refunds."""

from __future__ import annotations

from typing import Self
from uuid import UUID

from pydantic import Field

from till.domain.purchase import Refund
from till.http.wire.types import Instant, StaffName, WireResponse


class RefundResponse(WireResponse):
    """Credit given back for a purchase."""

    id: UUID
    purchase_id: UUID
    customer_id: UUID
    amount: int
    quantity: int | None = Field(description="How many units it was for, if it was for units")
    currency: str
    reason: str
    created_at: Instant
    created_by: str
    created_by_name: StaffName
    refunded: int = Field(description="Of the purchase, after this refund")
    refundable: int = Field(description="Of the purchase, after this refund")
    balance_after: int = Field(description="The customer's posted balance after this refund")
    entry_sequence: int = Field(description="The ledger entry of this refund")

    @classmethod
    def of(cls, refund: Refund, *, names: bool) -> Self:
        """A refund, with or without the names of staff."""
        return cls(
            id=refund.id,
            purchase_id=refund.purchase_id,
            customer_id=refund.customer_id,
            amount=refund.amount.amount_minor,
            quantity=refund.quantity,
            currency=refund.amount.currency,
            reason=refund.reason,
            created_at=refund.created_at,
            created_by=refund.actor.subject,
            created_by_name=refund.actor.name if names else None,
            refunded=refund.refunded_after.amount_minor,
            refundable=refund.refundable_after.amount_minor,
            balance_after=refund.balance_after.amount_minor,
            entry_sequence=refund.entry_sequence,
        )


class RefundListResponse(WireResponse):
    """The refunds of a purchase, newest first."""

    items: list[RefundResponse]
    next_cursor: str | None
