"""What a cache spares the external APIs: customers who look around, ask for prices, and buy.

Each function has a cache of its own, as each Lambda worker has; the workers stay warm. The time
that people take is not waited for: the clock is moved.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from unittest.mock import patch
from uuid import uuid4

from local.upstream.caching import Caching
from local.upstream.client import StandInControl
from local.upstream.demo_data import CUSTOMERS, PRODUCTS
from till.adapters.incidents import LoggedIncidents
from till.adapters.upstream.cache_storage import CacheStorage
from till.adapters.upstream.carrier import HttpCarrier
from till.adapters.upstream.catalogue import HttpCatalogueView, HttpCustomers, HttpProducts
from till.adapters.upstream.credential import Credentials, CredentialTransport
from till.adapters.upstream.http import make_http_client, make_transport
from till.adapters.upstream.reader import MAX_BYTES, MAX_COPIES, UpstreamReader
from till.bootstrap import SystemClock
from till.domain.actor import Actor
from till.domain.money import Money
from till.services.adjust_credit import AdjustCredit, CreditAdjustment
from till.services.create_purchase import CreatePurchase, PurchaseRequest
from till.services.create_quote import CreateQuote
from till.services.shared.policy import DisplayPolicy, ShipmentPolicy
from till.services.shared.pricing import PurchaseIntent
from till.services.shared.settlement import SettleShipment

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from till.services.ports.customer_index import CustomerIndex
    from till.services.ports.run import Deadline
    from till.services.ports.store import Store

BUYERS: Final = tuple(customer.id for customer in CUSTOMERS[:3])
LOOKED_AT: Final = tuple(product.id for product in PRODUCTS[:3])
NO_CACHE: Final = 0
SENT: Final = {
    "an ETag": Caching(),
    "Last-Modified": Caching(etag=False, last_modified=True),
    "neither": Caching(etag=False),
}


@dataclass(frozen=True)
class Reads:
    """What the external APIs were asked for."""

    upstream_sends: str
    cached: bool
    full: int
    not_modified: int


class Shop:
    """The functions that a session uses, each with a worker of its own."""

    def __init__(
        self, store: Store, upstream_url: str, credentials: Credentials, *, max_copies: int
    ) -> None:
        clock = SystemClock()
        policy = ShipmentPolicy(
            shipment_timeout_seconds=10,
            pending_expiry=timedelta(seconds=60),
            unknown_deadline=timedelta(hours=24),
            shipments_idempotent=False,
        )

        def reader() -> UpstreamReader:
            return UpstreamReader(
                upstream_url,
                timeout_seconds=3,
                display=DisplayPolicy(max_age_seconds=5, stale_if_error_seconds=300),
                wire=_wire(upstream_url, credentials, keep_alive=True),
                copies=CacheStorage(max_copies=max_copies, max_bytes=MAX_BYTES),
            )

        for_quotes, for_purchases = reader(), reader()
        self.get_customer = HttpCatalogueView(reader()).customer
        self.get_product = HttpCatalogueView(reader()).product
        self._quote = CreateQuote(
            store=store,
            customers=HttpCustomers(for_quotes),
            products=HttpProducts(for_quotes, free_products=False),
            clock=clock,
        )
        wire = _wire(upstream_url, credentials, keep_alive=False)
        self._buy = CreatePurchase(
            store=store,
            customers=HttpCustomers(for_purchases),
            products=HttpProducts(for_purchases, free_products=False),
            carrier=HttpCarrier(make_http_client(upstream_url, wire)),
            clock=clock,
            policy=policy,
            settle=SettleShipment(store, clock, policy, LoggedIncidents()),
        )

    def quote(self, customer_id: UUID, product_id: UUID, quantity: int) -> None:
        """Ask what it would cost."""
        self._quote(_intent(customer_id, product_id, quantity))

    def buy(self, customer_id: UUID, product_id: UUID, quantity: int) -> None:
        """Buy."""
        request = PurchaseRequest(
            intent=_intent(customer_id, product_id, quantity),
            actor=Actor("bench"),
            idempotency_key=str(uuid4()),
        )
        self._buy(request, Far())


class Far:
    """A deadline that does not come."""

    def remaining_seconds(self) -> float:
        """Always half a minute."""
        return 30.0


def _intent(customer_id: UUID, product_id: UUID, quantity: int) -> PurchaseIntent:
    return PurchaseIntent(
        customer_id=customer_id,
        product_id=product_id,
        quantity=quantity,
        promo_code=None,
        expected_total=None,
    )


def session(shop: Shop, customer_id: UUID) -> list[tuple[float, Callable[[], object]]]:
    """One customer, second by second: seven pages, two quotes, one purchase.

    Each page shows a product, and whose session it is.
    """
    first, second, third = LOOKED_AT

    def page(product_id: UUID) -> None:
        shop.get_customer(customer_id)
        shop.get_product(product_id)

    return [
        (0, lambda: page(first)),
        (4, lambda: page(second)),
        (7, lambda: page(first)),
        (13, lambda: page(third)),
        (15, lambda: page(second)),
        (24, lambda: page(first)),
        (29, lambda: shop.quote(customer_id, first, 1)),
        (32, lambda: shop.quote(customer_id, first, 2)),
        (36, lambda: shop.buy(customer_id, first, 2)),
        (37, lambda: page(first)),
    ]


def measure(
    store: Store, index: CustomerIndex, upstream_url: str, credentials: Credentials
) -> list[Reads]:
    """The sessions of three customers, with and without the cache."""
    deadline: Deadline = Far()
    found = []
    with StandInControl(upstream_url) as control:
        adjust = AdjustCredit(
            store, HttpCustomers(_plain(upstream_url, credentials)), index, SystemClock()
        )
        for sends, caching in SENT.items():
            control.cache_all(caching)
            for max_copies in (NO_CACHE, MAX_COPIES):
                for customer_id in BUYERS:
                    adjust.grant(_gift(customer_id), deadline)
                before = _count(control)
                _sessions(Shop(store, upstream_url, credentials, max_copies=max_copies))
                full, not_modified = (
                    now - was for now, was in zip(_count(control), before, strict=True)
                )
                found.append(Reads(sends, max_copies != NO_CACHE, full, not_modified))
        control.cache_all(Caching())
    return found


def _sessions(shop: Shop) -> None:
    """All customers, the one some seconds after the other."""
    steps = [
        (late + at, number, step)
        for number, (late, customer_id) in enumerate(zip((0, 2, 9), BUYERS, strict=True))
        for at, step in session(shop, customer_id)
    ]
    clock = time.time
    ahead = 0.0
    with patch("time.time", lambda: clock() + ahead):
        for at, _, step in sorted(steps, key=lambda each: each[:2]):
            ahead = at
            step()


def _plain(upstream_url: str, credentials: Credentials) -> UpstreamReader:
    display = DisplayPolicy(max_age_seconds=0, stale_if_error_seconds=0)
    wire = _wire(upstream_url, credentials, keep_alive=True)
    return UpstreamReader(upstream_url, timeout_seconds=3, display=display, wire=wire)


def _wire(upstream_url: str, credentials: Credentials, *, keep_alive: bool) -> CredentialTransport:
    return CredentialTransport(make_transport(upstream_url, keep_alive=keep_alive), credentials)


def _gift(customer_id: UUID) -> CreditAdjustment:
    return CreditAdjustment(
        customer_id=customer_id,
        amount=Money(1_000_00),
        reason="Benchmark",
        limit=None,
        actor=Actor("bench"),
        idempotency_key=str(uuid4()),
    )


def _count(control: StandInControl) -> tuple[int, int]:
    customers = [control.customer(customer_id) for customer_id in BUYERS]
    products = [control.product(product_id) for product_id in LOOKED_AT]
    full = [report.full for report in customers] + [report.full for report in products]
    confirmed = [report.not_modified for report in customers]
    confirmed += [report.not_modified for report in products]
    return sum(full), sum(confirmed)


def show(found: list[Reads]) -> None:
    """Print the table."""
    print(f"\nReads of the external APIs: {len(BUYERS)} customers look, ask for prices, and buy")
    print("{:<16} {:>7} {:>12} {:>6} {:>7}".format("upstream sends", "cache", "full", "304", "all"))
    for reads in found:
        print(
            f"{reads.upstream_sends:<16} {'yes' if reads.cached else 'no':>7} "
            f"{reads.full:>12} {reads.not_modified:>6} {reads.full + reads.not_modified:>7}"
        )
    print(
        "\nfull: with a body. Each purchase and quote reads again; a 304 says that nothing changed."
    )
