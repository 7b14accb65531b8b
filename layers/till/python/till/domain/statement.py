"""Statements: what moved a customer's posted credit in a period."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from till.domain.errors import TillError
from till.domain.instant import TimeInFutureError

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from till.domain.ledger import LedgerEntry, LedgerPosition


class PeriodReversedError(TillError):
    """A period that ends before it begins."""


class OutsidePeriodError(TillError):
    """A page would begin where its period does not reach."""


@dataclass(frozen=True, slots=True)
class Period:
    """From a time on (None: the first entry), until before a time (None: the newest entry)."""

    starts_at: datetime | None
    ends_at: datetime | None

    def has_begun(self, time: datetime) -> bool:
        """Whether a time is not before the period."""
        return self.starts_at is None or time >= self.starts_at

    def is_over(self, time: datetime) -> bool:
        """Whether a time is after the period."""
        return self.ends_at is not None and time >= self.ends_at

    def require_past(self, now: datetime) -> None:
        """Refuse a period that there is not yet.

        Raises:
            PeriodReversedError: it ends before it begins.
            TimeInFutureError: it begins or ends in the future.
        """
        if self.starts_at is not None and self.is_over(self.starts_at):
            raise PeriodReversedError
        for field, time in (("from", self.starts_at), ("to", self.ends_at)):
            if time is not None and time > now:
                raise TimeInFutureError(field)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """The entries of a period, or a page of them, between two positions of the ledger.

    The period is from ``starts_at`` (None: the first entry) until before ``ends_at`` (None: the
    newest entry at ``issued_at``). A page continues where the page before it closed.
    """

    customer_id: UUID
    starts_at: datetime | None
    ends_at: datetime | None
    issued_at: datetime
    is_first_page: bool
    is_last_page: bool
    opening: LedgerPosition
    entries: tuple[LedgerEntry, ...]
    closing: LedgerPosition
