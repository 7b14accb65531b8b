"""Many clients on one account: grants per second over HTTP, and how long anybody waited.

Everything shares this machine's processors, so only the ratio to one client says something. See
docs/decisions/25-contention.md.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from uuid import uuid4

import httpx

from local.upstream.demo_data import CUSTOMERS

if TYPE_CHECKING:
    from local.endpoints import Endpoints

CLIENTS: Final = (1, 5, 20)
GOALS: Final = {1: 1.0, 5: 0.9, 20: 0.6}
"""Of one client's rate: what a quiet machine with two cores should reach at least."""
LONGEST_WAIT_SECONDS: Final = 8.0
_SECONDS: Final = 8.0
_WARM_UP_SECONDS: Final = 4.0


@dataclass
class Load:
    """What so many clients got in a stretch of time."""

    clients: int
    seconds: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    waits: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Grants per second."""
        return self.statuses[201] / self.seconds

    @property
    def longest_wait(self) -> float:
        """The longest that a request took, in seconds."""
        return max(self.waits)


def measure(endpoints: Endpoints) -> list[Load]:
    """Each number of clients for a while, after as many workers have been started."""
    headers = {"Authorization": f"Bearer {endpoints.tokens['admin']}"}
    loads = []
    for number, clients in enumerate(CLIENTS, start=1):
        # Each on an account of its own: the emulator's queries slow down as an account grows.
        path = f"/customers/{CUSTOMERS[number].id}/credit/grants"
        with httpx.Client(
            base_url=endpoints.api_url,
            headers=headers,
            timeout=60,
            limits=httpx.Limits(max_connections=clients),
        ) as http:
            if clients > 1:
                _run(http, path, clients, _WARM_UP_SECONDS)
            loads.append(_run(http, path, clients, _SECONDS))
    return loads


def _run(http: httpx.Client, path: str, clients: int, seconds: float) -> Load:
    load, lock = Load(clients), threading.Lock()
    began = time.monotonic()

    def client() -> None:
        while time.monotonic() - began < seconds:
            asked = time.monotonic()
            response = http.post(
                path,
                json={"amount": 1, "reason": "Benchmark"},
                headers={"Idempotency-Key": str(uuid4())},
            )
            with lock:
                load.statuses[response.status_code] += 1
                load.waits.append(time.monotonic() - asked)

    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    load.seconds = time.monotonic() - began
    return load


def show(loads: list[Load]) -> None:
    """Print the table."""
    one = loads[0].rate
    print("\nOne account, many clients (grants over HTTP; ratios to one client)")
    print(f"{'clients':>7} {'per second':>10} {'ratio':>6} {'goal':>5} {'longest':>8}  answers")
    for load in loads:
        answers = ", ".join(f"{n} x {status}" for status, n in sorted(load.statuses.items()))
        print(
            f"{load.clients:>7} {load.rate:>10.1f} {load.rate / one:>6.2f} "
            f"{GOALS[load.clients]:>5.2f} {load.longest_wait:>7.1f}s  {answers}"
        )
