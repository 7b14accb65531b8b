"""Read a customer's balance and its history."""

from __future__ import annotations

from typing import TYPE_CHECKING

from till.domain.instant import TimeInFutureError
from till.services.shared.history import existing_account, newest_version

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from till.domain.account import Account
    from till.services.ports.accounts import AccountReads, ChangePage
    from till.services.ports.run import Clock
    from till.services.ports.upstream import Customers


class ReadCredit:
    """A balance, and the ledger entries that make it. Reading creates nothing."""

    def __init__(self, store: AccountReads, customers: Customers, clock: Clock) -> None:
        self._store = store
        self._customers = customers
        self._clock = clock

    def balance(self, customer_id: UUID) -> Account:
        """The account; an empty one for a customer who exists and never had credit.

        Raises:
            CustomerNotFoundError: no such customer.
            UpstreamUnavailableError, UpstreamContractError: it could not be checked.
        """
        return existing_account(self._store, self._customers, customer_id)

    def balance_at(self, customer_id: UUID, at: datetime) -> Account:
        """The newest version whose time is not after ``at``; an empty account if there is none.

        Raises:
            TimeInFutureError: ``at`` is after both the present and the newest version.
            CustomerNotFoundError: no such customer.
            UpstreamUnavailableError, UpstreamContractError: it could not be checked.
        """
        newest = self.balance(customer_id)
        # The writer's clock may be ahead of ours: the time of a version that exists is past.
        if at > self._clock.now() and (newest.updated_at is None or at > newest.updated_at):
            raise TimeInFutureError("at")
        return newest_version(self._store, newest, is_late=lambda time: time > at)

    def entries(self, customer_id: UUID, *, before: int | None, limit: int) -> ChangePage:
        """The ledger entries, newest first, from before a version of the account.

        Raises:
            CustomerNotFoundError: no such customer.
            UpstreamUnavailableError, UpstreamContractError: it could not be checked.
        """
        page = self._store.entries(customer_id, kind=None, before=before, limit=limit)
        if not page.changes and before is None:
            self.balance(customer_id)
        return page
