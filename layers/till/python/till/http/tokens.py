"""Verifies access tokens (OAuth 2.0, JWT) of the configured OpenID Connect issuer, with PyJWT.

Only what asks it imports this module: PyJWT and what it needs lie in a layer of their own, since
no cold start of the other functions should have to unpack them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from uuid import UUID

import jwt

from till.http.identity import (
    CLOCK_SKEW_SECONDS,
    Caller,
    IdentityUnavailableError,
    NotAuthenticatedError,
    checked_subject,
    readable_name,
)
from till.http.routes import Role

if TYPE_CHECKING:
    from collections.abc import Mapping

ALGORITHMS: Final = ("RS256", "PS256", "ES256")
"""Signatures by an issuer's private key. Nothing symmetric, and not ``none``."""

_USER_AGENT: Final = "till/1"
"""As with the external APIs. Large issuers answer 403 to urllib's own name, Python-urllib."""
_FETCH_TIMEOUT_SECONDS: Final = 4
_KEYS_LIVE_SECONDS: Final = 300
_NEW_KEY_AFTER_SECONDS: Final = 5
"""A key that is not known yet is looked for at once, but not more often than this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPolicy:
    """Whose tokens are believed, what they are for, and what in them says who the bearer is.

    ``roles_claim`` and ``customer_claim`` are names of claims; dots lead into nested ones, as in
    ``realm_access.roles``.
    """

    issuer: str
    audience: str
    jwks_url: str
    roles_claim: str
    customer_claim: str


class OidcTokens:
    """``till.http.identity.Tokens`` for one issuer. Its keys are fetched when needed, and kept."""

    def __init__(self, policy: TokenPolicy) -> None:
        self._policy = policy
        self._keys = jwt.PyJWKClient(
            policy.jwks_url,
            headers={"Accept": "application/json", "User-Agent": _USER_AGENT},
            lifespan=_KEYS_LIVE_SECONDS,
            timeout=_FETCH_TIMEOUT_SECONDS,
            cooldown_duration=_NEW_KEY_AFTER_SECONDS,
        )

    def verify(self, token: str) -> Caller:
        """The caller that a token speaks for; see the protocol."""
        try:
            claims: dict[str, object] = jwt.decode(
                token,
                self._key_of(token),
                algorithms=list(ALGORITHMS),
                audience=self._policy.audience,
                issuer=self._policy.issuer,
                leeway=CLOCK_SKEW_SECONDS,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except (jwt.PyJWTError, RecursionError) as error:
            raise NotAuthenticatedError from error
        return self._caller(claims)

    def _key_of(self, token: str) -> jwt.PyJWK:
        """The issuer's key that a token names.

        An issuer whose keys make no sense is one that cannot be reached: it is not the caller's
        fault, and no token may pass.
        """
        try:
            # By themselves first, to tell what is wrong with them from what is with the token.
            self._keys.get_signing_keys()
        except (OSError, ValueError, jwt.PyJWTError) as error:
            # No answer, no JSON, an answer cut off, or no key that can be used.
            raise IdentityUnavailableError from error
        try:
            return self._keys.get_signing_key_from_jwt(token)
        except jwt.PyJWKClientConnectionError as error:
            raise IdentityUnavailableError from error
        except (OSError, ValueError, jwt.PyJWKSetError) as error:
            # It was asked again for a key that it did not have, and that went wrong.
            raise IdentityUnavailableError from error

    def _caller(self, claims: Mapping[str, object]) -> Caller:
        subject, expires_at = claims["sub"], claims["exp"]
        if not isinstance(subject, str) or not isinstance(expires_at, int | float):
            raise NotAuthenticatedError
        return Caller(
            subject=checked_subject(subject),
            roles=_roles(_claim(claims, self._policy.roles_claim)),
            customer_id=_customer_id(_claim(claims, self._policy.customer_claim)),
            expires_at=int(expires_at),
            name=readable_name(claims.get("name")),
        )


def _claim(claims: Mapping[str, object], name: str) -> object:
    # A claim's own name may hold dots, as those of some issuers do, being addresses.
    if name in claims:
        return claims[name]
    value: object = claims
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _roles(claim: object) -> frozenset[Role]:
    """The roles that we know among a list, or a text with spaces; an issuer may have others."""
    named = claim.split() if isinstance(claim, str) else claim
    if not isinstance(named, list):
        return frozenset()
    known = {role.value for role in Role}
    return frozenset(Role(name) for name in named if isinstance(name, str) and name in known)


def _customer_id(claim: object) -> UUID | None:
    if claim is None:
        return None
    try:
        return UUID(claim) if isinstance(claim, str) else None
    except ValueError:
        return None
