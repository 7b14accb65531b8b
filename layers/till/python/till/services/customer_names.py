"""The names of the customers on a list, for people to read."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from till.domain.errors import (
    CustomerNotFoundError,
    UpstreamContractError,
    UpstreamUnavailableError,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from till.services.ports import Showcase

_AT_ONCE: Final = 8


class CustomerNames:
    """Looks names up for display. A name that cannot be had is left out: the list matters more."""

    def __init__(self, showcase: Showcase) -> None:
        self._showcase = showcase

    def __call__(self, customer_ids: Iterable[UUID]) -> dict[UUID, str]:
        """The names that are known, each customer asked for once.

        Once the Customer API does not answer, it is not asked for the others either: the list
        then waits for one time-out, not for a hundred.
        """
        distinct = list(dict.fromkeys(customer_ids))
        silent = threading.Event()

        def name_of(customer_id: UUID) -> str | None:
            if silent.is_set():
                return None
            try:
                return self._showcase.customer(customer_id).value.name
            except UpstreamUnavailableError:
                silent.set()
                return None
            except (CustomerNotFoundError, UpstreamContractError):
                return None

        with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
            names = pool.map(name_of, distinct)
            return {
                customer_id: name
                for customer_id, name in zip(distinct, names, strict=True)
                if name is not None
            }
