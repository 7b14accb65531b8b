"""Sends a request again when that is safe and the API asks for it, or did not answer."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

import httpx

from till_client.problems import NoAnswer

if TYPE_CHECKING:
    from collections.abc import Callable

_ASKED_TO_WAIT: Final = frozenset({409, 429, 503})
_SAFE_METHODS: Final = frozenset({"GET", "HEAD"})
_FIRST_PAUSE_SECONDS: Final = 0.5
_LONGEST_PAUSE_SECONDS: Final = 8.0


class RetryTransport(httpx.BaseTransport):
    """Retries within ``patience_seconds``.

    An answer 409, 429 or 503 with Retry-After is repeated after that time; without an answer, with
    growing pauses. Only requests that take effect at most once are repeated: reads, and those with
    an Idempotency-Key. Any request is repeated after 429, which no operation has looked at.

    Raises:
        NoAnswer: there was none within that time, or repeating is not safe.
    """

    def __init__(
        self,
        inner: httpx.BaseTransport,
        *,
        patience_seconds: float,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._inner = inner
        self._patience_seconds = patience_seconds
        self._sleep = sleep
        self._monotonic = monotonic

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send it, and again while that is safe and in time."""
        ends_at = self._monotonic() + self._patience_seconds
        pause = _FIRST_PAUSE_SECONDS
        while True:
            try:
                response = self._inner.handle_request(request)
                # Its body as well can fail to come, or to be decoded.
                response.read()
                wait = _seconds_asked_for(request, response)
                if wait is None or self._monotonic() + wait > ends_at:
                    return response
                response.close()
            except (httpx.TransportError, httpx.DecodingError) as error:
                # A little by chance, so that many clients do not come back at the same time.
                wait = pause * random.uniform(0.5, 1)  # noqa: S311 - no secret
                if not _takes_effect_once(request) or self._monotonic() + wait > ends_at:
                    raise NoAnswer(f"The API did not answer: {error}") from error
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
            self._sleep(wait)

    def close(self) -> None:
        """Close the connections."""
        self._inner.close()


def _takes_effect_once(request: httpx.Request) -> bool:
    return request.method in _SAFE_METHODS or "Idempotency-Key" in request.headers


def _seconds_asked_for(request: httpx.Request, response: httpx.Response) -> float | None:
    """How long to wait before the same request is sent again; None: not at all."""
    after = response.headers.get("Retry-After")
    if after is None or response.status_code not in _ASKED_TO_WAIT:
        return None
    if response.status_code != httpx.codes.TOO_MANY_REQUESTS and not _takes_effect_once(request):
        return None
    if after.isascii() and after.isdigit():
        return float(after)
    try:
        at = parsedate_to_datetime(after)
    except ValueError:
        return None
    return max(0.0, (at - datetime.now(UTC)).total_seconds())
