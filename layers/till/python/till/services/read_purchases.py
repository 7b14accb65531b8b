"""Read purchases, their refunds, and purchase attempts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from till.domain.errors import AttemptNotFoundError, PurchaseNotFoundError
from till.domain.ledger import EntryKind
from till.domain.purchase import OPEN_STATES, AttemptState, PurchaseStatus
from till.services.side_by_side import side_by_side

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from till.domain.purchase import Purchase, PurchaseAttempt, Refund
    from till.services.ports import AttemptPage, Books, Customers

_LONGEST_SEARCH: Final = 1_000
"""How many purchases of a customer one request looks at for those of a status."""


@dataclass(frozen=True, slots=True)
class PurchasePage:
    """Purchases, newest first; ``before`` is where to go on, None at the end."""

    purchases: tuple[Purchase, ...]
    before: int | str | None


@dataclass(frozen=True, slots=True)
class RefundPage:
    """Refunds, newest first; ``before`` is where to go on, None at the end."""

    refunds: tuple[Refund, ...]
    before: int | None


class ReadPurchases:
    """Purchases of one customer or of all, one purchase, and the attempts behind them."""

    def __init__(self, books: Books, customers: Customers) -> None:
        self._books = books
        self._customers = customers

    def of_customer(
        self, customer_id: UUID, *, status: PurchaseStatus | None, before: int | None, limit: int
    ) -> PurchasePage:
        """A customer's purchases, by the customer's ledger: each has its one posted debit there.

        A page may hold fewer than ``limit``, and yet not be the last, when a status is rare.

        Raises:
            CustomerNotFoundError: no such customer.
            UpstreamUnavailableError, UpstreamContractError: nobody could say.
        """
        found: list[Purchase] = []
        looked_at = 0
        position = before
        while True:
            page = self._books.entries(
                customer_id, kind=EntryKind.PURCHASE, before=position, limit=limit - len(found)
            )
            ids = tuple(c.attempt_id for c in page.changes if c.attempt_id is not None)
            purchases = (a.purchase for a in self._books.attempts(ids))
            found += [p for p in purchases if p and (status is None or p.status is status)]
            looked_at += len(page.changes)
            position = page.before
            if position is None or len(found) == limit or looked_at >= _LONGEST_SEARCH:
                break
        if looked_at == 0 and before is None and self._books.account(customer_id).version == 0:
            self._customers.get(customer_id)
        return PurchasePage(tuple(found), position)

    def of_all(
        self,
        *,
        status: PurchaseStatus | None,
        since: datetime | None,
        until: datetime | None,
        before: str | None,
        limit: int,
    ) -> PurchasePage:
        """The purchases of all customers, newest first, made in [since, until)."""
        statuses = (status,) if status else tuple(PurchaseStatus)
        page = self._books.attempts_by_state(
            statuses, since=since, until=until, before=before, limit=limit
        )
        purchases = tuple(a.purchase for a in page.attempts if a.purchase is not None)
        return PurchasePage(purchases, page.before)

    def one(
        self, purchase_id: UUID, *, customer_id: UUID | None = None
    ) -> tuple[Purchase, tuple[Refund, ...]]:
        """A purchase with its refunds, oldest first.

        Raises:
            PurchaseNotFoundError: none of that id, or not this customer's.
        """
        attempt, refunds = side_by_side(
            lambda: self._books.attempt(purchase_id), lambda: self._books.refunds(purchase_id)
        )
        if attempt is None or attempt.purchase is None:
            raise PurchaseNotFoundError
        if customer_id is not None and attempt.customer_id != customer_id:
            raise PurchaseNotFoundError
        return attempt.purchase, refunds

    def refunds(self, purchase_id: UUID, *, before: int | None, limit: int) -> RefundPage:
        """The refunds of a purchase, newest first, from before a refund's number.

        Raises:
            PurchaseNotFoundError: no such purchase.
        """
        _, refunds = self.one(purchase_id)
        newest_first = [r for r in reversed(refunds) if before is None or r.number < before]
        page = tuple(newest_first[:limit])
        return RefundPage(page, page[-1].number if len(newest_first) > limit else None)

    def attempts(
        self, *, state: AttemptState | None, before: str | None, limit: int
    ) -> AttemptPage:
        """Attempts, newest first, in a state; without one, those that are open."""
        states: tuple[AttemptState | PurchaseStatus, ...]
        if state is AttemptState.COMPLETED:
            states = tuple(PurchaseStatus)
        else:
            states = (state,) if state else OPEN_STATES
        return self._books.attempts_by_state(
            states, since=None, until=None, before=before, limit=limit
        )

    def attempt(self, attempt_id: UUID) -> PurchaseAttempt:
        """One attempt.

        Raises:
            AttemptNotFoundError: none of that id.
        """
        attempt = self._books.attempt(attempt_id)
        if attempt is None:
            raise AttemptNotFoundError
        return attempt
