"""Refunds."""

from __future__ import annotations

from typing import Annotated, Self
from uuid import UUID

from pydantic import ConfigDict, Field, model_validator

from till.domain.money import Money
from till.domain.purchase import MAX_QUANTITY, Refund
from till.http.wire.text import Reason
from till.http.wire.types import Amount, Instant, Omittable, WireRequest, WireResponse
from till.services.create_refund_quote import RefundWish
from till.services.refund_purchase import RefundRequest


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
    refunded: int = Field(description="Of the purchase, after this refund")
    refundable: int = Field(description="Of the purchase, after this refund")
    balance_after: int = Field(description="The customer's posted balance after this refund")
    entry_sequence: int = Field(description="The ledger entry of this refund")

    @classmethod
    def of(cls, refund: Refund) -> Self:
        """A refund."""
        return cls(
            id=refund.id,
            purchase_id=refund.purchase_id,
            customer_id=refund.customer_id,
            amount=refund.amount.amount_minor,
            quantity=refund.quantity,
            currency=refund.amount.currency,
            reason=refund.reason,
            created_at=refund.created_at,
            created_by=refund.actor,
            refunded=refund.refunded_after.amount_minor,
            refundable=refund.refundable_after.amount_minor,
            balance_after=refund.balance_after.amount_minor,
            entry_sequence=refund.entry_sequence,
        )


class _RefundExtent(WireRequest):
    model_config = ConfigDict(json_schema_extra={"not": {"required": ["amount", "quantity"]}})

    amount: Omittable[Amount] = None
    quantity: Omittable[Annotated[int, Field(gt=0, le=MAX_QUANTITY)]] = None

    @model_validator(mode="after")
    def _one_of_the_two(self) -> Self:
        if self.amount is not None and self.quantity is not None:
            raise ValueError("an amount or a quantity, not both")
        return self

    def money(self) -> Money | None:
        """The amount, if it is one that is asked for."""
        return Money(self.amount) if self.amount is not None else None


class CreateRefundRequest(_RefundExtent):
    """What to give back: an amount, or a number of units; without either, all that is left."""

    expected_amount: Omittable[Amount] = None
    reason: Reason

    def refund_request(
        self, *, purchase_id: UUID, actor: str, limit: Money | None, idempotency_key: str
    ) -> RefundRequest:
        """The request as its use case knows it."""
        return RefundRequest(
            purchase_id=purchase_id,
            amount=self.money(),
            quantity=self.quantity,
            expected_amount=Money(self.expected_amount)
            if self.expected_amount is not None
            else None,
            limit=limit,
            reason=self.reason,
            actor=actor,
            idempotency_key=idempotency_key,
        )


class CreateRefundQuoteRequest(_RefundExtent):
    """What to quote: an amount, or a number of units; without either, all that is left."""

    def refund_wish(self, *, purchase_id: UUID, limit: Money | None) -> RefundWish:
        """The request as its use case knows it."""
        return RefundWish(
            purchase_id=purchase_id, amount=self.money(), quantity=self.quantity, limit=limit
        )


class RefundListResponse(WireResponse):
    """The refunds of a purchase, newest first."""

    items: list[RefundResponse]
    next_cursor: str | None
