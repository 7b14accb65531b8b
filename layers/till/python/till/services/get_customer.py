"""Show one customer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from till.services.ports.upstream import CustomerNotFoundError

if TYPE_CHECKING:
    from uuid import UUID

    from till.domain.catalogue import CustomerDetails, Shown
    from till.services.ports.customer_index import CustomerIndex
    from till.services.ports.upstream import CatalogueView


class GetCustomer:
    """A customer as the Customer API has them; what it says corrects the customer index."""

    def __init__(self, catalogue_view: CatalogueView, index: CustomerIndex) -> None:
        self._catalogue_view = catalogue_view
        self._index = index

    def __call__(self, customer_id: UUID) -> Shown[CustomerDetails]:
        """The customer, seconds old at most, or in an outage the copy that is left.

        Raises:
            CustomerNotFoundError: there is none.
            UpstreamUnavailableError, UpstreamContractError: no answer that can be shown.
        """
        try:
            shown = self._catalogue_view.customer(customer_id)
        except CustomerNotFoundError:
            self._index.saw((), gone=(customer_id,))
            raise
        if not shown.stale:
            self._index.saw((shown.value,))
        return shown
