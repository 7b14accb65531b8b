"""The external APIs, and how they fail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from till.domain.errors import NotFoundError, TillError

if TYPE_CHECKING:
    from uuid import UUID

    from till.domain.catalogue import Customer, CustomerDetails, Product, Shown
    from till.domain.purchase import Order, ShipmentOutcome


class CustomerNotFoundError(NotFoundError):
    """The Customer API does not know this customer."""


class ProductNotFoundError(NotFoundError):
    """The Product API does not know this product."""


class UpstreamUnavailableError(TillError):
    """An external API could not be reached, or answered with a failure."""

    def __init__(self, api: str, detail: str) -> None:
        super().__init__(f"{api}: {detail}")
        self.api = api


class UpstreamContractError(TillError):
    """An external API answered with something that breaks its contract."""

    def __init__(self, api: str, detail: str) -> None:
        super().__init__(f"{api}: {detail}")
        self.api = api


class Customers(Protocol):
    """The Customer API."""

    def get(self, customer_id: UUID) -> Customer:
        """The customer as the API has it at this moment.

        Raises:
            CustomerNotFoundError: there is none.
            UpstreamUnavailableError: no answer, or a failure.
            UpstreamContractError: an answer that breaks the contract.
        """
        ...

    def details(self, customer_id: UUID) -> CustomerDetails:
        """The same, with name and e-mail address.

        Raises:
            CustomerNotFoundError, UpstreamUnavailableError, UpstreamContractError: as for ``get``.
        """
        ...


class Products(Protocol):
    """The Product API."""

    def get(self, product_id: UUID) -> Product:
        """The product as the API has it at this moment.

        Raises:
            ProductNotFoundError: there is none.
            UpstreamUnavailableError: no answer, or a failure.
            UpstreamContractError: an answer that breaks the contract.
        """
        ...


class CatalogueView(Protocol):
    """Customers as they are shown to people: seconds old, or minutes in an outage."""

    def customer(self, customer_id: UUID) -> Shown[CustomerDetails]:
        """A customer.

        Raises:
            CustomerNotFoundError: there is none.
            UpstreamUnavailableError: no answer, or a failure, and no copy.
            UpstreamContractError: an answer that breaks the contract.
        """
        ...


class Carrier(Protocol):
    """The Shipment API: no idempotency, no look-up, no cancellation."""

    def create_shipment(
        self, order: Order, *, attempt_id: UUID, timeout_seconds: float
    ) -> ShipmentOutcome:
        """Call CreateShipment once, with no retry of any kind.

        The outcome says what the answer, or the lack of one, means. It raises no exception.
        """
        ...
