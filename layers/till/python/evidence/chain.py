"""The chain of an account's versions: each follows from the one before, and anchors other items."""

from __future__ import annotations

import base64
import hashlib
import json
import uuid
from typing import TYPE_CHECKING, Final

from evidence.items import integer, items, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from evidence.items import Item

UPDATED_ALONE: Final = frozenset(
    {"carrier", "orphan", "revision", "shipped_again_at", "state_at", "state_shard"}
)
"""The attributes of an attempt that may change without a version: no version anchors them."""

_NAMESPACE: Final = uuid.uuid5(uuid.NAMESPACE_URL, "till/ledger-entry")
_POSTED: Final = {"GRANT": 1, "DEDUCTION": -1, "PURCHASE": -1, "REFUND": 1}
"""The kinds that post money, and the sign of their amount."""
_FIRST: Final[Item] = {"version": 0, "posted": 0, "held": 0, "sequence": 0, "purchases": 0}
"""The account before its first version."""


def faults_of(version: Item, before: Item | None) -> Iterator[str]:
    """What is wrong with a version, in sentences, given the version before it (None: the first).

    Raises:
        UnreadableItemError: an attribute is missing or of another type.
    """
    first = before is None
    before = before or {**_FIRST, "at": "", "entry_hash": "0" * 64, "hash": ""}
    number = integer(version, "version")
    if number != integer(before, "version") + 1:
        yield f"it has the number {number}"
    if text(version, "sk") != f"VERSION#{number:016d}":
        yield "its key is another version's"
    if not first and text(version, "pk") != text(before, "pk"):
        yield "it belongs to another account"
    if text(version, "at") < text(before, "at"):
        yield "it is older than the version before it"
    if text(version, "hash") != version_hash(version, previous=text(before, "hash")):
        yield "its hash does not cover it and the version before it"
    yield from _sums(version, before)
    yield from _open_attempts(version, before)
    yield from _entry(version, before)


def version_hash(version: Item, *, previous: str) -> str:
    """The hash of a version: over all its other attributes, and the hash of the one before."""
    attributes = {name: value for name, value in version.items() if name != "hash"}
    return _digest(f"{previous}\n{_json(attributes)}")


def attempt_hash(attempt: Item) -> str:
    """What the newest version that names an attempt has as its ``attempt_hash``."""
    return _digest(_json({k: v for k, v in attempt.items() if k not in UPDATED_ALONE}))


def items_hash(others: Iterable[Item]) -> str | None:
    """What a version has as its ``items_hash`` if these items were put together with it."""
    ordered = sorted(others, key=lambda item: (text(item, "pk"), text(item, "sk")))
    return _digest(_json([dict(item) for item in ordered])) if ordered else None


def _sums(version: Item, before: Item) -> Iterator[str]:
    kind, amount = text(version, "kind"), integer(version, "amount")
    posts = kind in _POSTED
    expected = {
        "posted": amount if posts else 0,
        "held": amount if kind in {"HOLD", "VOID", "PURCHASE"} else 0,
        "sequence": int(posts),
        "purchases": {"HOLD": 1, "VOID": -1}.get(kind, 0),
    }
    for name, moved in expected.items():
        should = integer(before, name) + moved
        if integer(version, name) != should:
            yield f"{name} is {integer(version, name)}, and follows as {should}"
    if not 0 <= integer(version, "held") <= integer(version, "posted"):
        yield "more is held than there is"
    if posts and amount * _POSTED[kind] < (0 if kind == "PURCHASE" else 1):
        yield f"a {kind} has the amount {amount}"


def _open_attempts(version: Item, before: Item) -> Iterator[str]:
    now = {text(each, "attempt_id"): each for each in items(version, "open_attempts")}
    then = {text(each, "attempt_id"): each for each in items(before, "open_attempts")}
    if integer(version, "held") != sum(integer(each, "amount") for each in now.values()):
        yield "what is held is not the sum of the open attempts"
    kind = text(version, "kind")
    about = str(version.get("attempt_id"))
    opened, closed = now.keys() - then.keys(), then.keys() - now.keys()
    if opened != ({about} if kind == "HOLD" else set()):
        yield f"a {kind} opened {sorted(opened)}"
    if closed != ({about} if kind in {"PURCHASE", "VOID"} else set()):
        yield f"a {kind} closed {sorted(closed)}"
    for attempt_id in now.keys() & then.keys():
        changed = {
            name for name in now[attempt_id] if now[attempt_id][name] != then[attempt_id].get(name)
        }
        allowed = {"blocks_from"} if kind == "UNKNOWN" and attempt_id == about else set()
        if changed - allowed:
            yield f"the open attempt {attempt_id} changed"


def _entry(version: Item, before: Item) -> Iterator[str]:
    previous = text(before, "entry_hash")
    if (text(version, "kind") in _POSTED) != ("previous_hash" in version):
        yield "it is a ledger entry if and only if it posts"
        return
    if "previous_hash" not in version:
        if text(version, "entry_hash") != previous:
            yield "it posts nothing, and has another entry's hash"
        return
    if text(version, "previous_hash") != previous:
        yield "its entry does not continue the entry before it"
    if text(version, "entry_hash") != entry_hash(version):
        yield "the hash of its entry does not cover it"


def entry_hash(version: Item) -> str:
    """The hash of the ledger entry that a version is, over the entry's own fields."""
    customer_id = text(version, "pk").removeprefix("ACCOUNT#")
    sequence = integer(version, "sequence")
    fields = {
        **{
            name: version.get(name)
            for name in (
                *("actor", "amount", "currency", "idempotency_key", "kind", "previous_hash"),
                *("reason", "refund_id", "sequence"),
            )
        },
        "balance_after": version.get("posted"),
        "created_at": version.get("at"),
        "customer_id": customer_id,
        "id": str(uuid.uuid5(_NAMESPACE, f"{customer_id}/{sequence}")),
        "purchase_id": version.get("attempt_id"),
    }
    return hashlib.sha256(_json(fields).encode("ascii")).hexdigest()


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def _digest(written: str) -> str:
    digest = hashlib.sha256(written.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")
