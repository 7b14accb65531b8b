"""Reads of the external APIs through an HTTP cache by the book (RFC 9111): hishel.

Two kinds of reads share the cache. What money or a parcel rests on is fetched or revalidated
within the request. What is only shown may be a few seconds old, and outlives a short outage.

hishel decides what may be kept, what may be used, and how it is revalidated. What is added here is
what it leaves to others: how old an answer may be at most, stale-if-error (RFC 5861), and reads of
the same thing at the same time.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC
from email.utils import formatdate, parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.request import parse_http_list

import httpx
from hishel import CacheOptions
from hishel.httpx import CacheTransport

from till.adapters.upstream.cache_storage import CacheStorage
from till.adapters.upstream.deadline import Deadline
from till.adapters.upstream.http import Answer, exchange, make_http_client
from till.adapters.upstream.single_flight import SingleFlight
from till.metrics import Metric, measure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from till.services.shared.policy import DisplayPolicy

MAX_COPIES: Final = 512
MAX_BYTES: Final = 4 * 1024 * 1024

_BY_THE_BOOK: Final = CacheOptions(shared=True, supported_methods=["GET"], allow_stale=False)
"""Shared: one process serves many callers, so what is ``private`` is not kept."""

_STALE_TOO: Final = CacheOptions(shared=True, supported_methods=["GET"], allow_stale=True)

_ONLY_IF_CACHED: Final = "only-if-cached"

_OUTAGE: Final = frozenset(
    {
        HTTPStatus.INTERNAL_SERVER_ERROR,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)
"""What RFC 5861 counts as an error, apart from no answer at all."""

_GONE: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})

_LONGEST_SECONDS: Final = 2**31
"""RFC 9111 takes any longer time for this."""


@dataclass(frozen=True, slots=True)
class Displayable:
    """An answer to be shown, and how old it may be; ``stale``: older than it should be."""

    answer: Answer
    age_seconds: int
    stale: bool


class UpstreamReader:
    """Reads by path, below one base URL. Safe between threads."""

    def __init__(
        self,
        base_url: str,
        *,
        timeout_seconds: float,
        display: DisplayPolicy,
        wire: httpx.BaseTransport,
        copies: CacheStorage | None = None,
    ) -> None:
        self._display = display
        self._timeout_seconds = timeout_seconds
        self._copies = copies or CacheStorage(max_copies=MAX_COPIES, max_bytes=MAX_BYTES)
        self._client = make_http_client(
            base_url,
            CacheTransport(
                _Arrivals(wire, self._copies, display), storage=self._copies, rfc=_BY_THE_BOOK
            ),
        )
        self._revalidations: SingleFlight[Answer] = SingleFlight()
        self._displays: SingleFlight[Displayable] = SingleFlight()

    def revalidated(self, path: str) -> Answer:
        """The answer as the upstream has it now: fetched, or confirmed by it, since this call.

        Raises:
            httpx.TransportError, UnreadableAnswerError: there is none.
        """
        deadline = Deadline(self._timeout_seconds)
        return self._revalidations.run(
            path, lambda: self._get(path, "no-cache", deadline), deadline
        )

    def displayable(self, path: str) -> Displayable:
        """The answer, a few seconds old at most; in an outage the copy that is left, if any.

        Raises:
            httpx.TransportError, UnreadableAnswerError: there is none.
        """
        deadline = Deadline(self._timeout_seconds)
        return self._displays.run(path, lambda: self._read_for_display(path, deadline), deadline)

    def forget(self, path: str) -> None:
        """Drop the copy: it was found to make no sense."""
        self._copies.forget(self._key(path))

    def _read_for_display(self, path: str, deadline: Deadline) -> Displayable:
        max_age = self._display.max_age_seconds
        asked_at = time.time()
        try:
            answer = self._get(path, f"max-age={max_age}", deadline)
        except httpx.TransportError:
            kept = self._kept(path, deadline)
            if kept is None:
                raise
            return kept
        measure(_cache_measure(answer))
        if answer.status in _OUTAGE:
            return self._kept(path, deadline) or Displayable(answer, 0, stale=False)
        age = _age_seconds(answer)
        # One that was young enough, or confirmed, when we asked has aged since by what the asking
        # took, and by up to a second more: dates have no fractions.
        aged_meanwhile = time.time() - asked_at + 1
        return Displayable(answer, age, stale=age > max_age + aged_meanwhile)

    def _kept(self, path: str, deadline: Deadline) -> Displayable | None:
        """What stale-if-error leaves to show."""
        answer = self._get(path, _ONLY_IF_CACHED, deadline, _STALE_TOO)
        if answer.status != HTTPStatus.OK:
            return None
        directives = _directives(answer.headers)
        age = _age_seconds(answer)
        if age > _seconds(directives["max-age"]) + _seconds(directives["stale-if-error"]):
            return None
        return Displayable(answer, age, stale=True)

    def _get(
        self,
        path: str,
        cache_control: str,
        deadline: Deadline,
        options: CacheOptions = _BY_THE_BOOK,
    ) -> Answer:
        return exchange(
            self._client,
            "GET",
            path,
            headers={"Cache-Control": cache_control},
            deadline=deadline,
            extensions={"caching": {"key": self._key(path), "rfc": options}},
        )

    def _key(self, path: str) -> str:
        return _key(self._client.base_url.join(path))


class _Arrivals(httpx.BaseTransport):
    """Between hishel and the wire: puts on each answer what hishel is to know of it."""

    def __init__(
        self, wire: httpx.BaseTransport, copies: CacheStorage, display: DisplayPolicy
    ) -> None:
        self._wire = wire
        self._copies = copies
        self._display = display

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send, unless only a copy was wanted."""
        if _ONLY_IF_CACHED in _directives(request.headers):
            # RFC 9111, 5.2.1.7.
            return httpx.Response(HTTPStatus.GATEWAY_TIMEOUT)
        sent_at = time.time()
        response = self._wire.handle_request(request)
        status, headers = response.status_code, response.headers
        if status in {HTTPStatus.OK, HTTPStatus.NOT_MODIFIED}:
            directives = _directives(headers)
            # With fields named in it, `private` is about those fields only.
            keep = (
                "no-store" not in directives and directives.get("private", "").lower() != "private"
            )
            self._mark(headers, directives, sent_at=sent_at, new=status == HTTPStatus.OK)
        else:
            # By the book a 404 may be kept, and any error that comes with a max-age. Not here.
            headers["Cache-Control"] = "no-store"
            keep = status not in _GONE
        if not keep:
            # hishel would not keep this answer, and go on using the one before.
            self._copies.forget(_key(request.url))
        return response

    def close(self) -> None:
        """Close the connections."""
        self._wire.close()

    def _mark(
        self, headers: httpx.Headers, directives: Mapping[str, str], *, sent_at: float, new: bool
    ) -> None:
        dated_at = _instant(headers.get("Date"))
        if new and "Last-Modified" in headers:
            # A time in seconds cannot tell two changes within one second apart: it is no
            # validator until that second has passed (RFC 9110, 8.8.2.2).
            modified_at = _instant(headers["Last-Modified"])
            if modified_at is None or dated_at is None or dated_at < modified_at + 1:
                del headers["Last-Modified"]
        # A 304 that says nothing about caching leaves what the copy says.
        if new or directives or "Expires" in headers:
            headers["Cache-Control"] = self._limited(
                directives, headers.get("Expires"), dated_at or sent_at
            )
        # hishel takes an answer's age from its Date alone. By RFC 9111, 4.2.3 it is that of the
        # caches it came through, and the time it was under way; and then no clock but ours
        # matters.
        upstream_age = _seconds(headers.get("Age", "0"))
        headers["Date"] = formatdate(sent_at - upstream_age, usegmt=True)
        for name in ("Age", "Expires"):
            headers.pop(name, None)

    def _limited(self, directives: Mapping[str, str], expires: str | None, dated_at: float) -> str:
        """What the upstream says about caching, but never longer than we show things for."""
        max_age, stale_if_error = (
            self._display.max_age_seconds,
            self._display.stale_if_error_seconds,
        )
        for name in ("s-maxage", "max-age"):
            if name in directives:
                max_age = min(max_age, _seconds(directives[name]))
                break
        else:
            if expires is not None:
                expires_at = _instant(expires)
                lifetime = 0 if expires_at is None else max(0, int(expires_at - dated_at))
                max_age = min(max_age, lifetime)
        if "stale-if-error" in directives:
            stale_if_error = min(stale_if_error, _seconds(directives["stale-if-error"]))
        rules = {**directives}
        if "s-maxage" in rules or "proxy-revalidate" in rules:
            # What these two mean to a shared cache when an answer is stale; hishel knows the
            # third only.
            rules.pop("s-maxage", None)
            rules["must-revalidate"] = "must-revalidate"
        rules["max-age"] = f"max-age={max_age}"
        rules["stale-if-error"] = f"stale-if-error={stale_if_error}"
        return ", ".join(rules.values())


def _cache_measure(answer: Answer) -> Metric:
    if answer.from_cache and answer.revalidated:
        return Metric.CACHE_REVALIDATIONS
    return Metric.CACHE_HITS if answer.from_cache else Metric.CACHE_MISSES


def _key(url: httpx.URL) -> str:
    return str(url)


def _age_seconds(answer: Answer) -> int:
    dated_at = _instant(answer.headers.get("Date"))
    return 0 if dated_at is None else max(0, int(time.time() - dated_at))


def _directives(headers: httpx.Headers) -> dict[str, str]:
    """Each directive of Cache-Control as it is written, by its name."""
    directives = parse_http_list(headers.get("Cache-Control", ""))
    return {text.partition("=")[0].strip().lower(): text for text in directives if text}


def _seconds(text: str) -> int:
    """The seconds that a field or directive gives; what is no number is none of them."""
    value = text.rpartition("=")[2].strip().strip('"')
    if not (value.isascii() and value.isdecimal()):
        return 0
    return _LONGEST_SECONDS if len(value) > 9 else int(value)


def _instant(date: str | None) -> float | None:
    """Seconds since the epoch; None for what is no date."""
    if date is None:
        return None
    try:
        instant = parsedate_to_datetime(date)
        return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).timestamp()
    except (ValueError, ArithmeticError, LookupError, TypeError):
        # The standard library raises any of these for text that is no date.
        return None
