"""Customers and products as the external APIs describe them, at the moment they were read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from till.domain.money import Money

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A postal address."""

    line1: str
    line2: str | None
    city: str
    postal_code: str
    state: str
    country: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """What a purchase needs of a customer. Name and e-mail stay with the Customer API."""

    id: UUID
    shipping_address: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """A product and its price."""

    id: UUID
    sku: str
    name: str
    description: str
    unit_price: Money


# To be shown to people. Nothing is bought, charged or sent by these.


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerDetails:
    """A customer, as people want to see one."""

    id: UUID
    name: str
    email: str
    billing_address: Address
    shipping_address: Address
    created_at: datetime
    last_modified_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductDetails:
    """A product, as people want to see one."""

    product: Product
    created_at: datetime
    last_modified_at: datetime


@dataclass(frozen=True, slots=True)
class Shown(Generic[T]):
    """Something that was true ``age_seconds`` ago.

    ``stale``: it is older than it should be, since its API could not be asked.
    """

    value: T
    age_seconds: int
    stale: bool
