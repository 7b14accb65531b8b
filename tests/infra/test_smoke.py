"""The smoke test, on a stage that does all that it should, and on ones that do not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = (ROOT / "docs" / "openapi.json").read_text()
TOKEN = "of-a-rep"
REFUSED = json.dumps({"type": "urn:problem-type:till:not-authenticated", "status": 401})
POLICY = {"Content-Security-Policy": "default-src 'none'; script-src 'self'"}


@dataclass(frozen=True, slots=True)
class Said:
    status: int
    content_type: str
    body: str
    headers: dict[str, str] = field(default_factory=dict)


JSON, PROBLEM, HTML = "application/json", "application/problem+json", "text/html; charset=utf-8"
SOUND = {
    "/v1/health": Said(200, JSON, '{"status": "ok"}'),
    "/v1/openapi.json": Said(200, JSON, DOCUMENT),
    "/v1/purchases": Said(401, PROBLEM, REFUSED),
    "/v1/purchases?limit=1": Said(200, JSON, '{"items": [], "next_cursor": null}'),
    "/": Said(200, HTML, "<!doctype html>", POLICY),
    "/customers": Said(200, HTML, "<!doctype html>", POLICY),
    "/config.json": Said(200, JSON, '{"issuer": "https://id.example.com"}'),
}


class Stage(ThreadingHTTPServer):
    """Says what it was told to say, and keeps which tokens it was shown."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.says = dict(SOUND)
        self.once: dict[str, Said] = {}
        self.tokens: set[str] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Stage

    def do_GET(self) -> None:
        self.server.tokens.add(self.headers.get("Authorization", ""))
        said = self.server.once.pop(self.path, None) or self.server.says[self.path]
        self.send_response(said.status)
        for name, value in {"Content-Type": said.content_type, **said.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(said.body.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name above
        """Say nothing."""


@pytest.fixture
def stage() -> Iterator[Stage]:
    with Stage() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def smoke(*arguments: str, token: str = "") -> subprocess.CompletedProcess[str]:
    # Isolated from what is installed: CI runs it on a bare Python.
    environment = {"PATH": os.environ["PATH"], "TILL_SMOKE_TOKEN": token}
    return subprocess.run(
        [sys.executable, "-S", "-m", "infra.smoke", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def of(stage: Stage, *, token: str = "", wait: str = "0") -> subprocess.CompletedProcess[str]:
    urls = ("--api-url", f"{stage.url}/v1/", "--backoffice-url", stage.url)
    return smoke(*urls, "--wait", wait, token=token)


def test_a_stage_that_is_there(stage: Stage) -> None:
    ran = of(stage, token=TOKEN)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.splitlines() == [
        "ok      it is up",
        "ok      its document is ours",
        "ok      a request without a token is refused",
        "ok      an invalid token is refused",
        "ok      a list can be read",
        "ok      the back office is up",
        "ok      an address in it is its page",
        "ok      it knows whom to ask",
        "ok      the API is on its origin",
    ]
    assert stage.tokens == {"", "Bearer not-a-token", f"Bearer {TOKEN}"}


def test_without_a_token_and_a_back_office_only_the_api_is_asked(stage: Stage) -> None:
    ran = smoke("--api-url", f"{stage.url}/v1")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert len(ran.stdout.splitlines()) == 4
    assert stage.tokens == {"", "Bearer not-a-token"}


@pytest.mark.parametrize(
    ("path", "said", "failure"),
    [
        ("/v1/health", Said(502, JSON, "{}"), "it is up: 200 application/json was due, and 502"),
        ("/v1/health", Said(200, JSON, '{"status": "so-so"}'), "it is up: it says"),
        ("/v1/health", Said(200, JSON, "<html>"), "it is up: the answer is no JSON"),
        ("/v1/openapi.json", Said(200, JSON, "{}"), "another release is deployed"),
        ("/v1/purchases", Said(200, JSON, "{}"), "a request without a token is refused: 401"),
        (
            "/v1/purchases",
            Said(401, JSON, "{}"),
            "a request without a token is refused: 401 application/problem",
        ),
        (
            "/v1/purchases",
            Said(401, PROBLEM, "{}"),
            "a request without a token is refused: the problem is",
        ),
        ("/v1/purchases", Said(503, PROBLEM, "{}"), "an invalid token is refused: 401"),
        ("/v1/purchases?limit=1", Said(403, PROBLEM, "{}"), "a list can be read: 200"),
        ("/v1/purchases?limit=1", Said(200, JSON, "[]"), "the answer is no list"),
        ("/", Said(200, HTML, ""), "the page comes without its Content-Security-Policy"),
        ("/customers", Said(404, HTML, "", POLICY), "an address in it is its page: 200"),
        ("/config.json", Said(200, JSON, "{}"), "it names no issuer"),
    ],
)
def test_what_a_stage_does_not_do_is_told(
    stage: Stage, path: str, said: Said, failure: str
) -> None:
    stage.says[path] = said
    ran = of(stage, token=TOKEN)
    assert ran.returncode == 1
    assert f"FAILED  {failure}" in ran.stdout or f": {failure}" in ran.stdout
    assert "checks failed" in ran.stderr
    assert TOKEN not in ran.stdout + ran.stderr


def test_what_was_just_deployed_is_given_a_moment(stage: Stage) -> None:
    stage.once["/v1/health"] = Said(403, JSON, '{"message": "Forbidden"}')
    assert of(stage, wait="30").returncode == 0


def test_nobody_there_is_told() -> None:
    with Stage() as gone:
        url = gone.url
    ran = smoke("--api-url", f"{url}/v1", "--wait", "0")
    assert ran.returncode == 1
    assert "FAILED  it is up: no answer (ConnectionRefusedError" in ran.stdout


@pytest.mark.parametrize("url", ["http://api.example.com/v1", "api.example.com", "https:///v1"])
def test_a_token_goes_nowhere_in_the_clear(url: str) -> None:
    ran = smoke("--api-url", url, token=TOKEN)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "is no https address" in ran.stderr
