"""Calls the deployed API from outside, as a shop does, to notice a fault before a customer does."""

from __future__ import annotations

import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Final, TypeVar

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from till.adapters.upstream.deadline import Deadline
from till.adapters.upstream.http import Answer, exchange
from till.strict_json import JsonError

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

ROUNDS: Final = 5
"""A release sends one call in ten to the new version for five minutes. With five calls of each kind
a minute, 93 of 100 such releases get at least one call of each kind."""
_TOKEN_RESERVE_SECONDS: Final = 60
"""A token is not used in the last seconds before it expires."""

M = TypeVar("M", bound=BaseModel)
Amount = Annotated[int, Field(ge=0)]


class _ProbeFailedError(Exception):
    """Which call failed, and how."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeTarget:
    """What the probe reads: a customer's balance, and the price of one unit of a product."""

    customer_id: UUID
    product_id: UUID
    token_url: str
    audience: str
    """What the token is for."""


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True, hide_input_in_errors=True)


class _Token(_Answer):
    access_token: Annotated[str, Field(min_length=1)]
    expires_in: Annotated[int, Field(gt=0)]


class _Credit(_Answer):
    customer_id: str
    posted: Amount
    held: Amount
    available: Amount


class _Product(_Answer):
    id: str


class _Quote(_Answer):
    customer_id: str
    product: _Product
    total: Amount
    would_succeed: bool


class ApiProbe:
    """Gets a token by client credentials, then reads a balance and asks for a quote, a few times.

    ``issuer`` is a client of the token's address, which puts the credential on each request, and
    ``api`` one of the API's. A token is kept until shortly before it expires: some issuers charge
    for each.
    """

    def __init__(self, target: ProbeTarget, *, issuer: httpx.Client, api: httpx.Client) -> None:
        self._target = target
        self._issuer = issuer
        self._api = api
        self._token: str | None = None
        self._token_ends_at = 0.0

    def __call__(self, seconds: float) -> str | None:
        """Make the calls, all of them within so many seconds.

        Returns what was wrong: which call, and how. None: every answer was as it has to be. It
        holds no token and nothing of an answer's content.
        """
        try:
            self._probe(Deadline(max(0.0, seconds)))
        except _ProbeFailedError as error:
            self._token = None
            return str(error)
        return None

    def _probe(self, deadline: Deadline) -> None:
        headers = {"Authorization": f"Bearer {self._current_token(deadline)}"}
        customer, product = str(self._target.customer_id), str(self._target.product_id)
        one = {"product_id": product, "quantity": 1}
        for _ in range(ROUNDS):
            credit = _answered(
                _Credit,
                "get_credit",
                lambda: exchange(
                    self._api,
                    "GET",
                    f"customers/{customer}/credit",
                    deadline=deadline,
                    headers=headers,
                ),
            )
            if credit.customer_id != customer or credit.available != credit.posted - credit.held:
                raise _ProbeFailedError("get_credit answers with a balance that is not right")
            quote = _answered(
                _Quote,
                "create_quote",
                lambda: exchange(
                    self._api,
                    "POST",
                    f"customers/{customer}/quotes",
                    deadline=deadline,
                    headers=headers,
                    body=one,
                ),
            )
            if (quote.customer_id, quote.product.id) != (customer, product):
                raise _ProbeFailedError("create_quote answers with another quote than asked for")

    def _current_token(self, deadline: Deadline) -> str:
        if self._token is None or time.monotonic() >= self._token_ends_at:
            asked_at = time.monotonic()
            form = {"grant_type": "client_credentials", "audience": self._target.audience}
            token = _answered(
                _Token,
                "the issuer",
                lambda: exchange(
                    self._issuer, "POST", self._target.token_url, deadline=deadline, form=form
                ),
            )
            self._token = token.access_token
            self._token_ends_at = asked_at + token.expires_in - _TOKEN_RESERVE_SECONDS
        return self._token


def _answered(model: type[M], name: str, send: Callable[[], Answer]) -> M:
    try:
        answer = send()
        if answer.status != HTTPStatus.OK:
            raise _ProbeFailedError(f"{name} answers with status {answer.status}")
        return model.model_validate(answer.json())
    except httpx.RequestError as error:
        raise _ProbeFailedError(
            f"{name} gives no usable answer ({type(error).__name__})"
        ) from error
    except JsonError as error:
        raise _ProbeFailedError(f"{name} answers with something that is not JSON") from error
    except ValidationError as error:
        wrong = sorted({".".join(str(part) for part in e["loc"]) for e in error.errors()})
        raise _ProbeFailedError(f"{name} answers with a wrong {', '.join(wrong)}") from None
