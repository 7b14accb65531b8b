"""An HTTP proxy that does not always do what it should: stands before DynamoDB or an upstream.

It can refuse a request as DynamoDB would, answer it with anything else or close the connection,
each before or after it was applied; keep the reply until told otherwise; or stop listening.
(microburst cannot keep a reply until an event, and that is the one way to kill a function at a
known point.)
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

HOST = "127.0.0.1"
UPSTREAM_SECONDS = 60.0
HELD_SECONDS = 60.0

NOT_FORWARDED = {"connection", "content-length", "host", "keep-alive", "transfer-encoding"}


@dataclass(frozen=True)
class Seen:
    """A request, before it is forwarded."""

    method: str
    path: str
    operation: str
    """DynamoDB's, such as TransactWriteItems; empty for anything else."""
    body: bytes


# What can be done to a request


@dataclass(frozen=True)
class Answer:
    """Answer with this instead of the target's reply; only if ``applied``, forward it before."""

    content: bytes
    status: int = 200
    content_type: str = "application/x-amz-json-1.0"
    applied: bool = False


@dataclass(frozen=True)
class LoseReply:
    """Close the connection (``reset``: tear it down) instead of passing on the reply.

    Unless ``applied``, the request is not forwarded either.
    """

    applied: bool = True
    reset: bool = False


@dataclass(frozen=True)
class HoldReply:
    """Forward it, tell that it was applied, and pass on the reply only when released."""

    applied: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True)
class LateWrite:
    """Close the connection, and forward the request so many seconds later."""

    seconds: float


@dataclass(frozen=True)
class StopListening:
    """From now on no connection is accepted; this request is still answered."""


Fault = Answer | LoseReply | LateWrite | HoldReply | StopListening


def json_answer(document: object) -> Answer:
    """A JSON document, as if the request had been done."""
    return Answer(json.dumps(document).encode())


def refuse(code: str, status: int = 400, *, applied: bool = False, **fields: object) -> Answer:
    """An error as DynamoDB words it."""
    name = f"com.amazonaws.dynamodb.v20120810#{code}"
    content = json.dumps({"__type": name, "message": "injected", **fields}).encode()
    return Answer(content, status, applied=applied)


def conflict(items: int) -> Answer:
    """A transaction of so many items, cancelled because another one was at one of them."""
    reasons = [{"Code": "TransactionConflict", "Message": "injected"}]
    reasons += [{"Code": "None"} for _ in range(items - 1)]
    return refuse("TransactionCanceledException", CancellationReasons=reasons)


@dataclass
class Plan:
    """A fault, for the requests that match, so many times."""

    matches: Callable[[Seen], bool]
    fault: Fault
    times: int | None
    hits: int = 0


def changes(kind: str, customer_id: UUID) -> Callable[[Seen], bool]:
    """Transactions that make a version of that kind (HOLD, PURCHASE ...) of an account."""

    def matches(seen: Seen) -> bool:
        if seen.operation != "TransactWriteItems":
            return False
        puts = [write["Put"]["Item"] for write in _writes(seen.body) if "Put" in write]
        account = {"S": f"ACCOUNT#{customer_id}"}
        return any(put["pk"] == account and put.get("kind") == {"S": kind} for put in puts)

    return matches


def note_of_an_answer(seen: Seen) -> bool:
    """Whether it writes the carrier's answer on an attempt, and nothing else."""
    if seen.operation != "TransactWriteItems":
        return False
    writes = _writes(seen.body)
    return len(writes) == 1 and b'":carrier"' in seen.body and "Update" in writes[0]


def reads_of(customer_id: UUID) -> Callable[[Seen], bool]:
    """Reads of an account."""
    account = f"ACCOUNT#{customer_id}".encode()
    return lambda seen: seen.operation in {"Query", "GetItem"} and account in seen.body


Attributes = dict[str, dict[str, str]]


def _writes(body: bytes) -> list[dict[str, dict[str, Attributes]]]:
    writes: list[dict[str, dict[str, Attributes]]] = json.loads(body)["TransactItems"]
    return writes


class FaultProxy(ThreadingHTTPServer):
    """The proxy; without a plan it passes everything on."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, target_url: str) -> None:
        parts = urlsplit(target_url)
        assert parts.hostname and parts.port  # noqa: PT018 - one thought
        self.target = (parts.hostname, parts.port)
        self._target_path = parts.path
        self._lock = threading.Lock()
        self._plans: list[Plan] = []
        super().__init__((HOST, 0), _Connection)

    @property
    def url(self) -> str:
        """What to use instead of the target's URL."""
        return f"http://{HOST}:{self.server_address[1]}{self._target_path}"

    @contextmanager
    def fault(
        self, fault: Fault, matches: Callable[[Seen], bool], *, times: int | None = None
    ) -> Iterator[Plan]:
        """Inject a fault during the block, at most so many times."""
        plan = Plan(matches, fault, times)
        with self._lock:
            self._plans.append(plan)
        try:
            yield plan
        finally:
            with self._lock:
                self._plans.remove(plan)
            if isinstance(fault, HoldReply):
                fault.released.set()

    def fault_for(self, seen: Seen) -> Fault | None:
        """What to do to a request; it counts as one of the plan's times."""
        with self._lock:
            for plan in self._plans:
                used_up = plan.times is not None and plan.hits >= plan.times
                if not used_up and plan.matches(seen):
                    plan.hits += 1
                    return plan.fault
        return None

    def stop_listening(self) -> None:
        """Refuse connections from now on."""
        self.shutdown()
        self.server_close()


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True
    server: FaultProxy

    def setup(self) -> None:
        super().setup()
        self._target = http.client.HTTPConnection(*self.server.target, timeout=UPSTREAM_SECONDS)

    def finish(self) -> None:
        self._target.close()
        super().finish()

    def do_GET(self) -> None:
        self._pass_on()

    def do_POST(self) -> None:
        self._pass_on()

    def handle(self) -> None:
        """Serve the connection until either side ends it, in order or not."""
        with suppress(ConnectionError):
            super().handle()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as it is inherited
        """Say nothing: what passes is in the logs of both ends."""

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        operation = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
        fault = self.server.fault_for(Seen(self.command, self.path, operation, body))
        match fault:
            case Answer(applied=applied):
                if applied:
                    self._forward(body)
                self._answer(fault.status, {"Content-Type": fault.content_type}, fault.content)
            case LoseReply(applied=applied, reset=reset):
                if applied:
                    self._forward(body)
                self._hang_up(reset=reset)
            case LateWrite(seconds=seconds):
                self._hang_up()
                self.connection.shutdown(socket.SHUT_RDWR)
                time.sleep(seconds)
                self._forward(body)
            case HoldReply():
                self._forward(body)
                fault.applied.set()
                fault.released.wait(HELD_SECONDS)
                self._hang_up()
            case StopListening():
                self.server.stop_listening()
                self._answer(*self._forward(body))
            case None:
                self._answer(*self._forward(body))

    def _hang_up(self, *, reset: bool = False) -> None:
        self.close_connection = True
        if reset:
            # Closed while it lingers for no time, a connection is reset. A later
            # close would end it in good order.
            no_time = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, no_time)
            os.close(self.connection.detach())

    def _forward(self, body: bytes) -> tuple[int, Mapping[str, str], bytes]:
        headers = {n: v for n, v in self.headers.items() if n.lower() not in NOT_FORWARDED}
        self._target.request(self.command, self.path, body=body or None, headers=headers)
        response = self._target.getresponse()
        return response.status, dict(response.getheaders()), response.read()

    def _answer(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in NOT_FORWARDED:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()


@contextmanager
def running_proxy(target_url: str) -> Iterator[FaultProxy]:
    """A proxy on a thread of this process until the block ends."""
    proxy = FaultProxy(target_url)
    thread = threading.Thread(target=proxy.serve_forever, name="fault-proxy")
    thread.start()
    try:
        yield proxy
    finally:
        proxy.stop_listening()
        thread.join()
