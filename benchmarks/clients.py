"""Clients that send one request after the other, each in its own thread and connection."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from statistics import quantiles
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

TIMEOUT_SECONDS: Final = 120.0


@dataclass
class Answers:
    """What clients got in a stretch of time."""

    seconds: float = 0.0
    failed: int = 0
    waits: list[float] = field(default_factory=list)
    """Seconds that each request took that succeeded."""

    @property
    def per_second(self) -> float:
        """Requests per second that succeeded."""
        return len(self.waits) / self.seconds

    def percentile(self, percent: int) -> float:
        """Seconds within which so many percent of the requests succeeded."""
        return quantiles(self.waits, n=100, method="inclusive")[percent - 1]


class Connection:
    """An HTTP connection to one server, which costs the client as little as possible."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._path = parts.path
        self._http = HTTPConnection(parts.netloc, timeout=TIMEOUT_SECONDS)

    def post(self, path: str, body: str | bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        """Send, and give back the status and the body; 0 if the connection failed."""
        try:
            self._http.request("POST", self._path + path, body, headers)
            answer = self._http.getresponse()
            return answer.status, answer.read()
        except (HTTPException, OSError):
            self._http.close()
            return 0, b""


def run(clients: Sequence[Callable[[], bool]], *, seconds: float) -> Answers:
    """Let each client send requests, one at least, until the time is over.

    A client sends one request when it is called, and says whether it succeeded.
    """
    answers, lock = Answers(), threading.Lock()
    began = time.perf_counter()

    def go_on(client: Callable[[], bool]) -> None:
        while True:
            asked = time.perf_counter()
            succeeded = client()
            now = time.perf_counter()
            with lock:
                if succeeded:
                    answers.waits.append(now - asked)
                else:
                    answers.failed += 1
            if now - began >= seconds:
                return

    threads = [threading.Thread(target=go_on, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    answers.seconds = time.perf_counter() - began
    return answers
