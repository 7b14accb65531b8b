"""What is always true, checked on the stored items themselves after every transaction.

Nothing here is shared with the code that writes: states are computed from the items by what
docs/data-model.md and docs/purchase-protocol.md say, and balances and hashes are verified by
``evidence``, which imports nothing of that code either.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from evidence import items
from evidence.chain import attempt_hash, faults_of, items_hash
from evidence.purchases import faults_of_change

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.simulation.dynamodb import Tables, Written
    from tests.simulation.expressions import Item

LEDGER: Final = "ledger"
PURCHASES: Final = "purchases"
OPEN: Final = frozenset({"PENDING", "UNKNOWN"})
REP: Final = "rep"
RECOVERY: Final = "system:recovery"
REP_LIMIT: Final = 5000
LONGEST_RUN: Final = timedelta(seconds=25)
PENDING_EXPIRY: Final = timedelta(seconds=60)
UNKNOWN_DEADLINE: Final = timedelta(hours=24)

_MOVES: Final = {
    ("PENDING", "PENDING"),
    ("PENDING", "UNKNOWN"),
    ("PENDING", "COMPLETED"),
    ("PENDING", "VOIDED"),
    ("UNKNOWN", "UNKNOWN"),
    ("UNKNOWN", "COMPLETED"),
    ("UNKNOWN", "VOIDED"),
    ("COMPLETED", "COMPLETED"),
    ("VOIDED", "VOIDED"),
}
_ONCE: Final = (
    "customer_id",
    "product",
    "quantity",
    "subtotal",
    "discount",
    "total",
    "currency",
    "promo",
    "address",
    "actor",
    "idempotency_key",
    "fingerprint",
    "reservation_id",
    "reserved_at",
    "expires_at",
)


class Violation(BaseException):
    """Something that is always true was not. Product code must not be able to catch it."""


def plain(value: object) -> object:
    """An attribute value as a plain value; numbers are integers, all of Till's are."""
    assert isinstance(value, dict)
    ((kind, content),) = value.items()
    match kind:
        case "N":
            return int(content)
        case "M":
            return {name: plain(each) for name, each in content.items()}
        case "L":
            return [plain(each) for each in content]
    return content


def integer(item: Item, name: str) -> int:
    """A number of an item; 0 if it is not there."""
    return int(str(item[name]["N"])) if name in item else 0


def text(item: Item, name: str) -> str:
    """A text of an item; empty if it is not there."""
    return str(item[name]["S"]) if name in item else ""


def part(item: Item, name: str) -> dict[str, object]:
    """A part of an item; empty if it is not there."""
    found = plain(item[name]) if name in item else {}
    assert isinstance(found, dict)
    return found


def _closings(attempt: Item) -> list[dict[str, object]]:
    """Each time that its orphan shipment was closed, oldest first."""
    orphan = part(attempt, "orphan")
    last = [orphan["closing"]] if "closing" in orphan else []
    earlier = orphan.get("earlier_closings", [])
    assert isinstance(earlier, list)
    return [*earlier, *last]


@dataclass(frozen=True, slots=True)
class Effect:
    """A request took effect."""

    at: float
    writer: object
    pk: str
    version: int
    """The version of the account that it made; 0 if it made none."""


@dataclass(slots=True)
class Auditor:
    """Checks each transaction against everything that was stored before it."""

    tables: Tables
    writer: Callable[[], object]
    effects: dict[tuple[str, str, str], list[Effect]] = field(
        default_factory=lambda: defaultdict(list)
    )
    """By operation, customer (or attempt) and key."""
    noted: dict[str, float] = field(default_factory=dict)
    """Since when an attempt has an answer noted that may mean a parcel."""
    reserved: dict[str, tuple[float, float]] = field(default_factory=dict)
    """When an attempt was reserved, and how far the clock of its run was ahead."""
    orphans: dict[str, float] = field(default_factory=dict)
    """Since when an attempt has a possible orphan shipment."""
    _read: dict[int, tuple[Item, items.Item]] = field(default_factory=dict)
    """Each stored item, by its identity, and how the code that verifies reads it."""
    started: Callable[[object], float] = lambda _: 0.0
    """When the function of a writer began."""
    clock: Callable[[object], datetime] = lambda _: datetime.max.replace(tzinfo=UTC)
    """What the clock of a writer shows."""
    checked: int = 0
    current: tuple[str, int] = ("", 0)
    """The account and the version that the transaction makes."""

    def __call__(self, written: list[Written]) -> None:
        """Check a transaction that has just taken effect.

        Raises:
            Violation: it contradicts something.
        """
        self.checked += 1
        self.current = next(
            ((w.key[1], integer(w.after, "version")) for w in written if "posted" in w.after),
            ("", 0),
        )
        customers: set[str] = set()
        for each in written:
            table, pk, sk = each.key
            if table == PURCHASES:
                self._change(each)
            if table == LEDGER and sk.startswith("VERSION#"):
                self._version(each, written)
                customers.add(pk.removeprefix("ACCOUNT#"))
            elif table == LEDGER:
                self._require(each.before is None, "a remembered request was written twice")
                self._effect(text(each.after, "operation"), pk, text(each.after, "idempotency_key"))
            elif sk == "PURCHASE":
                self._attempt(each, written)
                customers.add(text(each.after, "customer_id"))
            elif sk.startswith("REFUND#") or sk == "SHIPMENT":
                self._require(each.before is None, f"{pk} {sk} was written twice")
            elif pk.startswith("PROMO#"):
                self._promo(each)
        for customer_id in customers:
            self._customer(customer_id)

    def _require(self, holds: bool, sentence: str) -> None:
        if not holds:
            raise Violation(sentence)

    def _effect(self, operation: str, owner: str, key: str) -> None:
        effects = self.effects[operation, owner, key]
        effects.append(Effect(self.tables.now(), self.writer(), *self.current))
        self._require(len(effects) == 1, f"{operation} {key} took effect {len(effects)} times")

    def _evidence_of(self, item: Item) -> items.Item:
        """A stored item as the code reads it that verifies. Items are replaced, never changed."""
        known = self._read.get(id(item))
        if known is None:
            known = self._read[id(item)] = (item, items.plain(item))
        return known[1]

    def _change(self, each: Written) -> None:
        """What the watcher of the purchases table's stream would say of it."""
        before = self._evidence_of(each.before) if each.before else None
        for fault in faults_of_change(before, self._evidence_of(each.after)):
            raise Violation(f"{each.key[1]} {each.key[2]}: {fault}")

    # The ledger

    def _version(self, each: Written, written: list[Written]) -> None:
        item, (_, pk, sk) = each.after, each.key
        number, kind = integer(item, "version"), text(item, "kind")
        name = f"version {number} ({kind})"
        self._require(each.before is None, f"{name} was written over another")
        self._require(sk == f"VERSION#{number:016d}", f"{name} is stored as {sk}")
        before = self.tables.items.get((LEDGER, pk, f"VERSION#{number - 1:016d}"), {})
        self._require(bool(before) == (number > 1), f"{name} has no version before it")
        amount = integer(item, "amount")
        faults = faults_of(self._evidence_of(item), self._evidence_of(before) if before else None)
        for fault in faults:
            raise Violation(f"{name}: {fault}")
        for needed in ("actor", "reason", "idempotency_key"):
            self._require(bool(text(item, needed)), f"{name} does not say its {needed}")
        self._anchors(item, written, name)
        if kind in {"GRANT", "DEDUCTION", "REFUND", "HOLD"}:
            self._effect(kind, pk, text(item, "idempotency_key"))
        if kind in {"GRANT", "DEDUCTION", "REFUND"}:
            remembered = any(each.key[2].startswith("REQUEST#") for each in written)
            self._require(remembered, f"{name} does not remember its request")
        if text(item, "actor") == REP and kind != "UNKNOWN":
            self._require(abs(amount) <= REP_LIMIT, f"a rep moved {abs(amount)} by a {kind}")
        if kind == "HOLD":
            self._order_is_not_open(item, before)

    def _anchors(self, item: Item, written: list[Written], name: str) -> None:
        """The version covers what was written with it."""
        attempts = [self._evidence_of(w.after) for w in written if w.key[2] == "PURCHASE"]
        others = [
            self._evidence_of(w.after)
            for w in written
            if w.key[2].startswith(("REQUEST#", "REFUND#")) or w.key[2] == "SHIPMENT"
        ]
        covered = (text(item, "attempt_hash"), text(item, "items_hash"))
        expected = ("".join(map(attempt_hash, attempts)), items_hash(others) or "")
        self._require(covered == expected, f"{name} does not cover what was written with it")
        anchored = {attempt.get("account_version") for attempt in attempts}
        self._require(anchored <= {integer(item, "version")}, f"its attempt does not name {name}")

    def _order_is_not_open(self, item: Item, before: Item) -> None:
        """The same order is not sent twice while its first attempt may have a parcel."""
        attempt_id = text(item, "attempt_id")
        attempt = self.tables.items[PURCHASES, f"PURCHASE#{attempt_id}", "PURCHASE"]
        product_id = text(attempt["product"]["M"], "id")  # type: ignore[arg-type]
        order = (product_id, integer(attempt, "quantity"))
        opened = _open_attempts(before)
        self._require(len(opened) < 50, "a customer has more than 50 open attempts")
        for other in opened:
            if (other["product_id"], other["quantity"]) != order:
                continue
            other_id = str(other["attempt_id"])
            name = f"attempt {attempt_id} is for the same order as {other_id}, which"
            first = self.tables.items[PURCHASES, f"PURCHASE#{other_id}", "PURCHASE"]
            self._require(text(first, "state") != "UNKNOWN", f"{name} is UNKNOWN")
            self._require(
                str(other["blocks_from"]) > text(item, "at"), f"{name} has outlived its run"
            )
            self._require(not self._outlived(other_id), f"{name} has outlived its run")
            noted_at = self.noted.get(other_id)
            self._require(
                noted_at is None or noted_at >= self.started(self.writer()),
                f"{name} has an answer noted that may mean a parcel",
            )
        (own,) = [o for o in _open_attempts(item) if o["attempt_id"] == attempt_id]
        latest = _instant(text(item, "at")) + LONGEST_RUN
        self._require(
            _instant(str(own["blocks_from"])) <= latest, f"attempt {attempt_id} never blocks"
        )

    def _outlived(self, attempt_id: str) -> bool:
        """Whether the run of an attempt had ended when this one began, as its clock could tell."""
        reserved_at, ahead = self.reserved[attempt_id]
        ended = self.started(self.writer()) - reserved_at >= LONGEST_RUN.total_seconds()
        return ended and self._ahead() >= ahead

    def _ahead(self) -> float:
        """How far the clock of the writer is ahead, in seconds."""
        return self.clock(self.writer()).timestamp() - self.tables.now()

    # Attempts

    def _attempt(self, each: Written, written: list[Written]) -> None:
        item, before, pk = each.after, each.before, each.key[1]
        attempt_id, state = pk.removeprefix("PURCHASE#"), text(item, "state")
        name = f"attempt {attempt_id} ({state})"
        kinds = [text(w.after, "kind") for w in written if w.key[2].startswith("VERSION#")]
        if before is None:
            self._require(state == "PENDING" and kinds == ["HOLD"], f"{name} appears with {kinds}")
            self._effect("purchase", text(item, "customer_id"), text(item, "idempotency_key"))
            self._comes_due(item, "expires_at", PENDING_EXPIRY, name)
            self.reserved[attempt_id] = (self.tables.now(), self._ahead())
            return
        was = text(before, "state")
        self._require((was, state) in _MOVES, f"{name} was {was}")
        old, new = integer(before, "revision"), integer(item, "revision")
        self._require(new == old + 1, f"{name} went from revision {old} to {new}")
        changed = [field for field in _ONCE if before.get(field) != item.get(field)]
        self._require(not changed, f"{name}: {changed} changed")
        moved = {("UNKNOWN", True): ["UNKNOWN"], ("COMPLETED", True): ["PURCHASE"]}
        if was != state:
            expected = moved.get((state, True), ["VOID"])
            self._require(kinds == expected, f"{name} was {was}: the account saw {kinds}")
        if before.get("deadline_at") != item.get("deadline_at"):
            self._comes_due(item, "deadline_at", UNKNOWN_DEADLINE, name)
        if was != state and part(item, "resolution").get("actor") == RECOVERY:
            answer = part(before, "carrier").get("kind", "unknown")
            self._require(answer == "unknown", f"{name} was given up, though it is {answer}")
        if state == "COMPLETED":
            self._purchase(item, attempt_id, name, sold=was != state)
        self._note(attempt_id, item)
        self._closing(attempt_id, before, item)

    def _note(self, attempt_id: str, item: Item) -> None:
        if part(item, "carrier").get("kind") in {"shipped", "unknown"}:
            self.noted.setdefault(attempt_id, self.tables.now())
        if "orphan" in item:
            self.orphans.setdefault(attempt_id, self.tables.now())

    def _comes_due(self, item: Item, name: str, after: timedelta, of: str) -> None:
        """Who sets a time sets it by its own clock, whatever the account has seen."""
        latest = self.clock(self.writer()) + after
        self._require(_instant(text(item, name)) <= latest, f"{of}: {name} is too late")

    def _closing(self, attempt_id: str, before: Item, item: Item) -> None:
        self._require(
            "orphan" not in before or "orphan" in item,
            f"the orphan shipment of {attempt_id} vanished",
        )
        old, new = _closings(before), _closings(item)
        self._require(new[: len(old)] == old, f"a closing of {attempt_id} vanished")
        told = part(before, "orphan").get("shipment_id")
        for closing in new[len(old) :]:
            self._require(
                told is None or closing["outcome"] != "NOT_REAL",
                f"{attempt_id} was closed as not real, though the carrier has told {told}",
            )
            self._effect("close_orphan", attempt_id, str(closing["idempotency_key"]))

    def _purchase(self, item: Item, attempt_id: str, name: str, *, sold: bool) -> None:
        shipment_id, total = text(item, "shipment_id"), integer(item, "total")
        claim = self.tables.items.get((PURCHASES, f"SHIPMENT#{shipment_id}", "SHIPMENT"))
        self._require(
            claim is not None and text(claim, "purchase_id") == attempt_id,
            f"{name}: its shipment id {shipment_id!r} is not its own",
        )
        if sold:
            self._require(integer(item, "refunded") == 0, f"{name} is sold with refunds")
            return
        refunds = [
            stored
            for (table, pk, sk), stored in self.tables.items.items()
            if table == PURCHASES and pk == f"PURCHASE#{attempt_id}" and sk.startswith("REFUND#")
        ]
        refunded = sum(integer(refund, "amount") for refund in refunds)
        self._require(
            integer(item, "refunded") == refunded <= total,
            f"{name} of {total}: refunds of {refunded}, told as {integer(item, 'refunded')}",
        )
        self._require(
            integer(item, "refund_count") == len(refunds), f"{name}: its refunds are miscounted"
        )
        self._require(
            integer(item, "refunded_quantity") <= integer(item, "quantity"),
            f"{name}: more units were refunded than were sold",
        )

    # Promo codes

    def _promo(self, each: Written) -> None:
        _, pk, sk = each.key
        if sk.startswith("VERSION#"):
            self._require(each.before is None, f"{pk} {sk} was written twice")
            self._effect("promo", pk.removeprefix("PROMO#"), sk)
            return
        code = pk.removeprefix("PROMO#")
        before, after = each.before or {}, each.after
        used = Counter(
            text(item, "customer_id")
            for (_, _, kind), item in self.tables.items.items()
            if kind == "PURCHASE"
            and text(item, "state") != "VOIDED"
            and "promo" in item
            and text(item["promo"]["M"], "code") == code  # type: ignore[arg-type]
        )
        count = used.total() if sk == "PROMO" else used[sk.removeprefix("CUSTOMER#")]
        redemptions = integer(after, "redemptions")
        self._require(
            redemptions == count,
            f"{code} {sk}: {redemptions} redemptions, {count} purchases use it",
        )
        if redemptions <= integer(before, "redemptions"):
            return
        head = self.tables.items[PURCHASES, pk, "PROMO"]
        limit = "max_redemptions" if sk == "PROMO" else "max_redemptions_per_customer"
        terms = plain(head["terms"])
        assert isinstance(terms, dict)
        self._require(
            redemptions <= terms.get(limit, redemptions), f"{code} was redeemed too often: {sk}"
        )
        self._require(text(head, "state") == "ACTIVE", f"{code} was redeemed after its end")

    # One customer as a whole

    def _customer(self, customer_id: str) -> None:
        versions = [
            self.tables.items[key]
            for key in self.tables.partitions[LEDGER, f"ACCOUNT#{customer_id}"]
            if key[2].startswith("VERSION#")
        ]
        newest = max(versions, key=lambda version: integer(version, "version"))
        held = {
            key[1].removeprefix("PURCHASE#"): integer(item, "total")
            for key, item in self.tables.items.items()
            if key[2] == "PURCHASE"
            and text(item, "state") in OPEN
            and text(item, "customer_id") == customer_id
        }
        listed = {str(o["attempt_id"]): o["amount"] for o in _open_attempts(newest)}
        self._require(listed == held, f"the account holds {listed}, open attempts hold {held}")
        self._require(
            integer(newest, "held") == sum(held.values()), "held is not the sum of open attempts"
        )


def _open_attempts(version: Item) -> list[dict[str, object]]:
    if "open_attempts" not in version:
        return []
    listed = plain(version["open_attempts"])
    assert isinstance(listed, list)
    return listed


def _instant(written: str) -> datetime:
    return datetime.fromisoformat(written)
