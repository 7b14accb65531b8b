"""What a version anchors: the items that were written in its transaction, as they are now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evidence.chain import attempt_hash, items_hash
from evidence.items import integer, items, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evidence.items import Item
    from evidence.tables import Tables

_OPERATIONS: Final = {
    "GRANT": "grant_credit",
    "DEDUCTION": "deduct_credit",
    "REFUND": "refund_purchase",
    # These two have a request only if a person decided.
    "PURCHASE": "resolve_attempt",
    "VOID": "resolve_attempt",
}
_BY_REQUEST_ALONE: Final = frozenset({"GRANT", "DEDUCTION", "REFUND"})
_STATES: Final = {
    "HOLD": "PENDING",
    "UNKNOWN": "UNKNOWN",
    "VOID": "VOIDED",
    "PURCHASE": "COMPLETED",
    "REFUND": "COMPLETED",
}
"""The state of an attempt after a version that names it."""


def faults_of_anchors(tables: Tables, version: Item) -> Iterator[str]:
    """What is wrong with all that a version names.

    Raises:
        UnreadableItemError: an attribute is missing or of another type.
    """
    if "attempt_id" not in version:
        yield from _faults_of_puts(tables, version, [])
        return
    attempt, refunds = tables.attempt(text(version, "attempt_id"))
    if attempt is None:
        yield f"its attempt {version['attempt_id']} is gone"
        return
    yield from _faults_of_puts(tables, version, [attempt, *refunds])
    if integer(attempt, "account_version") < integer(version, "version"):
        yield f"its attempt {version['attempt_id']} is as an earlier version left it"
    # A later version may have changed it since.
    yield from faults_of_attempt(tables, attempt)
    yield from faults_of_refunds(attempt, refunds)


def faults_of_attempt(tables: Tables, attempt: Item) -> Iterator[str]:
    """What is wrong with an attempt, by the version that it was written with.

    It may be an image of the past: what was written later is not looked at.

    Raises:
        UnreadableItemError: an attribute is missing or of another type.
    """
    number = integer(attempt, "account_version")
    version = tables.version(text(attempt, "customer_id"), number)
    attempt_id = text(attempt, "pk").removeprefix("PURCHASE#")
    if version is None or version.get("attempt_id") != attempt_id:
        yield f"version {number} of its customer's account does not name it"
        return
    if attempt_hash(attempt) != version.get("attempt_hash"):
        yield f"its attempt {attempt_id} has changed"
    kind, state = text(version, "kind"), text(attempt, "state")
    if state != _STATES.get(kind):
        yield f"its attempt {attempt_id} is {state}"
    held = {each["attempt_id"]: each["amount"] for each in items(version, "open_attempts")}
    if kind in {"HOLD", "UNKNOWN"} and held.get(attempt_id) != integer(attempt, "total"):
        yield f"its attempt {attempt_id} is of another total than is held for it"


def faults_of_refunds(attempt: Item, refunds: list[Item]) -> Iterator[str]:
    """Whether a purchase has the refunds that it says.

    Raises:
        UnreadableItemError: an attribute is missing or of another type.
    """
    said = {"refunded": 0, "refund_count": 0, **attempt}
    refunded = sum(integer(item, "amount") for item in refunds)
    if (len(refunds), refunded) != (integer(said, "refund_count"), integer(said, "refunded")):
        yield f"the refunds of {text(attempt, 'pk')} are not what its purchase says"


def faults_of_request(tables: Tables, request: Item) -> Iterator[str]:
    """Whether a remembered request is that of the version that it names.

    Raises:
        UnreadableItemError: an attribute is missing or of another type.
    """
    customer_id = text(request, "pk").removeprefix("ACCOUNT#")
    version = tables.version(customer_id, integer(request, "version"))
    if version is None or request_of(tables, version) != request:
        yield "no version belongs to it"


def request_of(tables: Tables, version: Item) -> Item | None:
    """The request that made a version, if one is remembered."""
    operation = _OPERATIONS.get(text(version, "kind"))
    if operation is None:
        return None
    customer_id = text(version, "pk").removeprefix("ACCOUNT#")
    request = tables.request(customer_id, operation, text(version, "idempotency_key"))
    # The key of a purchase may also be that of a later request.
    return request if request and request.get("version") == version.get("version") else None


def _faults_of_puts(tables: Tables, version: Item, found: list[Item]) -> Iterator[str]:
    """Of the items that were put together with it, and are never updated."""
    kind = text(version, "kind")
    request = request_of(tables, version)
    if kind in _BY_REQUEST_ALONE and request is None:
        yield f"a {kind} without its request"
    written = [request] if request is not None else []
    for item in found:
        if kind == "REFUND" and item.get("id") == version.get("refund_id"):
            written.append(item)
        if kind == "PURCHASE" and "shipment_id" in item:
            claim = tables.claim(text(item, "shipment_id"))
            written += [claim] if claim is not None else []
    if items_hash(written) != version.get("items_hash"):
        names = ", ".join(f"{item['pk']} {item['sk']}" for item in written) or "nothing"
        yield f"what was written with it has changed or is gone; found {names}"
