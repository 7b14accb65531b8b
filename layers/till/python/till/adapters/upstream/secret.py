"""The secret that holds the upstream's credential, through Powertools' cache of parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aws_lambda_powertools.utilities.parameters import (
    GetParameterError,
    SecretsProvider,
    TransformParameterError,
)
from botocore.config import Config
from botocore.exceptions import ClientError
from pydantic import ValidationError

from till.adapters.aws import session
from till.adapters.upstream.credential import UnusableSecretError, UpstreamCredential

if TYPE_CHECKING:
    from botocore.client import BaseClient

_RUNBOOK: Final = "docs/runbooks/deploying.md says what to put there"


class UpstreamSecret:
    """``till.adapters.upstream.credential.Secret`` in Secrets Manager."""

    def __init__(self, name: str, *, max_age_seconds: int, fetch_seconds: float) -> None:
        self._name = name
        self._max_age_seconds = max_age_seconds
        self._fetch_seconds = fetch_seconds
        self._provider = SecretsProvider(boto3_client=make_client(fetch_seconds))

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
        try:
            content = self._provider.get(
                self._name,
                max_age=self._max_age_seconds,
                transform="json",
                force_fetch=refresh,
            )
            return UpstreamCredential.model_validate(content)
        except GetParameterError as error:
            cause = error.__context__
            answered = isinstance(cause, ClientError)
            return _Fault(f"cannot be read ({_name_of(cause)})", passing=not answered)
        except ValidationError as error:
            # Otherwise Powertools would keep the invalid value until it expires.
            self._provider.clear_cache()  # type: ignore[no-untyped-call]
            wrong = sorted({str(place) for e in error.errors() for place in e["loc"]})
            return _Fault(f"has no usable {' and '.join(wrong) or 'object'} in it")
        except (TransformParameterError, UnicodeDecodeError):
            return _Fault("is empty, or not JSON")


@dataclass(frozen=True, slots=True)
class _Fault:
    """Why there is no credential, and whether the cause is only a missing answer."""

    what: str
    passing: bool = False


def make_client(fetch_seconds: float) -> BaseClient:
    """A client that asks once, and has its answer or none within this time."""
    config = Config(
        connect_timeout=fetch_seconds / 2,
        read_timeout=fetch_seconds / 2,
        retries={"mode": "standard", "total_max_attempts": 1},
    )
    return session().create_client("secretsmanager", config=config)


def _name_of(error: BaseException | None) -> str:
    if isinstance(error, ClientError):
        return error.response["Error"]["Code"]
    return type(error).__name__
