"""The credential that the stand-in may ask for: one header field, one of those that it accepts."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Mapping
from typing import Final

from pydantic import BaseModel, ConfigDict

from local.upstream.behaviour import Plan
from local.upstream.exchange import Reply, error_reply

VARIABLE: Final = "UPSTREAM_CREDENTIAL"
"""The environment variable with the credential: ``X-Api-Key: value``."""

_FIELD: Final = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+): *([!-~](?:[ -~]*[!-~])?)")


class CredentialError(ValueError):
    """What was given is no header field. The message does not repeat it."""


class Credential(Plan):
    """A header field that lets requests in."""

    header: str
    value: str

    @classmethod
    def parse(cls, text: str) -> Credential:
        """Read it as it stands in a request.

        Raises:
            CredentialError: it is no header field.
        """
        field = _FIELD.fullmatch(text.strip())
        if field is None:
            raise CredentialError("a credential is a header field, such as 'X-Api-Key: value'")
        return cls(header=field[1], value=field[2])

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Credential:
        """The one that is given there; else one that says what it is for.

        Raises:
            CredentialError: what is given is no header field.
        """
        given = environment.get(VARIABLE, "")
        return cls.parse(given) if given else DEVELOPMENT

    def __str__(self) -> str:
        """As it stands in a request."""
        return f"{self.header}: {self.value}"


DEVELOPMENT: Final = Credential(header="X-Api-Key", value="for-development-only")


class GateReport(BaseModel):
    """Which credentials are accepted (none: every request is), and how many were refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    accepted: tuple[Credential, ...]
    refused: int


class Gate:
    """Checks the credential of requests. Safe between threads.

    While a credential is being changed, both the old and the new one are accepted.
    """

    def __init__(self, accepted: Iterable[Credential] = ()) -> None:
        self._lock = threading.Lock()
        self._accepted = tuple(accepted)
        self._refused = 0

    def accept(self, credentials: Iterable[Credential]) -> None:
        """Accept these from now on, and no others; none: accept all requests."""
        with self._lock:
            self._accepted = tuple(credentials)

    def report(self) -> GateReport:
        """What there is to tell."""
        with self._lock:
            return GateReport(accepted=self._accepted, refused=self._refused)

    def refusal(self, headers: Mapping[str, str]) -> Reply | None:
        """What a request with these header fields (names in lower case) is refused with."""
        with self._lock:
            accepted = self._accepted
            if not accepted or any(headers.get(c.header.lower()) == c.value for c in accepted):
                return None
            self._refused += 1
        return error_reply(401, "The request bears no valid credential.")
