"""What a purchase would cost, and whether it would go through. Reserves and creates nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from uuid import UUID

from till.domain.account import (
    InsufficientCreditError,
    OpenAttempt,
    TooManyOpenAttemptsError,
    UnresolvedAttemptError,
)
from till.domain.actor import Actor
from till.domain.errors import TillError
from till.domain.ledger import Cause
from till.domain.promo import PromoCodeRefusedError
from till.domain.purchase import TotalChangedError, subtotal_of
from till.services.shared.in_parallel import in_parallel
from till.services.shared.pricing import price, read_store

if TYPE_CHECKING:
    from till.domain.catalogue import Product
    from till.domain.money import Money
    from till.domain.purchase import Order
    from till.services.ports.run import Clock
    from till.services.ports.store import Store
    from till.services.ports.upstream import Customers, Products
    from till.services.shared.pricing import PurchaseIntent

_TRIAL: Final = UUID(int=0)
"""The attempt of a hold that is only tried out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """The price of what a customer wants to buy.

    ``refusal`` is what a purchase would be refused with, if anything.
    ``order`` is None where there is no price: the promo code cannot be used.
    """

    intent: PurchaseIntent
    product: Product
    subtotal: Money
    order: Order | None
    available: Money
    refusal: TillError | None


class CreateQuote:
    """Price a purchase intent by the same rules and the same code as a purchase."""

    def __init__(
        self, *, store: Store, customers: Customers, products: Products, clock: Clock
    ) -> None:
        self._store = store
        self._customers = customers
        self._products = products
        self._clock = clock

    def __call__(self, intent: PurchaseIntent) -> Quote:
        """Quote.

        Raises:
            CustomerNotFoundError, ProductNotFoundError: no such customer or product.
            UpstreamUnavailableError, UpstreamContractError: they could not be read.
            AmountOutOfBoundsError: the total is too large.
        """
        customer, product, store = in_parallel(
            lambda: self._customers.get(intent.customer_id),
            lambda: self._products.get(intent.product_id),
            lambda: read_store(self._store, intent),
        )
        address = customer.shipping_address
        now = self._clock.now()
        account = store.account
        order: Order | None = None
        refusal: TillError | None = None
        try:
            order = price(_without_expectation(intent), product, address, store, now)
            price(intent, product, address, store, now)
            account.hold(
                OpenAttempt(
                    attempt_id=_TRIAL,
                    product_id=product.id,
                    quantity=intent.quantity,
                    amount=order.total,
                    blocks_from=now,
                ),
                Cause(actor=Actor(""), at=now, reason="", idempotency_key=""),
            )
        except (
            InsufficientCreditError,
            PromoCodeRefusedError,
            TooManyOpenAttemptsError,
            TotalChangedError,
            UnresolvedAttemptError,
        ) as error:
            refusal = error
        return Quote(
            intent=intent,
            product=product,
            subtotal=subtotal_of(product, intent.quantity),
            order=order,
            available=account.available,
            refusal=refusal,
        )


def _without_expectation(intent: PurchaseIntent) -> PurchaseIntent:
    return replace(intent, expected_total=None)
