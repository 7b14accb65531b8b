"""Signatures that anyone can check with a published key."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Protocol

from till.domain.errors import TillError


def base64url(content: bytes) -> str:
    """Bytes as JOSE writes them (RFC 7515, 2): base64url, without padding."""
    return base64.urlsafe_b64encode(content).decode("ascii").rstrip("=")


class SigningUnavailableError(TillError):
    """The key cannot be used at this moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKey:
    """A public key on the curve P-256: its name, and its point's coordinates, 32 bytes each."""

    key_id: str
    x: bytes
    y: bytes


class Signer(Protocol):
    """Signs with a private key that never leaves its place."""

    def sign(self, payload: bytes) -> str:
        """A JWS (RFC 7515, compact, ES256) over a payload that is not repeated in it (appendix F).

        Raises:
            SigningUnavailableError: try again later.
        """
        ...

    def public_key(self) -> PublicKey:
        """The key that the signatures are checked with.

        Raises:
            SigningUnavailableError: try again later.
        """
        ...
