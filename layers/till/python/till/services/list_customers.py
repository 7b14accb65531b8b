"""Find customers among those whom Till knows: who have an account.

The Customer API cannot be searched, and Till keeps no copy of anybody's name. So a search looks
through the accounts, newest first, and asks the Customer API (through the cache for display) who
each of them is.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from till.domain.catalogue import CustomerDetails
    from till.services.ports.accounts import OpenedAccount
    from till.services.ports.store import Store
    from till.services.shared.shown_customers import ShownCustomers

EXAMINED_AT_MOST: Final = 200
"""Accounts that one page of a search looks at: it has to answer in time, found or not."""
_AT_ONCE: Final = 50


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
    """Lists the known customers, all of them or those whose name or e-mail holds a text."""

    def __init__(self, store: Store, look_up: ShownCustomers) -> None:
        self._store = store
        self._look_up = look_up

    def all(self, *, before: str | None, limit: int) -> CustomerPage:
        """A page of all. In an outage of the Customer API they are shown without details."""
        page = self._store.accounts(before=before, limit=limit)
        looked = self._look_up(account.customer_id for account in page.accounts).customers
        return CustomerPage(
            tuple(_known(account, looked.get(account.customer_id)) for account in page.accounts),
            page.before,
        )

    def matching(self, text: str, *, before: str | None, limit: int) -> CustomerPage:
        """A page of those whose name or e-mail holds the text.

        Case, accents and Unicode forms make no difference: "soren" finds "Søren".

        A page looks at ``EXAMINED_AT_MOST`` accounts, so it may hold fewer than ``limit``, even
        none, and yet not be the last.

        Raises:
            UpstreamUnavailableError: the Customer API does not answer, so matches cannot be found.
        """
        wanted = _folded(text)
        found: list[KnownCustomer] = []
        place = before
        for _ in range(EXAMINED_AT_MOST // _AT_ONCE):
            page = self._store.accounts(before=place, limit=_AT_ONCE)
            looked = self._look_up(account.customer_id for account in page.accounts)
            if looked.unavailable is not None:
                raise looked.unavailable
            for account in page.accounts:
                if len(found) == limit:
                    return CustomerPage(tuple(found), place)
                details = looked.customers.get(account.customer_id)
                if _matches(details, wanted):
                    found.append(_known(account, details))
                place = account.cursor
            place = page.before
            if place is None:
                break
        return CustomerPage(tuple(found), place)


def _known(account: OpenedAccount, details: CustomerDetails | None) -> KnownCustomer:
    return KnownCustomer(
        customer_id=account.customer_id, opened_at=account.opened_at, details=details
    )


def _matches(details: CustomerDetails | None, wanted: str) -> bool:
    return details is not None and any(
        wanted in _folded(text) for text in (details.name, details.email)
    )


_STROKES: Final = str.maketrans(
    {
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "þ": "th",
        "æ": "ae",
        "œ": "oe",
        "\u0131": "i",
        "ħ": "h",
    }
)
"""Letters that people type without their stroke, and that Unicode does not decompose."""


def _folded(text: str) -> str:
    """A text as it is compared: in one Unicode form, without case and accents."""
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c)).translate(_STROKES)
