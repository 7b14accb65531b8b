"""Connections on which one deadline bounds a whole exchange.

httpx bounds each read and write for itself: an upstream that sends one byte at a time, or one 1xx
after another, can keep an exchange going without end. Here every operation on a connection gets
what is left of the exchange's time. httpcore hands each operation the timeout of its phase as it
was given; so the transport gives it the exchange itself, and the network backend reads from it.
"""

from __future__ import annotations

import re
import socket
import ssl
import threading
from concurrent.futures import Future
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import certifi
import httpcore
import httpx

if TYPE_CHECKING:
    from collections.abc import Iterable

    from till.adapters.upstream.deadline import Deadline

_CONNECT_TIMEOUT_SECONDS: Final = 1.0
"""For one address, and then for TLS with it."""
_LAST_LOOK_SECONDS: Final = 0.001
_KEEP_ALIVE_SECONDS: Final = 5.0
_MAX_HEAD_BYTES: Final = 64 * 1024
_STATUS_LINE: Final = re.compile(rb"HTTP/1\.[01] ([1-9][0-9]{2})[ \r]")


class UnreadableAnswerError(httpx.DecodingError):
    """The answer is encoded, or its header fields are not HTTP: its body is not looked at."""

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


class BoundedTransport(httpx.HTTPTransport):
    """The connections to one upstream. Reads no proxy settings, retries nothing.

    Without ``keep_alive`` every request has a connection of its own: it can then never be lost
    on one that the other side was just closing.
    """

    def __init__(self, *, tls: bool, keep_alive: bool) -> None:
        context = _tls_context(verify=tls)
        super().__init__(verify=context, trust_env=False)
        self._pool = httpcore.ConnectionPool(
            ssl_context=context,
            max_connections=None,
            max_keepalive_connections=None if keep_alive else 0,
            keepalive_expiry=_KEEP_ALIVE_SECONDS,
            network_backend=_BoundedBackend(),
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send, within the request's ``deadline``.

        Raises:
            httpx.TransportError: no answer, or not in time.
            UnreadableAnswerError: an answer whose header fields are not HTTP.
        """
        deadline: Deadline = request.extensions["deadline"]
        exchange = _Exchange(deadline)
        phases = {"connect": exchange, "write": exchange, "read": exchange, "pool": deadline.left()}
        bounded = httpx.Request(
            request.method,
            request.url,
            headers=request.headers,
            stream=request.stream,
            extensions={**request.extensions, "timeout": phases},
        )
        try:
            return super().handle_request(bounded)
        except httpx.RemoteProtocolError as error:
            status = _final_status(bytes(exchange.received))
            if status is None:
                raise
            raise UnreadableAnswerError("its header fields are not HTTP", status=status) from error


@cache
def _tls_context(*, verify: bool) -> ssl.SSLContext:
    """One for all connections of a function; plain HTTP has no use for certificates.

    In a layer it reads those that are needed, and not the whole bundle (infra/certificates.py).
    """
    hashed = Path(certifi.where()).with_name("hashed")
    if verify and hashed.is_dir():
        return ssl.create_default_context(capath=hashed)
    return httpx.create_ssl_context(verify=verify, trust_env=False)


class _Exchange:
    """One request and its answer, on one connection."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        self._looked_last = False
        self.received = bytearray()
        """The beginning of what came back."""

    def left(self, timeout: type[httpcore.TimeoutException]) -> float:
        """Seconds until the deadline.

        Raises:
            the given timeout: it has passed.
        """
        left = self._deadline.left()
        if left <= 0:
            raise timeout("the time of the exchange is over")
        return left

    def left_to_read(self) -> float:
        """The same; but once after the deadline, what has arrived by then can still be read."""
        if self._looked_last:
            raise httpcore.ReadTimeout("the time of the exchange is over")
        left = self._deadline.left()
        self._looked_last = left <= 0
        return max(left, _LAST_LOOK_SECONDS)


class _BoundedBackend(httpcore.NetworkBackend):
    """Connects within the time of the exchange that it is given as the timeout."""

    def __init__(self) -> None:
        self._sockets = httpcore.SyncBackend()
        self._look_ups = _LookUps()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Look the host up, and connect to the first of its addresses that answers."""
        exchange = _exchange(timeout)
        error: Exception = httpcore.ConnectError("the host has no address")
        for address in self._look_ups.addresses(host, port, exchange):
            seconds = min(exchange.left(httpcore.ConnectTimeout), _CONNECT_TIMEOUT_SECONDS)
            try:
                return _BoundedStream(
                    self._sockets.connect_tcp(address, port, seconds, local_address, socket_options)
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as failed:
                error = failed
        raise error


class _BoundedStream(httpcore.NetworkStream):
    """A connection whose operations take the exchange for their timeout."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read what is there, or wait for it."""
        exchange = _exchange(timeout)
        data = self._stream.read(max_bytes, exchange.left_to_read())
        if len(exchange.received) < _MAX_HEAD_BYTES:
            exchange.received += data
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send all of it."""
        exchange = _exchange(timeout)
        connection: socket.socket = self._stream.get_extra_info("socket")
        while buffer:
            connection.settimeout(exchange.left(httpcore.WriteTimeout))
            try:
                sent = connection.send(buffer)
            except TimeoutError as error:
                raise httpcore.WriteTimeout(str(error)) from error
            except OSError as error:
                raise httpcore.WriteError(str(error)) from error
            buffer = buffer[sent:]

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        """Go on with TLS. One timeout bounds a handshake as a whole."""
        seconds = min(_exchange(timeout).left(httpcore.ConnectTimeout), _CONNECT_TIMEOUT_SECONDS)
        return _BoundedStream(self._stream.start_tls(ssl_context, server_hostname, seconds))

    def get_extra_info(self, info: str) -> object:
        """What httpcore asks about a connection."""
        return self._stream.get_extra_info(info)


class _LookUps:
    """Looks hosts up, at most one look-up of a host at a time.

    A look-up cannot be stopped. So it runs on a thread of its own, and a caller stops waiting when
    the time of the exchange is over; the thread ends when the resolver gives up.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[tuple[str, int], Future[list[str]]] = {}

    def addresses(self, host: str, port: int, exchange: _Exchange) -> list[str]:
        """The addresses of a host, in the resolver's order."""
        with self._lock:
            found = self._running.get((host, port))
            if found is None:
                found = Future()
                threading.Thread(
                    target=self._look_up, args=(host, port, found), name="look-up", daemon=True
                ).start()
                # It needs the lock to end: until it has ended, others can find it.
                self._running[host, port] = found
        try:
            return found.result(exchange.left(httpcore.ConnectTimeout))
        except TimeoutError as error:
            raise httpcore.ConnectTimeout("the host was not found in time") from error
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(str(error)) from error

    def _look_up(self, host: str, port: int, found: Future[list[str]]) -> None:
        try:
            results = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            outcome: list[str] | BaseException = [str(result[4][0]) for result in results]
        except BaseException as error:  # noqa: BLE001 - raised where it is waited for
            outcome = error
        with self._lock:
            del self._running[host, port]
        if isinstance(outcome, BaseException):
            found.set_exception(outcome)
        else:
            found.set_result(outcome)


def _exchange(timeout: object) -> _Exchange:
    return cast("_Exchange", timeout)


def _final_status(received: bytes) -> int | None:
    """The status of an answer whose whole head has arrived, after any 1xx."""
    for head in received.split(b"\r\n\r\n")[:-1]:
        status_line = _STATUS_LINE.match(head + b"\r")
        if status_line is None:
            return None
        status = int(status_line[1])
        if status >= httpx.codes.OK:
            return status
    return None
