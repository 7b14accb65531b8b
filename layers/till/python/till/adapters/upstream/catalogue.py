"""The Customer API and the Product API."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from till.adapters.upstream.contract import CustomerAnswer, ProductAnswer
from till.adapters.upstream.http import exchange
from till.domain.errors import (
    AmountOutOfBoundsError,
    CustomerNotFoundError,
    NotFoundError,
    ProductNotFoundError,
    UpstreamContractError,
    UpstreamUnavailableError,
)

if TYPE_CHECKING:
    from uuid import UUID

    from till.domain.catalogue import Customer, Product

M = TypeVar("M", bound=BaseModel)


class HttpCustomers:
    """``till.services.ports.Customers`` over HTTP."""

    def __init__(self, client: httpx.Client, *, timeout_seconds: float) -> None:
        self._client = client
        self._timeout_seconds = timeout_seconds

    def get(self, customer_id: UUID) -> Customer:
        """The customer as the API has it at this moment; see the port."""
        api = "the Customer API"
        answer = _read(
            self._client,
            f"customers/{customer_id}",
            api=api,
            model=CustomerAnswer,
            not_found=CustomerNotFoundError,
            timeout_seconds=self._timeout_seconds,
        )
        if answer.id != customer_id:
            raise UpstreamContractError(api, "it answered with another customer")
        return answer.customer()


class HttpProducts:
    """``till.services.ports.Products`` over HTTP."""

    def __init__(self, client: httpx.Client, *, timeout_seconds: float) -> None:
        self._client = client
        self._timeout_seconds = timeout_seconds

    def get(self, product_id: UUID) -> Product:
        """The product as the API has it at this moment; see the port."""
        api = "the Product API"
        answer = _read(
            self._client,
            f"products/{product_id}",
            api=api,
            model=ProductAnswer,
            not_found=ProductNotFoundError,
            timeout_seconds=self._timeout_seconds,
        )
        if answer.id != product_id:
            raise UpstreamContractError(api, "it answered with another product")
        try:
            return answer.product()
        except (ValueError, AmountOutOfBoundsError) as error:
            raise UpstreamContractError(api, "its price is not an amount in cents") from error


def _read(
    client: httpx.Client,
    path: str,
    *,
    api: str,
    model: type[M],
    not_found: type[NotFoundError],
    timeout_seconds: float,
) -> M:
    try:
        answer = exchange(client, "GET", path, timeout_seconds=timeout_seconds)
    except httpx.TransportError as error:
        raise UpstreamUnavailableError(api, type(error).__name__) from error
    except httpx.DecodingError as error:
        raise UpstreamContractError(api, "its answer cannot be decoded") from error
    if answer.status == HTTPStatus.NOT_FOUND:
        raise not_found
    if answer.status != HTTPStatus.OK:
        raise UpstreamUnavailableError(api, f"it answered {answer.status}")
    try:
        return model.model_validate(answer.json())
    except ValidationError as error:
        # The values stay out of the message: they may be somebody's name or address.
        places = sorted({".".join(map(str, e["loc"])) or "body" for e in error.errors()})
        raise UpstreamContractError(api, f"its answer is wrong at {', '.join(places)}") from None
    except (ValueError, RecursionError) as error:
        raise UpstreamContractError(api, "its answer is not JSON") from error
