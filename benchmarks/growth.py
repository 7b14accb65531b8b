"""What operations read as an account, a list or the customers grow: it must stay the same.

The tables are filled directly, with items as the code itself would have written them. A customer
who has bought N times has a grant, and for each purchase a hold and a posted debit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID, uuid4

from benchmarks.tables import Filler, client_of, empty_copy
from benchmarks.use_cases import UseCases
from till.adapters.dynamodb.client import serialize
from till.adapters.dynamodb.stored.accounts import StoredChange
from till.adapters.dynamodb.stored.attempts import StoredAttempt, StoredShipmentClaim
from till.adapters.dynamodb.stored.customer_index import StoredCustomerWords
from till.domain.account import Account, OpenAttempt
from till.domain.actor import Actor
from till.domain.ledger import Cause, EntryKind
from till.domain.money import Money
from till.domain.purchase import AttemptState, PurchaseStatus, Shipped
from till.domain.words import CustomerWords, TypedWords
from till.services.promo_codes import PromoCodes
from till.services.read_statement import ReadStatement

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.meter import Cost
    from local.endpoints import Endpoints
    from till.domain.account import AccountChange
    from till.domain.purchase import PurchaseAttempt

MOST: Final = 10_000
SMALL: Final = 10
_CREDIT: Final = Money(1_000_000_000_00)
_LIMIT: Final = 20
_FIRSTS: Final = 100


@dataclass(frozen=True, slots=True)
class Reads:
    """What an operation read and wrote."""

    items: int
    read_units: float
    write_units: float


@dataclass(frozen=True, slots=True)
class Row:
    """One operation, by how many entries or customers there are."""

    name: str
    bound: int
    """How many items it may read, however many there are."""
    by_size: dict[int, Reads]

    @property
    def grows(self) -> bool:
        """Whether it reads more than its bound."""
        return any(reads.items > self.bound for reads in self.by_size.values())


def measure(endpoints: Endpoints, most: int) -> list[Row]:
    """Every operation, with few entries and with many."""
    found: dict[str, dict[int, Reads]] = {}
    bounds: dict[str, int] = {}
    for size in sorted({SMALL, min(MOST, most), most}):
        filled = _filled(endpoints, size)
        for name, (bound, work) in _operations(filled).items():
            bounds[name] = bound
            with filled.bench.meter.measure() as cost:
                work()
            found.setdefault(name, {})[size] = _reads(cost)
    return [Row(name, bounds[name], by_size) for name, by_size in found.items()]


def _reads(cost: Cost) -> Reads:
    return Reads(cost.items_read, cost.read_units, cost.write_units)


@dataclass(frozen=True, slots=True)
class _Filled:
    """Use cases over tables with so much in them."""

    bench: UseCases
    purchase_id: UUID
    """One of the customer's."""
    middle: Cause
    """Of the version in the middle of the account's history."""
    search_for: TypedWords


def _filled(endpoints: Endpoints, size: int) -> _Filled:
    """Tables with a customer who has bought so many times, and as many other customers."""
    aws = client_of(endpoints.aws_endpoint_url)
    prefix = f"bench-{size}-"
    ledger = empty_copy(aws, endpoints.ledger_table, f"{prefix}ledger")
    purchases = empty_copy(aws, endpoints.purchases_table, f"{prefix}purchases")
    index = empty_copy(aws, f"{endpoints.function_prefix}customer-index", f"{prefix}index")
    bench = UseCases(
        replace(endpoints, ledger_table=ledger, purchases_table=purchases), index_table=index
    )
    bench.grant(_CREDIT.amount_minor)
    purchase_id = bench.purchase(str(uuid4()))
    sold = bench.store.attempt(purchase_id)
    if sold is None:
        raise RuntimeError("the purchase is not there")
    middle = _fill_account(bench, Filler(aws, ledger), Filler(aws, purchases), sold, size)
    _fill_accounts(Filler(aws, ledger), middle, size)
    search_for = _fill_index(Filler(aws, index), size)
    bench.offer("BENCH")
    return _Filled(bench, purchase_id, middle, search_for)


def _fill_account(
    bench: UseCases, ledger: Filler, purchases: Filler, sold: PurchaseAttempt, size: int
) -> Cause:
    """Let the customer buy again and again; gives back when the middle purchase was."""
    account = bench.store.account(bench.customer_id)
    at = sold.settled_at or sold.reserved_at
    step = timedelta(microseconds=1)
    middle = None
    for number in range(size - 1):
        attempt_id = uuid4()
        at += step
        cause = Cause(
            actor=Actor("bench"), at=at, reason="Benchmark", idempotency_key=str(attempt_id)
        )
        hold = account.hold(
            OpenAttempt(
                attempt_id=attempt_id,
                product_id=sold.order.product.id,
                quantity=1,
                amount=sold.order.total,
                blocks_from=at + timedelta(hours=1),
            ),
            cause,
        )
        account = _append(ledger, hold)
        account = _append(ledger, account.post_hold(attempt_id, cause))
        shipped = Shipped(shipment_id=f"shp-{attempt_id}")
        pending = replace(
            sold,
            id=attempt_id,
            idempotency_key=str(attempt_id),
            reserved_at=at,
            state=AttemptState.PENDING,
            carrier_outcome=None,
            purchase=None,
            settled_at=None,
        )
        bought = pending.with_carrier_answer(shipped, at).completed(shipped, at)
        claim = StoredShipmentClaim.of(shipped.shipment_id, attempt_id)
        purchases.put(serialize(item.values()) for item in (StoredAttempt.of(bought), claim))
        if number == size // 2:
            middle = cause
    ledger.flush()
    purchases.flush()
    if middle is None:
        raise ValueError("too few purchases to have a middle")
    return middle


def _append(ledger: Filler, change: AccountChange) -> Account:
    """Write a version, and give back the account as the next version follows it."""
    version = StoredChange.of(change)
    ledger.put([serialize(version.values())])
    return replace(change.account, stored_hash=version.hash)


def _fill_accounts(ledger: Filler, cause: Cause, size: int) -> None:
    """Open so many accounts of other customers."""
    for number in range(size):
        opened = replace(cause, at=cause.at + timedelta(microseconds=number))
        _append(ledger, Account.empty(uuid4()).grant(Money(100), opened))
    ledger.flush()


def _fill_index(index: Filler, size: int) -> TypedWords:
    """Name so many customers, by two words each; gives back a search for a few of them.

    Only the partitions that the search reads are filled.
    """
    last = CustomerWords(("okaforova",), "").indexed[0]
    for number in range(size):
        words = CustomerWords((f"first{number % _FIRSTS:02}", last), "")
        record = StoredCustomerWords.of(uuid4(), words, revision=1)
        index.put(
            serialize({"pk": pk, "sk": sk})
            for pk, sk in record.entries()
            if pk in {f"WORD#{last}", f"TERM#{last[0]}"}
        )
    index.flush()
    typed = TypedWords.in_text(f"{last} first07")
    if typed is None:
        raise RuntimeError("there are words in it")
    return typed


def _operations(filled: _Filled) -> dict[str, tuple[int, Callable[[], object]]]:
    """Each operation, and how many items it may read."""
    bench = filled.bench
    customer_id = bench.customer_id
    key = str(uuid4())
    statement = ReadStatement(bench.store, bench.customers, bench.clock)
    return {
        "grant": (2, bench.grant),
        "deduct": (2, bench.deduct),
        "purchase": (2, lambda: bench.purchase(key)),
        "purchase, replayed": (2, lambda: bench.purchase(key)),
        "refund": (6, lambda: bench.give_back(filled.purchase_id)),
        "read a balance": (1, lambda: bench.credit.balance(customer_id)),
        "read the balance as it was": (
            22,
            lambda: bench.credit.balance_at(customer_id, filled.middle.at),
        ),
        "list 20 entries": (
            2 * _LIMIT + 2,
            lambda: bench.credit.entries(customer_id, before=None, limit=_LIMIT),
        ),
        "list 20 entries of a rare kind": (
            1_000,
            lambda: bench.store.entries(
                customer_id, kind=EntryKind.GRANT, before=None, limit=_LIMIT
            ),
        ),
        "list 20 of a customer's purchases": (
            150,
            lambda: bench.purchases.of_customer(
                customer_id, status=None, before=None, limit=_LIMIT
            ),
        ),
        "list 20 of a customer's purchases of a rare status": (
            2_000,
            lambda: bench.purchases.of_customer(
                customer_id, status=PurchaseStatus.REFUNDED, before=None, limit=_LIMIT
            ),
        ),
        "a page of a statement": (
            1_100,
            lambda: statement.page(
                customer_id, starts_at=None, ends_at=filled.middle.at, after=None
            ),
        ),
        "read a purchase": (2, lambda: bench.purchases.one(filled.purchase_id)),
        "list 20 purchases of all customers": (
            20 * _LIMIT,
            lambda: bench.purchases.of_all(
                status=None, since=None, until=None, before=None, limit=_LIMIT
            ),
        ),
        "list the open attempts": (
            20 * _LIMIT,
            lambda: bench.purchases.attempts(state=None, orphan=None, before=None, limit=_LIMIT),
        ),
        "list 20 customers with credit": (
            5 * _LIMIT,
            lambda: bench.store.accounts(before=None, limit=_LIMIT),
        ),
        "find customers by two words": (
            3 * _LIMIT + 3,
            lambda: bench.index.propose(filled.search_for, limit=_LIMIT + 1),
        ),
        "find a purchase by its short id": (
            10,
            lambda: bench.store.attempt_ids(str(filled.purchase_id)[:8]),
        ),
        "list promo codes": (
            2 * _LIMIT,
            lambda: PromoCodes(bench.store, bench.clock).list(
                state=None, before=None, limit=_LIMIT
            ),
        ),
    }


def show(rows: list[Row]) -> None:
    """Print the table, as docs/performance.md keeps it."""
    sizes = list(rows[0].by_size)
    print("\nItems and read units of each operation, by the entries of the account (and as many")
    print("purchases, and other customers); write units if it writes\n")
    print(f"| operation | bound | {' | '.join(f'{size:,}' for size in sizes)} |")
    print(f"|---|---:|{'---:|' * len(sizes)}")
    for row in rows:
        cells = [_cell(reads) for reads in row.by_size.values()]
        print(f"| {row.name} | {row.bound:,} | {' | '.join(cells)} |")
    print("\nbound: how many items the operation may read, however many there are.")


def _cell(reads: Reads) -> str:
    written = f", {reads.write_units:g} written" if reads.write_units else ""
    return f"{reads.items:,} items, {reads.read_units:g} units{written}"
