"""Made-up customers and products for a first look. Their ids never change."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from local.upstream.contract import Address, Customer, Product

FIRST_OF_JANUARY_2026 = 1_767_225_600_000
"""In milliseconds since the Unix epoch."""


def _customer(number: int, name: str, email: str, *addresses: Address) -> Customer:
    return Customer(
        id=UUID(f"c0000000-0000-4000-8000-{number:012d}"),
        name=name,
        email=email,
        billing_address=addresses[0],
        shipping_address=addresses[-1],
        created_at=FIRST_OF_JANUARY_2026,
        last_modified_at=FIRST_OF_JANUARY_2026,
    )


def _product(number: int, sku: str, name: str, price: str, description: str) -> Product:
    return Product(
        id=UUID(f"d0000000-0000-4000-8000-{number:012d}"),
        sku=sku,
        name=name,
        description=description,
        price=Decimal(price),
        created_at=FIRST_OF_JANUARY_2026,
        last_modified_at=FIRST_OF_JANUARY_2026,
    )


CUSTOMERS = (
    _customer(
        1,
        "Ada Okafor",
        "ada.okafor@example.com",
        Address(
            line1="14 Juniper Lane",
            city="Portland",
            postal_code="97205",
            state="OR",
            country="US",
        ),
    ),
    _customer(
        2,
        "Bruno Castellanos",
        "bruno@example.com",
        Address(
            line1="2200 Harbor Street",
            line2="Apartment 7B",
            city="Baltimore",
            postal_code="21230",
            state="MD",
            country="US",
        ),
        Address(
            line1="Dockside Joinery",
            line2="81 Foundry Road",
            city="Baltimore",
            postal_code="21224",
            state="MD",
            country="US",
        ),
    ),
    _customer(
        3,
        "Chiara Lindqvist",
        "chiara.lindqvist@example.org",
        Address(
            line1="905 Mesa Verde Drive",
            city="Santa Fe",
            postal_code="87501",
            state="NM",
            country="US",
        ),
    ),
    _customer(
        4,
        "Devon O'Malley-Tran",
        "devon@example.net",
        Address(
            line1="3 Orchard Close",
            city="Burlington",
            postal_code="05401",
            state="VT",
            country="US",
        ),
    ),
)
"""Customers of the other team; the last one has no credit."""

PRODUCTS = (
    _product(1, "KET-ENA-12", "Enamel kettle", "49.90", "1.2 litres, cream, for any stove."),
    _product(2, "LMP-DSK-01", "Desk lamp", "89.00", "A warm light on a brass arm."),
    _product(3, "NTB-A5-DOT", "Notebook, A5", "12.50", "192 dotted pages, lies flat when open."),
    _product(4, "CHR-OAK-02", "Oak chair", "1299.99", "Steamed, bent and joined by hand."),
)
"""Products of the other team."""

SIGNED_IN_CUSTOMER = CUSTOMERS[2]
"""Who the customer of local/identity/accounts.js is."""
DEMO_PRODUCT = PRODUCTS[2]
"""What she buys."""


@dataclass(frozen=True, slots=True)
class OpeningCredit:
    """Credit that a demo customer begins with."""

    customer: Customer
    amount: int
    """Cents."""


OPENING_CREDITS = (
    OpeningCredit(CUSTOMERS[0], 250_00),
    OpeningCredit(CUSTOMERS[1], 1_500_00),
    OpeningCredit(CUSTOMERS[2], 40_00),
)
