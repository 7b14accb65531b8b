"""Asks a deployed stage whether it is there: ``python -m infra.smoke --api-url https://...``.

Everything is asked over HTTP, from outside, and nothing is changed. With ``--backoffice-url`` the
back office is asked, too, and with an access token of a rep, an admin or a service in
``TILL_SMOKE_TOKEN`` a list is read. It needs the standard library only: CI runs it where nothing is
installed.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

ROOT: Final = Path(__file__).resolve().parent.parent
DOCUMENT: Final = ROOT / "docs" / "openapi.json"
TOKEN_VARIABLE: Final = "TILL_SMOKE_TOKEN"  # noqa: S105 - where one may be, and not one

_NOT_AUTHENTICATED: Final = "urn:problem-type:till:not-authenticated"
_INVALID: Final = "Bearer not-a-token"
_REQUEST_SECONDS: Final = 30
"""API Gateway itself gives up before."""
_PAUSE_SECONDS: Final = 2
_LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")


class SmokeError(Exception):
    """What a stage did not do. The message is for the person who reads the log."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    """With names in small letters."""
    body: bytes

    @property
    def content_type(self) -> str:
        """Without its parameters."""
        return self.headers.get("content-type", "").split(";")[0].strip()

    def document(self) -> object:
        """The JSON in it.

        Raises:
            SmokeError: there is none.
        """
        try:
            found: object = json.loads(self.body)
        except ValueError:
            raise SmokeError(f"the answer is no JSON but {self.body[:80]!r}") from None
        return found


@dataclass(frozen=True, slots=True)
class Check:
    """Something that a stage has to do."""

    name: str
    run: Callable[[], None]


def main(arguments: Iterable[str] | None = None) -> None:
    """Run every check, each until it passes or the time is up.

    Raises:
        SystemExit: a check has not passed, or the arguments are not valid.
    """
    parser = argparse.ArgumentParser(prog="python -m infra.smoke", description=__doc__)
    parser.add_argument("--api-url", required=True)
    parser.add_argument("--backoffice-url", default="")
    # API Gateway and CloudFront take a little to serve what was just deployed.
    parser.add_argument("--wait", type=float, default=60, help="seconds, over all (default 60)")
    asked = parser.parse_args(None if arguments is None else list(arguments))
    try:
        checks = [*api_checks(_checked(asked.api_url), os.environ.get(TOKEN_VARIABLE, ""))]
        if asked.backoffice_url:
            checks += backoffice_checks(_checked(asked.backoffice_url))
    except SmokeError as error:
        sys.exit(f"till: {error}")
    deadline = time.monotonic() + asked.wait
    failed = sum(not _passes(check, deadline) for check in checks)
    if failed:
        sys.exit(f"till: {failed} of {len(checks)} checks failed.")


def api_checks(api_url: str, token: str) -> Iterator[Check]:
    """What an API has to do; it is only asked for a list if there is a token."""
    yield Check("it is up", lambda: _is_up(f"{api_url}/health"))
    yield Check("its document is ours", lambda: _serves_document(f"{api_url}/openapi.json"))
    yield Check(
        "a request without a token is refused", lambda: _refuses(f"{api_url}/purchases", {})
    )
    # This one is asked of the authorizer, who can only refuse it if it has the issuer's keys.
    yield Check(
        "an invalid token is refused",
        lambda: _refuses(f"{api_url}/purchases", {"Authorization": _INVALID}),
    )
    if token:
        yield Check("a list can be read", lambda: _reads(f"{api_url}/purchases?limit=1", token))


def backoffice_checks(url: str) -> Iterator[Check]:
    """What a back office has to do, with the API on its origin."""
    yield Check("the back office is up", lambda: _serves_page(f"{url}/"))
    yield Check("an address in it is its page", lambda: _serves_page(f"{url}/customers"))
    yield Check("it knows whom to ask", lambda: _knows_issuer(f"{url}/config.json"))
    yield Check("the API is on its origin", lambda: _is_up(f"{url}/v1/health"))


def _is_up(url: str) -> None:
    answer = _get(url)
    _expect(200, "application/json", answer)
    if answer.document() != {"status": "ok"}:
        raise SmokeError(f"it says {answer.body[:80]!r}")


def _serves_document(url: str) -> None:
    answer = _get(url)
    _expect(200, "application/json", answer)
    if answer.document() != json.loads(DOCUMENT.read_text(encoding="utf-8")):
        raise SmokeError("it is not the one in docs/openapi.json: another release is deployed")


def _refuses(url: str, headers: Mapping[str, str]) -> None:
    answer = _get(url, headers)
    _expect(401, "application/problem+json", answer)
    problem = answer.document()
    if not isinstance(problem, dict) or problem.get("type") != _NOT_AUTHENTICATED:
        raise SmokeError(f"the problem is {answer.body[:120]!r}")


def _reads(url: str, token: str) -> None:
    answer = _get(url, {"Authorization": f"Bearer {token}"})
    _expect(200, "application/json", answer)
    page = answer.document()
    if not isinstance(page, dict) or not isinstance(page.get("items"), list):
        raise SmokeError("the answer is no list")


def _serves_page(url: str) -> None:
    answer = _get(url)
    _expect(200, "text/html", answer)
    if "default-src 'none'" not in answer.headers.get("content-security-policy", ""):
        raise SmokeError("the page comes without its Content-Security-Policy")


def _knows_issuer(url: str) -> None:
    answer = _get(url)
    _expect(200, "application/json", answer)
    found = answer.document()
    if not isinstance(found, dict) or not found.get("issuer"):
        raise SmokeError("it names no issuer")


def _expect(status: int, content_type: str, answer: Answer) -> None:
    if (answer.status, answer.content_type) != (status, content_type):
        raise SmokeError(
            f"{status} {content_type} was due, and {answer.status} "
            f"{answer.content_type or 'of no type'} came"
        )


def _get(url: str, headers: Mapping[str, str] | None = None) -> Answer:
    """Ask once; a redirect is an answer like any other."""
    parts = urlsplit(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=_REQUEST_SECONDS)
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    try:
        connection.request("GET", target, headers={"User-Agent": "till-smoke", **(headers or {})})
        response = connection.getresponse()
        found = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, found, response.read())
    except (OSError, HTTPException) as error:
        raise SmokeError(f"no answer ({type(error).__name__}: {error})") from None
    finally:
        connection.close()


def _checked(url: str) -> str:
    """The address without a slash at its end.

    Raises:
        SmokeError: it is none, or a token would go there for anyone to read.
    """
    parts = urlsplit(url)
    schemes = ("http", "https") if parts.hostname in _LOOPBACK else ("https",)
    if parts.scheme not in schemes or not parts.hostname or parts.query or parts.fragment:
        raise SmokeError(f"{url!r} is no https address such as https://host/v1.")
    return url.rstrip("/")


def _passes(check: Check, deadline: float) -> bool:
    while True:
        try:
            check.run()
        except SmokeError as error:
            if time.monotonic() + _PAUSE_SECONDS > deadline:
                sys.stdout.write(f"FAILED  {check.name}: {error}\n")
                sys.stdout.flush()
                return False
            time.sleep(_PAUSE_SECONDS)
        else:
            sys.stdout.write(f"ok      {check.name}\n")
            sys.stdout.flush()
            return True


if __name__ == "__main__":
    main()
