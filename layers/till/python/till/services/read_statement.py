"""Read a customer's statement, page by page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from till.domain.account import Account
from till.domain.ledger import LedgerCorruptError, verify_chain
from till.domain.statement import OutsidePeriodError, Period, Statement
from till.services.shared.history import existing_account, newest_version

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from till.services.ports.accounts import AccountReads
    from till.services.ports.run import Clock
    from till.services.ports.upstream import Customers

MOST_ENTRIES: Final = 500
"""On a page: below Lambda's 6 MB even with the longest reasons that there may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementPage:
    """A page of a statement, and the version after which the next page goes on, if there is one."""

    statement: Statement
    after: int | None


class ReadStatement:
    """The entries of a period between two positions of the ledger, each page checked as it is read.

    Each page finds the end of its period again. A caller can make up where a page begins, so a page
    says whether it is the first and the last of its period, and is refused outside of it.
    """

    def __init__(self, store: AccountReads, customers: Customers, clock: Clock) -> None:
        self._store = store
        self._customers = customers
        self._clock = clock

    def page(
        self,
        customer_id: UUID,
        *,
        starts_at: datetime | None,
        ends_at: datetime | None,
        after: int | None,
    ) -> StatementPage:
        """The first page, or the one whose entries follow a version of the account.

        Raises:
            PeriodReversedError, TimeInFutureError: there is no such period.
            OutsidePeriodError: the version is not one of the period.
            CustomerNotFoundError: no such customer.
            UpstreamUnavailableError, UpstreamContractError: it could not be checked.
            LedgerCorruptError: the entries contradict each other.
        """
        now = self._clock.now()
        period = Period(starts_at, ends_at)
        period.require_past(now)
        last = existing_account(self._store, self._customers, customer_id)
        if ends_at is not None:
            last = newest_version(self._store, last, is_late=period.is_over)
        first = self._opening(period, last) if after is None else self._at(period, last, after)
        page = self._store.entries_between(
            customer_id, after=first.version, last=last.version, limit=MOST_ENTRIES
        )
        entries = tuple(change.entry for change in page.changes if change.entry is not None)
        opening = first.ledger_position
        # Versions without an entry leave the position as it is.
        closing = verify_chain(entries, after=opening)
        if page.after is None and closing != last.ledger_position:
            raise LedgerCorruptError(
                sequence=closing.sequence, detail="the entries do not lead to the balance"
            )
        statement = Statement(
            customer_id=customer_id,
            starts_at=starts_at,
            ends_at=ends_at,
            issued_at=now,
            is_first_page=after is None,
            is_last_page=page.after is None,
            opening=opening,
            entries=entries,
            closing=closing,
        )
        return StatementPage(statement=statement, after=page.after)

    def _opening(self, period: Period, last: Account) -> Account:
        if period.starts_at is None:
            return Account.empty(last.customer_id)
        return newest_version(self._store, last, is_late=period.has_begun)

    def _at(self, period: Period, last: Account, version: int) -> Account:
        if not 0 < version < last.version:
            raise OutsidePeriodError
        account = self._store.change(last.customer_id, version).account
        if account.updated_at is None or not period.has_begun(account.updated_at):
            raise OutsidePeriodError
        return account
