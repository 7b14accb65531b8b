"""What a purchase keeps of its product and address, as they were then."""

from __future__ import annotations

from typing import Self
from uuid import UUID

from till.domain.catalogue import Address, Product
from till.http.wire.types import WireResponse


class ProductSnapshotResponse(WireResponse):
    """A product as it was when it was sold."""

    id: UUID
    sku: str
    name: str
    description: str
    unit_price: int

    @classmethod
    def of(cls, product: Product) -> Self:
        """A product."""
        return cls(
            id=product.id,
            sku=product.sku,
            name=product.name,
            description=product.description,
            unit_price=product.unit_price.amount_minor,
        )


class AddressResponse(WireResponse):
    """A postal address; that of a purchase as it was then."""

    line1: str
    line2: str | None
    city: str
    postal_code: str
    state: str
    country: str

    @classmethod
    def of(cls, address: Address) -> Self:
        """An address."""
        return cls(
            line1=address.line1,
            line2=address.line2,
            city=address.city,
            postal_code=address.postal_code,
            state=address.state,
            country=address.country,
        )
