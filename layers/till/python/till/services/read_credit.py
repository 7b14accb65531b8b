"""Read a customer's balance and its history."""

from __future__ import annotations

from typing import TYPE_CHECKING

from till.domain.account import Account
from till.services.errors import TimeInFutureError

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from till.services.ports.accounts import ChangePage
    from till.services.ports.run import Clock
    from till.services.ports.store import Store
    from till.services.ports.upstream import Customers


class ReadCredit:
    """A balance, and the ledger entries that make it. Reading creates nothing."""

    def __init__(self, store: Store, customers: Customers, clock: Clock) -> None:
        self._store = store
        self._customers = customers
        self._clock = clock

    def balance(self, customer_id: UUID) -> Account:
        """The account; an empty one for a customer who exists and never had credit.

        Raises:
            CustomerNotFoundError: no such customer.
            UpstreamUnavailableError, UpstreamContractError: it could not be checked.
        """
        account = self._store.account(customer_id)
        if account.version == 0:
            # Who has an account exists, and keeps it whatever the Customer API says today.
            self._customers.get(customer_id)
        return account

    def balance_at(self, customer_id: UUID, at: datetime) -> Account:
        """The newest version whose time is not after ``at``; an empty account if there is none.

        It is found by a binary search over the version numbers: 21 reads for a million versions.

        Raises:
            TimeInFutureError: ``at`` is after both the present and the newest version.
            CustomerNotFoundError: no such customer.
            UpstreamUnavailableError, UpstreamContractError: it could not be checked.
        """
        newest = self.balance(customer_id)
        # The writer's clock may be ahead of ours: the time of a version that exists is past.
        if at > self._clock.now() and (newest.updated_at is None or at > newest.updated_at):
            raise TimeInFutureError
        if not _is_after(newest, at):
            return newest
        # The times of an account's versions never decrease. ``found`` is not after ``at``, and
        # every version from ``after`` on is.
        found, after = Account.empty(customer_id), newest.version
        while after - found.version > 1:
            middle = self._store.change(customer_id, (found.version + after) // 2).account
            if _is_after(middle, at):
                after = middle.version
            else:
                found = middle
        return found

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


def _is_after(account: Account, at: datetime) -> bool:
    return account.updated_at is not None and account.updated_at > at
