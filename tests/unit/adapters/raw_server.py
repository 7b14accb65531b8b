"""A server that answers with whatever bytes a test says, at whatever pace."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Script = Callable[["Connection"], None]


class Connection:
    """One connection of a client, of which one request was read."""

    def __init__(self, sock: socket.socket, request: bytes, stopped: threading.Event) -> None:
        self.request = request
        self._sock = sock
        self._stopped = stopped

    def send(self, data: bytes) -> None:
        """Send all of it now."""
        self._sock.sendall(data)

    def dribble(self, data: bytes, *, every: float = 0.05) -> None:
        """Send byte by byte, until the client or the test has gone."""
        for byte in data:
            if self._stopped.wait(every):
                return
            self.send(bytes([byte]))

    def wait(self) -> None:
        """Say nothing until the client has gone."""
        self._sock.recv(1)


@contextmanager
def serving(script: Script) -> Iterator[str]:
    """The base URL of a server that runs the script for each request, then closes."""
    stopped = threading.Event()
    threads: list[threading.Thread] = []
    connections: list[socket.socket] = []

    def answer(sock: socket.socket) -> None:
        with sock:
            try:
                script(Connection(sock, _request(sock), stopped))
            except OSError:
                return  # The client has gone.

    def accept() -> None:
        while not stopped.is_set():
            try:
                sock, _ = listener.accept()
            except TimeoutError:
                continue
            sock.settimeout(10)
            connections.append(sock)
            threads.append(threading.Thread(target=answer, args=(sock,)))
            threads[-1].start()

    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        listener.settimeout(0.05)
        accepting = threading.Thread(target=accept)
        accepting.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/api"
        finally:
            stopped.set()
            accepting.join()
            for sock in connections:
                _hang_up(sock)
            for thread in threads:
                thread.join(5)


def _hang_up(sock: socket.socket) -> None:
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # Closed already.


def _request(sock: socket.socket) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received:
        received += sock.recv(65_536) or _gone()
    head, _, body = received.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    length = int(lengths[0].partition(b":")[2]) if lengths else 0
    while len(body) < length:
        body += sock.recv(65_536) or _gone()
    return head + b"\r\n\r\n" + body


def _gone() -> bytes:
    raise ConnectionError("the client has gone")


class Stopwatch:
    """How long a block took."""

    seconds = 0.0

    def __enter__(self) -> Stopwatch:
        self._began = time.monotonic()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.monotonic() - self._began
