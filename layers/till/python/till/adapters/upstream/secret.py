"""The secret that holds the upstream's credential, read again when the copy is old.

Powertools' ``parameters`` would do this, but importing it loads boto3 and AppConfig's data: 40 ms
of a cold start.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

from botocore.config import Config
from botocore.exceptions import ClientError
from pydantic import ValidationError

from till.adapters.aws import session
from till.adapters.upstream.credential import UnusableSecretError, UpstreamCredential

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Protocol

    class SecretsManagerClient(Protocol):
        """What is used of botocore's client."""

        def get_secret_value(self, **request: str) -> Mapping[str, str | bytes]:
            """The current version of a secret."""


_RUNBOOK: Final = "docs/runbooks/deploying.md says what to put there"


class UpstreamSecret:
    """``till.adapters.upstream.credential.Secret`` in Secrets Manager."""

    def __init__(self, name: str, *, max_age_seconds: int, fetch_seconds: float) -> None:
        self._name = name
        self._max_age_seconds = max_age_seconds
        self._fetch_seconds = fetch_seconds
        self._client = make_client(fetch_seconds)
        self._copy: _Copy | None = None

    @property
    def fetch_seconds(self) -> float:
        """See the port."""
        return self._fetch_seconds

    def read(self, *, refresh: bool) -> UpstreamCredential:
        """See the port."""
        found = self._read(refresh=refresh)
        if isinstance(found, _Fault):
            # Here, where no other error is being handled: theirs know what is in the secret.
            raise UnusableSecretError(
                f"secret {self._name} {found.what}; {_RUNBOOK}", passing=found.passing
            )
        return found

    def _read(self, *, refresh: bool) -> UpstreamCredential | _Fault:
        copy = self._copy
        if copy is not None and not refresh and time.monotonic() < copy.good_until:
            return copy.credential
        try:
            answer = self._client.get_secret_value(SecretId=self._name)
        except Exception as error:  # noqa: BLE001 - botocore's errors have no common class
            return _Fault(
                f"cannot be read ({_name_of(error)})", passing=not isinstance(error, ClientError)
            )
        try:
            content = json.loads(answer.get("SecretString") or answer["SecretBinary"])
            credential = UpstreamCredential.model_validate(content)
        except ValidationError as error:
            # An earlier copy is not used either: what is in the secret now is what counts.
            self._copy = None
            wrong = sorted({str(place) for e in error.errors() for place in e["loc"]})
            return _Fault(f"has no usable {' and '.join(wrong) or 'object'} in it")
        except (KeyError, ValueError):
            return _Fault("is empty, or not JSON")
        self._copy = _Copy(credential, time.monotonic() + self._max_age_seconds)
        return credential


@dataclass(frozen=True, slots=True)
class _Copy:
    """What was read, and until when (``time.monotonic``) it is not asked for again."""

    credential: UpstreamCredential
    good_until: float


@dataclass(frozen=True, slots=True)
class _Fault:
    """Why there is no credential, and whether the cause is only a missing answer."""

    what: str
    passing: bool = False


def make_client(fetch_seconds: float) -> SecretsManagerClient:
    """A client that asks once, and has its answer or none within this time."""
    config = Config(
        connect_timeout=fetch_seconds / 2,
        read_timeout=fetch_seconds / 2,
        retries={"mode": "standard", "total_max_attempts": 1},
    )
    return cast("SecretsManagerClient", session().create_client("secretsmanager", config=config))


def _name_of(error: Exception) -> str:
    if isinstance(error, ClientError):
        return error.response["Error"]["Code"]
    return type(error).__name__
