"""Customers and products of a test's own, at the stand-in, so that tests do not meet."""

from __future__ import annotations

import time
from decimal import Decimal
from itertools import count
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from local.upstream.contract import Address, Customer, Product

if TYPE_CHECKING:
    from local.upstream.client import StandInControl
    from tests.integration.client import TillClient

PERSONAL = "Qzvxw"
"""In every name, e-mail and address line made here, and nowhere else: no log may hold it."""


def address_of(customer_id: UUID, line2: str | None = f"{PERSONAL} Annexe") -> Address:
    """An address that names its customer, so that a parcel tells whose it is."""
    return Address(
        line1=f"{PERSONAL} Street {customer_id}",
        line2=line2,
        city=f"{PERSONAL}ville",
        postal_code="12345",
        state="OR",
        country="US",
    )


def customer_with(customer_id: UUID) -> Customer:
    """A customer as the Customer API knows one."""
    now = time.time_ns() // 1_000_000
    return Customer(
        id=customer_id,
        name=f"{PERSONAL} Person",
        email=f"{PERSONAL}@example.com",
        billing_address=address_of(customer_id),
        shipping_address=address_of(customer_id),
        created_at=now,
        last_modified_at=now,
    )


class Shop:
    """Makes customers and products."""

    def __init__(self, upstream: StandInControl, till: TillClient) -> None:
        self._upstream = upstream
        self._till = till
        self._numbers = count(1)

    def customer(self, *, credit: int = 0) -> UUID:
        """A new customer, with credit if wanted."""
        customer = customer_with(uuid4())
        self._upstream.put_customer(customer)
        if credit:
            self._till.grant(customer.id, credit).result()
        return customer.id

    def product(self, price: str = "10.00") -> Product:
        """A new product, with a SKU that no other has."""
        product_id = uuid4()
        now = time.time_ns() // 1_000_000
        product = Product(
            id=product_id,
            sku=f"T-{next(self._numbers)}-{product_id.hex[:8]}",
            name="A thing",
            description="Made for a test.",
            price=Decimal(price),
            created_at=now,
            last_modified_at=now,
        )
        self._upstream.put_product(product)
        return product
