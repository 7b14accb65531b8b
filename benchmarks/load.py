"""Purchases over HTTP, by 1, 8 and 32 clients at once, on the embedded emulator.

Every client buys for a customer of its own. The clients, the emulator, the functions and the
stand-in share this machine's processors: what the figures say is in their ratios.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread
from typing import TYPE_CHECKING, Final
from uuid import uuid4

import httpx

from benchmarks import ceiling
from benchmarks.clients import Answers, Connection, run
from benchmarks.processes import Cpu, snapshot, used
from local.upstream.behaviour import Behaviour
from local.upstream.client import StandInControl
from local.upstream.demo_data import CUSTOMERS, PRODUCTS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from local.endpoints import Endpoints
    from local.upstream.contract import Product

CLIENTS: Final = (1, 8, 32)
CARRIER_SECONDS: Final = (0.0, 0.05)
HANGS_SECONDS: Final = 7.0
"""Less than the emulated stage waits for the carrier."""
_SECONDS: Final = 8.0
_WARM_UP_SECONDS: Final = 3.0
_CREDIT_MINOR: Final = 100_000_000_00
_BOUGHT: Final = PRODUCTS[0]
_HANGING: Final = PRODUCTS[1]

Client = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Load:
    """What so many clients got."""

    name: str
    answers: Answers
    cpu: Cpu

    def cpu_ms(self, seconds: float) -> float:
        """Milliseconds for one purchase."""
        return seconds * 1000 / max(len(self.answers.waits), 1)


@dataclass(frozen=True, slots=True)
class Result:
    """What was measured."""

    loads: list[Load]
    ceilings: list[ceiling.Ceiling]


def measure(endpoints: Endpoints) -> Result:
    """Each number of clients, with a carrier that answers immediately and one that takes time."""
    loads = []
    with StandInControl(endpoints.upstream_url) as control:
        buyers = [
            _buyer(endpoints, customer_id, _BOUGHT)
            for customer_id in _customers(endpoints, control, max(CLIENTS) + 1)
        ]
        for seconds in CARRIER_SECONDS:
            control.plan_shipments(_BOUGHT.sku, Behaviour(delay_seconds=seconds))
            for number in CLIENTS:
                name = f"{number} at once, carrier {seconds * 1000:.0f} ms"
                loads.append(_measure(endpoints, name, buyers[:number]))
        control.clear("shipments", _BOUGHT.sku)
        loads.append(_measure(endpoints, "8 at once, 32 workers alive", buyers[:8]))
        (hanging,) = _customers(endpoints, control, 1)
        control.plan_shipments(_HANGING.sku, Behaviour(delay_seconds=HANGS_SECONDS))
        with _in_the_background(_buyer(endpoints, hanging, _HANGING)):
            loads.append(_measure(endpoints, "8 at once, another one's carrier hangs", buyers[:8]))
    print("  the emulator alone ...", file=sys.stderr, flush=True)
    return Result(loads, ceiling.measure(endpoints, CLIENTS, _SECONDS))


def measure_from_cold(endpoints: Endpoints) -> Load:
    """32 clients send one purchase each when no function that buys has been started."""
    with StandInControl(endpoints.upstream_url) as control:
        customers = _customers(endpoints, control, max(CLIENTS))
    buyers = [_buyer(endpoints, customer_id, _BOUGHT) for customer_id in customers]
    before = snapshot(endpoints.emulator_pid)
    answers = run(buyers, seconds=0)
    return Load("32 at once, from cold", answers, used(endpoints.emulator_pid, before))


def _measure(endpoints: Endpoints, name: str, buyers: list[Client]) -> Load:
    print(f"  {name} ...", file=sys.stderr, flush=True)
    run(buyers, seconds=_WARM_UP_SECONDS)
    before = snapshot(endpoints.emulator_pid)
    answers = run(buyers, seconds=_SECONDS)
    return Load(name, answers, used(endpoints.emulator_pid, before))


def _customers(endpoints: Endpoints, control: StandInControl, number: int) -> list[UUID]:
    """New customers with more credit than they will spend."""
    customer_ids = [uuid4() for _ in range(number)]
    headers = {"Authorization": f"Bearer {endpoints.tokens['admin']}"}
    with httpx.Client(base_url=endpoints.api_url, headers=headers, timeout=60) as http:
        for customer_id in customer_ids:
            control.put_customer(CUSTOMERS[0].model_copy(update={"id": customer_id}))
            http.post(
                f"/customers/{customer_id}/credit/grants",
                json={"amount": _CREDIT_MINOR, "reason": "Benchmark"},
                headers={"Idempotency-Key": str(uuid4())},
            ).raise_for_status()
    return customer_ids


def _buyer(endpoints: Endpoints, customer_id: UUID, product: Product) -> Client:
    connection = Connection(endpoints.api_url)
    body = json.dumps({"product_id": str(product.id), "quantity": 1})
    fixed = {
        "Authorization": f"Bearer {endpoints.tokens['service']}",
        "Content-Type": "application/json",
    }

    def buy() -> bool:
        headers = {**fixed, "Idempotency-Key": str(uuid4())}
        status, _ = connection.post(f"/customers/{customer_id}/purchases", body, headers)
        return status == httpx.codes.CREATED

    return buy


@contextmanager
def _in_the_background(client: Client) -> Iterator[None]:
    """A client that sends one request after the other during the block."""
    over = Event()

    def go_on() -> None:
        while not over.is_set():
            client()

    thread = Thread(target=go_on)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def show(result: Result, from_cold: Load) -> None:
    """Print the tables, as docs/performance.md keeps them."""
    print("\nPurchases over HTTP; CPU in ms for one purchase\n")
    print(
        "| clients | per second | p50, ms | p99, ms | failed | emulator | create_purchase "
        "| other functions |\n|---|---:|---:|---:|---:|---:|---:|---:|"
    )
    for load in [*result.loads, from_cold]:
        print(f"| {load.name} | {_times(load.answers)} | {load.answers.failed} |", end="")
        for seconds in (load.cpu.emulator, load.cpu.buying, load.cpu.others):
            print(f" {load.cpu_ms(seconds):.1f} |", end="")
        print()
    first, last = min(from_cold.answers.waits), max(from_cold.answers.waits)
    print(f"\nFrom cold: the first answer after {first:.1f} s, the last after {last:.1f} s.")
    print("\nThe emulator alone: the AWS calls of a purchase, without functions\n")
    print(
        "| clients | purchases' calls per second | p50, ms | p99, ms | failed | emulator "
        "|\n|---|---:|---:|---:|---:|---:|"
    )
    for found in result.ceilings:
        answers = found.answers
        print(f"| {found.clients} | {_times(answers)} | {answers.failed} | {found.cpu_ms:.1f} |")


def _times(answers: Answers) -> str:
    p50, p99 = answers.percentile(50) * 1000, answers.percentile(99) * 1000
    return f"{answers.per_second:.1f} | {p50:.0f} | {p99:.0f}"
