"""What an order costs, and whether its promo code may be used: for quotes and for purchases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from till.domain.promo import AppliedPromo, PromoCode, PromoCodeRefusedError, PromoRestriction
from till.domain.purchase import make_order, subtotal_of
from till.services.shared.in_parallel import in_parallel

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from till.domain.account import Account
    from till.domain.catalogue import Address, Product
    from till.domain.money import Money
    from till.domain.purchase import Order
    from till.services.ports import Books


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody wants to buy. ``promo_code`` is in its canonical spelling."""

    customer_id: UUID
    product_id: UUID
    quantity: int
    promo_code: str | None
    expected_total: Money | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BooksReading:
    """What the books say that a price, and whether it can be paid, depend on."""

    account: Account
    promo: PromoCode | None
    redemptions_of_customer: int


def read_books(books: Books, wish: Wish) -> BooksReading:
    """Read the account and the promo code, in parallel."""
    code = wish.promo_code
    if code is None:
        account = books.account(wish.customer_id)
        return BooksReading(account=account, promo=None, redemptions_of_customer=0)
    account, promo, redemptions = in_parallel(
        lambda: books.account(wish.customer_id),
        lambda: books.promo(code),
        lambda: books.redemptions_of(code, wish.customer_id),
    )
    return BooksReading(account=account, promo=promo, redemptions_of_customer=redemptions)


def price(
    wish: Wish, product: Product, shipping_address: Address, books: BooksReading, at: datetime
) -> Order:
    """The order at its price at an instant.

    Raises:
        AmountOutOfBoundsError: the total is too large.
        PromoCodeRefusedError: the promo code cannot be used; never a silent full price.
        TotalChangedError: the total is above the expected one.
    """
    return make_order(
        product,
        wish.quantity,
        shipping_address,
        promo=_applied(wish, product, books, at),
        expected_total=wish.expected_total,
    )


def _applied(
    wish: Wish, product: Product, books: BooksReading, at: datetime
) -> AppliedPromo | None:
    if wish.promo_code is None:
        return None
    if books.promo is None:
        raise PromoCodeRefusedError(code=wish.promo_code, restriction=PromoRestriction.UNKNOWN)
    books.promo.require_usable(
        at=at,
        account=books.account,
        product_id=product.id,
        subtotal=subtotal_of(product, wish.quantity),
        redemptions_of_customer=books.redemptions_of_customer,
    )
    return AppliedPromo(
        code=books.promo.code,
        version=books.promo.version,
        discount=books.promo.terms.discount,
    )
