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
_ALL_FAULTS: Final = (
    *REFUSALS,
    "crash",
    "crash-before",
    "frozen",
    "lost",
    "broken",
    "late",
    "slow",
)
_AMOUNTS: Final = (100, 700, 1000, 2500, 4000, 6000, 9000)
_CLOCKS: Final = (-3600.0, -5.0, 5.0, 3600.0, 90_000.0)
_CARRIERS: Final = (
    SHIPPED,
    SHIPPED,
    (*SHIPPED, *NOT_SHIPPED),
    NOT_SHIPPED,
    UNCLEAR,
    (*SHIPPED, *UNCLEAR),
    (*SHIPPED, *NOT_SHIPPED, *UNCLEAR),
)


@dataclass(frozen=True, slots=True)
class Situation:
    """The beginning of a history: requests that meet in one place of the protocol.

    Each step is a kind of request, and how long after the one before it may come. Everything else
    is drawn as in any other history, but for what is set here.
    """

    steps: tuple[tuple[str, tuple[float, ...]], ...]
    faults: tuple[str, ...] = ()
    """One or more of these; none given: drawn from all."""
    rates: tuple[float, ...] = (0.0, 0.03, 0.1, 0.25, 0.5)
    carriers: tuple[tuple[str, ...], ...] = _CARRIERS
    clocks: tuple[float, ...] = ()
    """How far ahead the clock of the recovery may be."""
    together: bool = True
    """One customer, one order and one promo code."""
    stuck: float = 0.0
    """How likely the first attempt cannot be updated until everything is quiet."""
    idempotent: float = 0.15
    only_settling: bool = False
    """Nothing goes wrong before the carrier was called."""
    repeats: tuple[float, ...] = _REPEATS
    amounts: tuple[int, ...] = _AMOUNTS
    catalogue_rates: tuple[float, ...] = (0.0, 0.0, 0.1)
    jumps: float = 0.2
    """How likely the clocks of some machines are wrong."""


_NOW: Final = (0.0, 0.0, 0.005, 0.02)
_SOON: Final = (0.05, 0.5, 2.0, 7.0)

SITUATIONS: Final = (
    # The carrier takes its time. Meanwhile a recovery, by a clock ahead, gives the attempt up.
    Situation(
        (("purchase", (0.0,)), ("recover", _SOON), ("recover", _SOON)),
        rates=(0.0, 0.03, 0.1),
        carriers=(("201-slow",), ("201-slow", *NOT_SHIPPED), ("201-slow", *UNCLEAR)),
        clocks=(3600.0, 90_000.0, 180_000.0),
    ),
    # An orphan shipment that several reps close.
    Situation(
        (
            ("purchase", (0.0,)),
            ("recover", (65.0,)),
            ("recover", (90_000.0,)),
            ("close_orphan", (1.0, 60.0)),
            ("close_orphan", _NOW),
        ),
        rates=(0.0, 0.03, 0.1),
        carriers=(UNCLEAR,),
    ),
    # Runs that died, and the recoveries after them.
    Situation(
        (
            ("purchase", (0.0,)),
            ("purchase", (0.0, 0.3, 30.0)),
            ("recover", (65.0, 90.0)),
            ("recover", (*_NOW, 65.0)),
        ),
        faults=("crash", "lost", "conflict", "broken"),
        rates=(0.1, 0.25, 0.5),
        carriers=(SHIPPED, (*SHIPPED, *NOT_SHIPPED), (*SHIPPED, *NOT_SHIPPED, *UNCLEAR)),
        together=False,
        stuck=0.3,
        idempotent=0.3,
    ),
    # A run that died after its call; the recovery ships again, to an idempotent carrier.
    Situation(
        (("purchase", (0.0,)), ("recover", (65.0, 90.0)), ("recover", (*_NOW, 65.0))),
        faults=("crash", "lost"),
        rates=(0.25, 0.5),
        carriers=((*SHIPPED, *NOT_SHIPPED), (*SHIPPED, *NOT_SHIPPED, *UNCLEAR)),
        only_settling=True,
        idempotent=1.0,
    ),
    # Purchases of one customer at the same time, with one promo code.
    Situation(
        (("purchase", (0.0,)), ("purchase", _NOW), ("purchase", _NOW)),
        rates=(0.0, 0.03, 0.1),
        carriers=(SHIPPED, (*SHIPPED, *NOT_SHIPPED)),
    ),
    # The same order again, soon after a run that could not settle.
    Situation(
        (("purchase", (0.0,)), ("purchase", (0.3, 1.0, 5.0, 12.0, 20.0)), ("recover", (65.0,))),
        faults=("denied",),
        rates=(0.25, 0.5),
        carriers=(SHIPPED, (*SHIPPED, *UNCLEAR)),
        only_settling=True,
    ),
    # Changes of one promo code, with answers that do not come.
    Situation(
        (("promo", (0.0,)), ("promo", _NOW), ("promo", _NOW), ("purchase", _NOW)),
        faults=("broken", "late", "lost", "conflict"),
        rates=(0.1, 0.25, 0.5),
    ),
    # Attempts of unknown outcome that reps resolve.
    Situation(
        (
            ("purchase", (0.0,)),
            ("purchase", (0.0, 0.3, 30.0)),
            ("resolve", (30.0, 65.0)),
            ("resolve", (*_NOW, 30.0)),
        ),
        rates=(0.0, 0.03, 0.1),
        carriers=(UNCLEAR, (*SHIPPED, *UNCLEAR), ("taken-id", *SHIPPED)),
        together=False,
    ),
    # Refunds of one purchase.
    Situation(
        (("purchase", (0.0,)), ("refund", (30.0,)), ("refund", _NOW), ("refund", (*_NOW, 30.0))),
        rates=(0.0, 0.03, 0.1),
        carriers=(SHIPPED,),
        repeats=_NOW,
    ),
    # Deductions that leave too little credit for the next, each sent several times.
    Situation(
        (("deduct", (0.0,)), ("deduct", _NOW), ("purchase", _NOW), ("deduct", _NOW)),
        rates=(0.0, 0.03, 0.1),
        repeats=_NOW,
        amounts=(2500, 4000, 5000),
    ),
)
"""Half of all histories begin with one of these."""

RARE: Final = (
    # The first credit of a customer: a commit without an answer, and then the Customer API fails.
    Situation(
        (("grant", (0.0,)), ("grant", _NOW)),
        faults=("late", "broken"),
        rates=(0.25, 0.5),
        catalogue_rates=(0.5,),
    ),
    # The carrier takes its time, its answer is noted, and recoveries give the attempt up just then.
    Situation(
        (("purchase", (0.0,)), *(("recover", _SOON),) * 4),
        faults=("denied", "slow"),
        rates=(0.25, 0.5),
        carriers=(("201-slow",), ("201-slow", *NOT_SHIPPED)),
        clocks=(90_000.0, 180_000.0),
        only_settling=True,
        idempotent=0.0,
    ),
    # Once the carrier has answered, the tables hardly answer any more.
    Situation(
        (("purchase", (0.0,)),),
        faults=("silent",),
        rates=(0.8, 0.95),
        carriers=(SHIPPED,),
        only_settling=True,
    ),
    # A parcel turns up for an attempt that was given up during its call, and a rep closes it.
    Situation(
        (("purchase", (0.0,)), *(("recover", _SOON),) * 2, *(("close_orphan", (2.0, 7.0)),) * 2),
        rates=(0.0, 0.03),
        carriers=(("201-slow",),),
        clocks=(90_000.0, 180_000.0),
    ),
    # An account whose time was moved by a clock that is ahead, and a run that died.
    Situation(
        (("deduct", (0.0,)), ("purchase", _SOON), ("purchase", (27.0, 40.0))),
        faults=("crash",),
        rates=(0.5,),
        carriers=(SHIPPED,),
        only_settling=True,
        jumps=0.9,
    ),
)
"""One history in fifty begins with one of these. They are drawn apart from the others, so that the
seeds of those keep their histories."""


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
    """A rep types the shipment id of another purchase, or says that an orphan shipment is not
    real; a caller expects a lower total; who is granted credit has no account yet."""
    clock: float = 0.0
    """How far the clock of the machine is ahead, in seconds."""

    def __str__(self) -> str:
        times = ", ".join(f"{at:g} s" for at in self.deliveries)
        about = {
            "purchase": f"customer {self.customer} buys {self.quantity} of product {self.product}"
            + (f" with the code {self.promo_code}" if self.promo_code else ""),
            "grant": f"{self.amount} are granted to "
            + ("a new customer" if self.wrong else f"customer {self.customer}"),
            "deduct": f"{self.amount} are deducted from customer {self.customer}",
            "refund": f"{self.amount or 'all'} of purchase {self.of} is refunded",
            "resolve": f"a rep resolves the attempt of purchase {self.of}"
            + (" with another's shipment id" if self.wrong else ""),
            "close_orphan": f"a rep closes the orphan shipment of purchase {self.of}"
            + (" as not real" if self.wrong else ""),
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
    stuck: int | None = None
    """The purchase whose attempt cannot be updated until everything is quiet."""
    only_settling: bool = False
    """Nothing goes wrong before the carrier was called."""
    calm: frozenset[tuple[int, int, int]] = frozenset()
    """Calls (by request, delivery, number) that go well whatever was drawn for them."""


def plan_of(seed: int) -> Plan:
    """The history of a seed."""
    draw = Random(f"plan/{seed}")
    if Random(f"rare/{seed}").random() < 0.02:
        return _plan(draw, seed, draw.choice(RARE))
    if draw.random() < 0.5:
        return _plan(draw, seed, draw.choice(SITUATIONS))
    return _plan(draw, seed, Situation((), together=draw.random() < 0.3))


def _plan(draw: Random, seed: int, situation: Situation) -> Plan:
    habits = _Habits(
        same_order=situation.together or draw.random() < (0.2 if situation.steps else 0.45),
        customer=(0 if draw.random() < 0.6 else 1) if situation.together else None,
        promo_code=draw.choice((None, *PROMO_CODES)) if situation.together else None,
        jumps=draw.random() < situation.jumps,
        clocks=situation.clocks,
        repeats=situation.repeats,
        amounts=situation.amounts,
    )
    more = draw.choice((0, 0, 0, 1, 2) if situation.steps else (2, 2, 3, 3, 4, 4, 5, 6))
    gaps = _GAPS[:5] if draw.random() < 0.4 else _GAPS
    at = 0.0
    operations: list[Operation] = []
    for number in range(len(situation.steps) + more):
        if number < len(situation.steps):
            kind, between = situation.steps[number]
        else:
            kind, between = draw.choice(_KINDS) if number else "purchase", gaps
        at += draw.choice(between)
        operations.append(_operation(draw, at, kind, operations, habits))
    possible = situation.faults or _ALL_FAULTS
    faults = tuple(fault for fault in possible if draw.random() < 0.4)
    if situation.faults and not faults:
        faults = (draw.choice(possible),)
    return Plan(
        seed=seed,
        operations=tuple(operations),
        faults=faults,
        rate=draw.choice(situation.rates) if faults else 0.0,
        carrier=draw.choice(situation.carriers),
        catalogue_rate=draw.choice(situation.catalogue_rates),
        idempotent=draw.random() < situation.idempotent,
        http_cache=draw.random() < 0.03,
        stuck=0 if draw.random() < situation.stuck else None,
        only_settling=situation.only_settling,
    )


@dataclass(frozen=True, slots=True)
class _Habits:
    """What the requests of a history have in common; None: each one draws its own."""

    same_order: bool
    customer: int | None
    promo_code: str | None
    jumps: bool
    clocks: tuple[float, ...]
    repeats: tuple[float, ...]
    amounts: tuple[int, ...]


def _operation(
    draw: Random,
    at: float,
    kind: str,
    before: list[Operation],
    habits: _Habits,
) -> Operation:
    number = len(before)
    purchases = [each for each in before if each.kind == "purchase"]
    if kind in {"refund", "resolve", "close_orphan"} and not purchases:
        kind = "purchase"
    deliveries = [at]
    if kind not in {"recover", "price", "address", "promo"}:
        while len(deliveries) < 4 and draw.random() < 0.45:
            deliveries.append(deliveries[-1] + draw.choice(habits.repeats))
    elif kind in {"recover", "promo"} and draw.random() < 0.3:
        # Two at the same time, or the retry of Lambda.
        deliveries.append(at + draw.choice((0.0, 0.01, 60.0)))
    product = 0 if habits.same_order else draw.randrange(PRODUCTS)
    customer = 0 if draw.random() < 0.75 else 1
    promo_code = draw.choice(PROMO_CODES) if kind == "promo" or draw.random() < 0.4 else None
    clock = 0.0
    if kind == "recover" and habits.clocks:
        clock = draw.choice(habits.clocks)
    elif habits.jumps and draw.random() < 0.4:
        clock = draw.choice(_CLOCKS)
    return Operation(
        number=number,
        kind=kind,
        deliveries=tuple(deliveries),
        customer=habits.customer if habits.customer is not None else customer,
        product=product,
        quantity=1 if habits.same_order else draw.choice((1, 1, 2, 3)),
        amount=draw.choice(habits.amounts),
        promo_code=habits.promo_code or promo_code,
        key=f"key-{number}",
        other_body=len(deliveries) > 1 and draw.random() < 0.1,
        of=draw.choice(purchases).number if purchases else 0,
        wrong=draw.random() < 0.25,
        clock=clock,
    )


class Stream:
    """How the calls of one delivery of a request go, one after the other."""

    def __init__(self, plan: Plan, number: int, delivery: int) -> None:
        self._plan = plan
        self._where = (number, delivery)
        self._draw = Random(f"{plan.seed}/{number}/{delivery}")
        self._number = 0
        self._rate = 0.0 if plan.only_settling else plan.rate
        self.drawn: list[tuple[int, Call | Reply]] = []
        """What was drawn and is not what usually happens, by its number."""

    @property
    def faults(self) -> bool:
        """Whether any call went wrong, or took long, or was one of the carrier's."""
        return any(isinstance(c, Reply) or c.fault or c.replies > 0.1 for _, c in self.drawn)

    def _next(self) -> tuple[int, bool]:
        self._number += 1
        return self._number, (*self._where, self._number) in self._plan.calm

    def call(self, operation: str, items: int) -> Call:
        """The next call of DynamoDB."""
        number, calm = self._next()
        draw, plan = self._draw.random, self._plan
        arrives, replies = 0.002 + 0.03 * draw() ** 3, 0.002 + 0.03 * draw() ** 3
        fault, lag, breaks = "", 0.0, NEVER
        visible: tuple[float, ...] = ()
        if operation == "TransactWriteItems" and draw() < 0.5:
            visible = tuple(round(0.03 * draw(), 4) for _ in range(items))
            replies = max((replies, *visible))
        elif operation == "Query" and draw() < 0.2:
            lag = 2.0 * draw()
        if draw() < self._rate:
            fault = plan.faults[int(draw() * len(plan.faults))]
            match fault:
                case "lost":
                    fault, replies = "", NEVER
                case "broken":
                    # The connection breaks, and what was sent arrives all the same.
                    arrives, breaks = replies + 0.12 * draw(), replies
                case "late":
                    fault, arrives, replies = "", (0.5, 2.0, 8.0)[int(3 * draw())], NEVER
                case "silent":
                    fault, arrives, replies = "", NEVER, NEVER
                case "slow":
                    fault, replies = "", (0.4, 1.1, 2.5)[int(3 * draw())]
        if calm:
            return Call()
        call = Call(arrives, replies, fault, visible, lag, breaks)
        if fault or visible or lag > 0 or replies > 0.1:
            self.drawn.append((number, call))
        return call

    def carrier(self) -> Reply:
        """The next call of the carrier."""
        number, calm = self._next()
        draw = self._draw
        self._rate = self._plan.rate
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
