"""Requests for refunds: apart from refunds, which are read without what makes them."""

from __future__ import annotations

from typing import Annotated, Self
from uuid import UUID

from pydantic import ConfigDict, Field, model_validator

from till.domain.actor import Actor
from till.domain.money import Money
from till.domain.purchase import MAX_QUANTITY
from till.http.wire.text import Reason
from till.http.wire.types import Amount, Omittable, WireRequest
from till.services.create_refund_quote import RefundIntent
from till.services.refund_purchase import RefundRequest


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
        self, *, purchase_id: UUID, actor: Actor, limit: Money | None, idempotency_key: str
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

    def refund_intent(self, *, purchase_id: UUID, limit: Money | None) -> RefundIntent:
        """The request as its use case knows it."""
        return RefundIntent(
            purchase_id=purchase_id, amount=self.money(), quantity=self.quantity, limit=limit
        )
