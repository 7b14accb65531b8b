"""What something would cost, or give back."""

from __future__ import annotations

from typing import Self
from uuid import UUID

from pydantic import Field

from till.http.wire.problem import ProblemResponse
from till.http.wire.snapshots import ProductSnapshotResponse
from till.http.wire.types import WireResponse
from till.services.create_quote import Quote
from till.services.create_refund_quote import RefundQuote


class QuoteResponse(WireResponse):
    """What a purchase would cost now, and whether it would go through.

    ``total`` is what to send as ``expected_total``. Without a price (the promo code cannot be
    used) it is null, and so is ``discount``.
    """

    customer_id: UUID
    product: ProductSnapshotResponse
    quantity: int
    subtotal: int
    discount: int | None
    total: int | None
    currency: str
    promo_code: str | None
    available: int
    would_succeed: bool
    problem: ProblemResponse | None = Field(description="What a purchase would be refused with")

    @classmethod
    def of(cls, quote: Quote, problem: ProblemResponse | None) -> Self:
        """A quote."""
        order = quote.order
        return cls(
            customer_id=quote.intent.customer_id,
            product=ProductSnapshotResponse.of(quote.product),
            quantity=quote.intent.quantity,
            subtotal=quote.subtotal.amount_minor,
            discount=order.discount.amount_minor if order else None,
            total=order.total.amount_minor if order else None,
            currency=quote.subtotal.currency,
            promo_code=quote.intent.promo_code,
            available=quote.available.amount_minor,
            would_succeed=problem is None,
            problem=problem,
        )


class RefundQuoteResponse(WireResponse):
    """What a refund would come to now, and whether it would go through. Nothing is changed.

    What follows from the amount is null where the refund would be refused.
    """

    purchase_id: UUID
    customer_id: UUID
    amount: int | None
    quantity: int | None
    currency: str
    refunded_after: int | None = Field(description="Of the purchase, after the refund")
    refundable_after: int | None = Field(description="Of the purchase, after the refund")
    balance_before: int = Field(description="The customer's posted balance as it is")
    balance_after: int | None = Field(description="The customer's posted balance after the refund")
    would_succeed: bool
    problem: ProblemResponse | None = Field(description="What the refund would be refused with")

    @classmethod
    def of(cls, quote: RefundQuote, problem: ProblemResponse | None) -> Self:
        """A quote."""
        purchase, amount, after = quote.purchase, quote.amount, quote.account_after
        granted = amount if problem is None else None
        return cls(
            purchase_id=purchase.id,
            customer_id=purchase.customer_id,
            amount=amount.amount_minor if amount is not None else None,
            quantity=quote.intent.quantity,
            currency=purchase.order.total.currency,
            refunded_after=(purchase.refunded + granted).amount_minor
            if granted is not None
            else None,
            refundable_after=(purchase.refundable - granted).amount_minor
            if granted is not None
            else None,
            balance_before=quote.account.posted.amount_minor,
            balance_after=after.posted.amount_minor if after is not None else None,
            would_succeed=problem is None,
            problem=problem,
        )
