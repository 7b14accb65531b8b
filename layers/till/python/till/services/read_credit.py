"""Read a customer's balance and its history."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uuid import UUID

    from till.domain.account import Account
    from till.services.ports.accounts import ChangePage
    from till.services.ports.store import Store
    from till.services.ports.upstream import Customers


class ReadCredit:
    """A balance, and the ledger entries that make it. Reading creates nothing."""

    def __init__(self, store: Store, customers: Customers) -> None:
        self._store = store
        self._customers = customers

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
