"""What a search finds."""

from __future__ import annotations

from typing import Self
from uuid import UUID

from pydantic import Field

from till.domain.promo import PromoCode, PromoState
from till.domain.purchase import AttemptState, PurchaseAttempt, PurchaseStatus
from till.http.wire.types import Instant, WireResponse
from till.services.search_everything import (
    FoundAttempt,
    FoundCustomer,
    Match,
    MatchKind,
    SearchResult,
)


class SearchMatchResponse(WireResponse):
    """One match. Which of the fields it has depends on its kind; the others are null."""

    kind: MatchKind
    id: str = Field(description="The id of what was found, or the promo code")
    purchase_id: UUID | None = Field(
        description="For a purchase, an attempt or a shipment: the purchase attempt's id"
    )
    customer_id: UUID | None
    name: str | None = Field(
        description="The name of the customer, or of the product. Null for a customer whom the "
        "Customer API does not know any more; with `customers_unavailable`, for one whose name "
        "cannot be read at the moment"
    )
    email: str | None = Field(description="For a customer: the e-mail address")
    status: PurchaseStatus | AttemptState | PromoState | None = Field(
        description="The status of the purchase, or the state of the attempt or promo code"
    )
    total: int | None = Field(description="What the purchase costs, in minor units")
    currency: str | None
    created_at: Instant | None

    @classmethod
    def of(cls, match: Match) -> Self:
        """A match."""
        match match:
            case FoundAttempt(kind=kind, attempt=attempt):
                return cls._of_attempt(kind, attempt)
            case FoundCustomer(customer_id=customer_id, details=details):
                return cls(
                    kind=MatchKind.CUSTOMER,
                    id=str(customer_id),
                    purchase_id=None,
                    customer_id=customer_id,
                    name=details.name if details else None,
                    email=details.email if details else None,
                    status=None,
                    total=None,
                    currency=None,
                    created_at=details.created_at if details else None,
                )
            case PromoCode():
                return cls(
                    kind=MatchKind.PROMO_CODE,
                    id=match.code,
                    purchase_id=None,
                    customer_id=None,
                    name=None,
                    email=None,
                    status=match.state,
                    total=None,
                    currency=None,
                    created_at=match.created_at,
                )

    @classmethod
    def _of_attempt(cls, kind: MatchKind, attempt: PurchaseAttempt) -> Self:
        purchase, order = attempt.purchase, attempt.order
        by_shipment = kind is MatchKind.SHIPMENT and purchase is not None
        return cls(
            kind=kind,
            id=purchase.shipment_id if by_shipment and purchase else str(attempt.id),
            purchase_id=attempt.id,
            customer_id=attempt.customer_id,
            name=order.product.name,
            email=None,
            status=purchase.status if purchase else attempt.state,
            total=order.total.amount_minor,
            currency=order.total.currency,
            created_at=attempt.reserved_at,
        )


class SearchResponse(WireResponse):
    """What matches, the best first."""

    items: list[SearchMatchResponse]
    more_customers: bool = Field(
        description="True: more customers match than are returned; search for another word too"
    )
    customers_unavailable: bool = Field(
        description="True: the Customer API does not answer, so customers may be missing"
    )

    @classmethod
    def of(cls, result: SearchResult) -> Self:
        """A result."""
        return cls(
            items=[SearchMatchResponse.of(match) for match in result.matches],
            more_customers=result.more_customers,
            customers_unavailable=result.customers_unavailable,
        )
