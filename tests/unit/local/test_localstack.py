"""The deployer of docker-compose.yml notices that LocalStack has lost the stage."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from local import localstack
from local.errors import StartError
from local.ports import HOST

THERE = (200, {"id": "till"})
LOST = (404, {"__type": "NotFoundException", "message": "Invalid API identifier specified"})
NOT_READY = (503, {"message": "starting"})


class Emulator:
    """Answers one request after the other, as it was told."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, dict[str, str]]] = []
        self.asked: list[str] = []
        self.url = ""


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    found = Emulator()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.asked.append(self.path)
            status, body = found.answers.pop(0)
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("x-amzn-ErrorType", body.get("__type", ""))
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer((HOST, 0), Handler) as server:
        found.url = f"http://{HOST}:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield found
        server.shutdown()
        thread.join()


def test_only_the_word_that_there_is_no_such_api_counts(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(localstack, "LOOK_EVERY_SECONDS", 0.01)
    emulator.answers = [THERE, NOT_READY, (500, {"__type": "InternalError"}), THERE, LOST, THERE]
    localstack._wait_until_lost("till", emulator.url)
    assert emulator.asked == ["/restapis/till"] * 5
    assert emulator.answers == [THERE]


def test_aws_s_tools_are_given_the_number_of_a_host() -> None:
    assert localstack._by_address("http://localhost:4566") == "http://127.0.0.1:4566"
    assert localstack._by_address("http://127.0.0.1:4566") == "http://127.0.0.1:4566"
    with pytest.raises(StartError, match=r"no host 'not\.a\.host\.invalid'"):
        localstack._by_address("http://not.a.host.invalid:4566")
