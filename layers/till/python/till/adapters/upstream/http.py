"""One bounded HTTP exchange: bounded in time as a whole, and in the size of its answer."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Final, NoReturn

import httpx
from aws_lambda_powertools import Logger

from till.measures import Measure, measure

if TYPE_CHECKING:
    from collections.abc import Mapping

logger = Logger()

MAX_ANSWER_BYTES: Final = 256 * 1024
_CONNECT_TIMEOUT_SECONDS: Final = 1.0


class AnswerTooLargeError(httpx.TransportError):
    """The upstream sends more than any sensible answer holds."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    body: bytes
    headers: httpx.Headers = field(default_factory=httpx.Headers)
    from_cache: bool = False
    revalidated: bool = False

    def json(self) -> object:
        """The body as JSON, with numbers exact (Decimal) and NaN refused.

        Raises:
            ValueError: it is not JSON.
        """
        return json.loads(self.body, parse_float=Decimal, parse_constant=_no_constants)


_MEASURES: Final = {
    "customers": Measure.CUSTOMER_API_MILLISECONDS,
    "products": Measure.PRODUCT_API_MILLISECONDS,
    "shipments": Measure.SHIPMENT_API_MILLISECONDS,
}


class MeasuredTransport(httpx.BaseTransport):
    """Takes the time that an upstream takes until its answer begins, or fails to."""

    def __init__(self, transport: httpx.BaseTransport) -> None:
        self._transport = transport

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send."""
        began = time.monotonic()
        try:
            return self._transport.handle_request(request)
        finally:
            milliseconds = (time.monotonic() - began) * 1000
            for part in request.url.path.split("/"):
                if part in _MEASURES:
                    measure(_MEASURES[part], round(milliseconds, 1))
                    break

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()


def make_transport(base_url: str, *, keep_alive: bool) -> httpx.HTTPTransport:
    """The connections to one upstream. Reads no proxy settings, retries nothing.

    Without ``keep_alive`` every request has a connection of its own: it can then never be lost
    on one that the other side was just closing.
    """
    return httpx.HTTPTransport(
        limits=httpx.Limits(max_keepalive_connections=None if keep_alive else 0),
        trust_env=False,
        # Loading the certificates costs 45 ms of a cold start; plain HTTP has no use for them.
        verify=base_url.startswith("https:"),
    )


def make_http_client(base_url: str, transport: httpx.BaseTransport) -> httpx.Client:
    """A client of one upstream. It follows no redirects and reads no proxy settings."""
    return httpx.Client(
        base_url=base_url,
        headers={"Accept": "application/json", "User-Agent": "till/1"},
        transport=transport,
        trust_env=False,
        event_hooks={"request": [_name_the_request]},
    )


def _name_the_request(request: httpx.Request) -> None:
    """Tell the upstream which request of ours this is part of, so that both logs can be joined."""
    correlation_id = logger.get_correlation_id()
    if correlation_id:
        request.headers["X-Correlation-Id"] = correlation_id


def exchange(
    client: httpx.Client,
    method: str,
    path: str,
    *,
    timeout_seconds: float,
    headers: Mapping[str, str] | None = None,
    body: Mapping[str, object] | None = None,
    extensions: Mapping[str, object] | None = None,
) -> Answer:
    """Send one request, once, and read its whole answer.

    Raises:
        httpx.TransportError: it did not work out, or not within ``timeout_seconds``.
    """
    ends_at = time.monotonic() + timeout_seconds
    timeout = httpx.Timeout(timeout_seconds, connect=min(timeout_seconds, _CONNECT_TIMEOUT_SECONDS))
    with client.stream(
        method,
        path,
        json=body,
        headers=headers,
        timeout=timeout,
        extensions=dict(extensions or {}),
    ) as response:
        content = bytearray()
        for chunk in response.iter_bytes():
            content += chunk
            if len(content) > MAX_ANSWER_BYTES:
                raise AnswerTooLargeError(f"more than {MAX_ANSWER_BYTES} bytes")
            if time.monotonic() > ends_at:
                # The client's own timeout is for each read; this one is for them all.
                raise httpx.ReadTimeout("the answer took too long")
        # Where there is a cache, it says what it did (hishel).
        caching = response.extensions.get("caching") or {}
        return Answer(
            response.status_code,
            bytes(content),
            response.headers,
            from_cache=bool(caching.get("from_cache")),
            revalidated=bool(caching.get("revalidated")),
        )


def _no_constants(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
