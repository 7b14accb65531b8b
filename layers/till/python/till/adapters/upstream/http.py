"""One bounded HTTP exchange: bounded in time as a whole, and in the size of its answer."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Final, NoReturn

import httpx

if TYPE_CHECKING:
    from collections.abc import Mapping

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

    def json(self) -> object:
        """The body as JSON, with numbers exact (Decimal) and NaN refused.

        Raises:
            ValueError: it is not JSON.
        """
        return json.loads(self.body, parse_float=Decimal, parse_constant=_no_constants)


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
    )


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
        return Answer(response.status_code, bytes(content), response.headers)


def _no_constants(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
