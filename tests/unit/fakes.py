"""In-memory stand-ins for what the use cases need, with faults that a test can set."""

from __future__ import annotations

import itertools
import threading
from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from till.domain.account import Account, AccountChange, OpenAttempt
from till.domain.catalogue import Address, Customer, CustomerDetails, Product, Shown
from till.domain.instant import format_instant
from till.domain.money import Money
from till.domain.purchase import (
    AttemptState,
    Order,
    OrphanStatus,
    PurchaseAttempt,
    PurchaseStatus,
    Refund,
    ShipmentOutcome,
    Shipped,
)
from till.domain.words import CustomerWords
from till.services.ports.accounts import (
    AccountPage,
    AppendChange,
    ChangePage,
    OlderFirstPage,
    OpenedAccount,
    RememberedRequest,
    RememberRequest,
)
from till.services.ports.attempts import (
    AttemptPage,
    ClaimShipment,
    CreateAttempt,
    UpdateAttempt,
    WorkPage,
)
from till.services.ports.promo_codes import ChangePromo, GiveRedemptionBack, PromoPage, Redeem
from till.services.ports.refunds import AddRefund, RefundPage
from till.services.ports.store import Write
from till.services.ports.store_errors import (
    InconsistentReadError,
    UnansweredCommitError,
    UnconfirmedCommitError,
)
from till.services.ports.upstream import (
    CustomerNotFoundError,
    ProductNotFoundError,
    UpstreamUnavailableError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from till.domain.ledger import EntryKind
    from till.domain.promo import PromoChange, PromoCode, PromoState
    from till.domain.words import TypedWords
    from till.services.ports.run import Deadline

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)

ADDRESS = Address(
    line1="1 Test Street",
    line2=None,
    city="Testville",
    postal_code="12345",
    state="TS",
    country="US",
)


def opened(
    amount: Money,
    *,
    attempt_id: UUID | None = None,
    product_id: UUID | None = None,
    quantity: int = 1,
    blocks_from: datetime = NOON + timedelta(days=1),
) -> OpenAttempt:
    """An attempt to hold funds for."""
    return OpenAttempt(
        attempt_id=attempt_id or uuid4(),
        product_id=product_id or uuid4(),
        quantity=quantity,
        amount=amount,
        blocks_from=blocks_from,
    )


def details_of(customer_id: UUID, name: str) -> CustomerDetails:
    """A customer as the Customer API has one."""
    return CustomerDetails(
        id=customer_id,
        name=name,
        email=f"{customer_id.int % 10**8:08}@example.com",
        billing_address=ADDRESS,
        shipping_address=ADDRESS,
        created_at=NOON,
        last_modified_at=NOON,
    )


def settling_fails(error: Exception) -> Callable[[tuple[Write, ...]], Exception | None]:
    """For ``FakeStore.fails``: no account can be changed, a single attempt can."""
    return lambda writes: (
        error if any(isinstance(write, AppendChange) for write in writes) else None
    )


@dataclass
class FakeClock:
    """A clock that stands still until it is moved."""

    instant: datetime = NOON

    def now(self) -> datetime:
        return self.instant

    def advance(self, seconds: float) -> None:
        self.instant += timedelta(seconds=seconds)


@dataclass
class FakeDeadline:
    """A deadline that is as far away as it says, or nearer with every look at it."""

    seconds: float = 25.0
    less_each_look: float = 0.0

    def remaining_seconds(self) -> float:
        self.seconds -= self.less_each_look
        return self.seconds


@dataclass
class FakeCustomers:
    customers: dict[UUID, Customer] = field(default_factory=dict)
    reads: int = 0

    def add(self) -> UUID:
        customer = Customer(id=uuid4(), shipping_address=ADDRESS)
        self.customers[customer.id] = customer
        return customer.id

    def get(self, customer_id: UUID) -> Customer:
        self.reads += 1
        if customer_id not in self.customers:
            raise CustomerNotFoundError
        return self.customers[customer_id]

    def details(self, customer_id: UUID) -> CustomerDetails:
        self.get(customer_id)
        return details_of(customer_id, "Test Person")


@dataclass
class FakeProducts:
    products: dict[UUID, Product] = field(default_factory=dict)

    def add(self, unit_price_minor: int) -> UUID:
        product = Product(
            id=uuid4(),
            sku="SKU-1",
            name="Thing",
            description="A thing",
            unit_price=Money(unit_price_minor),
        )
        self.products[product.id] = product
        return product.id

    def get(self, product_id: UUID) -> Product:
        if product_id not in self.products:
            raise ProductNotFoundError
        return self.products[product_id]


@dataclass
class FakeCarrier:
    """Answers what ``outcome`` says, or with a new shipment id; ``during`` runs meanwhile."""

    outcome: ShipmentOutcome | Exception | None = None
    during: Callable[[], None] | None = None
    calls: list[UUID] = field(default_factory=list)

    def create_shipment(
        self, order: Order, *, attempt_id: UUID, timeout_seconds: float
    ) -> ShipmentOutcome:
        self.calls.append(attempt_id)
        number = len(self.calls)
        if self.during is not None:
            self.during()
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome or Shipped(shipment_id=f"S{number}")


class FakeCatalogueView:
    def __init__(self, names: dict[UUID, str], *, silent: bool = False) -> None:
        self._names = names
        self._silent = silent
        self._lock = threading.Lock()
        self.asked: list[UUID] = []

    def customer(self, customer_id: UUID) -> Shown[CustomerDetails]:
        with self._lock:
            self.asked.append(customer_id)
        if self._silent:
            raise UpstreamUnavailableError("the Customer API", "silent")
        if customer_id not in self._names:
            raise CustomerNotFoundError
        details = details_of(customer_id, self._names[customer_id])
        return Shown(details, age_seconds=0, stale=False)


@dataclass
class FakeCustomerIndex:
    """An index that finds customers by the first words of theirs that it was told."""

    customers: dict[UUID, CustomerWords] = field(default_factory=dict)
    told: list[UUID] = field(default_factory=list)

    def saw(self, customers: Iterable[CustomerDetails], *, gone: Iterable[UUID] = ()) -> None:
        for customer_id in gone:
            self.customers.pop(customer_id, None)
        for customer in customers:
            self.told.append(customer.id)
            self.customers[customer.id] = CustomerWords.of(customer)

    def propose(self, typed: TypedWords, *, limit: int) -> tuple[UUID, ...]:
        found = (each for each, words in self.customers.items() if typed.match(words))
        return tuple(itertools.islice(found, limit))

    def with_id_prefix(self, prefix: str, *, limit: int) -> tuple[UUID, ...]:
        found = (each for each in self.customers if str(each).startswith(prefix))
        return tuple(itertools.islice(found, limit))


@dataclass
class FakeIncidents:
    not_recorded: list[tuple[UUID, ShipmentOutcome]] = field(default_factory=list)
    ids_taken: list[tuple[UUID, str, UUID]] = field(default_factory=list)

    def answer_not_recorded(self, attempt_id: UUID, outcome: ShipmentOutcome) -> None:
        self.not_recorded.append((attempt_id, outcome))

    def shipment_id_taken(self, attempt_id: UUID, shipment_id: str, purchase_id: UUID) -> None:
        self.ids_taken.append((attempt_id, shipment_id, purchase_id))


@dataclass
class Fault:
    """What happens to one commit: refused, or applied without a confirmation."""

    applied: bool


class FakeStore:
    """``till.services.ports.store.Store`` in memory, with its conditions and its faults.

    ``faults`` are used up by the commits to come, in order; None lets one pass. ``fails`` gives
    the exception that a commit of such writes raises, for as long as it is set. ``keys_hidden``:
    of a transaction, everything but the remembered request is visible, until an isolated read.
    """

    def __init__(self) -> None:
        self.changes: dict[UUID, list[AccountChange]] = defaultdict(list)
        self.requests: dict[tuple[UUID, str, str], RememberedRequest] = {}
        self.attempt_items: dict[UUID, PurchaseAttempt] = {}
        self.refund_items: dict[UUID, list[Refund]] = defaultdict(list)
        self.promo_items: dict[str, PromoCode] = {}
        self.promo_history: dict[str, list[PromoChange]] = defaultdict(list)
        self.redemptions: dict[tuple[str, UUID], int] = defaultdict(int)
        self.claims: dict[str, UUID] = {}
        self.faults: list[Fault | None] = []
        self.fails: Callable[[tuple[Write, ...]], Exception | None] = lambda _: None
        self.keys_hidden = False
        self.commits = 0

    def within(self, deadline: Deadline) -> FakeStore:
        return self

    def isolated(self) -> FakeStore:
        self.keys_hidden = False
        return self

    def commit(self, *writes: Write) -> Account | None:
        self.commits += 1
        if (error := self.fails(writes)) is not None:
            raise error
        fault = self.faults.pop(0) if self.faults else None
        if fault is not None and not fault.applied:
            raise UnconfirmedCommitError
        if not all(self._allowed(write) for write in writes):
            raise UnconfirmedCommitError
        for write in writes:
            self._apply(write)
        if fault is not None:
            raise UnansweredCommitError
        appended = (write.change.account for write in writes if isinstance(write, AppendChange))
        return next(appended, None)

    def _allowed(self, write: Write) -> bool:
        match write:
            case AppendChange(change=change):
                return change.account.version == len(self.changes[change.account.customer_id]) + 1
            case RememberRequest(request=r):
                return (r.customer_id, r.operation, r.idempotency_key) not in self.requests
            case CreateAttempt(attempt=attempt):
                return attempt.id not in self.attempt_items
            case UpdateAttempt(before=before):
                return self.attempt_items[before.id].revision == before.revision
            case AddRefund(refund=refund):
                return refund.number == len(self.refund_items[refund.purchase_id]) + 1
            case ClaimShipment(shipment_id=shipment_id):
                return shipment_id not in self.claims
            case Redeem(promo=promo, customer_id=customer_id):
                return self._redeemable(promo, customer_id)
            case GiveRedemptionBack(code=code, customer_id=customer_id):
                return self.redemptions[code, customer_id] > 0
            case ChangePromo(change=promo_change):
                promo = promo_change.promo
                return promo.version == len(self.promo_history[promo.code]) + 1

    def _redeemable(self, promo: PromoCode, customer_id: UUID) -> bool:
        current, terms = self.promo_items[promo.code], promo.terms
        mine = self.redemptions[promo.code, customer_id]
        most, most_of_mine = terms.max_redemptions, terms.max_redemptions_per_customer
        return (
            current.version == promo.version
            and (most is None or current.redemptions < most)
            and (most_of_mine is None or mine < most_of_mine)
        )

    def _apply(self, write: Write) -> None:
        match write:
            case AppendChange(change=change):
                self.changes[change.account.customer_id].append(change)
            case RememberRequest(request=r):
                self.requests[r.customer_id, r.operation, r.idempotency_key] = r
            case CreateAttempt(attempt=attempt):
                self.attempt_items[attempt.id] = attempt
            case UpdateAttempt(after=after):
                self.attempt_items[after.id] = after
            case AddRefund(refund=refund):
                self.refund_items[refund.purchase_id].append(refund)
            case ClaimShipment(shipment_id=shipment_id, purchase_id=purchase_id):
                self.claims[shipment_id] = purchase_id
            case Redeem(promo=promo, customer_id=customer_id):
                self._count(promo.code, 1)
                self.redemptions[promo.code, customer_id] += 1
            case GiveRedemptionBack(code=code, customer_id=customer_id):
                self._count(code, -1)
                self.redemptions[code, customer_id] -= 1
            case ChangePromo(change=promo_change):
                promo = promo_change.promo
                before = self.promo_items.get(promo.code)
                used = before.redemptions if before else 0
                self.promo_items[promo.code] = replace(promo, redemptions=used)
                self.promo_history[promo.code].append(promo_change)

    def _count(self, code: str, more: int) -> None:
        promo = self.promo_items[code]
        self.promo_items[code] = replace(promo, redemptions=promo.redemptions + more)

    def account(self, customer_id: UUID) -> Account:
        changes = self.changes[customer_id]
        return changes[-1].account if changes else Account.empty(customer_id)

    def accounts(self, *, before: str | None, limit: int) -> AccountPage:
        opened = sorted(
            (
                OpenedAccount(
                    customer_id=customer_id,
                    opened_at=change.cause.at,
                    cursor=f"{format_instant(change.cause.at)}#{customer_id}",
                )
                for customer_id, changes in self.changes.items()
                for change in changes[:1]
            ),
            key=lambda account: account.cursor,
            reverse=True,
        )
        rest = [account for account in opened if before is None or account.cursor < before]
        more = len(rest) > limit
        return AccountPage(tuple(rest[:limit]), rest[limit - 1].cursor if more else None)

    def change(self, customer_id: UUID, version: int) -> AccountChange:
        changes = self.changes[customer_id]
        if version > len(changes):
            raise InconsistentReadError("no such version")
        return changes[version - 1]

    def entries(
        self, customer_id: UUID, *, kind: EntryKind | None, before: int | None, limit: int
    ) -> ChangePage:
        found = [
            c
            for c in reversed(self.changes[customer_id])
            if c.entry is not None
            and (kind is None or c.entry.kind is kind)
            and (before is None or c.account.version < before)
        ]
        page = tuple(found[:limit])
        return ChangePage(page, page[-1].account.version if len(found) > limit else None)

    def entries_between(
        self, customer_id: UUID, *, after: int, last: int, limit: int
    ) -> OlderFirstPage:
        found = [
            change
            for change in self.changes[customer_id]
            if change.entry is not None and after < change.account.version <= last
        ]
        page = tuple(found[:limit])
        return OlderFirstPage(page, page[-1].account.version if len(found) > limit else None)

    def remembered(
        self, customer_id: UUID, operation: str, idempotency_key: str
    ) -> RememberedRequest | None:
        if self.keys_hidden:
            return None
        return self.requests.get((customer_id, operation, idempotency_key))

    def attempt(self, attempt_id: UUID) -> PurchaseAttempt | None:
        return self.attempt_items.get(attempt_id)

    def attempts(self, attempt_ids: tuple[UUID, ...]) -> tuple[PurchaseAttempt, ...]:
        return tuple(self.attempt_items[i] for i in attempt_ids if i in self.attempt_items)

    def attempt_ids(self, short_id: str) -> tuple[UUID, ...]:
        return tuple(i for i in self.attempt_items if str(i).startswith(short_id))

    def list_attempts(
        self,
        listed_as: tuple[AttemptState | PurchaseStatus | OrphanStatus, ...],
        *,
        since: datetime | None,
        until: datetime | None,
        before: str | None,
        limit: int,
    ) -> AttemptPage:
        places = {
            f"{format_instant(a.state_since)}#{a.id}": a
            for a in self.attempt_items.values()
            if a.listed_as in listed_as
            and (since is None or a.state_since >= since)
            and (until is None or a.state_since < until)
        }
        found = [p for p in sorted(places, reverse=True) if before is None or p < before]
        page = found[:limit]
        return AttemptPage(tuple(places[p] for p in page), page[-1] if len(found) > limit else None)

    def oldest_attempts(
        self, listed_as: AttemptState | OrphanStatus, *, after: str | None, limit: int
    ) -> WorkPage:
        places = {
            f"{format_instant(a.state_since)}#{a.id}": a
            for a in self.attempt_items.values()
            if a.listed_as is listed_as
        }
        found = [p for p in sorted(places) if after is None or p > after]
        page = found[:limit]
        return WorkPage(
            tuple(places[p] for p in page),
            count=len(page),
            oldest=places[page[0]].state_since if page else None,
            after=page[-1] if len(found) > limit else None,
        )

    def count_attempts(
        self, listed_as: AttemptState | OrphanStatus, *, after: str | None, limit: int
    ) -> WorkPage:
        return replace(self.oldest_attempts(listed_as, after=after, limit=limit), attempts=())

    def purchase_of_shipment(self, shipment_id: str) -> UUID | None:
        return self.claims.get(shipment_id)

    def promo(self, code: str) -> PromoCode | None:
        return self.promo_items.get(code)

    def promo_change(self, code: str, version: int) -> PromoChange | None:
        versions = {change.promo.version: change for change in self.promo_history[code]}
        return versions.get(version)

    def promo_changes(self, code: str, *, limit: int) -> tuple[PromoChange, ...]:
        return tuple(self.promo_history[code][-limit:])

    def promos(
        self, states: tuple[PromoState, ...], *, before: str | None, limit: int
    ) -> PromoPage:
        places = {
            f"{format_instant(p.created_at)}#{p.code}": p
            for p in self.promo_items.values()
            if p.state in states
        }
        found = [p for p in sorted(places, reverse=True) if before is None or p < before]
        page = found[:limit]
        return PromoPage(tuple(places[p] for p in page), page[-1] if len(found) > limit else None)

    def redemptions_of(self, code: str, customer_id: UUID) -> int:
        return self.redemptions[code, customer_id]

    def refund(self, purchase_id: UUID, number: int) -> Refund:
        refunds = self.refund_items[purchase_id]
        if number > len(refunds):
            raise InconsistentReadError("no such refund")
        return refunds[number - 1]

    def refunds(self, purchase_id: UUID, *, before: int | None, limit: int) -> RefundPage:
        newest_first = [
            r
            for r in reversed(self.refund_items[purchase_id])
            if before is None or r.number < before
        ]
        page = tuple(newest_first[:limit])
        return RefundPage(page, page[-1].number if len(newest_first) > limit else None)

    def tamper(self, customer_id: UUID, version: int, **changes: object) -> None:
        """Change a version as only a thief of the database could."""
        change = self.changes[customer_id][version - 1]
        self.changes[customer_id][version - 1] = replace(change, **changes)  # type: ignore[arg-type]
