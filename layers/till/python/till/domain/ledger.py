"""Ledger entries: what moved posted money, numbered and chained by hash."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final
from uuid import NAMESPACE_URL, UUID, uuid5

from till.domain.errors import TillError
from till.domain.instant import format_instant
from till.domain.money import ZERO

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from till.domain.actor import Actor
    from till.domain.money import Money

GENESIS_HASH: Final = "0" * 64
"""The previous hash of an account's first entry."""

_NAMESPACE: Final = uuid5(NAMESPACE_URL, "till/ledger-entry")


class LedgerCorruptError(TillError):
    """The ledger contradicts itself: a changed, removed or inserted entry."""

    def __init__(self, *, sequence: int, detail: str) -> None:
        super().__init__(f"entry {sequence}: {detail}")
        self.sequence = sequence


class EntryKind(StrEnum):
    """Why posted money moved."""

    GRANT = "GRANT"
    DEDUCTION = "DEDUCTION"
    PURCHASE = "PURCHASE"
    REFUND = "REFUND"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Who does something, when, why, and by which request of theirs."""

    actor: Actor
    at: datetime
    reason: str
    idempotency_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """One movement of posted money. Entries are never changed or deleted.

    ``sequence`` counts 1, 2, 3 ... without a gap within an account; ``amount`` is signed;
    ``balance_after`` is the posted balance once this entry counts. ``hash`` covers every other
    field, ``previous_hash`` (the hash of the entry before) included, so that a changed, removed
    or inserted entry is found by anyone who reads the account's entries (see ``verify_chain``).
    """

    id: UUID
    customer_id: UUID
    sequence: int
    kind: EntryKind
    amount: Money
    balance_after: Money
    reason: str
    actor: Actor
    idempotency_key: str
    purchase_id: UUID | None
    refund_id: UUID | None
    created_at: datetime
    previous_hash: str
    hash: str


def entry_id_for(customer_id: UUID, sequence: int) -> UUID:
    """The id of a customer's entry, which follows from its number."""
    return uuid5(_NAMESPACE, f"{customer_id}/{sequence}")


def make_entry(
    *,
    customer_id: UUID,
    sequence: int,
    kind: EntryKind,
    amount: Money,
    balance_after: Money,
    cause: Cause,
    previous_hash: str,
    purchase_id: UUID | None = None,
    refund_id: UUID | None = None,
) -> LedgerEntry:
    """The entry with its id and its hash."""
    entry = LedgerEntry(
        id=entry_id_for(customer_id, sequence),
        customer_id=customer_id,
        sequence=sequence,
        kind=kind,
        amount=amount,
        balance_after=balance_after,
        reason=cause.reason,
        actor=cause.actor,
        idempotency_key=cause.idempotency_key,
        purchase_id=purchase_id,
        refund_id=refund_id,
        created_at=cause.at,
        previous_hash=previous_hash,
        hash="",
    )
    return replace(entry, hash=entry_hash(entry))


def entry_hash(entry: LedgerEntry) -> str:
    """SHA-256 over the entry's fields but its hash, as the docs/data-model page spells it out.

    The actor is their subject: the name is covered by the hash of the account's version.

    The fields are written as JSON with sorted keys, no spaces and ASCII only; ids as
    lower-case UUIDs, times as RFC 3339, amounts in minor units.
    """
    fields = {
        "actor": entry.actor.subject,
        "amount": entry.amount.amount_minor,
        "balance_after": entry.balance_after.amount_minor,
        "created_at": format_instant(entry.created_at),
        "currency": entry.amount.currency,
        "customer_id": str(entry.customer_id),
        "id": str(entry.id),
        "idempotency_key": entry.idempotency_key,
        "kind": entry.kind.value,
        "previous_hash": entry.previous_hash,
        "purchase_id": str(entry.purchase_id) if entry.purchase_id else None,
        "reason": entry.reason,
        "refund_id": str(entry.refund_id) if entry.refund_id else None,
        "sequence": entry.sequence,
    }
    text = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerPosition:
    """Where an account's ledger stands after an entry: its number, the posted balance, its hash."""

    sequence: int
    balance: Money
    hash: str


BEGINNING: Final = LedgerPosition(sequence=0, balance=ZERO, hash=GENESIS_HASH)
"""Before the first entry."""


def verify_chain(
    entries: Iterable[LedgerEntry], *, after: LedgerPosition = BEGINNING
) -> LedgerPosition:
    """Check the entries of one account that follow a position, oldest first.

    Their numbers, balances and hashes are checked.

    Returns:
        The position after the last of them.

    Raises:
        LedgerCorruptError: names the first entry that contradicts those before it.
    """
    for entry in entries:
        sequence, balance = after.sequence + 1, after.balance + entry.amount
        if entry.sequence != sequence:
            raise LedgerCorruptError(
                sequence=sequence, detail=f"missing; found {entry.sequence} in its place"
            )
        if entry.balance_after != balance:
            raise LedgerCorruptError(
                sequence=sequence, detail="balance_after is not the sum of the amounts"
            )
        if entry.previous_hash != after.hash:
            raise LedgerCorruptError(
                sequence=sequence, detail="previous_hash is not the hash of the entry before"
            )
        if entry.hash != entry_hash(entry):
            raise LedgerCorruptError(sequence=sequence, detail="its hash does not match it")
        after = LedgerPosition(sequence=sequence, balance=balance, hash=entry.hash)
    return after
