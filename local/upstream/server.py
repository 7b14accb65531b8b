"""The stand-in's HTTP server: HTTP/1.1, a thread per connection, on the loopback by default."""

from __future__ import annotations

import socket
import struct
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO

from local.upstream.api import Api
from local.upstream.behaviour import Dribble
from local.upstream.control import Control
from local.upstream.exchange import (
    InterimReplies,
    NoReply,
    Outcome,
    Reply,
    Request,
    error_reply,
)

HOST = "127.0.0.1"
MAX_BODY_BYTES = 1_000_000
STOP_POLL_SECONDS = 0.02


class StandIn(ThreadingHTTPServer):
    """The server, and what it serves."""

    daemon_threads = True
    request_queue_size = 256
    """Tests connect fifty at a time and more."""

    def __init__(self, port: int, api: Api, *, host: str = HOST) -> None:
        self.api = api
        self.control = Control(api)
        super().__init__((host, port), Handler)

    @property
    def port(self) -> int:
        """The port it listens on, also when any free one was asked for."""
        return int(self.server_address[1])

    @property
    def api_url(self) -> str:
        """Where the contract's paths begin."""
        return f"http://{HOST}:{self.port}/api"

    def handle_error(
        self, request: socket.socket | tuple[bytes, socket.socket], client_address: object
    ) -> None:
        """Report what went wrong, unless it is only that the client left."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    # Headers and body go out as one packet, and at once.
    wbufsize = -1
    disable_nagle_algorithm = True
    server: StandIn

    def do_GET(self) -> None:
        """Read."""
        self._serve()

    def do_POST(self) -> None:
        """Create, or do."""
        self._serve()

    def do_PUT(self) -> None:
        """Replace."""
        self._serve()

    def do_PATCH(self) -> None:
        """Change."""
        self._serve()

    def do_DELETE(self) -> None:
        """Remove."""
        self._serve()

    def _serve(self) -> None:
        outcome = self._outcome()
        match outcome:
            case Reply():
                self._send(outcome)
            case InterimReplies():
                self._send_interim(outcome)
            case NoReply():
                self._hang_up(outcome)

    def _outcome(self) -> Outcome:
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isdecimal():
            self.close_connection = True
            return error_reply(411, "The request needs a Content-Length.")
        if int(length) > MAX_BODY_BYTES:
            self.close_connection = True
            return error_reply(413, "The request is too long.")
        request = Request.parse(
            self.command,
            self.path,
            {name.lower(): value for name, value in self.headers.items()},
            self.rfile.read(int(length)),
        )
        match request.segments[0]:
            case "api":
                return self.server.api.handle(request)
            case "_control":
                return self.server.control.handle(request)
            case _:
                return error_reply(404, "There is nothing at this path.")

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        if reply.status != HTTPStatus.NOT_MODIFIED:
            self.send_header("Content-Type", reply.content_type)
            self.send_header("Content-Length", str(len(reply.body) + reply.missing_bytes))
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.dribble is None:
            self.end_headers()
            self.wfile.write(reply.body)
            self.wfile.flush()
        else:
            self._dribble(reply, reply.dribble)
        if reply.missing_bytes:
            self.close_connection = True

    def _dribble(self, reply: Reply, dribble: Dribble) -> None:
        destination, head = self.wfile, BytesIO()
        self.wfile = head
        self.end_headers()
        self.wfile = destination
        slow = head.getvalue() + reply.body
        if dribble.part == "body":
            self.wfile.write(head.getvalue())
            self.wfile.flush()
            slow = reply.body
        for byte in slow:
            if not self.server.api.pause(dribble.pause_seconds):
                self.close_connection = True
                return
            self.wfile.write(bytes([byte]))
            self.wfile.flush()

    def _send_interim(self, replies: InterimReplies) -> None:
        self.close_connection = True
        # It ends with a ConnectionError, when the client has gone.
        while self.server.api.pause(replies.pause_seconds):
            self.send_response_only(replies.status)
            self.end_headers()
            self.wfile.flush()

    def _hang_up(self, manner: NoReply) -> None:
        self.close_connection = True
        self.log_request("-")
        if manner.after_client:
            # Whatever comes now, at the latest the end of the connection, ends the wait.
            self.connection.recv(1)
        if manner.reset:
            # To linger for no time at all makes the close a reset.
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)


@contextmanager
def running_stand_in(api: Api, port: int = 0) -> Iterator[StandIn]:
    """A stand-in on a thread of this process, on any free port, until the block ends."""
    server = StandIn(port, api)
    thread = threading.Thread(
        target=server.serve_forever, args=(STOP_POLL_SECONDS,), name="stand-in"
    )
    thread.start()
    try:
        yield server
    finally:
        api.stop()
        server.shutdown()
        thread.join()
        server.server_close()
