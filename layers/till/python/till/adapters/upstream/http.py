"""One bounded HTTP exchange: bounded in time as a whole, and in the size of its answer."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from http.cookiejar import CookieJar
from typing import TYPE_CHECKING, Final

import httpx
from aws_lambda_powertools import Logger

from till.adapters.upstream.connections import BoundedTransport, UnreadableAnswerError
from till.metrics import Metric, measure
from till.strict_json import read_json

if TYPE_CHECKING:
    from collections.abc import Mapping
    from http.client import HTTPResponse
    from urllib.request import Request

    from till.adapters.upstream.deadline import Deadline
    from till.strict_json import Json

logger = Logger()

MAX_ANSWER_BYTES: Final = 256 * 1024


class BrokenAnswerError(httpx.TransportError):
    """The status arrived, but not all of the body: too late, too large, or cut off."""

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    body: bytes
    headers: httpx.Headers = field(default_factory=httpx.Headers)
    from_cache: bool = False
    revalidated: bool = False

    def json(self) -> Json:
        """The body, read as strictly as a caller's.

        Raises:
            JsonError: it is not JSON.
        """
        return read_json(self.body)


_MEASURES: Final = {
    "customers": Metric.CUSTOMER_API_MILLISECONDS,
    "products": Metric.PRODUCT_API_MILLISECONDS,
    "shipments": Metric.SHIPMENT_API_MILLISECONDS,
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


def make_transport(base_url: str, *, keep_alive: bool) -> BoundedTransport:
    """The connections to one upstream; see ``BoundedTransport``."""
    return BoundedTransport(tls=base_url.startswith("https:"), keep_alive=keep_alive)


class _NoCookies(CookieJar):
    """Does not even read the cookies of an answer."""

    def extract_cookies(self, response: HTTPResponse, request: Request) -> None:
        """Keep none."""


def make_http_client(base_url: str, transport: httpx.BaseTransport) -> httpx.Client:
    """A client of one upstream: no redirects, no proxy settings, no cookies."""
    return httpx.Client(
        base_url=base_url,
        headers={
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": "till/1",
        },
        transport=transport,
        trust_env=False,
        # What one answer sets must not become part of the requests that follow.
        cookies=_NoCookies(),
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
    deadline: Deadline,
    headers: Mapping[str, str] | None = None,
    body: Mapping[str, object] | None = None,
    form: Mapping[str, str] | None = None,
    extensions: Mapping[str, object] | None = None,
) -> Answer:
    """Send one request, once, and read its whole answer.

    Raises:
        BrokenAnswerError: the status arrived, but not the whole body before the deadline.
        UnreadableAnswerError: the answer is encoded, or its header fields are not HTTP.
        httpx.TransportError: no status arrived before the deadline.
    """
    with client.stream(
        method,
        path,
        json=body,
        data=form,
        headers=headers,
        extensions={**(extensions or {}), "deadline": deadline},
    ) as response:
        status = response.status_code
        encoding = response.headers.get("Content-Encoding", "identity")
        if encoding.strip().lower() != "identity":
            raise UnreadableAnswerError("its answer is encoded", status=status)
        try:
            content = _read(response)
        except httpx.TransportError as error:
            raise BrokenAnswerError(f"its body: {type(error).__name__}", status=status) from error
        # Where there is a cache, it says what it did (hishel).
        caching = response.extensions.get("caching") or {}
        return Answer(
            status,
            content,
            response.headers,
            from_cache=bool(caching.get("from_cache")),
            revalidated=bool(caching.get("revalidated")),
        )


def _read(response: httpx.Response) -> bytes:
    content = bytearray()
    for chunk in response.iter_bytes():
        content += chunk
        if len(content) > MAX_ANSWER_BYTES:
            raise httpx.ReadError(f"more than {MAX_ANSWER_BYTES} bytes")
    return bytes(content)
