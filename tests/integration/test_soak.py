"""Everything fails at random while clients go on: then quiet, and nothing was made or lost.

Clients send with the same key until they are told something definite. Meanwhile DynamoDB is
throttled, refuses, loses replies and writes late; functions are killed; the carrier fails in every
way. `make soak HOURS=` runs rounds of it for hours.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

import pytest

from local.upstream.behaviour import Behaviour, Drop, Raw, Refuse, Silent
from tests.integration.client import Purchase, new_key
from tests.integration.fault_proxy import Answer, LateWrite, LoseReply, conflict, refuse
from tests.integration.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from pydantic import BaseModel

    from local.upstream.client import StandInControl
    from local.upstream.contract import Product
    from tests.integration.client import Reply, TillClient
    from tests.integration.fault_proxy import Fault, FaultProxy, Seen
    from tests.integration.functions import Functions
    from tests.integration.invariants import Auditor, Picture
    from tests.integration.shop import Shop

HOURS: Final = float(os.environ.get("TILL_SOAK_HOURS", "0"))
SEED: Final = int(os.environ.get("TILL_TEST_SEED", random.randrange(2**32)))
CLIENTS: Final = 5
REQUESTS_OF_A_CLIENT: Final = 40
CUSTOMERS: Final = 4
CREDIT: Final = 20_000
TRIES: Final = 12
SECONDS_BETWEEN_KILLS: Final = 8.0

FAULTS: Final[dict[str, tuple[Fault, float]]] = {
    "throttled": (refuse("ProvisionedThroughputExceededException"), 0.02),
    "conflict": (conflict(2), 0.02),
    "internal error": (refuse("InternalServerError", 500), 0.01),
    "500 without JSON": (Answer(b"<h1>no</h1>", 500, "text/html"), 0.01),
    "applied, 503": (Answer(b"", 503, "text/html", applied=True), 0.01),
    "applied, reply lost": (LoseReply(), 0.02),
    "not applied, reset": (LoseReply(applied=False, reset=True), 0.01),
    "written late": (LateWrite(seconds=0.5), 0.01),
}
"""Each with the share of DynamoDB's calls that it happens to."""

CARRIER: Final = (
    Behaviour(),
    Behaviour(),
    Behaviour(delay_seconds=0.2),
    Behaviour(answer=Refuse(status=422)),
    Behaviour(answer=Refuse(status=503)),
    Behaviour(answer=Refuse(status=504)),
    Behaviour(answer=Drop(reset=True), record=True),
    Behaviour(answer=Silent(), record=True),
    Behaviour(answer=Raw(status=201, body='{"id": 1e999}')),
    Behaviour(answer=Raw(status=201, body='{"id": "a", "id": "b"}')),
    Behaviour(answer=Raw(status=201, missing_bytes=5), record=True),
)


@dataclass(frozen=True)
class Sent:
    """A request, and what was answered last."""

    call: Callable[[], Reply[BaseModel]]
    what: str
    customer: UUID
    amount: int
    told: list[str] = field(default_factory=list)


def told_by(reply: Reply[BaseModel]) -> str:
    """The status, the problem's name, or that the gateway answered for a function that ended."""
    if reply.ok:
        return str(reply.status)
    if reply.response.headers.get("Content-Type", "").startswith("application/problem+json"):
        return reply.problem().slug
    return "ended"


FINAL: Final = {
    *("200", "201", "insufficient-credit", "refund-exceeds-purchase", "shipment-failed"),
    *("shipment-outcome-unknown", "unresolved-attempt", "too-many-open-attempts"),
}
"""What a client gives up at. Everything else is sent again, with the same key."""


class Client:
    """Sends requests one after the other, each until it is told something definite."""

    def __init__(
        self, till: TillClient, seed: int, customers: list[UUID], products: list[Product]
    ) -> None:
        self._till = till
        self._chance = random.Random(seed)
        self._customers = customers
        self._products = products
        self._bought: list[tuple[UUID, UUID]] = []
        self.sent: list[Sent] = []

    def run(self) -> None:
        """Send them all."""
        for _ in range(REQUESTS_OF_A_CLIENT):
            sent = self._something()
            self.sent.append(sent)
            for number in range(TRIES):
                reply = sent.call()
                sent.told.append(told_by(reply))
                if sent.what == "buy" and reply.ok:
                    bought = Purchase.model_validate_json(reply.response.content)
                    self._bought.append((sent.customer, bought.id))
                if sent.told[-1] in FINAL:
                    break
                time.sleep(self._chance.uniform(0, 0.1 * 2 ** min(number, 4)))

    def _something(self) -> Sent:
        till, chance, key = self._till, self._chance, new_key()
        customer, amount = chance.choice(self._customers), chance.randrange(1, 400)
        what = chance.choice(("grant", "deduct", "buy", "buy", "buy", "refund"))
        if what == "refund" and not self._bought:
            what = "grant"
        match what:
            case "grant":
                return Sent(partial(till.grant, customer, amount, key=key), what, customer, amount)
            case "deduct":
                return Sent(
                    partial(till.deduct, customer, amount, key=key), what, customer, -amount
                )
            case "refund":
                customer, purchase = chance.choice(self._bought)
                return Sent(partial(till.refund, purchase, amount, key=key), what, customer, amount)
        product, quantity = chance.choice(self._products), chance.randrange(1, 4)
        cost = -quantity * 100
        return Sent(
            partial(till.buy, customer, product.id, quantity, key=key), what, customer, cost
        )


@pytest.fixture
def faults(dynamodb_proxy: FaultProxy) -> Callable[[random.Random], ExitStack]:
    """Makes DynamoDB fail at random until the stack is closed."""

    def begin(chance: random.Random) -> ExitStack:
        lock = threading.Lock()

        def at_random(share: float, seen: Seen) -> bool:
            with lock:
                return bool(seen.operation) and chance.random() < share

        stack = ExitStack()
        for fault, share in FAULTS.values():
            stack.enter_context(dynamodb_proxy.fault(fault, partial(at_random, share)))
        return stack

    return begin


def test_nothing_is_made_and_nothing_lost(
    *,
    till: TillClient,
    upstream: StandInControl,
    shop: Shop,
    functions: Functions,
    audit: Auditor,
    faults: Callable[[random.Random], ExitStack],
) -> None:
    ends, number = time.monotonic() + HOURS * 3600, 0
    while number == 0 or time.monotonic() < ends:
        seed = SEED + number
        print(f"round {number + 1}, TILL_TEST_SEED={seed}", flush=True)  # noqa: T201
        _round(
            random.Random(seed),
            till=till,
            upstream=upstream,
            shop=shop,
            functions=functions,
            audit=audit,
            faults=faults,
        )
        number += 1


def _round(
    chance: random.Random,
    *,
    till: TillClient,
    upstream: StandInControl,
    shop: Shop,
    functions: Functions,
    audit: Auditor,
    faults: Callable[[random.Random], ExitStack],
) -> None:
    customers = [shop.customer(credit=CREDIT) for _ in range(CUSTOMERS)]
    products = [shop.product("1.00") for _ in CARRIER]
    for product, behaviour in zip(products, CARRIER, strict=True):
        upstream.plan_shipments(product.sku, behaviour)
    clients = [Client(till, chance.randrange(2**32), customers, products) for _ in range(CLIENTS)]
    quiet = threading.Event()
    with ThreadPoolExecutor(CLIENTS + 1) as pool, faults(chance):
        killing = pool.submit(_kill, functions, quiet)
        running = [pool.submit(client.run) for client in clients]
        try:
            for client in running:
                client.result()
        finally:
            # Also when a test's time is over: no later test shall have its workers killed.
            quiet.set()
        kills = killing.result()

    def settled() -> bool:
        functions.recover()
        pending = till.attempts(state="PENDING", limit=100).result().items
        return not any(attempt.customer_id in customers for attempt in pending)

    until(settled, "no attempt is pending")
    sent = [each for client in clients for each in client.sent]
    again = {id(each): told_by(each.call()) for each in sent}
    _say(sent, again, kills)
    for customer in customers:
        own = [each for each in sent if each.customer == customer]
        _check(audit(customer), own, again)


def _kill(functions: Functions, quiet: threading.Event) -> int:
    kills = 0
    while not quiet.wait(SECONDS_BETWEEN_KILLS):
        for operation in ("create_purchase", "grant_credit", "refund_purchase"):
            kills += functions.kill(operation)
    return kills


def _say(sent: list[Sent], again: dict[int, str], kills: int) -> None:
    tries = sum(len(each.told) for each in sent)
    ends = Counter(again.values())
    print(f"  {len(sent)} requests in {tries} tries, {kills} workers killed: {dict(ends)}")  # noqa: T201


def _check(picture: Picture, sent: list[Sent], again: dict[int, str]) -> None:
    """By what each key is told at last, the balance is right to the cent."""
    for each in sent:
        definite = {told for told in each.told if told in {"200", "201", "shipment-failed"}}
        if definite:
            assert again[id(each)] in definite, f"{each.what}: {each.told}, then {again[id(each)]}"
    done = [each for each in sent if again[id(each)] == "201"]
    assert picture.balance.posted == CREDIT + sum(each.amount for each in done)
    unknown = [each for each in sent if again[id(each)] == "shipment-outcome-unknown"]
    assert picture.balance.held == -sum(each.amount for each in unknown)
    bought = sum(each.what == "buy" for each in done)
    assert len(picture.purchases) == bought
