"""What happens in a history: drawn from a seed, and small enough to be read.

A ``Plan`` says which requests are sent when, and how likely which faults are. How each single call
of a request goes is drawn from a stream of its own, named by seed, request and delivery: a request
that is taken out of a plan leaves the others as they were, and a failing plan can be made shorter.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Final

from tests.simulation.dynamodb import REFUSALS, Call
from tests.simulation.scheduler import NEVER
from tests.simulation.upstream import CATALOGUE_FAULTS, NOT_SHIPPED, SHIPPED, UNCLEAR, Reply

CUSTOMERS: Final = 2
PRODUCTS: Final = 2
PROMO_CODES: Final = ("ONCE", "EACH", "TENTH", "FIRST")

_KINDS: Final = (
    *["purchase"] * 9,
    "grant",
    *["deduct"] * 2,
    *["refund"] * 3,
    *["resolve"] * 3,
    "close_orphan",
    *["recover"] * 4,
    "price",
    "address",
    "promo",
)
_GAPS: Final = (0.0, 0.0, 0.01, 0.03, 0.2, 2.0, 12.0, 27.0, 65.0, 65.0, 3600.0, 90_000.0)
_REPEATS: Final = (0.0, 0.001, 0.02, 0.3, 3.0, 30.0, 100.0)
_ALL_FAULTS: Final = (*REFUSALS, "crash", "crash-before", "frozen", "lost", "late", "slow")


@dataclass(frozen=True, slots=True)
class Operation:
    """One request, and when it is delivered, in seconds from the start."""

    number: int
    kind: str
    deliveries: tuple[float, ...]
    customer: int = 0
    product: int = 0
    quantity: int = 1
    amount: int = 0
    promo_code: str | None = None
    key: str = ""
    other_body: bool = False
    """The second delivery has the same key, and another body."""
    of: int = 0
    """The number of the purchase that it is about."""
    wrong: bool = False
    """A rep types the shipment id of another purchase; a caller expects a lower total."""
    clock: float = 0.0
    """How far the clock of the machine is ahead, in seconds."""

    def __str__(self) -> str:
        times = ", ".join(f"{at:g} s" for at in self.deliveries)
        about = {
            "purchase": f"customer {self.customer} buys {self.quantity} of product {self.product}"
            + (f" with the code {self.promo_code}" if self.promo_code else ""),
            "grant": f"{self.amount} are granted to customer {self.customer}",
            "deduct": f"{self.amount} are deducted from customer {self.customer}",
            "refund": f"{self.amount or 'all'} of purchase {self.of} is refunded",
            "resolve": f"a rep resolves the attempt of purchase {self.of}"
            + (" with another's shipment id" if self.wrong else ""),
            "close_orphan": f"a rep closes the orphan shipment of purchase {self.of}",
            "recover": "the recovery runs",
            "price": f"product {self.product} costs {self.amount}",
            "address": "the customers move",
            "promo": f"the code {self.promo_code} is changed",
        }[self.kind]
        clock = f", by a clock that is {self.clock:g} s ahead" if self.clock else ""
        other = ", the second time with another body" if self.other_body else ""
        return f"#{self.number} at {times}: {about}{clock}{other}"


@dataclass(frozen=True, slots=True)
class Plan:
    """A history that could happen."""

    seed: int
    operations: tuple[Operation, ...]
    faults: tuple[str, ...]
    """Which faults DynamoDB and the functions have in this history."""
    rate: float
    """How likely one of them is at each call."""
    carrier: tuple[str, ...]
    """How the carrier answers: one of these each time."""
    catalogue_rate: float
    idempotent: bool
    """Whether the carrier makes one parcel per key, and Till is configured to rely on it."""
    http_cache: bool
    """Whether the catalogue is read through the whole HTTP cache, or without it (faster)."""
    calm: frozenset[tuple[int, int, int]] = frozenset()
    """Calls (by request, delivery, number) that go well whatever was drawn for them."""


def plan_of(seed: int) -> Plan:
    """The history of a seed."""
    draw = Random(f"plan/{seed}")
    count = draw.choice((2, 2, 3, 3, 4, 4, 5, 6))
    jumps = draw.random() < 0.2
    at = 0.0
    operations: list[Operation] = []
    same_order = draw.random() < 0.6
    crowded = draw.random() < 0.4
    for number in range(count):
        at += draw.choice(_GAPS[:5] if crowded else _GAPS)
        operations.append(
            _operation(draw, number, at, operations, same_order=same_order, jumps=jumps)
        )
    faults = tuple(fault for fault in _ALL_FAULTS if draw.random() < 0.4)
    carrier = draw.choice(
        (
            SHIPPED,
            SHIPPED,
            (*SHIPPED, *NOT_SHIPPED),
            NOT_SHIPPED,
            UNCLEAR,
            (*SHIPPED, *UNCLEAR),
            (*SHIPPED, *NOT_SHIPPED, *UNCLEAR),
        )
    )
    return Plan(
        seed=seed,
        operations=tuple(operations),
        faults=faults,
        rate=draw.choice((0.0, 0.03, 0.1, 0.25, 0.5)) if faults else 0.0,
        carrier=carrier,
        catalogue_rate=draw.choice((0.0, 0.0, 0.1)),
        idempotent=draw.random() < 0.15,
        http_cache=draw.random() < 0.03,
    )


def _operation(
    draw: Random,
    number: int,
    at: float,
    before: list[Operation],
    *,
    same_order: bool,
    jumps: bool,
) -> Operation:
    purchases = [each for each in before if each.kind == "purchase"]
    kind = draw.choice(_KINDS)
    if number == 0 or (kind in {"refund", "resolve", "close_orphan"} and not purchases):
        kind = "purchase"
    deliveries = [at]
    if kind not in {"recover", "price", "address", "promo"}:
        while len(deliveries) < 4 and draw.random() < 0.45:
            deliveries.append(deliveries[-1] + draw.choice(_REPEATS))
    elif kind == "recover" and draw.random() < 0.3:
        deliveries.append(at + draw.choice((0.0, 0.01)))
    product = 0 if same_order else draw.randrange(PRODUCTS)
    return Operation(
        number=number,
        kind=kind,
        deliveries=tuple(deliveries),
        customer=0 if draw.random() < 0.75 else 1,
        product=product,
        quantity=1 if same_order else draw.choice((1, 1, 2, 3)),
        amount=draw.choice((100, 700, 1000, 2500, 4000, 6000, 9000)),
        promo_code=draw.choice(PROMO_CODES) if kind == "promo" or draw.random() < 0.4 else None,
        key=f"key-{number}",
        other_body=len(deliveries) > 1 and draw.random() < 0.1,
        of=draw.choice(purchases).number if purchases else 0,
        wrong=draw.random() < 0.25,
        clock=draw.choice((-3600.0, -5.0, 5.0, 3600.0, 90_000.0))
        if jumps and draw.random() < 0.4
        else 0.0,
    )


class Stream:
    """How the calls of one delivery of a request go, one after the other."""

    def __init__(self, plan: Plan, number: int, delivery: int) -> None:
        self._plan = plan
        self._where = (number, delivery)
        self._draw = Random(f"{plan.seed}/{number}/{delivery}")
        self._number = 0
        self.drawn: list[tuple[int, Call | Reply]] = []
        """What was drawn and is not what usually happens, by its number."""

    def _next(self) -> tuple[int, bool]:
        self._number += 1
        return self._number, (*self._where, self._number) in self._plan.calm

    def call(self, operation: str, items: int) -> Call:
        """The next call of DynamoDB."""
        number, calm = self._next()
        draw, plan = self._draw.random, self._plan
        arrives, replies = 0.002 + 0.03 * draw() ** 3, 0.002 + 0.03 * draw() ** 3
        fault, lag = "", 0.0
        visible: tuple[float, ...] = ()
        if operation == "TransactWriteItems" and draw() < 0.5:
            visible = tuple(round(0.03 * draw(), 4) for _ in range(items))
            replies = max((replies, *visible))
        elif operation == "Query" and draw() < 0.2:
            lag = 2.0 * draw()
        if draw() < plan.rate:
            fault = plan.faults[int(draw() * len(plan.faults))]
            match fault:
                case "lost":
                    fault, replies = "", NEVER
                case "late":
                    fault, arrives, replies = "", (0.5, 2.0, 8.0)[int(3 * draw())], NEVER
                case "slow":
                    fault, replies = "", (0.4, 1.1, 2.5)[int(3 * draw())]
        if calm:
            return Call()
        call = Call(arrives, replies, fault, visible, lag)
        if fault or visible or lag > 0 or replies > 0.1:
            self.drawn.append((number, call))
        return call

    def carrier(self) -> Reply:
        """The next call of the carrier."""
        number, calm = self._next()
        draw = self._draw
        kind = draw.choice(self._plan.carrier)
        parcel = kind in UNCLEAR and draw.random() < 0.5
        arrives, replies = 0.01 + 0.3 * draw.random(), 0.01 + 0.3 * draw.random()
        if kind == "201-slow":
            replies = draw.choice((5.0, 9.5))
        elif kind in {"lost", "dribbled"}:
            replies = NEVER
        if "crash" in self._plan.faults and draw.random() < self._plan.rate:
            kind, parcel = "crash", draw.random() < 0.7
        if calm:
            return Reply(kind="201")
        reply = Reply(arrives, replies, f"{kind}+parcel" if parcel else kind)
        self.drawn.append((number, reply))
        return reply

    def catalogue(self) -> Reply:
        """The next call of the Customer or the Product API."""
        number, calm = self._next()
        draw = self._draw
        arrives, replies, kind = 0.01 + 0.05 * draw.random(), 0.01, ""
        if draw.random() < self._plan.catalogue_rate:
            kind = draw.choice(CATALOGUE_FAULTS)
            if kind == "lost":
                replies = NEVER
        if calm or not kind:
            return Reply(arrives, replies) if not calm else Reply()
        reply = Reply(arrives, replies, kind)
        self.drawn.append((number, reply))
        return reply
