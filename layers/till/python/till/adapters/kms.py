"""Signatures by a key of AWS KMS: the private key never leaves KMS."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Final, cast

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from till.adapters.aws import session
from till.services.ports.signing import PublicKey, SigningUnavailableError, base64url

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Protocol

    class KmsClient(Protocol):
        """What is used of botocore's client."""

        def sign(self, **request: str | bytes) -> Mapping[str, bytes]:
            """Sign a digest."""

        def get_public_key(self, **request: str) -> Mapping[str, bytes]:
            """The public half of a key."""


_CONFIG: Final = Config(
    connect_timeout=1.0,
    read_timeout=3.0,
    # A second signature over the same bytes is as good as the first.
    retries={"mode": "standard", "total_max_attempts": 3},
)
_COORDINATE_BYTES: Final = 32


def make_kms_client() -> KmsClient:
    """A client of KMS whose calls end well within a function's time."""
    return cast("KmsClient", session().create_client("kms", config=_CONFIG))


class KmsSigner:
    """``till.services.ports.signing.Signer`` by an ECC_NIST_P256 key of KMS."""

    def __init__(self, client: KmsClient, *, key_arn: str) -> None:
        self._client = client
        self._key_arn = key_arn
        self._key_id = key_arn.rpartition("/")[2]

    def sign(self, payload: bytes) -> str:
        """See the port."""
        header = base64url(_json({"alg": "ES256", "kid": self._key_id}))
        signed = f"{header}.{base64url(payload)}".encode("ascii")
        try:
            answer = self._client.sign(
                KeyId=self._key_arn,
                Message=hashlib.sha256(signed).digest(),
                MessageType="DIGEST",
                SigningAlgorithm="ECDSA_SHA_256",
            )
        except (BotoCoreError, ClientError) as error:
            raise SigningUnavailableError from error
        return f"{header}..{base64url(_two_numbers(answer['Signature']))}"

    def public_key(self) -> PublicKey:
        """See the port."""
        try:
            answer = self._client.get_public_key(KeyId=self._key_arn)
        except (BotoCoreError, ClientError) as error:
            raise SigningUnavailableError from error
        # A SubjectPublicKeyInfo (RFC 5480) ends with the point's two coordinates.
        point = answer["PublicKey"][-2 * _COORDINATE_BYTES :]
        return PublicKey(
            key_id=self._key_id, x=point[:_COORDINATE_BYTES], y=point[_COORDINATE_BYTES:]
        )


def _two_numbers(signature: bytes) -> bytes:
    """A signature as JWS has it (RFC 7518, 3.4): KMS gives a DER sequence of two integers."""
    first = signature[4 : 4 + signature[3]]
    second = signature[6 + signature[3] :]
    return b"".join(
        int.from_bytes(number, "big").to_bytes(_COORDINATE_BYTES, "big")
        for number in (first, second)
    )


def _json(value: dict[str, str]) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode("ascii")
