"""Find anything by what a person types: an id, its beginning, a promo code, a name, an e-mail."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final
from uuid import UUID

from till.domain.promo import PromoCode, canonical_code
from till.domain.purchase import is_shipment_id
from till.domain.words import CustomerWords, TypedWords, folded
from till.services.shared.in_parallel import in_parallel

if TYPE_CHECKING:
    from collections.abc import Iterable

    from till.domain.catalogue import CustomerDetails
    from till.domain.purchase import PurchaseAttempt
    from till.services.ports.customer_index import CustomerIndex
    from till.services.ports.store import Store
    from till.services.ports.upstream import UpstreamUnavailableError
    from till.services.shared.shown_customers import ShownCustomers

CUSTOMERS_AT_MOST: Final = 20

_SHORT_ID: Final = 8
_BEGINNING_OF_AN_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f-]{0,27})?")
_WHOLE_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class MatchKind(StrEnum):
    """What was found."""

    PURCHASE = "purchase"
    ATTEMPT = "attempt"
    SHIPMENT = "shipment"
    CUSTOMER = "customer"
    PROMO_CODE = "promo_code"


@dataclass(frozen=True, slots=True)
class FoundAttempt:
    """A purchase attempt; ``kind`` says by what: as a purchase, an attempt, or by its shipment."""

    kind: MatchKind
    attempt: PurchaseAttempt


@dataclass(frozen=True, slots=True)
class FoundCustomer:
    """A customer; ``details`` are None for one who has an account and is no longer known."""

    customer_id: UUID
    details: CustomerDetails | None


Match = FoundAttempt | FoundCustomer | PromoCode


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResult:
    """What matches, the best first."""

    matches: tuple[Match, ...]
    more_customers: bool
    """Whether more customers may match than are shown."""
    customers_unavailable: bool
    """Whether the Customer API could not be asked: matching customers may be missing."""


@dataclass(frozen=True, slots=True)
class _Customers:
    exact: tuple[Match, ...] = ()
    others: tuple[Match, ...] = ()
    more: bool = False
    unavailable: UpstreamUnavailableError | None = None


class SearchEverything:
    """Reads what a text may stand for, all at the same time. Each read is by a key or an index."""

    def __init__(self, store: Store, index: CustomerIndex, look_up: ShownCustomers) -> None:
        self._store = store
        self._index = index
        self._look_up = look_up

    def __call__(self, text: str) -> SearchResult:
        """What a text finds: what it names in full first, then what it is the beginning of.

        Raises:
            UpstreamUnavailableError: nothing else matches, and customers could not be asked for.
        """
        by_id, of_shipment, promo, customers = in_parallel(
            lambda: self._attempts(text.lower()),
            lambda: self._of_shipment(text),
            lambda: self._promo_code(text),
            lambda: self._customers(text),
        )
        matches = (*of_shipment, *promo, *by_id, *customers.exact, *customers.others)
        if not matches and customers.unavailable is not None:
            raise customers.unavailable
        return SearchResult(
            matches=matches,
            more_customers=customers.more,
            customers_unavailable=customers.unavailable is not None,
        )

    def _attempts(self, text: str) -> tuple[Match, ...]:
        if not _BEGINNING_OF_AN_ID.fullmatch(text):
            return ()
        ids: tuple[UUID, ...]
        if _WHOLE_ID.fullmatch(text):
            ids = (UUID(text),)
        else:
            found = self._store.attempt_ids(text[:_SHORT_ID])
            ids = tuple(each for each in found if str(each).startswith(text))
        return tuple(
            FoundAttempt(
                MatchKind.ATTEMPT if attempt.purchase is None else MatchKind.PURCHASE, attempt
            )
            for attempt in (self._store.attempts(ids) if ids else ())
        )

    def _of_shipment(self, text: str) -> tuple[Match, ...]:
        purchase_id = self._store.purchase_of_shipment(text) if is_shipment_id(text) else None
        if purchase_id is None:
            return ()
        return tuple(
            FoundAttempt(MatchKind.SHIPMENT, attempt)
            for attempt in self._store.attempts((purchase_id,))
        )

    def _promo_code(self, text: str) -> tuple[Match, ...]:
        try:
            promo = self._store.promo(canonical_code(text))
        except ValueError:
            return ()
        return (promo,) if promo is not None else ()

    def _customers(self, text: str) -> _Customers:
        lowered = text.lower()
        if _WHOLE_ID.fullmatch(lowered):
            return self._customer(UUID(lowered))
        if _BEGINNING_OF_AN_ID.fullmatch(lowered):
            proposed = self._index.with_id_prefix(lowered, limit=CUSTOMERS_AT_MOST + 1)
            return self._shown(proposed, None)
        typed = TypedWords.in_text(text)
        if typed is None:
            return _Customers()
        return self._shown(self._index.propose(typed, limit=CUSTOMERS_AT_MOST + 1), typed)

    def _customer(self, customer_id: UUID) -> _Customers:
        looked, account = in_parallel(
            lambda: self._look_up((customer_id,)), lambda: self._store.account(customer_id)
        )
        details = looked.customers.get(customer_id)
        # Who has an account exists, whatever the Customer API says.
        known = details is not None or account.version > 0
        return _Customers(
            exact=(FoundCustomer(customer_id, details),) if known else (),
            unavailable=looked.unavailable,
        )

    def _shown(self, proposed: tuple[UUID, ...], typed: TypedWords | None) -> _Customers:
        looked = self._look_up(proposed[:CUSTOMERS_AT_MOST])
        found = [
            customer
            for customer in looked.customers.values()
            if typed is None or typed.match(CustomerWords.of(customer))
        ]
        exact = [c for c in found if typed is None or typed.name_all_of(CustomerWords.of(c))]
        others = [c for c in found if c not in exact]
        return _Customers(
            exact=_by_name(exact),
            others=_by_name(others),
            more=len(proposed) > CUSTOMERS_AT_MOST,
            unavailable=looked.unavailable,
        )


def _by_name(customers: Iterable[CustomerDetails]) -> tuple[FoundCustomer, ...]:
    ordered = sorted(customers, key=lambda customer: (folded(customer.name), customer.id))
    return tuple(FoundCustomer(customer.id, customer) for customer in ordered)
