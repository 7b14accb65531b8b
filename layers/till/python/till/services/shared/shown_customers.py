"""The customers on a list, as people want to see them."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from till.services.ports.upstream import (
    CustomerNotFoundError,
    UpstreamContractError,
    UpstreamUnavailableError,
)
from till.services.shared.in_parallel import all_in_parallel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from uuid import UUID

    from till.domain.catalogue import CustomerDetails
    from till.services.ports.customer_index import CustomerIndex
    from till.services.ports.upstream import CatalogueView

_AT_ONCE: Final = 8
_ALL_SECONDS: Final = 5.0
"""How long a list waits for its customers; those that are being asked for then may come later."""


@dataclass(frozen=True, slots=True)
class Looked:
    """The customers that were found; ``unavailable`` is why, if some could not be asked for."""

    customers: Mapping[UUID, CustomerDetails]
    unavailable: UpstreamUnavailableError | None

    @property
    def names(self) -> dict[UUID, str]:
        """Their names."""
        return {customer_id: found.name for customer_id, found in self.customers.items()}


class ShownCustomers:
    """Looks customers up for display. Who cannot be had is left out: the list matters more.

    What the Customer API says of them corrects the customer index.
    """

    def __init__(
        self,
        catalogue_view: CatalogueView,
        index: CustomerIndex,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._catalogue_view = catalogue_view
        self._index = index
        self._monotonic = monotonic

    def __call__(self, customer_ids: Iterable[UUID]) -> Looked:
        """Those that are known, each asked for once.

        Once the Customer API does not answer, or has taken its time for all of them, it is not
        asked for the others either: the list then waits for one time-out, not for a hundred.
        """
        ends_at = self._monotonic() + _ALL_SECONDS
        distinct = list(dict.fromkeys(customer_ids))
        silent = threading.Event()
        unavailable: list[UpstreamUnavailableError] = []
        current: list[CustomerDetails] = []
        gone: list[UUID] = []

        def look(customer_id: UUID) -> CustomerDetails | None:
            if silent.is_set():
                return None
            if self._monotonic() > ends_at:
                unavailable.append(UpstreamUnavailableError("the Customer API", "it is too slow"))
                silent.set()
                return None
            try:
                shown = self._catalogue_view.customer(customer_id)
                if not shown.stale:
                    current.append(shown.value)
                return shown.value
            except UpstreamUnavailableError as error:
                unavailable.append(error)
                silent.set()
                return None
            except CustomerNotFoundError:
                gone.append(customer_id)
                return None
            except UpstreamContractError:
                return None

        found = all_in_parallel([partial(look, each) for each in distinct], at_once=_AT_ONCE)
        customers = {
            customer_id: details
            for customer_id, details in zip(distinct, found, strict=True)
            if details is not None
        }
        self._index.saw(current, gone=gone)
        return Looked(customers, unavailable[0] if unavailable else None)
