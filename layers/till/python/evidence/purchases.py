"""The purchases table: what is wrong with an item as it is, and with a change of one."""

from __future__ import annotations

import uuid
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from evidence.anchors import faults_of_attempt, faults_of_refunds
from evidence.items import integer, is_id, items, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from evidence.items import Item
    from evidence.tables import Tables


class Kind(StrEnum):
    """What an item of the purchases table is."""

    ATTEMPT = "attempt"
    REFUND = "refund"
    CLAIM = "claim"
    PROMO = "promo"
    PROMO_VERSION = "promo version"
    REDEMPTIONS = "redemptions"
    UNKNOWN = "unknown"


_KINDS: Final = {
    ("PURCHASE", "PURCHASE"): Kind.ATTEMPT,
    ("PURCHASE", "REFUND"): Kind.REFUND,
    ("SHIPMENT", "SHIPMENT"): Kind.CLAIM,
    ("PROMO", "PROMO"): Kind.PROMO,
    ("PROMO", "VERSION"): Kind.PROMO_VERSION,
    ("PROMO", "CUSTOMER"): Kind.REDEMPTIONS,
}
_INDEX_SHARDS: Final = 4
_READ_ALONE: Final = 5
"""As how many items of a page an attempt counts: it is a read of its own."""
_OF_THE_CODE_ALONE: Final = frozenset({"sk", "redemptions", "state_shard", "state_at"})
"""What a promo code has and its versions have not, or otherwise."""
ANSWERS: Final = ("carrier", "orphan")
"""What is noted on an attempt without a version, and so is journalled by itself."""


def kind_of(item: Item) -> Kind:
    """What an item is, by its key."""
    pk, sk = text(item, "pk").partition("#")[0], text(item, "sk").partition("#")[0]
    return _KINDS.get((pk, sk), Kind.UNKNOWN)


def answers_of(attempt: Item) -> Mapping[str, object]:
    """What the carrier said, and what a person did about it."""
    return {name: attempt[name] for name in ANSWERS if name in attempt}


def faults_of_item(tables: Tables, item: Item, *, longest: int | None) -> Iterator[str]:
    """What is wrong with an item, as it is when it is read again.

    Redemptions are counted only if no more than ``longest`` items are to be read for it.

    Raises:
        UnreadableItemError: an attribute is missing or of another type.
    """
    match kind_of(item):
        case Kind.ATTEMPT:
            yield from _faults_of_purchase(tables, item)
        case Kind.REFUND:
            purchase, _ = tables.attempt(text(item, "purchase_id"))
            if purchase is None:
                yield "its purchase is gone"
        case Kind.CLAIM:
            purchase, _ = tables.attempt(text(item, "purchase_id"))
            if purchase is None or f"SHIPMENT#{purchase.get('shipment_id')}" != item["pk"]:
                yield "the purchase that it belongs to has another shipment"
        case Kind.PROMO:
            yield from faults_of_terms(tables, item)
            yield from _faults_of_uses(tables, text(item, "code"), longest)
        case Kind.REDEMPTIONS:
            yield from _faults_of_redemptions(tables, item, longest)
        case Kind.PROMO_VERSION:
            if text(item, "sk") != f"VERSION#{integer(item, 'version'):016d}":
                yield "its key is another version's"
        case Kind.UNKNOWN:
            yield "Till writes no such item"


def faults_of_change(old: Item | None, new: Item) -> Iterator[str]:
    """What is wrong with a change of an item, by its images alone (None: it is new).

    Raises:
        UnreadableItemError: an attribute is missing or of another type.
    """
    match kind_of(new):
        case Kind.ATTEMPT:
            yield from faults_of_listing(new)
            yield from _faults_of_update(old, new)
        case Kind.REDEMPTIONS:
            yield from _faults_of_counting(old, new)
        case Kind.PROMO if old is not None:
            yield from _faults_of_new_terms(old, new)
        case Kind.PROMO | Kind.REFUND | Kind.CLAIM | Kind.PROMO_VERSION if old is None:
            pass
        case Kind.UNKNOWN:
            yield "Till writes no such item"
        case kind:
            yield f"a {kind} is never changed"


def faults_of_listing(attempt: Item) -> Iterator[str]:
    """Whether an attempt is found in the lists where it belongs.

    Raises:
        UnreadableItemError: an attribute is missing or of another type.
    """
    attempt_id = text(attempt, "pk").removeprefix("PURCHASE#")
    state, orphan = text(attempt, "state"), attempt.get("orphan")
    if state == "COMPLETED" and integer(attempt, "refund_count"):
        left = integer(attempt, "total") - integer(attempt, "refunded")
        state = "PARTIALLY_REFUNDED" if left else "REFUNDED"
    if isinstance(orphan, dict) and "closing" not in orphan:
        state = "ORPHAN_OPEN"
    if not is_id(attempt_id):
        yield "its id is not a UUID"
        return
    shard = f"{state}#{uuid.UUID(attempt_id).int % _INDEX_SHARDS}"
    if attempt.get("state_shard") != shard or attempt.get("short_id") != attempt_id[:8]:
        yield f"it is not listed as {shard}"
    since = next(
        (text(attempt, name) for name in ("settled_at", "unknown_since") if name in attempt),
        attempt.get("reserved_at"),
    )
    if attempt.get("state_at") != f"{since}#{attempt_id}":
        yield f"it is not listed at {since}"


def faults_of_terms(tables: Tables, promo: Item) -> Iterator[str]:
    """Whether a promo code is as its newest version says.

    Raises:
        UnreadableItemError: an attribute is missing or of another type.
    """
    number = integer(promo, "version")
    version = tables.promo_version(text(promo, "code"), number) or {}
    if _terms(version) != _terms(promo):
        yield f"it is not as its version {number} says"


def _faults_of_purchase(tables: Tables, item: Item) -> Iterator[str]:
    attempt, refunds = tables.attempt(text(item, "pk").removeprefix("PURCHASE#"))
    if attempt is None:
        yield "it is gone"
        return
    yield from faults_of_listing(attempt)
    yield from faults_of_attempt(tables, attempt)
    yield from faults_of_refunds(attempt, refunds)
    yield from _faults_of_discount(tables, attempt)


def _faults_of_new_terms(old: Item, new: Item) -> Iterator[str]:
    before, now = integer(old, "version"), integer(new, "version")
    if now == before:
        yield from _faults_of_counting(old, new)
    elif now != before + 1:
        yield f"version {now} follows version {before}"
    elif integer(new, "redemptions") != integer(old, "redemptions"):
        yield "a new version changed the redemptions"


def _terms(item: Item) -> Mapping[str, object]:
    return {name: value for name, value in item.items() if name not in _OF_THE_CODE_ALONE}


def _faults_of_update(old: Item | None, new: Item) -> Iterator[str]:
    before = integer(old, "revision") if old is not None else 0
    if integer(new, "revision") != before + 1:
        yield f"revision {new['revision']} follows revision {before}"
    if old is None:
        return
    yield from faults_of_answers(old, new)
    if "shipped_again_at" in old and new.get("shipped_again_at") != old["shipped_again_at"]:
        yield "when it was shipped again has changed"


def faults_of_answers(old: Item, new: Item) -> Iterator[str]:
    """What is wrong with what is noted on an attempt, by what was noted before.

    Raises:
        UnreadableItemError: an attribute is missing or of another type.
    """
    if new.get("carrier") != old.get("carrier") and not _may_say(old, new):
        yield "what the carrier said has changed"
    if new.get("orphan") != old.get("orphan") and not _may_have_orphan(old, new):
        yield "its orphan shipment has changed"


def faults_of_disproof(tables: Tables, new: Item, *, before: Item | None) -> Iterator[str]:
    """Whether a noted shipment that is noted no more is another purchase's.

    Raises:
        UnreadableItemError: an attribute is missing or of another type.
    """
    said = before.get("carrier") if before is not None else None
    if isinstance(said, dict) and said.get("kind") == "shipped" and new.get("carrier") != said:
        claim = tables.claim(text(said, "detail"))
        if claim is None or f"PURCHASE#{claim.get('purchase_id')}" == text(new, "pk"):
            yield "the shipment that the carrier named is no other purchase's"


def _may_say(old: Item, new: Item) -> bool:
    """Whether the protocol replaces an answer of the carrier by another."""
    said, says = old.get("carrier"), new.get("carrier")
    if not isinstance(says, dict) or "COMPLETED" in {old.get("state"), new.get("state")}:
        return False
    kind = says.get("kind")
    if kind == "not_shipped" and "shipped_again_at" in new:
        # That one call made no shipment says nothing of the other.
        return False
    if not isinstance(said, dict):
        return True
    match said.get("kind"):
        case "shipped":
            # A person decides if the shipment turned out to be another purchase's.
            return kind == "unknown" and text(old, "state") != "VOIDED"
        case "not_shipped":
            # Voiding notes it again. A parcel can only turn up after that.
            is_late = kind == "shipped" and text(new, "state") == "VOIDED"
            return is_late or {**said, "at": says.get("at")} == says
        case _:
            return True


def _may_have_orphan(old: Item, new: Item) -> bool:
    """Whether an attempt was voided without knowing, a parcel turned up, or a person closed it."""
    orphan, now = old.get("orphan", {}), new.get("orphan")
    if not isinstance(orphan, dict) or not isinstance(now, dict) or new.get("state") != "VOIDED":
        return False
    if "closing" in now:
        is_open = "since" in orphan and "closing" not in orphan
        return is_open and {**orphan, "closing": now["closing"]} == now
    closings = items(orphan, "earlier_closings")
    if isinstance(closing := orphan.get("closing"), dict):
        closings.append(closing)
    if items(now, "earlier_closings") != closings or "shipment_id" in orphan:
        return False
    if "shipment_id" not in now:
        return not orphan
    match new.get("carrier"):
        case {"kind": "shipped", "detail": shipment_id}:
            return shipment_id == now["shipment_id"]
        case _:
            return False


def _faults_of_counting(old: Item | None, new: Item) -> Iterator[str]:
    before = integer(old, "redemptions") if old is not None else 0
    now = integer(new, "redemptions")
    others = {name for name in new if old is not None and new[name] != old.get(name)}
    if abs(now - before) != 1 or now < 0 or others - {"redemptions"}:
        yield f"redemptions went from {before} to {now}, or something else changed"


def _faults_of_discount(tables: Tables, attempt: Item) -> Iterator[str]:
    promo = attempt.get("promo")
    if not isinstance(promo, dict):
        return
    code = text(promo, "code")
    version = tables.promo_version(code, integer(promo, "version")) or {}
    terms = version.get("terms")
    if not isinstance(terms, dict) or terms.get("discount") != promo.get("discount"):
        yield f"version {promo['version']} of {code} gives another discount"
    used = tables.redemptions(code, text(attempt, "customer_id")) or {"redemptions": 0}
    if text(attempt, "state") != "VOIDED" and integer(used, "redemptions") < 1:
        yield f"its redemption of {code} is not counted"


def _faults_of_uses(tables: Tables, code: str, longest: int | None) -> Iterator[str]:
    of_customers = 0
    for number, item in enumerate(tables.promo_code(code)):
        if longest is not None and number > longest:
            return
        if kind_of(item) is Kind.REDEMPTIONS:
            of_customers += integer(item, "redemptions")
        # Those of its customers come before it.
        if kind_of(item) is Kind.PROMO and of_customers != integer(item, "redemptions"):
            yield f"it counts {item['redemptions']} redemptions, its customers {of_customers}"


def _faults_of_redemptions(tables: Tables, item: Item, longest: int | None) -> Iterator[str]:
    customer_id = text(item, "sk").removeprefix("CUSTOMER#")
    code = text(item, "pk").removeprefix("PROMO#")
    counted = integer(tables.redemptions(code, customer_id) or item, "redemptions")
    used = looked_at = 0
    for version in tables.account(customer_id):
        is_hold = version.get("kind") == "HOLD"
        looked_at += _READ_ALONE if is_hold else 1
        if longest is not None and looked_at > longest:
            return
        if not is_hold:
            continue
        attempt, _ = tables.attempt(text(version, "attempt_id"))
        promo = attempt.get("promo") if attempt and text(attempt, "state") != "VOIDED" else None
        if isinstance(promo, dict):
            used += text(promo, "code") == code
    if used != counted:
        yield f"{counted} redemptions are counted, {used} attempts use it"
