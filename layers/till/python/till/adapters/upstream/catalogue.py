"""The Customer API and the Product API."""

from __future__ import annotations

from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from till.adapters.upstream.contract import CustomerAnswer, ProductAnswer
from till.domain.catalogue import Shown
from till.domain.errors import NotFoundError
from till.domain.money import ZERO, AmountOutOfBoundsError
from till.services.ports.upstream import (
    CustomerNotFoundError,
    ProductNotFoundError,
    UpstreamContractError,
    UpstreamUnavailableError,
)
from till.strict_json import JsonError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from uuid import UUID

    from till.adapters.upstream.http import Answer
    from till.adapters.upstream.reader import UpstreamReader
    from till.domain.catalogue import Customer, CustomerDetails, Product, ProductDetails

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")

_CUSTOMER_API: Final = "the Customer API"
_PRODUCT_API: Final = "the Product API"


class HttpCustomers:
    """``till.services.ports.upstream.Customers`` over HTTP."""

    def __init__(self, reader: UpstreamReader) -> None:
        self._reader = reader

    def get(self, customer_id: UUID) -> Customer:
        """The customer as the API has it at this moment; see the port."""
        return self._now(customer_id).customer()

    def details(self, customer_id: UUID) -> CustomerDetails:
        """The same, with name and e-mail address; see the port."""
        return self._now(customer_id).details()

    def _now(self, customer_id: UUID) -> CustomerAnswer:
        path = _customer_path(customer_id)
        with _asking(self._reader, path, _CUSTOMER_API):
            return _customer(self._reader.revalidated(path), customer_id)


class HttpProducts:
    """``till.services.ports.upstream.Products`` over HTTP."""

    def __init__(self, reader: UpstreamReader, *, free_products: bool) -> None:
        self._reader = reader
        self._free_products = free_products

    def get(self, product_id: UUID) -> Product:
        """The product as the API has it at this moment; see the port.

        Unless ``free_products`` are sold, a price of 0 breaks the contract.
        """
        path = _product_path(product_id)
        with _asking(self._reader, path, _PRODUCT_API):
            answer = _product(self._reader.revalidated(path), product_id)
            product = _made(answer.product, _PRODUCT_API)
            if product.unit_price == ZERO and not self._free_products:
                raise UpstreamContractError(_PRODUCT_API, "its price is 0")
            return product


class HttpCatalogueView:
    """Customers and products to be shown to people. No money or parcel rests on what it says."""

    def __init__(self, reader: UpstreamReader) -> None:
        self._reader = reader

    def customer(self, customer_id: UUID) -> Shown[CustomerDetails]:
        """A customer, seconds old at most, or in an outage the copy that is left.

        Raises:
            CustomerNotFoundError: there is none.
            UpstreamUnavailableError: no answer, or a failure, and no copy.
            UpstreamContractError: an answer that breaks the contract.
        """
        path = _customer_path(customer_id)
        with _asking(self._reader, path, _CUSTOMER_API):
            read = self._reader.displayable(path)
            details = _customer(read.answer, customer_id).details()
            return Shown(details, age_seconds=read.age_seconds, stale=read.stale)

    def product(self, product_id: UUID) -> Shown[ProductDetails]:
        """A product, seconds old at most, or in an outage the copy that is left.

        Raises:
            ProductNotFoundError: there is none.
            UpstreamUnavailableError: no answer, or a failure, and no copy.
            UpstreamContractError: an answer that breaks the contract.
        """
        path = _product_path(product_id)
        with _asking(self._reader, path, _PRODUCT_API):
            read = self._reader.displayable(path)
            details = _made(_product(read.answer, product_id).details, _PRODUCT_API)
            return Shown(details, age_seconds=read.age_seconds, stale=read.stale)


def _customer_path(customer_id: UUID) -> str:
    return f"customers/{customer_id}"


def _product_path(product_id: UUID) -> str:
    return f"products/{product_id}"


def _customer(answer: Answer, customer_id: UUID) -> CustomerAnswer:
    customer = _parse(answer, CustomerAnswer, _CUSTOMER_API, not_found=CustomerNotFoundError)
    if customer.id != customer_id:
        raise UpstreamContractError(_CUSTOMER_API, "it answered with another customer")
    return customer


def _product(answer: Answer, product_id: UUID) -> ProductAnswer:
    product = _parse(answer, ProductAnswer, _PRODUCT_API, not_found=ProductNotFoundError)
    if product.id != product_id:
        raise UpstreamContractError(_PRODUCT_API, "it answered with another product")
    return product


@contextmanager
def _asking(reader: UpstreamReader, path: str, api: str) -> Iterator[None]:
    """Tell of what goes wrong in the words of the port, and keep no answer that is wrong."""
    try:
        yield
    except httpx.TransportError as error:
        raise UpstreamUnavailableError(api, type(error).__name__) from error
    except UpstreamContractError:
        reader.forget(path)
        raise
    except httpx.DecodingError as error:
        reader.forget(path)
        raise UpstreamContractError(api, str(error)) from error


def _made(make: Callable[[], T], api: str) -> T:
    try:
        return make()
    except (ValueError, AmountOutOfBoundsError) as error:
        raise UpstreamContractError(api, "its price is out of bounds") from error


def _parse(answer: Answer, model: type[M], api: str, *, not_found: type[NotFoundError]) -> M:
    if answer.status == HTTPStatus.NOT_FOUND:
        raise not_found
    if answer.status != HTTPStatus.OK:
        raise UpstreamUnavailableError(api, f"it answered {answer.status}")
    try:
        return model.model_validate(answer.json())
    except ValidationError as error:
        # The values stay out of the message: they may be a name or an address.
        places = sorted({".".join(map(str, e["loc"])) or "body" for e in error.errors()})
        raise UpstreamContractError(api, f"its answer is wrong at {', '.join(places)}") from None
    except JsonError as error:
        raise UpstreamContractError(api, f"its answer {error}") from error
