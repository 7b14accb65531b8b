"""What is always true of a customer's books: each line of "What is always true", as a check.

``take_picture`` reads an account through the API, past the API from both tables, and from the
carrier's record of what it was asked. ``violations`` says in sentences what contradicts what.
Nothing here is shared with the product: the hash chain is computed as the data model documents it.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.integration.client import Balance, Entry, PurchaseDetail, all_items

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from uuid import UUID

    from local.upstream.client import StandInControl
    from local.upstream.records import SeenShipmentRequest
    from tests.integration.client import TillClient
    from tests.integration.tables import (
        StoredAttempt,
        StoredClaim,
        StoredRefund,
        StoredRequest,
        StoredVersion,
        Tables,
    )

GENESIS = "0" * 64
OPEN = {"PENDING", "UNKNOWN"}
MOST_OPEN_ATTEMPTS = 50
POSTING = {"GRANT", "DEDUCTION", "PURCHASE", "REFUND"}
GIVING = {"GRANT", "REFUND"}
REMEMBERED = {
    "GRANT": "grant_credit",
    "DEDUCTION": "deduct_credit",
    "REFUND": "refund_purchase",
}
RESOLVED = "resolve_attempt"

LIFE_OF_AN_ATTEMPT = {
    "PENDING": (["HOLD"],),
    "UNKNOWN": (["HOLD", "UNKNOWN"],),
    "COMPLETED": (["HOLD", "PURCHASE"], ["HOLD", "UNKNOWN", "PURCHASE"]),
    "VOIDED": (["HOLD", "VOID"], ["HOLD", "UNKNOWN", "VOID"]),
}
"""What an account may have seen of an attempt, by the attempt's state."""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """Everything there is about one customer, from every side. Lists are oldest first."""

    customer_id: UUID
    balance: Balance
    entries: list[Entry]
    purchases: list[PurchaseDetail]
    versions: list[StoredVersion]
    requests: list[StoredRequest]
    attempts: list[StoredAttempt]
    refunds: list[StoredRefund]
    carrier_calls: list[SeenShipmentRequest]
    redemptions: Mapping[str, int]
    claims: list[StoredClaim]
    """The shipment ids that belong to this customer's attempts."""

    @property
    def orphans(self) -> set[UUID]:
        """The attempts that were voided although the carrier made a parcel."""
        parcels = {call.headers["idempotency-key"] for call in self._parcels}
        return {a.id for a in self.attempts if a.state == "VOIDED" and str(a.id) in parcels}

    @property
    def resolved_by_hand(self) -> set[UUID]:
        """The attempts that a person has resolved."""
        made = {r.version for r in self.requests if r.operation == RESOLVED}
        return {v.attempt_id for v in self.versions if v.attempt_id and v.version in made}

    @property
    def parcel_count(self) -> int:
        """How many parcels the carrier made for this customer."""
        return len(self._parcels)

    @property
    def _parcels(self) -> list[SeenShipmentRequest]:
        return [call for call in self.carrier_calls if call.shipment_id is not None]


def take_picture(
    till: TillClient, tables: Tables, upstream: StandInControl, customer_id: UUID
) -> Picture:
    """Read everything. Nothing else may be changing this customer meanwhile."""
    entries = all_items(lambda cursor: till.entries(customer_id, limit=100, cursor=cursor))
    purchases = all_items(
        lambda cursor: till.customer_purchases(customer_id, limit=100, cursor=cursor)
    )
    calls = upstream.all_shipments().requests
    attempts = tables.attempts(customer_id)
    own = {attempt.id for attempt in attempts}
    return Picture(
        customer_id=customer_id,
        balance=till.credit(customer_id).result(),
        entries=entries[::-1],
        purchases=[till.purchase(purchase.id).result() for purchase in purchases[::-1]],
        versions=tables.versions(customer_id),
        requests=tables.requests(customer_id),
        attempts=attempts,
        refunds=tables.refunds(customer_id),
        redemptions=tables.redemptions(customer_id),
        claims=[claim for claim in tables.claims() if claim.purchase_id in own],
        carrier_calls=[c for c in calls if str(customer_id) in c.shipping_address.line1],
    )


def violations(picture: Picture) -> list[str]:
    """What is not as it always has to be. The fewer the better."""
    checks = (
        _entries,
        _versions,
        _open_attempts,
        _balance,
        _entries_are_the_versions,
        _attempts,
        _purchases,
        _shipments,
        _refunds,
        _requests,
        _carrier,
        _promo_codes,
    )
    return [sentence for check in checks for sentence in check(picture)]


def hash_of(entry: Entry) -> str:
    """The hash of an entry: SHA-256 of its other fields as JSON, keys sorted, no spaces, ASCII.

    Without ``actor_name``, which is not in a statement.
    """
    fields = entry.model_dump(mode="json", exclude={"hash", "actor_name"})
    text = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _entries(picture: Picture) -> Iterator[str]:
    total, previous_hash, previous_time = 0, GENESIS, ""
    for number, entry in enumerate(picture.entries, start=1):
        name = f"entry {entry.sequence}"
        total += entry.amount
        if entry.sequence != number:
            yield f"{name} stands in the place of entry {number}"
        if entry.balance_after != total:
            yield f"{name}: the balance after it is {entry.balance_after}, the sum is {total}"
        if entry.previous_hash != previous_hash:
            yield f"{name}: its previous hash is not the hash of the entry before"
        if entry.hash != hash_of(entry):
            yield f"{name}: its hash is not the hash of what it says"
        if entry.customer_id != picture.customer_id:
            yield f"{name} is another customer's"
        if entry.created_at < previous_time:
            yield f"{name} is older than the entry before"
        if not (entry.actor and entry.reason and entry.idempotency_key):
            yield f"{name} does not say who, why and by which request"
        yield from _entry_by_kind(entry, name)
        previous_hash, previous_time = entry.hash, entry.created_at


def _entry_by_kind(entry: Entry, name: str) -> Iterator[str]:
    if entry.kind not in POSTING:
        yield f"{name} is a {entry.kind}"
    # A promo code can make a purchase of nothing; it stands in the books all the same.
    gift = entry.amount == 0 and entry.kind == "PURCHASE"
    if not gift and (entry.amount == 0 or (entry.amount > 0) != (entry.kind in GIVING)):
        yield f"{name}: a {entry.kind} of {entry.amount}"
    if (entry.purchase_id is None) != (entry.kind in {"GRANT", "DEDUCTION"}):
        yield f"{name}: a {entry.kind} with the purchase {entry.purchase_id}"
    if (entry.refund_id is None) == (entry.kind == "REFUND"):
        yield f"{name}: a {entry.kind} with the refund {entry.refund_id}"


def _versions(picture: Picture) -> Iterator[str]:
    posted, held, sequence, entry_hash = 0, 0, 0, GENESIS
    for number, version in enumerate(picture.versions, start=1):
        name = f"version {version.version}"
        if version.version != number:
            yield f"{name} stands in the place of version {number}"
        if version.sk != f"VERSION#{version.version:016d}":
            yield f"{name} is stored as {version.sk}"
        posts = version.kind in POSTING
        posted += version.amount if posts else 0
        held += version.amount if version.kind in {"HOLD", "VOID", "PURCHASE"} else 0
        sequence += posts
        if (version.posted, version.held) != (posted, held):
            yield (
                f"{name}: {version.kind} of {version.amount} leads to posted {posted} and held "
                f"{held}, not to {version.posted} and {version.held}"
            )
        if version.sequence != sequence:
            yield f"{name}: its sequence is {version.sequence}, not {sequence}"
        if posts and version.previous_hash != entry_hash:
            yield f"{name}: its previous hash is not the hash of the entry before"
        if not posts and version.entry_hash != entry_hash:
            yield f"{name} posts nothing and has a new hash"
        if version.held < 0 or version.posted - version.held < 0:
            yield f"{name}: held are {version.held} of {version.posted}"
        posted, held = version.posted, version.held
        sequence, entry_hash = version.sequence, version.entry_hash


def _open_attempts(picture: Picture) -> Iterator[str]:
    for version in picture.versions:
        name = f"version {version.version}"
        listed = version.open_attempts
        worth = sum(attempt.amount for attempt in listed)
        if version.held != worth:
            yield f"{name} holds {version.held}, its open attempts are worth {worth}"
        if len(listed) > MOST_OPEN_ATTEMPTS:
            yield f"{name} has {len(listed)} open attempts"
        if len({attempt.attempt_id for attempt in listed}) != len(listed):
            yield f"{name} lists an open attempt twice"
    newest = picture.versions[-1].open_attempts if picture.versions else []
    listed_now = sorted((str(a.attempt_id), a.amount) for a in newest)
    open_now = sorted((str(a.id), a.total) for a in picture.attempts if a.state in OPEN)
    if listed_now != open_now:
        yield f"the account lists the open attempts {listed_now}, there are {open_now}"


def _balance(picture: Picture) -> Iterator[str]:
    balance = picture.balance
    if balance.posted != sum(entry.amount for entry in picture.entries):
        yield f"posted is {balance.posted}, and not the sum of the entries"
    open_attempts = sum(a.total for a in picture.attempts if a.state in OPEN)
    if balance.held != open_attempts:
        yield f"held is {balance.held}, the open attempts are worth {open_attempts}"
    if balance.available != balance.posted - balance.held or balance.available < 0:
        yield f"available is {balance.available} of {balance.posted} less {balance.held}"
    if not picture.versions:
        if (balance.version, balance.posted, balance.held) != (0, 0, 0):
            yield "a balance without an account"
        return
    newest = picture.versions[-1]
    told = (balance.version, balance.posted, balance.held, balance.currency)
    stored = (newest.version, newest.posted, newest.held, newest.currency)
    if told != stored:
        yield f"the balance tells {told}, the newest version says {stored}"


def _entries_are_the_versions(picture: Picture) -> Iterator[str]:
    told = [
        (e.id, e.sequence, e.kind, e.amount, e.hash, e.purchase_id, e.refund_id, e.created_at)
        for e in picture.entries
    ]
    stored = [
        (v.entry_id, v.sequence, v.kind, v.amount, v.entry_hash, v.attempt_id, v.refund_id, v.at)
        for v in picture.versions
        if v.entry_id is not None
    ]
    if told != stored:
        yield "the entries of the API are not the entries in the table"
    for version in picture.versions:
        if (version.entry_id is not None) != (version.kind in POSTING):
            yield f"version {version.version}: a {version.kind} with the entry {version.entry_id}"


def _attempts(picture: Picture) -> Iterator[str]:
    known = {attempt.id for attempt in picture.attempts}
    for version in picture.versions:
        if version.attempt_id is not None and version.attempt_id not in known:
            yield f"version {version.version} is about {version.attempt_id}, which does not exist"
    for attempt in picture.attempts:
        name = f"{attempt.state} attempt {attempt.id}"
        life = [v for v in picture.versions if v.attempt_id == attempt.id and v.kind != "REFUND"]
        if [v.kind for v in life] not in LIFE_OF_AN_ATTEMPT[attempt.state]:
            yield f"{name}: the account saw {[v.kind for v in life]}"
        if any(abs(v.amount) != attempt.total for v in life):
            yield f"{name} of {attempt.total}: the account saw {[v.amount for v in life]}"
        if (attempt.shipment_id is not None) != (attempt.state == "COMPLETED"):
            yield f"{name} with the shipment {attempt.shipment_id}"


def _purchases(picture: Picture) -> Iterator[str]:
    completed = sorted(str(a.id) for a in picture.attempts if a.state == "COMPLETED")
    purchases = sorted(str(p.id) for p in picture.purchases)
    if completed != purchases:
        yield f"the completed attempts are {completed}, the purchases {purchases}"
    debits = Counter(e.purchase_id for e in picture.entries if e.kind == "PURCHASE")
    if debits != Counter(purchase.id for purchase in picture.purchases):
        yield f"the purchases are {purchases}, the posted debits {debits}"
    stored = {attempt.id: attempt for attempt in picture.attempts}
    for purchase in picture.purchases:
        name = f"purchase {purchase.id}"
        debit = sum(
            e.amount
            for e in picture.entries
            if e.kind == "PURCHASE" and e.purchase_id == purchase.id
        )
        if debit != -purchase.total:
            yield f"{name} of {purchase.total}: the debit is {debit}"
        if purchase.subtotal != purchase.product.unit_price * purchase.quantity:
            yield f"{name}: the subtotal {purchase.subtotal} is not price times quantity"
        if purchase.total != purchase.subtotal - purchase.discount:
            yield f"{name}: the total {purchase.total} is not subtotal less discount"
        if not purchase.shipment_id or purchase.shipment_id != stored[purchase.id].shipment_id:
            yield f"{name}: the shipment id is {purchase.shipment_id}"


def _shipments(picture: Picture) -> Iterator[str]:
    """A shipment id belongs to the one purchase that has it."""
    claimed = sorted((claim.shipment_id, str(claim.purchase_id)) for claim in picture.claims)
    sold = sorted((p.shipment_id, str(p.id)) for p in picture.purchases)
    if claimed != sold:
        yield f"the shipment ids are claimed by {claimed}, the purchases are {sold}"


def _promo_codes(picture: Picture) -> Iterator[str]:
    """A code is marked as used as often as attempts use it."""
    used = Counter(a.promo.code for a in picture.attempts if a.promo and a.state != "VOIDED")
    if used != Counter(picture.redemptions):
        yield f"promo codes are used {dict(used)}, and marked as used {picture.redemptions}"


def _refunds(picture: Picture) -> Iterator[str]:
    refund_entries = {e.refund_id: e for e in picture.entries if e.kind == "REFUND"}
    told = {refund.id for purchase in picture.purchases for refund in purchase.refunds}
    if not told == set(refund_entries) == {refund.id for refund in picture.refunds}:
        yield "the refunds of the API, of the ledger and of the table are not the same"
        return
    for purchase in picture.purchases:
        name = f"purchase {purchase.id}"
        refunded = sum(refund.amount for refund in purchase.refunds)
        if refunded > purchase.total:
            yield f"{name}: {refunded} of {purchase.total} were refunded"
        if (purchase.refunded, purchase.refundable) != (refunded, purchase.total - refunded):
            yield f"{name}: refunds of {refunded}, but {purchase.refunded} is told as refunded"
        if purchase.status != _status(len(purchase.refunds), purchase.refundable):
            yield f"{name} is {purchase.status} after {len(purchase.refunds)} refunds"
        numbers = [r.number for r in picture.refunds if r.purchase_id == purchase.id]
        if numbers != list(range(1, len(numbers) + 1)):
            yield f"{name}: its refunds are numbered {numbers}"
        for refund in purchase.refunds:
            entry = refund_entries[refund.id]
            posted = (entry.amount, entry.purchase_id, entry.sequence, entry.balance_after)
            if posted != (refund.amount, purchase.id, refund.entry_sequence, refund.balance_after):
                yield f"{name}: its refund {refund.id} is not what was posted"


def _status(refund_count: int, refundable: int) -> str:
    if refund_count == 0:
        return "COMPLETED"
    return "PARTIALLY_REFUNDED" if refundable > 0 else "REFUNDED"


def _requests(picture: Picture) -> Iterator[str]:
    """The same key has the same effect once: each remembered request made one version."""
    versions = {version.version: version for version in picture.versions}
    made_by_hand = {r.version for r in picture.requests if r.operation == RESOLVED}
    for request in picture.requests:
        version = versions.get(request.version)
        operations = {RESOLVED, REMEMBERED.get(version.kind)} if version else set()
        if (
            version is None
            or version.idempotency_key != request.idempotency_key
            or request.operation not in operations
        ):
            yield f"the request {request.sk} is not what made version {request.version}"
    remembered = Counter((r.operation, r.idempotency_key) for r in picture.requests)
    had_effect = Counter(
        (RESOLVED if v.version in made_by_hand else REMEMBERED[v.kind], v.idempotency_key)
        for v in picture.versions
        if v.kind in REMEMBERED or v.version in made_by_hand
    )
    if remembered != had_effect:
        yield f"remembered are {remembered}, the account saw {had_effect}"
    keys = Counter(attempt.idempotency_key for attempt in picture.attempts)
    if any(count > 1 for count in keys.values()):
        yield f"a key made more than one attempt: {keys}"


def _carrier(picture: Picture) -> Iterator[str]:
    calls: dict[str, list[SeenShipmentRequest]] = {}
    for call in picture.carrier_calls:
        calls.setdefault(call.headers.get("idempotency-key", "no key"), []).append(call)
    known = {str(attempt.id) for attempt in picture.attempts}
    for key, made in calls.items():
        if key not in known:
            yield f"a parcel was asked for under {key}, which is no attempt"
        if len(made) > 1:
            yield f"the carrier was called {len(made)} times for attempt {key}"
    for attempt in picture.attempts:
        if attempt.orphan is not None and attempt.state != "VOIDED":
            yield f"{attempt.state} attempt {attempt.id} has an orphan shipment"
        if attempt.id in picture.resolved_by_hand:
            # A person may be wrong; only the carrier could say so.
            continue
        if attempt.id in picture.orphans and attempt.orphan is None:
            yield f"the parcel of voided attempt {attempt.id} is on no list"
        if attempt.state != "COMPLETED":
            continue
        made = [c for c in calls.get(str(attempt.id), []) if c.shipment_id is not None]
        if len(made) != 1:
            yield f"attempt {attempt.id} is completed, and there are {len(made)} parcels for it"
        elif made[0].planned_answer == "proceed" and made[0].shipment_id != attempt.shipment_id:
            yield f"attempt {attempt.id}: its parcel is not {attempt.shipment_id}"


class Auditor:
    """Checks customers' books, and fails the test with every contradiction it finds."""

    def __init__(self, till: TillClient, tables: Tables, upstream: StandInControl) -> None:
        self._till = till
        self._tables = tables
        self._upstream = upstream

    def __call__(self, customer_id: UUID, *, orphans: Iterable[UUID] = ()) -> Picture:
        """Check a customer; ``orphans`` are the voided attempts known to have a parcel.

        Gives back the picture, for what a test wants to say beyond this.
        """
        picture = take_picture(self._till, self._tables, self._upstream, customer_id)
        found = violations(picture)
        assert not found, f"customer {customer_id}:\n" + "\n".join(found)
        assert picture.orphans == set(orphans), f"orphan parcels: {picture.orphans}"
        return picture
