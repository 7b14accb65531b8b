"""Purchases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self
from uuid import UUID

from pydantic import Field

from till.domain.purchase import Purchase, PurchaseStatus, Refund
from till.http.wire.discounts import DiscountResponse, discount_response
from till.http.wire.refunds import RefundResponse
from till.http.wire.snapshots import AddressResponse, ProductSnapshotResponse
from till.http.wire.types import Instant, StaffName, WireResponse


class PurchaseResponse(WireResponse):
    """A purchase, with product and address as they were then."""

    id: UUID
    customer_id: UUID
    product: ProductSnapshotResponse
    quantity: int
    subtotal: int
    discount: int
    total: int
    refunded: int
    refundable: int
    currency: str
    promo_code: str | None
    promo_discount: DiscountResponse | None = Field(description="The code's rule as it was then")
    refunded_quantity: int = Field(description="How many units were refunded as units")
    refundable_quantity: int
    shipment_id: str
    shipping_address: AddressResponse
    status: PurchaseStatus
    created_at: Instant
    created_by: str
    created_by_name: StaffName

    @classmethod
    def of(cls, purchase: Purchase, *, names: bool) -> Self:
        """A purchase, with or without the names of staff."""
        order = purchase.order
        return cls(
            id=purchase.id,
            customer_id=purchase.customer_id,
            product=ProductSnapshotResponse.of(order.product),
            quantity=order.quantity,
            subtotal=order.subtotal.amount_minor,
            discount=order.discount.amount_minor,
            total=order.total.amount_minor,
            refunded=purchase.refunded.amount_minor,
            refundable=purchase.refundable.amount_minor,
            currency=order.total.currency,
            promo_code=order.promo_code,
            promo_discount=discount_response(order.promo.discount) if order.promo else None,
            refunded_quantity=purchase.refunded_quantity,
            refundable_quantity=purchase.refundable_quantity,
            shipment_id=purchase.shipment_id,
            shipping_address=AddressResponse.of(order.shipping_address),
            status=purchase.status,
            created_at=purchase.created_at,
            created_by=purchase.created_by.subject,
            created_by_name=purchase.created_by.name if names else None,
        )


class PurchaseDetailResponse(PurchaseResponse):
    """A purchase with its refunds, oldest first."""

    refunds: list[RefundResponse]

    @classmethod
    def with_refunds(cls, purchase: Purchase, refunds: tuple[Refund, ...], *, names: bool) -> Self:
        """A purchase and its refunds, with or without the names of staff."""
        fields = dict(PurchaseResponse.of(purchase, names=names))
        return cls(**fields, refunds=[RefundResponse.of(each, names=names) for each in refunds])


class PurchaseListResponse(WireResponse):
    """Purchases, newest first."""

    items: list[PurchaseResponse]
    next_cursor: str | None


class NamedPurchaseResponse(PurchaseResponse):
    """A purchase on a list of many customers'."""

    customer_name: str | None = Field(description="Null if unknown, or not asked for")

    @classmethod
    def named(cls, purchase: Purchase, names: Mapping[UUID, str]) -> Self:
        """A purchase, with its customer's name if that is among the names."""
        fields = dict(PurchaseResponse.of(purchase, names=True))
        return cls(**fields, customer_name=names.get(purchase.customer_id))


class NamedPurchaseListResponse(WireResponse):
    """Purchases of all customers, newest first."""

    items: list[NamedPurchaseResponse]
    next_cursor: str | None
