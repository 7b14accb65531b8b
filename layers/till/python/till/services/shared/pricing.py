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
    from till.services.ports.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseIntent:
    """What a customer wants to buy. ``promo_code`` is in its canonical spelling."""

    customer_id: UUID
    product_id: UUID
    quantity: int
    promo_code: str | None
    expected_total: Money | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreReading:
    """What the books say that a price, and whether it can be paid, depend on."""

    account: Account
    promo: PromoCode | None
    redemptions_of_customer: int


def read_store(store: Store, intent: PurchaseIntent) -> StoreReading:
    """Read the account and the promo code, in parallel."""
    code = intent.promo_code
    if code is None:
        account = store.account(intent.customer_id)
        return StoreReading(account=account, promo=None, redemptions_of_customer=0)
    account, promo, redemptions = in_parallel(
        lambda: store.account(intent.customer_id),
        lambda: store.promo(code),
        lambda: store.redemptions_of(code, intent.customer_id),
    )
    return StoreReading(account=account, promo=promo, redemptions_of_customer=redemptions)


def price(
    intent: PurchaseIntent,
    product: Product,
    shipping_address: Address,
    store: StoreReading,
    at: datetime,
) -> Order:
    """The order at its price at an instant.

    Raises:
        AmountOutOfBoundsError: the total is too large.
        PromoCodeRefusedError: the promo code cannot be used; never a silent full price.
        TotalChangedError: the total is above the expected one.
    """
    return make_order(
        product,
        intent.quantity,
        shipping_address,
        promo=_applied(intent, product, store, at),
        expected_total=intent.expected_total,
    )


def _applied(
    intent: PurchaseIntent, product: Product, store: StoreReading, at: datetime
) -> AppliedPromo | None:
    if intent.promo_code is None:
        return None
    if store.promo is None:
        raise PromoCodeRefusedError(code=intent.promo_code, restriction=PromoRestriction.UNKNOWN)
    store.promo.require_usable(
        at=at,
        account=store.account,
        product_id=product.id,
        subtotal=subtotal_of(product, intent.quantity),
        redemptions_of_customer=store.redemptions_of_customer,
    )
    return AppliedPromo(
        code=store.promo.code,
        version=store.promo.version,
        discount=store.promo.terms.discount,
    )
