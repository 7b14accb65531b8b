"""``make bench``: what each operation consumes, measured on the emulator, beside its budget.

The use cases run in this process, wired as ``till.bootstrap`` wires them, against the emulator's
tables and the stand-in; DynamoDB itself says what each call consumed (ReturnConsumedCapacity).
"""

from __future__ import annotations

import io
import os
import sys
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from uuid import uuid4

import httpx

from benchmarks import browse, hot_account
from benchmarks.meter import Cost, Meter, MeteredTransport
from local.system import running_system
from local.upstream.behaviour import Behaviour, Refuse
from local.upstream.client import StandInControl
from local.upstream.demo_data import CUSTOMERS, PRODUCTS
from till.adapters.dynamodb.client import CALL_SECONDS, make_client
from till.adapters.dynamodb.store import DynamoStore
from till.adapters.incidents import LoggedIncidents
from till.adapters.upstream.carrier import HttpCarrier
from till.adapters.upstream.catalogue import HttpCustomers, HttpProducts
from till.adapters.upstream.credential import Credentials, CredentialTransport
from till.adapters.upstream.reader import UpstreamReader
from till.adapters.upstream.secret import UpstreamSecret
from till.bootstrap import SystemClock
from till.domain.money import Money
from till.domain.promo import PercentageDiscount, PromoTerms
from till.services.adjust_credit import AdjustCredit, CreditAdjustment
from till.services.create_purchase import CreatePurchase, PurchaseRequest
from till.services.errors import ShipmentFailedError
from till.services.promo_codes import PromoCodes
from till.services.read_credit import ReadCredit
from till.services.read_purchases import ReadPurchases
from till.services.refund_purchase import RefundPurchase, RefundRequest
from till.services.shared.policy import DisplayPolicy, ShipmentPolicy
from till.services.shared.pricing import PurchaseIntent
from till.services.shared.settlement import SettleShipment

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from local.endpoints import Endpoints

CARRIER: Final = "POST shipments"
"""Waited for beside the budget of three: nothing can be done about how long it takes."""


@dataclass(frozen=True)
class Row:
    """One operation and what it may cost at most (None: no budget is set)."""

    name: str
    cost: Cost
    write_budget: int | None
    wait_budget: int | None

    @property
    def waits(self) -> int:
        """Serial waits besides the carrier."""
        return self.cost.serial_waits() - self.cost.calls[CARRIER]

    @property
    def over(self) -> bool:
        """More than it may be."""
        writes_over = self.write_budget is not None and self.cost.write_units > self.write_budget
        waits_over = self.wait_budget is not None and self.waits > self.wait_budget
        return writes_over or waits_over


class Far:
    """A deadline that does not come."""

    def remaining_seconds(self) -> float:
        """Always half a minute."""
        return 30.0


class Bench:
    """The use cases over a metered client."""

    def __init__(self, endpoints: Endpoints) -> None:
        os.environ.update(
            AWS_ENDPOINT_URL=endpoints.aws_endpoint_url,
            AWS_DEFAULT_REGION=endpoints.region,
            AWS_ACCESS_KEY_ID="test",
            AWS_SECRET_ACCESS_KEY="test",  # noqa: S106 - the emulator takes any
        )
        self.meter = Meter()
        client = make_client(CALL_SECONDS[0])
        self.meter.watch(client)
        self.store = DynamoStore(
            lambda _: client,
            ledger_table=endpoints.ledger_table,
            purchases_table=endpoints.purchases_table,
        )
        secret = UpstreamSecret(
            f"{endpoints.function_prefix}upstream", max_age_seconds=300, fetch_seconds=1
        )
        self.credentials = Credentials(secret)
        wire = CredentialTransport(MeteredTransport(self.meter), self.credentials)
        upstream = httpx.Client(base_url=endpoints.upstream_url, transport=wire)
        reader = UpstreamReader(
            endpoints.upstream_url,
            timeout_seconds=3,
            display=DisplayPolicy(max_age_seconds=5, stale_if_error_seconds=300),
            wire=wire,
        )
        customers = HttpCustomers(reader)
        clock = SystemClock()
        policy = ShipmentPolicy(
            shipment_timeout_seconds=10,
            pending_expiry=timedelta(seconds=60),
            unknown_deadline=timedelta(hours=24),
            shipments_idempotent=False,
        )
        self.adjust = AdjustCredit(self.store, customers, clock)
        self.credit = ReadCredit(self.store, customers, clock)
        self.purchases = ReadPurchases(self.store, customers)
        self.refund = RefundPurchase(self.store, clock)
        self.buy = CreatePurchase(
            store=self.store,
            customers=customers,
            products=HttpProducts(reader, free_products=False),
            carrier=HttpCarrier(upstream),
            clock=clock,
            policy=policy,
            settle=SettleShipment(self.store, clock, policy, LoggedIncidents()),
        )
        self.customer_id = CUSTOMERS[0].id
        self.product_id = PRODUCTS[0].id

    def row(
        self,
        name: str,
        work: Callable[[], object],
        *,
        write_budget: int | None = None,
        wait_budget: int | None = None,
    ) -> Row:
        """Run the work once and see what it costs."""
        with self.meter.measure() as cost:
            work()
        return Row(name, cost, write_budget, wait_budget)

    def offer(self, code: str) -> None:
        """Make a promo code with a cap."""
        terms = PromoTerms(discount=PercentageDiscount(percent=10), max_redemptions=1000)
        PromoCodes(self.store, SystemClock()).create(code, terms, actor="bench", deadline=Far())

    def grant(self, amount_minor: int = 100_000) -> None:
        """Grant credit under a new key."""
        self.adjust.grant(self._adjustment(amount_minor), Far())

    def deduct(self) -> None:
        """Deduct credit under a new key."""
        self.adjust.deduct(self._adjustment(100), Far())

    def purchase(
        self, key: str, *, product_id: UUID | None = None, promo_code: str | None = None
    ) -> UUID:
        """Buy one."""
        intent = PurchaseIntent(
            customer_id=self.customer_id,
            product_id=product_id or self.product_id,
            quantity=1,
            promo_code=promo_code,
            expected_total=None,
        )
        request = PurchaseRequest(intent=intent, actor="bench", idempotency_key=key)
        return self.buy(request, Far()).purchase.id

    def give_back(self, purchase_id: UUID) -> None:
        """Refund one cent under a new key."""
        self.refund(
            RefundRequest(
                purchase_id=purchase_id,
                amount=Money(1),
                quantity=None,
                reason="Benchmark",
                limit=None,
                actor="bench",
                idempotency_key=str(uuid4()),
            ),
            Far(),
        )

    def _adjustment(self, amount_minor: int) -> CreditAdjustment:
        return CreditAdjustment(
            customer_id=self.customer_id,
            amount=Money(amount_minor),
            reason="Benchmark",
            limit=None,
            actor="bench",
            idempotency_key=str(uuid4()),
        )


def measure(bench: Bench, upstream_url: str) -> list[Row]:
    """Every operation, once, on an account without contention."""
    bench.grant()
    bench.offer("BENCH")
    key = str(uuid4())
    rows = [
        bench.row("grant", bench.grant, write_budget=4, wait_budget=2),
        bench.row("deduct", bench.deduct, write_budget=4, wait_budget=2),
        bench.row("purchase, shipped", lambda: bench.purchase(key), write_budget=13, wait_budget=3),
        bench.row(
            "purchase, with a promo code",
            lambda: bench.purchase(str(uuid4()), promo_code="BENCH"),
            write_budget=17,
            wait_budget=3,
        ),
        bench.row("purchase, replayed", lambda: bench.purchase(key), write_budget=0, wait_budget=1),
        bench.row(
            "purchase, not shipped",
            lambda: _refused_by_the_carrier(bench, upstream_url),
            write_budget=12,
            wait_budget=3,
        ),
    ]
    purchase_id = bench.purchase(str(uuid4()))
    many = [bench.purchase(str(uuid4())) for _ in range(20)]
    reads: list[tuple[str, Callable[[], object]]] = [
        ("read a balance", lambda: bench.credit.balance(bench.customer_id)),
        (
            "list 20 entries",
            lambda: bench.credit.entries(bench.customer_id, before=None, limit=20),
        ),
        ("read a purchase", lambda: bench.purchases.one(many[0])),
        (
            "list 20 of a customer's purchases",
            lambda: bench.purchases.of_customer(
                bench.customer_id, status=None, before=None, limit=20
            ),
        ),
        (
            "list 20 purchases of all customers",
            lambda: bench.purchases.of_all(
                status=None, since=None, until=None, before=None, limit=20
            ),
        ),
        (
            "list the open attempts",
            lambda: bench.purchases.attempts(state=None, orphan=None, before=None, limit=20),
        ),
    ]
    rows.append(
        bench.row("refund", lambda: bench.give_back(purchase_id), write_budget=10, wait_budget=3)
    )
    rows += [bench.row(name, work, write_budget=0) for name, work in reads]
    return rows


def _refused_by_the_carrier(bench: Bench, upstream_url: str) -> None:
    product = PRODUCTS[1]
    with StandInControl(upstream_url) as control, suppress(ShipmentFailedError):
        control.plan_shipments(product.sku, Behaviour(answer=Refuse(status=400)))
        bench.purchase(str(uuid4()), product_id=product.id)


def show(rows: list[Row]) -> None:
    """Print the table."""
    head = ("operation", "write units", "budget", "read units", "waits", "budget", "calls")
    print("{:<36} {:>11} {:>7} {:>11} {:>6} {:>7}  {}".format(*head))
    for row in rows:
        calls = ", ".join(f"{n} x {name}" for name, n in sorted(row.cost.calls.items()))
        print(
            f"{row.name:<36} {row.cost.write_units:>11g} {_or_dash(row.write_budget):>7} "
            f"{row.cost.read_units:>11g} {row.waits:>6} {_or_dash(row.wait_budget):>7}  {calls}"
        )
    print("\nwaits: calls one after the other, those side by side counted once, the carrier not.")


def _or_dash(budget: int | None) -> str:
    return "-" if budget is None else str(budget)


def main() -> int:
    """Metric, print, and tell whether a budget was exceeded."""
    print("Starting a system of its own to measure on ...", flush=True)
    # The code writes its own metrics to stdout by the hundred: they are not results of this.
    with running_system() as endpoints, redirect_stdout(io.StringIO()):
        bench = Bench(endpoints)
        rows = measure(bench, endpoints.upstream_url)
        reads = browse.measure(bench.store, endpoints.upstream_url, bench.credentials)
        loads = hot_account.measure(endpoints)
    show(rows)
    browse.show(reads)
    hot_account.show(loads)
    over = [row.name for row in rows if row.over]
    if over:
        print(f"over budget: {', '.join(over)}", file=sys.stderr)
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
