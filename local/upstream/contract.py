"""The messages of the external APIs, as their contract (upstream-api.yaml) has them."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer
from pydantic.alias_generators import to_camel

Price = Annotated[
    Decimal,
    # The contract wants a JSON number. The shortest text of the nearest float is the text of the
    # decimal for every price below ten trillion dollars.
    PlainSerializer(float, return_type=float, when_used="json"),
]


class Message(BaseModel):
    """A message of the contract: camelCase on the wire, unknown fields ignored."""

    model_config = ConfigDict(
        alias_generator=to_camel, validate_by_name=True, validate_by_alias=True, frozen=True
    )


class Address(Message):
    """A postal address."""

    line1: str
    line2: str | None = None
    city: str
    postal_code: str
    state: str
    country: str


class Entity(Message):
    """Something that other teams keep, and change."""

    id: UUID
    created_at: int
    last_modified_at: int


class Customer(Entity):
    """A customer, as GetCustomer answers it."""

    name: str
    email: str
    billing_address: Address
    shipping_address: Address


class Product(Entity):
    """A product, as GetProduct answers it; its price is in US dollars."""

    sku: str
    name: str
    description: str
    price: Price


class ShippedProduct(Message):
    """One line of a shipment."""

    model_config = ConfigDict(strict=True)

    sku: str
    quantity: Annotated[int, Field(ge=1)]


class CreateShipmentRequest(Message):
    """What CreateShipment is asked to send, and where to."""

    model_config = ConfigDict(strict=True)

    shipping_address: Address
    products: tuple[ShippedProduct, ...]


class Shipment(Message):
    """A shipment that was made."""

    id: str


class Error(BaseModel):
    """What every refusal says; the contract spells this one field with a capital."""

    model_config = ConfigDict(alias_generator=lambda name: name.title(), validate_by_name=True)

    message: str
