"""What the external APIs promise to send, checked before anything rests on it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictInt,
    StrictStr,
)

from till.domain.catalogue import Address, Customer, CustomerDetails, Product, ProductDetails
from till.domain.money import MAX_AMOUNT_MINOR, Money
from till.domain.purchase import is_shipment_id


def _json_number(value: object) -> Decimal:
    if isinstance(value, Decimal):
        return value
    if type(value) is int:
        return Decimal(value)
    raise ValueError("must be a JSON number")


def _shipment_id(text: str) -> str:
    if not is_shipment_id(text):
        raise ValueError("must be 1 to 255 visible ASCII characters")
    return text


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_EARLIEST = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _MILLISECOND
_LATEST = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MILLISECOND

JsonNumber = Annotated[Decimal, BeforeValidator(_json_number), Field(ge=0)]
Milliseconds = Annotated[StrictInt, Field(ge=_EARLIEST, le=_LATEST)]
"""Since the Unix epoch, within the years that a calendar has."""


def _instant(milliseconds: int) -> datetime:
    return _EPOCH + milliseconds * _MILLISECOND


def _shortened(most: int) -> AfterValidator:
    return AfterValidator(lambda text: text if len(text) <= most else f"{text[: most - 1]}…")


Name = Annotated[StrictStr, _shortened(500)]
Description = Annotated[StrictStr, _shortened(4_000)]
"""What is only shown is cut: it is stored with each purchase, and lists have 100 of them."""
AddressLine = Annotated[StrictStr, Field(max_length=500)]
"""What is used is refused if it is longer than any real one."""


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)


class AddressAnswer(_Answer):
    """``Address`` of the contract."""

    line1: AddressLine
    line2: AddressLine | None = None
    city: AddressLine
    postalCode: AddressLine  # noqa: N815 - the contract's name
    state: AddressLine
    country: AddressLine

    def address(self) -> Address:
        """As the domain knows it."""
        return Address(
            line1=self.line1,
            line2=self.line2,
            city=self.city,
            postal_code=self.postalCode,
            state=self.state,
            country=self.country,
        )


class CustomerAnswer(_Answer):
    """``Customer`` of the contract."""

    id: UUID
    name: Name
    email: Name
    billingAddress: AddressAnswer  # noqa: N815
    shippingAddress: AddressAnswer  # noqa: N815
    createdAt: Milliseconds  # noqa: N815
    lastModifiedAt: Milliseconds  # noqa: N815

    def customer(self) -> Customer:
        """As the domain knows it."""
        return Customer(id=self.id, shipping_address=self.shippingAddress.address())

    def details(self) -> CustomerDetails:
        """As it is shown to people."""
        return CustomerDetails(
            id=self.id,
            name=self.name,
            email=self.email,
            billing_address=self.billingAddress.address(),
            shipping_address=self.shippingAddress.address(),
            created_at=_instant(self.createdAt),
            last_modified_at=_instant(self.lastModifiedAt),
        )


class ProductAnswer(_Answer):
    """``Product`` of the contract."""

    id: UUID
    sku: Annotated[StrictStr, Field(min_length=1, max_length=500)]
    name: Name
    description: Description
    price: JsonNumber
    createdAt: Milliseconds  # noqa: N815
    lastModifiedAt: Milliseconds  # noqa: N815

    def product(self) -> Product:
        """As the domain knows it.

        Raises:
            ValueError: the price is more precise than a cent, or larger than one operation may be.
            AmountOutOfBoundsError: the price is larger than any amount.
        """
        unit_price = Money.from_major(self.price)
        if unit_price.amount_minor > MAX_AMOUNT_MINOR:
            raise ValueError("the price is too large")
        return Product(
            id=self.id,
            sku=self.sku,
            name=self.name,
            description=self.description,
            unit_price=unit_price,
        )

    def details(self) -> ProductDetails:
        """As it is shown to people.

        Raises:
            ValueError, AmountOutOfBoundsError: as for ``product``.
        """
        return ProductDetails(
            product=self.product(),
            created_at=_instant(self.createdAt),
            last_modified_at=_instant(self.lastModifiedAt),
        )


class ShipmentAnswer(_Answer):
    """``Shipment`` of the contract."""

    id: Annotated[StrictStr, AfterValidator(_shipment_id)]


class ErrorAnswer(_Answer):
    """``Error`` of the contract."""

    Message: StrictStr
