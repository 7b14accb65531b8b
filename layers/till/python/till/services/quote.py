"""What a purchase would cost, and whether it would go through. Reserves and creates nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from uuid import UUID

from till.domain.errors import (
    InsufficientCreditError,
    PromoCodeRefusedError,
    TillError,
    TotalChangedError,
    UnresolvedAttemptError,
)
from till.domain.ledger import Cause
from till.domain.purchase import subtotal_of
from till.services.pricing import price, read_books

if TYPE_CHECKING:
    from till.domain.catalogue import Product
    from till.domain.money import Money
    from till.domain.purchase import Order
    from till.services.ports import Books, Clock, Customers, Products
    from till.services.pricing import Wish

_NOBODY: Final = UUID(int=0)
"""The attempt of a hold that is only tried out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """The price of a wish. ``refusal`` is what a purchase would be refused with, if anything.

    ``order`` is None where there is no price: the promo code cannot be used.
    """

    wish: Wish
    product: Product
    subtotal: Money
    order: Order | None
    available: Money
    refusal: TillError | None


class QuotePurchase:
    """Prices a wish by the same rules and the same code as a purchase."""

    def __init__(
        self, *, books: Books, customers: Customers, products: Products, clock: Clock
    ) -> None:
        self._books = books
        self._customers = customers
        self._products = products
        self._clock = clock

    def __call__(self, wish: Wish) -> Quote:
        """Quote.

        Raises:
            CustomerNotFoundError, ProductNotFoundError: no such customer or product.
            UpstreamUnavailableError, UpstreamContractError: they could not be read.
            AmountOutOfBoundsError: the total is too large.
        """
        with ThreadPoolExecutor(max_workers=2) as pool:
            reading_customer = pool.submit(self._customers.get, wish.customer_id)
            reading_product = pool.submit(self._products.get, wish.product_id)
            books = read_books(self._books, wish)
        address = reading_customer.result().shipping_address
        product = reading_product.result()
        now = self._clock.now()
        account = books.account
        order: Order | None = None
        refusal: TillError | None = None
        try:
            order = price(_without_expectation(wish), product, address, books, now)
            price(wish, product, address, books, now)
            account.hold(
                order.total,
                Cause(actor="", at=now, reason="", idempotency_key=""),
                attempt_id=_NOBODY,
                product_id=product.id,
                quantity=wish.quantity,
            )
        except (
            InsufficientCreditError,
            PromoCodeRefusedError,
            TotalChangedError,
            UnresolvedAttemptError,
        ) as error:
            refusal = error
        return Quote(
            wish=wish,
            product=product,
            subtotal=subtotal_of(product, wish.quantity),
            order=order,
            available=account.available,
            refusal=refusal,
        )


def _without_expectation(wish: Wish) -> Wish:
    return replace(wish, expected_total=None)
