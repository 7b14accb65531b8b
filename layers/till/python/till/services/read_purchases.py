"""Read purchases, their refunds, and purchase attempts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from till.domain.ledger import EntryKind
from till.domain.purchase import OPEN_STATES, AttemptState, OrphanStatus, PurchaseStatus
from till.services.errors import PurchaseNotFoundError
from till.services.shared.attempts import existing_attempt
from till.services.shared.in_parallel import in_parallel

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from till.domain.purchase import Purchase, PurchaseAttempt, Refund
    from till.services.ports.attempts import AttemptPage
    from till.services.ports.refunds import RefundPage
    from till.services.ports.store import Store
    from till.services.ports.upstream import Customers

LOOKED_AT_MOST: Final = 500
"""How many purchases of a customer one request looks at for those of a status."""

_AT_ONCE: Final = 100
"""Of them at once: what one call to DynamoDB can get."""

REFUNDS_SHOWN: Final = 100
"""How many refunds, the newest ones, are shown with their purchase."""


@dataclass(frozen=True, slots=True)
class PurchasePage:
    """Purchases, newest first; ``before`` is where to go on, None at the end."""

    purchases: tuple[Purchase, ...]
    before: int | str | None


class ReadPurchases:
    """Purchases of one customer or of all, one purchase, and the attempts behind them."""

    def __init__(self, store: Store, customers: Customers) -> None:
        self._store = store
        self._customers = customers

    def of_customer(
        self, customer_id: UUID, *, status: PurchaseStatus | None, before: int | None, limit: int
    ) -> PurchasePage:
        """A customer's purchases, by the customer's ledger: each has its one posted debit there.

        A page may hold fewer than ``limit``, and yet not be the last, when a status is rare.

        Raises:
            CustomerNotFoundError: no such customer.
            UpstreamUnavailableError, UpstreamContractError: it could not be checked.
        """
        at_once = limit if status is None else _AT_ONCE
        found: list[tuple[int, Purchase]] = []
        looked_at = 0
        position = before
        while True:
            page = self._store.entries(
                customer_id, kind=EntryKind.PURCHASE, before=position, limit=at_once
            )
            versions = {c.attempt_id: c.account.version for c in page.changes if c.attempt_id}
            found += [
                (versions[attempt.id], attempt.purchase)
                for attempt in self._store.attempts(tuple(versions))
                if attempt.purchase and (status is None or attempt.purchase.status is status)
            ]
            looked_at += len(page.changes)
            position = page.before
            # A page that is not full looked at all the versions that one may.
            is_short = len(page.changes) < at_once
            if position is None or len(found) >= limit or looked_at >= LOOKED_AT_MOST or is_short:
                break
        if looked_at == 0 and before is None and self._store.account(customer_id).version == 0:
            self._customers.get(customer_id)
        if len(found) > limit:
            position = found[limit - 1][0]
        return PurchasePage(tuple(purchase for _, purchase in found[:limit]), position)

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
        page = self._store.list_attempts(
            statuses, since=since, until=until, before=before, limit=limit
        )
        purchases = tuple(a.purchase for a in page.attempts if a.purchase is not None)
        return PurchasePage(purchases, page.before)

    def of_shipment(self, shipment_id: str) -> PurchasePage:
        """The purchase that a shipment id belongs to, or an empty page."""
        purchase_id = self._store.purchase_of_shipment(shipment_id)
        attempts = self._store.attempts((purchase_id,)) if purchase_id is not None else ()
        return PurchasePage(tuple(a.purchase for a in attempts if a.purchase is not None), None)

    def one(
        self, purchase_id: UUID, *, customer_id: UUID | None = None
    ) -> tuple[Purchase, tuple[Refund, ...]]:
        """A purchase with its newest refunds, oldest of them first.

        Raises:
            PurchaseNotFoundError: none of that id, or not this customer's.
        """
        attempt, page = in_parallel(
            lambda: self._store.attempt(purchase_id),
            lambda: self._store.refunds(purchase_id, before=None, limit=REFUNDS_SHOWN),
        )
        if attempt is None or attempt.purchase is None:
            raise PurchaseNotFoundError
        if customer_id is not None and attempt.customer_id != customer_id:
            raise PurchaseNotFoundError
        return attempt.purchase, page.refunds[::-1]

    def refunds(self, purchase_id: UUID, *, before: int | None, limit: int) -> RefundPage:
        """The refunds of a purchase, newest first, from before a refund's number.

        Raises:
            PurchaseNotFoundError: no such purchase.
        """
        attempt, page = in_parallel(
            lambda: self._store.attempt(purchase_id),
            lambda: self._store.refunds(purchase_id, before=before, limit=limit),
        )
        if attempt is None or attempt.purchase is None:
            raise PurchaseNotFoundError
        return page

    def attempts(
        self,
        *,
        state: AttemptState | None,
        orphan: OrphanStatus | None,
        before: str | None,
        limit: int,
    ) -> AttemptPage:
        """Attempts, newest first, in a state; without one, those that are open.

        With ``orphan`` OPEN only those with an open orphan shipment, which are all VOIDED.
        """
        listed_as: tuple[AttemptState | PurchaseStatus | OrphanStatus, ...]
        if orphan is not None:
            listed_as = (OrphanStatus.OPEN,) if state in {None, AttemptState.VOIDED} else ()
        elif state is AttemptState.COMPLETED:
            listed_as = tuple(PurchaseStatus)
        elif state is AttemptState.VOIDED:
            listed_as = (AttemptState.VOIDED, OrphanStatus.OPEN)
        else:
            listed_as = (state,) if state else OPEN_STATES
        return self._store.list_attempts(
            listed_as, since=None, until=None, before=before, limit=limit
        )

    def attempt(self, attempt_id: UUID) -> PurchaseAttempt:
        """One attempt.

        Raises:
            AttemptNotFoundError: none of that id.
        """
        return existing_attempt(self._store, attempt_id)
