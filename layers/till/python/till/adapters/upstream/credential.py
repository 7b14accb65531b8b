"""The header that the external APIs ask for on each call, and what is done when they refuse it.

Secrets Manager is asked by ``secret.py``. Here is when it is asked: as seldom as can be, by one
thread at a time, and never so that a shipment is asked for twice.
"""

from __future__ import annotations

import re
import threading
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Final, Protocol

import httpx
from aws_lambda_powertools import Logger
from pydantic import AfterValidator, BaseModel, ConfigDict, SecretStr

if TYPE_CHECKING:
    from collections.abc import Callable

    from till.adapters.upstream.deadline import Deadline

REST_SECONDS: Final = 5.0
"""How long a worker leaves Secrets Manager alone after it failed, or was asked out of turn."""
BREATH_SECONDS: Final = 0.5
"""The same, after it did not answer and nothing is kept: the next request may have more luck."""

_REFUSALS: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_FIELD_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""A token (RFC 9110, 5.6.2)."""
_FIELD_VALUE: Final = re.compile(r"[!-~](?:[ -~]*[!-~])?")
"""Visible ASCII, with spaces inside at most: ``Bearer ...`` has one."""

logger = Logger(child=True)


def _matching(pattern: re.Pattern[str]) -> Callable[[SecretStr], SecretStr]:
    def check(text: SecretStr) -> SecretStr:
        if pattern.fullmatch(text.get_secret_value()) is None:
            raise ValueError("has characters that it may not have")
        return text

    return check


class UpstreamCredential(BaseModel):
    """One header field. Its name is not shown either: the two may have been swapped by mistake."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    header: Annotated[SecretStr, AfterValidator(_matching(_FIELD_NAME))]
    value: Annotated[SecretStr, AfterValidator(_matching(_FIELD_VALUE))]


class UnusableSecretError(Exception):
    """The secret gives no credential. The message says which and why, and nothing of what it is.

    ``passing``: it may do so soon: there was no answer this time.
    """

    def __init__(self, message: str, *, passing: bool) -> None:
        super().__init__(message)
        self.passing: Final = passing


class CredentialUnavailableError(httpx.TransportError):
    """There is no credential to call with, so nothing was sent."""


class Secret(Protocol):
    """Where the credential is kept, with a cache of its own."""

    @property
    def fetch_seconds(self) -> float:
        """How long one question to Secrets Manager takes at the most."""
        ...

    def read(self, *, refresh: bool) -> UpstreamCredential:
        """The credential, not older than its greatest age; ``refresh``: as it is now.

        Raises:
            UnusableSecretError: there is none to be had.
        """
        ...


class Credentials:
    """The credential that a worker calls with. Safe between threads, which share it.

    Who has one that will do never waits for another thread's question; who has none, or one that
    was refused, waits for it and does not ask again.
    """

    def __init__(self, secret: Secret) -> None:
        self._secret = secret
        self._lock = threading.Lock()
        self._kept: UpstreamCredential | None = None
        self._refused = False
        self._rests_until = 0.0

    @property
    def longest_seconds(self) -> float:
        """How long ``current`` takes at the most: another thread's question and its own."""
        return 2 * self._secret.fetch_seconds

    def current(self, *, at_any_age: bool = False) -> UpstreamCredential:
        """The credential; ``at_any_age``: the kept one, unless it was refused.

        When Secrets Manager fails, the kept one is used past its age.

        Raises:
            CredentialUnavailableError: there is none.
        """
        kept = self._kept
        if kept is None or self._refused:
            self._lock.acquire()
        elif at_any_age or not self._lock.acquire(blocking=False):
            return kept
        try:
            return self._asked()
        finally:
            self._lock.release()

    def refused(self, credential: UpstreamCredential) -> None:
        """The upstream did not take this one: do not trust it, nor its age, any more."""
        if self._kept == credential:
            self._refused = True

    def _asked(self) -> UpstreamCredential:
        now = time.monotonic()
        if now >= self._rests_until:
            if self._refused:
                # Whatever comes of it: an upstream that refuses all there is would have us ask
                # for every request.
                self._rests_until = now + REST_SECONDS
            try:
                self._kept = self._secret.read(refresh=self._refused)
                self._refused = False
            except UnusableSecretError as error:
                self._do_without(error)
        if self._kept is None:
            raise CredentialUnavailableError("there is no credential for the upstream")
        return self._kept

    def _do_without(self, error: UnusableSecretError) -> None:
        hopeful = error.passing and self._kept is None
        self._rests_until = time.monotonic() + (BREATH_SECONDS if hopeful else REST_SECONDS)
        if self._kept is None:
            logger.error("the upstream cannot be called: %s", error)
        else:
            logger.warning("the upstream's credential is not renewed: %s", error)


class CredentialTransport(httpx.BaseTransport):
    """Puts the credential on each request, below any cache: no cache sees it, or keeps it.

    The time that Secrets Manager takes is part of the request's own, which its deadline bounds.
    """

    def __init__(self, transport: httpx.BaseTransport, credentials: Credentials) -> None:
        self._transport = transport
        self._credentials = credentials

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send; a GET that was refused once more, if there is another credential by now.

        Raises:
            CredentialUnavailableError: there is none, and nothing was sent.
            httpx.ConnectTimeout: it took so long to come that nothing was sent.
        """
        deadline: Deadline = request.extensions["deadline"]
        # What is not a GET may have had an effect, and waits for nothing that it could do without:
        # the reads of the same purchase have just seen to the credential's age.
        safe = request.method == "GET"
        credential = self._credentials.current(at_any_age=not safe)
        response = self._send(request, credential, deadline)
        if response.status_code not in _REFUSALS:
            return response
        self._credentials.refused(credential)
        if not safe or deadline.left() < self._credentials.longest_seconds:
            return response
        another = self._credentials.current()
        if another == credential:
            return response
        response.close()
        return self._send(request, another, deadline)

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def _send(
        self, request: httpx.Request, credential: UpstreamCredential, deadline: Deadline
    ) -> httpx.Response:
        if deadline.left() <= 0:
            raise httpx.ConnectTimeout("the credential came too late")
        headers = request.headers.copy()
        headers[credential.header.get_secret_value()] = credential.value.get_secret_value()
        # A request of its own: the caller's, which errors and answers are tied to, stays without.
        return self._transport.handle_request(
            httpx.Request(
                request.method,
                request.url,
                headers=headers,
                stream=request.stream,
                extensions=request.extensions,
            )
        )
