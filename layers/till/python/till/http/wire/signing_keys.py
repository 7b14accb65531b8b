"""The keys that the signatures of statements are checked with."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field

from till.http.wire.types import WireResponse
from till.services.ports.signing import PublicKey, base64url


class JsonWebKeyResponse(WireResponse):
    """A public key (RFC 7517, RFC 7518)."""

    kty: Literal["EC"] = Field(description="The kind of key")
    crv: Literal["P-256"] = Field(description="The curve")
    alg: Literal["ES256"] = Field(description="The algorithm of its signatures")
    use: Literal["sig"] = Field(description="What it is for: signatures")
    kid: str = Field(description="The key's name, as in the header of a signature")
    x: str = Field(description="The first coordinate, base64url")
    y: str = Field(description="The second coordinate, base64url")

    @classmethod
    def of(cls, key: PublicKey) -> Self:
        """A public key."""
        return cls(
            kty="EC",
            crv="P-256",
            alg="ES256",
            use="sig",
            kid=key.key_id,
            x=base64url(key.x),
            y=base64url(key.y),
        )


class JsonWebKeySetResponse(WireResponse):
    """The keys that sign statements."""

    keys: list[JsonWebKeyResponse] = Field(description="The keys")
