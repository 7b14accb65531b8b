"""Who is calling: what a verified access token says, and how it gets from the authorizer here.

A token is verified in one place, ``till.http.tokens``. On API Gateway the Lambda authorizer runs
it and hands on what it found as the authorizer's context; where a target has no authorizers, the
function runs it itself. Which of the two is a setting, and there is none for neither.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol
from uuid import UUID

from till.domain.actor import Actor
from till.domain.errors import TillError
from till.http.events import header
from till.http.routes import STAFF, Role

if TYPE_CHECKING:
    from collections.abc import Callable

    from till.http.events import Event, Json

CLOCK_SKEW_SECONDS: Final = 30
"""How far our clock and the issuer's may be apart."""

LONGEST_NAME: Final = 60
"""In characters. Longer names are cut: each is stored with every change."""

_SUBJECT: Final = re.compile(r"[\x21-\x7e]{1,100}")
_BEARER: Final = re.compile(r"bearer +(\S+)", re.IGNORECASE)


class NotAuthenticatedError(TillError):
    """There is no token, or none that is valid."""


class NotAllowedError(TillError):
    """The caller is known, and none of their roles may do this."""

    def __init__(self, needed: frozenset[Role]) -> None:
        super().__init__("not allowed")
        self.needed = needed


class IdentityUnavailableError(TillError):
    """The issuer's keys cannot be had at this moment, so that no token can be checked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who a verified token speaks for.

    ``name`` is what the token calls them; ``customer_id`` is whose customer role it is;
    ``expires_at`` is in seconds since the epoch: an authorizer's answer may be kept longer than
    the token that it was for.
    """

    subject: str
    roles: frozenset[Role]
    customer_id: UUID | None
    expires_at: int
    name: str | None = None

    @property
    def actor(self) -> Actor:
        """Who does what this request does. Only staff are recorded by name."""
        return Actor(self.subject, self.name if self.roles & STAFF else None)

    def context(self) -> dict[str, str]:
        """The caller as an authorizer's context: names and texts are all that it can carry."""
        return {
            "subject": self.subject,
            "roles": " ".join(sorted(self.roles)),
            "customer_id": str(self.customer_id) if self.customer_id else "",
            "expires_at": str(self.expires_at),
            "name": self.name or "",
        }

    @classmethod
    def from_context(cls, context: Json) -> Caller:
        """The caller of ``context()``.

        Raises:
            NotAuthenticatedError: this is no context of ours.
        """
        match context:
            case {
                "subject": str(subject),
                "roles": str(roles),
                "customer_id": str(customer_id),
                "expires_at": str(expires_at),
                **others,
            }:
                try:
                    return cls(
                        subject=checked_subject(subject),
                        roles=frozenset(Role(role) for role in roles.split()),
                        customer_id=UUID(customer_id) if customer_id else None,
                        expires_at=int(expires_at),
                        name=readable_name(others.get("name")),
                    )
                except ValueError as error:
                    raise NotAuthenticatedError from error
        raise NotAuthenticatedError


class Tokens(Protocol):
    """Tells who a token speaks for."""

    def verify(self, token: str) -> Caller:
        """The caller.

        Raises:
            NotAuthenticatedError: the token is not to be believed.
            IdentityUnavailableError: it cannot be checked now.
        """
        ...


def checked_subject(subject: str) -> str:
    """The subject, if it can stand in the books: 1 to 100 visible ASCII characters.

    Raises:
        NotAuthenticatedError: it cannot.
    """
    if not _SUBJECT.fullmatch(subject):
        raise NotAuthenticatedError
    return subject


def readable_name(claim: object) -> str | None:
    """The name that a token gives its bearer, fit to stand in the books; None without one.

    Invisible characters are left out, as they could make one name look like another's.
    """
    if not isinstance(claim, str):
        return None
    visible = "".join(c if c.isprintable() else " " for c in unicodedata.normalize("NFC", claim))
    return " ".join(visible.split())[:LONGEST_NAME] or None


def bearer_token(authorization: str | None) -> str:
    """The token in an Authorization header (RFC 6750).

    Raises:
        NotAuthenticatedError: there is none.
    """
    match = _BEARER.fullmatch((authorization or "").strip())
    if match is None:
        raise NotAuthenticatedError
    return match[1]


def identify_caller(event: Event, *, tokens: Tokens | None, now: Callable[[], float]) -> Caller:
    """Who sent this request: by its token if ``tokens`` are given, else by the authorizer.

    Raises:
        NotAuthenticatedError: no valid token, or one that has expired.
        IdentityUnavailableError: the token cannot be checked now.
    """
    if tokens is not None:
        return tokens.verify(bearer_token(header(event, "Authorization")))
    request_context = event.get("requestContext")
    context = request_context.get("authorizer") if isinstance(request_context, dict) else None
    caller = Caller.from_context(context)
    if caller.expires_at + CLOCK_SKEW_SECONDS < now():
        raise NotAuthenticatedError
    return caller
