"""Credit: balances, and the entries of the ledger."""

from __future__ import annotations

from typing import Self
from uuid import UUID

from pydantic import Field

from till.domain.account import Account, AccountChange
from till.domain.ledger import EntryKind, LedgerEntry
from till.domain.money import Money
from till.http.wire.types import Instant, StaffName, WireResponse
from till.services.ports.journal import Verification


class BalanceResponse(WireResponse):
    """A customer's credit: available is what is posted less what is held for open purchases."""

    customer_id: UUID
    currency: str
    posted: int
    held: int
    available: int
    version: int = Field(description="Counts every change of the account; 0: none yet")
    updated_at: Instant | None

    @classmethod
    def of(cls, account: Account) -> Self:
        """The balance of an account."""
        return cls(
            customer_id=account.customer_id,
            currency=account.posted.currency,
            posted=account.posted.amount_minor,
            held=account.held.amount_minor,
            available=account.available.amount_minor,
            version=account.version,
            updated_at=account.updated_at,
        )


class VerificationResponse(WireResponse):
    """How far an account was verified by the watcher of the ledger (docs/evidence.md)."""

    version: int = Field(description="The newest verified version; 0: none yet")
    verified_at: Instant | None = Field(
        description="When that was; null if nothing is verified yet"
    )
    findings: int = Field(
        description="How often something was found that Till does not write, up to 100. Not 0: "
        "someone or something has tampered with the account"
    )

    @classmethod
    def of(cls, verification: Verification) -> Self:
        """A verification."""
        return cls(
            version=verification.version,
            verified_at=verification.at,
            findings=verification.findings,
        )


class CreditResponse(BalanceResponse):
    """A balance, how far it was verified, and how much of it the caller may change at once."""

    adjustment_limit: int | None = Field(
        description="The most that you may grant or deduct at once, in minor units. null without "
        "a limit, and for those who may do neither"
    )
    verification: VerificationResponse | None = Field(
        description="null if not asked for, and if it is not known at this moment"
    )

    @classmethod
    def seen_by(
        cls, account: Account, verification: Verification | None, *, limit: Money | None
    ) -> Self:
        """The balance of an account, what is known of its verification, and a caller's limit."""
        return cls(
            **dict(BalanceResponse.of(account)),
            adjustment_limit=limit.amount_minor if limit is not None else None,
            verification=VerificationResponse.of(verification) if verification else None,
        )


class EntryResponse(WireResponse):
    """One movement of posted credit. Entries are never changed or deleted."""

    id: UUID
    customer_id: UUID
    sequence: int = Field(description="1, 2, 3 ... without a gap within an account")
    kind: EntryKind
    amount: int = Field(description="Signed, in minor units")
    currency: str
    balance_after: int = Field(description="The posted balance once this entry counts")
    reason: str
    actor: str
    purchase_id: UUID | None
    refund_id: UUID | None
    idempotency_key: str
    previous_hash: str
    hash: str = Field(
        description="SHA-256 over all other fields but actor_name; see the data model"
    )
    created_at: Instant

    @classmethod
    def of(cls, entry: LedgerEntry) -> Self:
        """A ledger entry."""
        return cls(
            id=entry.id,
            customer_id=entry.customer_id,
            sequence=entry.sequence,
            kind=entry.kind,
            amount=entry.amount.amount_minor,
            currency=entry.amount.currency,
            balance_after=entry.balance_after.amount_minor,
            reason=entry.reason,
            actor=entry.actor.subject,
            purchase_id=entry.purchase_id,
            refund_id=entry.refund_id,
            idempotency_key=entry.idempotency_key,
            previous_hash=entry.previous_hash,
            hash=entry.hash,
            created_at=entry.created_at,
        )


class NamedEntryResponse(EntryResponse):
    """A movement of posted credit, and what the member of staff who made it was called."""

    actor_name: StaffName

    @classmethod
    def named(cls, entry: LedgerEntry, *, names: bool) -> Self:
        """A ledger entry, with or without the names of staff."""
        return cls(**dict(EntryResponse.of(entry)), actor_name=entry.actor.name if names else None)


class CreditChangeResponse(WireResponse):
    """The ledger entry that was made, and the balance right after it."""

    entry: NamedEntryResponse
    balance: BalanceResponse

    @classmethod
    def of(cls, change: AccountChange) -> Self:
        """A change that posted money."""
        if change.entry is None:
            raise ValueError("this change posted nothing")
        return cls(
            entry=NamedEntryResponse.named(change.entry, names=True),
            balance=BalanceResponse.of(change.account),
        )


class EntryListResponse(WireResponse):
    """Ledger entries, newest first."""

    items: list[NamedEntryResponse]
    next_cursor: str | None
