"""Statements."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Final, Self
from uuid import UUID

from pydantic import Field

from till.domain.instant import format_instant
from till.domain.ledger import LedgerPosition
from till.domain.money import ZERO
from till.domain.statement import Statement
from till.http.csv import to_csv
from till.http.wire.credit import EntryResponse
from till.http.wire.types import Instant, WireResponse


class LedgerPositionResponse(WireResponse):
    """Where the ledger of an account stands after an entry."""

    sequence: int = Field(description="The number of the entry; 0: before the first")
    balance: int = Field(description="The posted balance, in minor units")
    hash: str = Field(description="The hash of the entry; 64 zeros before the first")

    @classmethod
    def of(cls, position: LedgerPosition) -> Self:
        """A position."""
        return cls(
            sequence=position.sequence,
            balance=position.balance.amount_minor,
            hash=position.hash,
        )


class StatementResponse(WireResponse):
    """What moved a customer's posted credit in a period, or a page of it."""

    customer_id: UUID
    currency: str
    starts_at: Instant | None = Field(description="The period's first time; null: no limit")
    ends_at: Instant | None = Field(
        description="The time before which the period ends; null: with the newest entry"
    )
    issued_at: Instant = Field(description="When this page was read")
    is_first_page: bool = Field(description="Whether it begins where the period does")
    is_last_page: bool = Field(description="Whether it ends where the period does")
    opening: LedgerPositionResponse = Field(description="Before the first entry of this page")
    entries: list[EntryResponse] = Field(description="Oldest first")
    closing: LedgerPositionResponse = Field(description="After the last entry of this page")

    @classmethod
    def of(cls, statement: Statement) -> Self:
        """A statement."""
        return cls(
            customer_id=statement.customer_id,
            currency=ZERO.currency,
            starts_at=statement.starts_at,
            ends_at=statement.ends_at,
            issued_at=statement.issued_at,
            is_first_page=statement.is_first_page,
            is_last_page=statement.is_last_page,
            opening=LedgerPositionResponse.of(statement.opening),
            entries=[EntryResponse.of(entry) for entry in statement.entries],
            closing=LedgerPositionResponse.of(statement.closing),
        )

    def signed_bytes(self) -> bytes:
        """What is signed: JSON with sorted keys, no spaces, ASCII only, as of an entry's hash."""
        fields = self.model_dump(mode="json")
        return json.dumps(fields, sort_keys=True, separators=(",", ":")).encode("ascii")

    def csv(self, languages: str | None) -> str:
        """The statement for a spreadsheet: the opening balance, each entry, the closing balance."""

        def position(kind: str, at: LedgerPositionResponse) -> tuple[str | int | Decimal, ...]:
            balance = _decimal(at.balance)
            return (at.sequence, "", kind, "", balance, self.currency, *("",) * 6, at.hash)

        entries = (
            (
                *(entry.sequence, format_instant(entry.created_at), entry.kind.value),
                *(_decimal(entry.amount), _decimal(entry.balance_after), entry.currency),
                *(entry.reason, entry.actor, _text(entry.purchase_id), _text(entry.refund_id)),
                *(entry.idempotency_key, entry.previous_hash, entry.hash),
            )
            for entry in self.entries
        )
        rows = (position("OPENING", self.opening), *entries, position("CLOSING", self.closing))
        return to_csv(_COLUMNS, rows, languages=languages)


class SignedStatementResponse(WireResponse):
    """A statement that can be checked without Till: docs/evidence.md."""

    statement: StatementResponse = Field(description="What is signed")
    signature: str = Field(
        description="A compact JWS (ES256) with detached content (RFC 7515, appendix F). The "
        "content is the statement as JSON with sorted keys, no spaces and ASCII only"
    )
    next_cursor: str | None


_COLUMNS: Final = (
    *("sequence", "created_at", "kind", "amount", "balance_after", "currency", "reason", "actor"),
    *("purchase_id", "refund_id", "idempotency_key", "previous_hash", "hash"),
)


def _decimal(amount_minor: int) -> Decimal:
    return Decimal(amount_minor).scaleb(-2)


def _text(reference: UUID | None) -> str:
    return "" if reference is None else str(reference)
