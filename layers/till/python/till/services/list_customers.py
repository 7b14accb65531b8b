"""List the customers whom Till knows: who have an account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from till.domain.catalogue import CustomerDetails
    from till.services.ports.store import Store
    from till.services.shared.shown_customers import ShownCustomers


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownCustomer:
    """A customer who has an account; ``details`` are None if they could not be read."""

    customer_id: UUID
    opened_at: datetime
    details: CustomerDetails | None


@dataclass(frozen=True, slots=True)
class CustomerPage:
    """Customers, newest account first; ``before`` is where to go on, None at the end."""

    customers: tuple[KnownCustomer, ...]
    before: str | None


class ListCustomers:
    """Lists the known customers."""

    def __init__(self, store: Store, look_up: ShownCustomers) -> None:
        self._store = store
        self._look_up = look_up

    def __call__(self, *, before: str | None, limit: int) -> CustomerPage:
        """A page of them. In an outage of the Customer API they are shown without details."""
        page = self._store.accounts(before=before, limit=limit)
        looked = self._look_up(account.customer_id for account in page.accounts).customers
        return CustomerPage(
            tuple(
                KnownCustomer(
                    customer_id=account.customer_id,
                    opened_at=account.opened_at,
                    details=looked.get(account.customer_id),
                )
                for account in page.accounts
            ),
            page.before,
        )
