"""Access tokens for whomever a test wants to be, signed with the identity provider's own key."""

from __future__ import annotations

import json
import time
from functools import cached_property
from typing import TYPE_CHECKING

import jwt

from tests.under_test import needed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from tests.under_test import UnderTest

TESTER = "a.tester"
HOURS_SECONDS = 4 * 3_600


class Badges:
    """Signs as the issuer does. What a real sign-in gives is in ``under_test.tokens``."""

    def __init__(self, system: UnderTest) -> None:
        self._system = system
        self.issuer = system.issuer
        self.audience = system.audience
        self._kept: dict[str, str] = {}
        self.signed: list[str] = []

    @cached_property
    def jwk(self) -> dict[str, str]:
        """The issuer's private key."""
        path = needed(self._system.identity_keys, "key to sign tokens with")
        keys: list[dict[str, str]] = json.loads(path.read_text())["keys"]
        return keys[0]

    def tester(self) -> str:
        """Who does what a test does unless it says otherwise: an admin."""
        if self._system.identity_keys is None:
            return self._system.token("admin")
        return self.admin(TESTER)

    def of(
        self, subject: str, *roles: str, customer_id: UUID | None = None, **changes: object
    ) -> str:
        """A token; with ``changes`` of its claims (None leaves one out), one that is not right."""
        now = int(time.time())
        claims: dict[str, object] = {
            "iss": self.issuer,
            "aud": self.audience,
            "sub": subject,
            "iat": now,
            "exp": now + HOURS_SECONDS,
            "roles": list(roles),
            "customer_id": str(customer_id) if customer_id else None,
            **changes,
        }
        return self.sign({name: value for name, value in claims.items() if value is not None})

    def sign(self, claims: dict[str, object], *, algorithm: str = "RS256") -> str:
        """Any claims, under the issuer's key."""
        key = jwt.PyJWK(self.jwk, algorithm=algorithm)
        headers = {"kid": self.jwk["kid"], "typ": "at+jwt"}
        token = jwt.encode(claims, key.key, algorithm=algorithm, headers=headers)
        self.signed.append(token)
        return token

    def admin(self, subject: str) -> str:
        """A caller with every right; the same token each time."""
        if subject not in self._kept:
            self._kept[subject] = self.of(subject, "admin")
        return self._kept[subject]


def bearer(token: str) -> dict[str, str]:
    """The header that carries a token."""
    return {"Authorization": f"Bearer {token}"}


ROLES: Sequence[str] = ("customer", "support", "admin", "service")
