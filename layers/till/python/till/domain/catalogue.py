"""Customers and products as the external APIs describe them, at the moment they were read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uuid import UUID

    from till.domain.money import Money


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
