"""What each operation consumes, measured on the emulator, and its budget.

The use cases run in this process. DynamoDB itself says what each write consumed, and reads are
counted by its rule (``benchmarks.meter``).
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from local.upstream.behaviour import Behaviour, Refuse
from local.upstream.client import StandInControl
from local.upstream.demo_data import PRODUCTS
from till.services.errors import ShipmentFailedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.meter import Cost
    from benchmarks.use_cases import UseCases

CARRIER: Final = "POST shipments"
"""Waited for in addition to the budget of three: nothing can be done about how long it takes."""

_PURCHASE: Final = 14
"""The write units of a purchase: 13 of the protocol, and one of the index of short ids."""


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


def measure(bench: UseCases, upstream_url: str) -> list[Row]:
    """Every operation, once, on an account without contention."""
    bench.grant()
    bench.offer("BENCH")
    key = str(uuid4())
    rows = [
        _row(bench, "grant", bench.grant, write_budget=4, wait_budget=2),
        _row(bench, "deduct", bench.deduct, write_budget=4, wait_budget=2),
        _row(
            bench,
            "purchase, shipped",
            lambda: bench.purchase(key),
            write_budget=_PURCHASE,
            wait_budget=3,
        ),
        _row(
            bench,
            "purchase, with a promo code",
            lambda: bench.purchase(str(uuid4()), promo_code="BENCH"),
            write_budget=_PURCHASE + 4,
            wait_budget=3,
        ),
        _row(
            bench, "purchase, replayed", lambda: bench.purchase(key), write_budget=0, wait_budget=1
        ),
        _row(
            bench,
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
        _row(bench, "refund", lambda: bench.give_back(purchase_id), write_budget=10, wait_budget=3)
    )
    rows += [_row(bench, name, work, write_budget=0) for name, work in reads]
    return rows


def _row(
    bench: UseCases,
    name: str,
    work: Callable[[], object],
    *,
    write_budget: int | None = None,
    wait_budget: int | None = None,
) -> Row:
    """Run the work once and see what it costs."""
    with bench.meter.measure() as cost:
        work()
    return Row(name, cost, write_budget, wait_budget)


def _refused_by_the_carrier(bench: UseCases, upstream_url: str) -> None:
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
