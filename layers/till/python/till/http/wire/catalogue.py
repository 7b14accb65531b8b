"""Customers and products, as the external APIs have them."""

from __future__ import annotations

from typing import Annotated, Final, Self
from uuid import UUID

from pydantic import Field

from till.domain.catalogue import CustomerDetails, ProductDetails, Shown
from till.http.wire.snapshots import AddressResponse
from till.http.wire.types import Instant, WireResponse
from till.services.list_customers import KnownCustomer

STALE: Final = "True: the external API does not answer, and this is older than it should be"


class CustomerResponse(WireResponse):
    """A customer, as the Customer API had it some seconds ago (header Age)."""

    id: UUID
    name: str
    email: str
    billing_address: AddressResponse
    shipping_address: AddressResponse
    created_at: Instant
    last_modified_at: Instant
    stale: Annotated[bool, Field(description=STALE)]

    @classmethod
    def of(cls, shown: Shown[CustomerDetails]) -> Self:
        """A customer."""
        customer = shown.value
        return cls(
            id=customer.id,
            name=customer.name,
            email=customer.email,
            billing_address=AddressResponse.of(customer.billing_address),
            shipping_address=AddressResponse.of(customer.shipping_address),
            created_at=customer.created_at,
            last_modified_at=customer.last_modified_at,
            stale=shown.stale,
        )


class KnownCustomerResponse(WireResponse):
    """A customer who has an account with us."""

    id: UUID
    name: str | None = Field(description="Null if the Customer API could not be asked")
    email: str | None = Field(description="Null if the Customer API could not be asked")
    opened_at: Instant = Field(description="When the account had its first change")

    @classmethod
    def of(cls, known: KnownCustomer) -> Self:
        """A customer."""
        details = known.details
        return cls(
            id=known.customer_id,
            name=details.name if details else None,
            email=details.email if details else None,
            opened_at=known.opened_at,
        )


class CustomerListResponse(WireResponse):
    """Customers, the newest account first."""

    items: list[KnownCustomerResponse]
    next_cursor: str | None


class ProductResponse(WireResponse):
    """A product, as the Product API had it some seconds ago (header Age)."""

    id: UUID
    sku: str
    name: str
    description: str
    unit_price: int
    currency: str
    created_at: Instant
    last_modified_at: Instant
    stale: Annotated[bool, Field(description=STALE)]

    @classmethod
    def of(cls, shown: Shown[ProductDetails]) -> Self:
        """A product."""
        product = shown.value.product
        return cls(
            id=product.id,
            sku=product.sku,
            name=product.name,
            description=product.description,
            unit_price=product.unit_price.amount_minor,
            currency=product.unit_price.currency,
            created_at=shown.value.created_at,
            last_modified_at=shown.value.last_modified_at,
            stale=shown.stale,
        )
