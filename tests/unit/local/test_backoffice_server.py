"""The server of the built back office: its files, its configuration, and the API behind it."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from local.paths import BACKOFFICE
from local.ports import HOST, choose_port

PAGE = b"<!doctype html><title>Till</title>"
SCRIPT = b"console.log('till')"


@dataclass
class Api:
    """An API that answers 201 to everything, and keeps what it was sent."""

    url: str
    paths: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)


@pytest.fixture
def api() -> Iterator[Api]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            found.paths.append(self.path)
            found.headers.append({name.lower(): value for name, value in self.headers.items()})
            found.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(201)
            self.send_header("X-Correlation-Id", "c-1")
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer((HOST, 0), Handler) as server:
        found = Api(f"http://{HOST}:{server.server_port}/_aws/execute-api/till/v1")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield found
        server.shutdown()
        thread.join()


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "dist" / "assets").mkdir(parents=True)
    (tmp_path / "dist" / "index.html").write_bytes(PAGE)
    (tmp_path / "dist" / "assets" / "main-1a2b.js").write_bytes(SCRIPT)
    (tmp_path / "secret.txt").write_text("not to be served")
    return tmp_path / "dist"


@contextmanager
def serving(files: Path, api_url: str) -> Iterator[str]:
    """The server, until the block ends."""
    port = choose_port(0, used_for="a test", variable="PORT")
    command = ["node", str(BACKOFFICE / "server" / "serve.js"), "--port", str(port)]
    environment = {
        **os.environ,
        "TILL_API_URL": api_url,
        "TILL_ISSUER": "http://issuer.example:9100/",
        "TILL_AUDIENCE": "https://till.example/api",
    }
    with subprocess.Popen(
        [*command, "--files", str(files)], env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            assert f"http://{HOST}:{port}" in process.stdout.readline()
            yield f"http://{HOST}:{port}"
        finally:
            process.terminate()
    assert process.returncode == 0, "it does not end when it is asked to"


@pytest.fixture
def served(files: Path, api: Api) -> Iterator[str]:
    with serving(files, api.url) as url:
        yield url


@pytest.mark.parametrize("address", ["/", "/customers/c-1?tab=ledger", "/index.html"])
def test_every_address_of_the_application_is_its_page(served: str, address: str) -> None:
    answer = httpx.get(served + address)
    assert (answer.status_code, answer.content) == (200, PAGE)
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-cache"


def test_an_asset_is_kept_and_one_that_is_not_there_is_not_found(served: str) -> None:
    asset = httpx.get(f"{served}/assets/main-1a2b.js")
    assert (asset.status_code, asset.content) == (200, SCRIPT)
    assert asset.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert "immutable" in asset.headers["Cache-Control"]
    assert httpx.get(f"{served}/assets/main-0000.js").status_code == 404
    assert httpx.post(f"{served}/assets/main-1a2b.js").status_code == 405


@pytest.mark.parametrize(
    "path", ["/../secret.txt", "/assets/../../secret.txt", "/%2e%2e/secret.txt"]
)
def test_nothing_outside_its_folder_is_served(served: str, path: str) -> None:
    # As it is written: httpx would shorten the path.
    connection = http.client.HTTPConnection(served.removeprefix("http://"))
    connection.request("GET", path)
    answer = connection.getresponse()
    assert (answer.status, b"not to be served" in answer.read()) == (404, False)
    connection.close()


def test_the_configuration_and_the_policy_name_the_issuer(served: str) -> None:
    answer = httpx.get(f"{served}/config.json")
    assert answer.json() == {
        "issuer": "http://issuer.example:9100/",
        "client_id": "till-backoffice",
        "resource": "https://till.example/api",
        "roles_claim": "roles",
    }
    assert answer.headers["Cache-Control"] == "no-store"
    policy = answer.headers["Content-Security-Policy"]
    assert "connect-src 'self' http://issuer.example:9100;" in policy
    named = json.loads((BACKOFFICE / "security-headers.json").read_text())
    assert all(name in answer.headers for name in named)


def test_the_api_gets_the_request_and_the_caller_its_answer(served: str, api: Api) -> None:
    answer = httpx.post(
        f"{served}/v1/customers/a%2Fb/purchases?x=%20y",
        content=b'{"quantity": 2}',
        headers={"Authorization": "Bearer t", "Idempotency-Key": "k"},
    )
    assert (answer.status_code, answer.content) == (201, b"{}")
    assert answer.headers["X-Correlation-Id"] == "c-1"
    assert api.paths == ["/_aws/execute-api/till/v1/customers/a%2Fb/purchases?x=%20y"]
    assert api.bodies == [b'{"quantity": 2}']
    (headers,) = api.headers
    assert (headers["authorization"], headers["idempotency-key"]) == ("Bearer t", "k")
    assert headers["host"] in api.url, "LocalStack goes by the host's name"


def test_an_api_that_is_not_there_is_a_problem_and_not_the_end(files: Path) -> None:
    nowhere = choose_port(0, used_for="a test", variable="PORT")
    with serving(files, f"http://{HOST}:{nowhere}/v1") as url:
        for _ in range(2):
            answer = httpx.post(f"{url}/v1/customers/c-1/purchases", content=b"{}")
            assert answer.status_code == 502
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert "Idempotency-Key" in answer.json()["detail"]
