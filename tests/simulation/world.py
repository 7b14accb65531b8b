"""The real use cases and the real adapters, in a simulated world; and one history of it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Final, TypeAlias, cast
from uuid import UUID, uuid5

import httpx

from tests.simulation.dynamodb import Call, Client, Key, Tables, Written
from tests.simulation.invariants import (
    LEDGER,
    OPEN,
    PENDING_EXPIRY,
    PURCHASES,
    REP,
    REP_LIMIT,
    UNKNOWN_DEADLINE,
    Auditor,
    Violation,
    integer,
    plain,
    text,
)
from tests.simulation.plan import PROMO_CODES, Operation, Plan, Stream
from tests.simulation.remembered import remembering
from tests.simulation.scheduler import NEVER, Process, Scheduler
from tests.simulation.upstream import BASE_URL, Reply, Shelf, Transport
from till.adapters.dynamodb.client import CALL_SECONDS
from till.adapters.dynamodb.store import DynamoStore
from till.adapters.upstream.carrier import HttpCarrier
from till.adapters.upstream.catalogue import HttpCustomers, HttpProducts
from till.adapters.upstream.connections import UnreadableAnswerError
from till.adapters.upstream.http import Answer, make_http_client
from till.adapters.upstream.reader import UpstreamReader
from till.domain.actor import Actor
from till.domain.money import Money
from till.domain.promo import (
    FixedDiscount,
    PercentageDiscount,
    PromoCodeDeactivatedError,
    PromoTerms,
    StaleVersionError,
)
from till.domain.purchase import (
    AttemptStillPendingError,
    NotShipped,
    OrphanOutcome,
    Shipped,
    attempt_id_for,
)
from till.services.adjust_credit import AdjustCredit, CreditAdjustment
from till.services.close_orphan_shipment import CloseOrphanShipment, ClosingRequest
from till.services.create_purchase import CreatePurchase, PurchaseRequest
from till.services.promo_codes import PromoCodes
from till.services.recover_attempts import RecoverAttempts
from till.services.refund_purchase import RefundPurchase, RefundRequest
from till.services.resolve_attempt import ResolutionRequest, ResolveAttempt
from till.services.shared import in_parallel
from till.services.shared.policy import DisplayPolicy, ShipmentPolicy
from till.services.shared.pricing import PurchaseIntent
from till.services.shared.settlement import SettleShipment

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from tests.simulation.expressions import Item
    from till.domain.catalogue import CustomerDetails
    from till.domain.purchase import ShipmentOutcome
    from till.domain.words import TypedWords
    from till.services.ports.store import Store

EPOCH: Final = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
FUNCTION_SECONDS: Final = 25.0
READ_SECONDS: Final = 3.0
SHIP_SECONDS: Final = 10.0
SETTLE_SECONDS: Final = 5.0
_FROZEN_SECONDS: Final = 11.0
_LONGEST_LAG: Final = 2.5

_NAMESPACE: Final = UUID(int=7)
CUSTOMER_IDS: Final = tuple(uuid5(_NAMESPACE, f"customer {n}") for n in range(2))
NEW_CUSTOMER_ID: Final = uuid5(_NAMESPACE, "a customer without an account")
PRODUCT_IDS: Final = tuple(uuid5(_NAMESPACE, f"product {n}") for n in range(2))
_PRICES: Final = (1000, 2600)
_CREDIT: Final = (10_000, 3_000)
_TERMS: Final = {
    "ONCE": PromoTerms(discount=FixedDiscount(amount=Money(100)), max_redemptions=1),
    "EACH": PromoTerms(discount=PercentageDiscount(percent=15), max_redemptions_per_customer=1),
    "TENTH": PromoTerms(discount=PercentageDiscount(percent=10)),
    "FIRST": PromoTerms(discount=PercentageDiscount(percent=100), first_purchase_only=True),
}
_DISPLAY: Final = DisplayPolicy(max_age_seconds=5, stale_if_error_seconds=60)


@lru_cache(maxsize=1024)
def _attempt_id(customer: int, key: str) -> UUID:
    return attempt_id_for(CUSTOMER_IDS[customer], key)


def customer_id_of(operation: Operation) -> UUID:
    """The customer whose credit is granted or deducted."""
    if operation.kind == "grant" and operation.wrong:
        return NEW_CUSTOMER_ID
    return CUSTOMER_IDS[operation.customer]


def attempt_id_of(purchase: Operation) -> UUID:
    """The id of the attempt that a request to purchase makes."""
    return _attempt_id(purchase.customer, purchase.key)


Result: TypeAlias = object
"""What a use case returned, or the exception that it raised."""


@dataclass(eq=False, slots=True)
class Delivery(Process):
    """One run of a function for a request."""

    operation: Operation | None = None
    number: int = 0
    stream: Stream | None = None
    started: float = 0.0
    ended: float | None = None
    result: Result = None
    denied: bool = False
    """DynamoDB has refused it access."""
    told: str | None = None
    """The shipment id in the carrier's answer, once it has come back to this run."""
    told_not_shipped: bool = False
    timed_out: bool = False
    """It was killed because its time was over."""
    frozen: bool = False
    """Its machine has stood still."""
    attempt_id: str | None = None
    saw: dict[str, int] = field(default_factory=dict)
    """The newest version that it has read of each account, by pk."""
    due: frozenset[Key] = frozenset()
    """For a recovery: the attempts that it has to settle."""
    left: frozenset[Key] = frozenset()
    """Those of them that it left as they were."""


@dataclass(slots=True)
class SimulatedIncidents:
    """``till.services.ports.incidents.Incidents``."""

    not_recorded: set[str] = field(default_factory=set)
    taken: set[str] = field(default_factory=set)

    def answer_not_recorded(self, attempt_id: UUID, outcome: ShipmentOutcome) -> None:
        del outcome
        self.not_recorded.add(str(attempt_id))

    def shipment_id_taken(self, attempt_id: UUID, shipment_id: str, purchase_id: UUID) -> None:
        del shipment_id, purchase_id
        self.taken.add(str(attempt_id))


class _NoIndex:
    """``till.services.ports.customer_index.CustomerIndex``: no money depends on it."""

    def saw(self, customers: Iterable[CustomerDetails], *, gone: Iterable[UUID] = ()) -> None:
        del customers, gone

    def propose(self, typed: TypedWords, *, limit: int) -> tuple[UUID, ...]:
        raise NotImplementedError

    def with_id_prefix(self, prefix: str, *, limit: int) -> tuple[UUID, ...]:
        raise NotImplementedError


_QUIET_CALL: Final = Call(0.002, 0.002)


class World:
    """One history: its tables, its clients, and everything that goes wrong."""

    def __init__(self, plan: Plan, before: Tables | None) -> None:
        self.plan = plan
        self.scheduler = Scheduler()
        self.tables = before.copy(self._now) if before else Tables(self._now)
        self.shelf = Shelf(
            dict(zip(PRODUCT_IDS, _PRICES, strict=True)), [*CUSTOMER_IDS, NEW_CUSTOMER_ID]
        )
        self.transport = Transport(
            self.shelf,
            self,
            read_seconds=READ_SECONDS,
            ship_seconds=SHIP_SECONDS,
            once=plan.idempotent,
        )
        self.stuck: str | None = None
        if plan.stuck is not None:
            of = next((o for o in plan.operations if o.number == plan.stuck), None)
            if of is not None:
                attempt_id = attempt_id_of(of)
                self.stuck = self.tables.stuck = f"PURCHASE#{attempt_id}"
        self._clients = [
            (limit, cast("DynamoDBClient", Client(self.tables, self, limit)))
            for limit in CALL_SECONDS
        ]
        self.incidents = SimulatedIncidents()
        self.deliveries: list[Delivery] = []
        self.found_out: dict[str, Shipped | NotShipped] = {}
        """What a rep stated first, by the Idempotency-Key."""
        self.writer: Process | None = None
        self.quiet = False
        self.trace: list[tuple[float, str, str]] | None = None
        self.auditor = Auditor(
            self.tables, lambda: self.writer, started=_started, clock=self._clock_of
        )
        self.tables.written.append(self.auditor)
        self.tables.written.append(self._tell_commit)

    def _now(self) -> float:
        return self.scheduler.now

    @property
    def now(self) -> float:
        """The virtual time."""
        return self.scheduler.now

    def tell(self, what: str) -> None:
        """Add to the story, if it is told."""
        if self.trace is not None:
            who = self.writer.name if self.writer is not None else ""
            self.trace.append((self.now, who, what))

    def _clock_of(self, writer: object) -> datetime:
        operation = writer.operation if isinstance(writer, Delivery) else None
        ahead = operation.clock if operation is not None and not self.quiet else 0.0
        return EPOCH + timedelta(seconds=self.now + ahead)

    def _tell_commit(self, done: list[Written]) -> None:
        if self.trace is not None:
            self.tell(f"commits {_told(done)}")

    # How calls go; see Network and Wire.

    def _delivery(self) -> Delivery:
        return self.scheduler.process  # type: ignore[return-value]

    def next_call(self, operation: str, items: int) -> Call:
        delivery = self._delivery()
        call = _QUIET_CALL
        if not self.quiet and delivery.stream is not None:
            call = delivery.stream.call(operation, items)
        if call.fault == "denied":
            delivery.denied = True
        if call.fault and self.trace is not None:
            self.trace.append((self.now, delivery.name, f"{operation} fails: {call.fault}"))
        if call.fault == "crash-before":
            self.scheduler.kill(delivery)
        return call

    def sent(self, call: Call, effect: Callable[[], None], limit: float) -> None:
        self._wait(call.arrives, call.replies, effect, limit, crash=call.fault == "crash")
        if call.fault == "frozen":
            # The machine stands still, as if it had been suspended; its answer had come.
            self._delivery().frozen = True
            self.scheduler.sleep(_FROZEN_SECONDS)

    def saw(self, items: Iterable[Item]) -> None:
        saw = self._delivery().saw
        for item in items:
            if "posted" in item:
                pk = text(item, "pk")
                saw[pk] = max(saw.get(pk, 0), integer(item, "version"))

    def next_reply(self, api: str) -> Reply:
        delivery = self._delivery()
        if self.quiet or delivery.stream is None:
            return Reply(kind="201" if api == "carrier" else "")
        if api != "carrier":
            return delivery.stream.catalogue()
        reply = delivery.stream.carrier()
        if delivery.attempt_id is not None:
            left = delivery.started + FUNCTION_SECONDS - self.now
            if left < SHIP_SECONDS + SETTLE_SECONDS - 0.001:
                raise Violation(f"{delivery.name} calls the carrier with {left:.1f} s left")
        if self.trace is not None:
            self.trace.append((self.now, delivery.name, f"CreateShipment: {reply.kind}"))
        return reply

    def answered(self, *, shipment_id: str | None) -> None:
        delivery = self._delivery()
        if shipment_id is None:
            delivery.told_not_shipped = True
        delivery.told = shipment_id

    def exchanged(self, reply: Reply, effect: Callable[[], None], limit: float) -> None:
        crash = reply.kind.startswith("crash")
        self._wait(reply.arrives, reply.replies, effect, limit, crash=crash)

    def _wait(
        self,
        arrives: float,
        replies: float,
        effect: Callable[[], None],
        limit: float,
        *,
        crash: bool,
    ) -> None:
        scheduler = self.scheduler
        process = scheduler.process

        def happen() -> None:
            self.writer = process
            effect()
            self.writer = None
            if crash:
                scheduler.kill(process)

        if arrives < NEVER:
            scheduler.at(scheduler.now + arrives, happen)
        scheduler.sleep(min(arrives + replies, limit))
        if arrives + replies > limit:
            raise TimeoutError

    # The functions

    def _client_for(self, seconds: float) -> DynamoDBClient:
        for limit, client in self._clients:
            if limit <= seconds:
                return client
        return self._clients[-1][1]

    def deliver(self, operation: Operation, number: int) -> Delivery:
        """Start the function of a request."""
        delivery = Delivery(
            name=f"{operation.kind} #{operation.number}.{number + 1}",
            operation=operation,
            number=number,
            stream=Stream(self.plan, operation.number, number),
            started=self.now,
        )
        self.deliveries.append(delivery)
        if operation.kind == "recover":
            delivery.due = self._due(operation)

        def work() -> None:
            try:
                delivery.result = _Functions(self, delivery).run(operation, number)
            except Exception as error:  # noqa: BLE001 - the answer of the request
                delivery.result = error
            delivery.ended = self.now
            delivery.left = frozenset(
                key for key in delivery.due if text(self.tables.items[key], "state") == "PENDING"
            )
            if self.trace is not None:
                answer = delivery.result
                said = type(answer).__name__ + (
                    f": {answer}" if isinstance(answer, Exception) else ""
                )
                self.trace.append((self.now, delivery.name, f"answers {said}"))

        self.scheduler.start(delivery, work)
        self.scheduler.at(self.now + FUNCTION_SECONDS, lambda: self._time_out(delivery))
        return delivery

    def _due(self, operation: Operation) -> frozenset[Key]:
        """The dead attempts that a recovery finds, whatever the lag of its index."""
        clock = EPOCH + timedelta(seconds=self.now + operation.clock)
        return frozenset(
            key
            for key, item in self.tables.items.items()
            if key[2] == "PURCHASE"
            and text(item, "state") == "PENDING"
            and datetime.fromisoformat(text(item, "expires_at")) <= clock
            and self.tables.changed[key][-1][0] < self.now - _LONGEST_LAG
        )

    def _time_out(self, delivery: Delivery) -> None:
        if delivery.tasks:
            if self.trace is not None:
                self.trace.append((self.now, delivery.name, "is killed: its time is over"))
            delivery.timed_out = True
            self.scheduler.kill(delivery)

    # One history

    def play(self) -> None:
        """Run the plan, and then until everything has come to rest."""
        for operation in self.plan.operations:
            for number, at in enumerate(operation.deliveries):
                self.scheduler.at(at, lambda o=operation, n=number: self._begin(o, n))  # type: ignore[misc]
        self.scheduler.run()
        self.quiet = True
        self.tables.stuck = None

    def _begin(self, operation: Operation, number: int) -> None:
        if operation.kind == "price":
            self.shelf.prices[PRODUCT_IDS[operation.product]] = operation.amount
        elif operation.kind == "address":
            self.shelf.streets += 1
        else:
            self.deliver(operation, number)

    def run_quietly(self, operation: Operation, *, after: float) -> Delivery:
        """Run one more request without any fault, so many seconds later."""
        started: list[Delivery] = []
        at = self.now + after
        self.scheduler.at(at, lambda: started.append(self.deliver(operation, 0)))
        self.scheduler.run()
        return started[0]

    def open_attempts(self) -> list[str]:
        """The attempts that are open."""
        return [
            key[1].removeprefix("PURCHASE#")
            for key, item in self.tables.items.items()
            if key[2] == "PURCHASE" and text(item, "state") in OPEN
        ]


def _started(writer: object) -> float:
    return writer.started if isinstance(writer, Delivery) else 0.0


def _told(done: list[Written]) -> str:
    parts = []
    for each in done:
        item, (_, pk, sk) = each.after, each.key
        if sk.startswith("VERSION#") and pk.startswith("ACCOUNT#"):
            parts.append(
                f"{text(item, 'kind')} {item['amount']['N']} (version {item['version']['N']})"
            )
        elif sk == "PURCHASE":
            carrier = plain(item["carrier"]) if "carrier" in item else {}
            noted = carrier["kind"] if isinstance(carrier, dict) and carrier else ""
            parts.append(
                f"{pk[9:13]} {text(item, 'state')}" + (f", carrier: {noted}" if noted else "")
            )
        else:
            parts.append(f"{pk[:13]} {sk[:20]}")
    return "; ".join(parts)


@dataclass(frozen=True, slots=True)
class _Clock:
    world: World
    ahead: float

    def now(self) -> datetime:
        return EPOCH + timedelta(seconds=self.world.now + self.ahead)


@dataclass(frozen=True, slots=True)
class _Deadline:
    world: World
    at: float

    def remaining_seconds(self) -> float:
        return self.at - self.world.now


_NO_HEADERS: Final = httpx.Headers()


class _ToCarrier(httpx.BaseTransport):
    """The transport of the history that runs."""

    transport: Transport

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self.transport.handle_request(request)


_to_carrier: Final = _ToCarrier()


@cache
def _carrier_client() -> httpx.Client:
    """The client of the Shipment API. Making one takes long."""
    return make_http_client(BASE_URL, _to_carrier)


class _WithoutCache(UpstreamReader):
    """Reads the wire itself: the HTTP cache takes longer than the rest of a history."""

    def __init__(
        self,
        base_url: str,
        *,
        timeout_seconds: float,
        display: DisplayPolicy,
        wire: Transport,
    ) -> None:
        del base_url, timeout_seconds, display
        self._transport = wire

    def revalidated(self, path: str) -> Answer:
        status, headers, content = self._transport.look_up(path)
        if "Content-Encoding" in headers:
            raise UnreadableAnswerError("its answer is encoded", status=status)
        return Answer(status, content, _NO_HEADERS)

    def forget(self, path: str) -> None:
        del path


class _Functions:
    """The operations, wired as ``till.bootstrap`` does it, for one run."""

    def __init__(self, world: World, delivery: Delivery) -> None:
        self._world = world
        self._delivery = delivery
        assert delivery.operation is not None
        self._clock = _Clock(world, 0.0 if world.quiet else delivery.operation.clock)
        self._deadline = _Deadline(world, delivery.started + FUNCTION_SECONDS)
        self._store: Store = DynamoStore(
            world._client_for, ledger_table=LEDGER, purchases_table=PURCHASES
        )
        self._policy = ShipmentPolicy(
            shipment_timeout_seconds=SHIP_SECONDS,
            pending_expiry=PENDING_EXPIRY,
            unknown_deadline=UNKNOWN_DEADLINE,
            shipments_idempotent=world.plan.idempotent,
        )

    def _reader(self) -> UpstreamReader:
        world = self._world
        reader = UpstreamReader if world.plan.http_cache else _WithoutCache
        return reader(
            BASE_URL, timeout_seconds=READ_SECONDS, display=_DISPLAY, wire=world.transport
        )

    def _carrier(self) -> HttpCarrier:
        return HttpCarrier(_carrier_client())

    def _settle(self) -> SettleShipment:
        world = self._world
        return SettleShipment(self._store, self._clock, self._policy, world.incidents)

    def run(self, operation: Operation, delivery: int) -> Result:
        """What the function's use case gives back.

        Raises:
            Exception: whatever it raises.
        """
        other_body = operation.other_body and delivery == 1
        match operation.kind:
            case "purchase":
                return self._purchase(operation, other_body=other_body)
            case "grant" | "deduct":
                return self._adjust(operation, other_body=other_body)
            case "refund":
                return self._refund(operation, other_body=other_body)
            case "resolve":
                return self._resolve(operation)
            case "close_orphan":
                return self._close(operation)
            case "recover":
                return self._recover()
            case "promo":
                return self._promo(operation)
        raise AssertionError(operation.kind)

    def _purchase(self, operation: Operation, *, other_body: bool) -> Result:
        reader = self._reader()
        purchase = CreatePurchase(
            store=self._store,
            customers=HttpCustomers(reader),
            products=HttpProducts(reader, free_products=False),
            carrier=self._carrier(),
            clock=self._clock,
            policy=self._policy,
            settle=self._settle(),
        )
        customer_id = CUSTOMER_IDS[operation.customer]
        self._delivery.attempt_id = str(attempt_id_of(operation))
        intent = PurchaseIntent(
            customer_id=customer_id,
            product_id=PRODUCT_IDS[operation.product],
            quantity=operation.quantity + other_body,
            promo_code=operation.promo_code,
            expected_total=Money(5000) if operation.wrong else None,
        )
        request = PurchaseRequest(
            intent=intent, actor=Actor("customer"), idempotency_key=operation.key
        )
        return purchase(request, self._deadline)

    def _adjust(self, operation: Operation, *, other_body: bool) -> Result:
        customers = HttpCustomers(self._reader())
        adjust = AdjustCredit(self._store, customers, _NoIndex(), self._clock)
        request = CreditAdjustment(
            customer_id=customer_id_of(operation),
            amount=Money(operation.amount + other_body),
            limit=Money(REP_LIMIT),
            reason="a reason",
            actor=Actor(REP),
            idempotency_key=operation.key,
        )
        run = adjust.grant if operation.kind == "grant" else adjust.deduct
        return run(request, self._deadline)

    def _refund(self, operation: Operation, *, other_body: bool) -> Result:
        quantity = 1 if operation.quantity > 1 or operation.amount == 700 else None
        amount = None if quantity or operation.amount > 6000 else Money(operation.amount)
        request = RefundRequest(
            purchase_id=self._attempt_of(operation),
            amount=amount,
            quantity=quantity,
            limit=Money(REP_LIMIT),
            reason="another reason" if other_body else "a reason",
            actor=Actor(REP),
            idempotency_key=operation.key,
        )
        return RefundPurchase(self._store, self._clock)(request, self._deadline)

    def _attempt_of(self, operation: Operation) -> UUID:
        bought = self._world.plan.operations
        of = next(each for each in bought if each.number == operation.of)
        return attempt_id_of(of)

    def _resolve(self, operation: Operation) -> Result:
        attempt_id, shelf = self._attempt_of(operation), self._world.shelf
        stored = self._world.tables.items.get((PURCHASES, f"PURCHASE#{attempt_id}", "PURCHASE"), {})
        if text(stored, "state") in {"", "PENDING"}:
            # Whether there is a parcel can be said only after the carrier was called.
            raise AttemptStillPendingError(state="PENDING")
        parcel = shelf.parcel_of(str(attempt_id))
        others = [p for p in shelf.parcels if p.attempt_id != str(attempt_id)]
        outcome: Shipped | NotShipped = NotShipped(message="the carrier has no parcel")
        if parcel is not None:
            wrong = operation.wrong and others
            outcome = Shipped(shipment_id=others[0].shipment_id if wrong else parcel.shipment_id)
        request = ResolutionRequest(
            attempt_id=attempt_id,
            # Sent again, a request is what it was.
            outcome=self._world.found_out.setdefault(operation.key, outcome),
            limit=Money(REP_LIMIT),
            reason="a reason",
            actor=Actor(REP),
            idempotency_key=operation.key,
        )
        try:
            resolve = ResolveAttempt(self._store, self._clock, self._policy)
            return resolve(request, self._deadline)
        except AttemptStillPendingError:
            # Before it is sent again, the rep asks the carrier again.
            self._world.found_out.pop(operation.key, None)
            raise

    def _close(self, operation: Operation) -> Result:
        request = ClosingRequest(
            attempt_id=self._attempt_of(operation),
            outcome=OrphanOutcome.NOT_REAL if operation.wrong else OrphanOutcome.WRITTEN_OFF,
            reason="a reason",
            actor=Actor(REP),
            idempotency_key=operation.key,
        )
        return CloseOrphanShipment(self._store, self._clock)(request, self._deadline)

    def _recover(self) -> Result:
        recover = RecoverAttempts(
            store=self._store,
            carrier=self._carrier(),
            clock=self._clock,
            policy=self._policy,
            settle=self._settle(),
        )
        return recover(self._deadline)

    def _promo(self, operation: Operation) -> Result:
        codes, code = PromoCodes(self._store, self._clock), operation.promo_code or "ONCE"
        # Some tokens have a name.
        admin = Actor("admin", "Amir Haddad" if operation.customer else None)
        if operation.amount > 4000:
            return codes.deactivate(code, actor=admin, deadline=self._deadline)
        current, _ = codes.read(code)
        more = PromoTerms(discount=FixedDiscount(amount=Money(operation.amount)))
        try:
            return codes.change(
                code,
                lambda _: more,
                versions=frozenset({current.version}) if operation.wrong else None,
                actor=admin,
                deadline=self._deadline,
            )
        except (StaleVersionError, PromoCodeDeactivatedError) as refused:
            return refused

    def set_up(self) -> None:
        """Two customers with credit, and the promo codes."""
        adjust = AdjustCredit(self._store, HttpCustomers(self._reader()), _NoIndex(), self._clock)
        for number, customer_id in enumerate(CUSTOMER_IDS):
            request = CreditAdjustment(
                customer_id=customer_id,
                amount=Money(_CREDIT[number]),
                limit=None,
                reason="a reason",
                actor=Actor("admin"),
                idempotency_key="first",
            )
            adjust.grant(request, self._deadline)
        codes = PromoCodes(self._store, self._clock)
        for code in PROMO_CODES:
            codes.create(code, _TERMS[code], actor=Actor("admin"), deadline=self._deadline)


@contextmanager
def running(world: World) -> Iterator[None]:
    """Run the product's code in a world, with the jitter of its seed."""
    before = in_parallel.use(world.scheduler)
    _to_carrier.transport = world.transport
    random.seed(world.plan.seed)
    try:
        with remembering():
            yield
    finally:
        in_parallel.use(before)


def first_tables() -> Tables:
    """The tables that every history begins with, made by the use cases themselves."""
    nothing = Operation(number=0, kind="grant", deliveries=(0.0,))
    plan = Plan(0, (nothing,), (), 0.0, (), 0.0, idempotent=False, http_cache=False)
    world = World(plan, None)
    world.quiet = True
    delivery = Delivery(name="set-up", operation=nothing)
    with running(world):
        world.scheduler.start(delivery, lambda: _Functions(world, delivery).set_up())
        world.scheduler.run()
    return world.tables
