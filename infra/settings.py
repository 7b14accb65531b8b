"""What differs from one stage to another, and nothing else does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields, replace
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from aws_cdk.aws_logs import RetentionDays

from infra.layers import Target

GATEWAY_TIMEOUT_SECONDS: Final = 29
"""API Gateway's own limit for an integration: past it, the caller gets a 504."""

RECORDING_SECONDS: Final = 3
"""What a purchase needs after the carrier has answered (or has not), to write down the outcome."""


class SettingsError(Exception):
    """A stage cannot be deployed as it is described. The message is for the person who tried."""


class Packaging(StrEnum):
    """How the code that functions share gets to them."""

    LAYERS = "layers"
    BUNDLES = "bundles"
    """Each function carries all of it: for a target that does not apply layers."""


class IdentityFrom(StrEnum):
    """Who verifies access tokens. There is no third way, and none for nobody."""

    AUTHORIZER = "authorizer"
    FUNCTION = "function"
    """Each function itself, by the authorizer's code: where a target runs no authorizers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttle:
    """How many requests API Gateway lets through, over all callers."""

    requests_per_second: int
    burst: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Surrounding:
    """What every deployment has to be told: where the systems are that Till depends on."""

    upstream_url: str
    """The external APIs."""
    issuer: str
    """Whose access tokens are believed: ``iss`` in them, to the letter."""
    audience: str
    """What their tokens are for: one of ``aud`` in them."""
    jwks_url: str
    """Where the issuer publishes its keys."""
    roles_claim: str = "roles"
    customer_claim: str = "customer_id"
    backoffice_client_id: str = "till-backoffice"
    """What the issuer knows the back office as."""

    @classmethod
    def from_context(cls, context: Callable[[str], object], stage: str) -> Surrounding:
        """What ``cdk -c name=value`` was given.

        Raises:
            SettingsError: something is missing.
        """
        given = {
            field.name: str(context(field.name) or "").strip() or field.default
            for field in fields(cls)
        }
        missing = sorted(name for name, value in given.items() if value is MISSING)
        if missing:
            raise SettingsError(
                f"Stage {stage} is not told everything: pass "
                f"{', '.join(f'-c {name}=' for name in missing)}."
            )
        return cls(**{name: str(value) for name, value in given.items()})


@dataclass(frozen=True, slots=True, kw_only=True)
class StageSettings:
    """One stage. Times are in seconds, and their order is a matter of money.

    Carrier < Lambda < API Gateway, with room to read before the carrier is called and to record
    afterwards what came of it; and an attempt is only called dead when no function can still be
    working on it.
    """

    stage: str
    surrounding: Surrounding
    is_aws: bool
    """False: an emulator on one's own machine, whose tables go away with it."""
    runs_on: Target
    """What runs the functions: their compiled code is made for it."""
    packaging: Packaging
    identity_from: IdentityFrom
    support_limit_minor: int
    """The most that a rep may grant, deduct or refund in one operation, in cents."""
    read_timeout_seconds: int
    shipment_timeout_seconds: int
    lambda_timeout_seconds: int
    pending_expiry_seconds: int
    unknown_deadline_seconds: int
    display_max_age_seconds: int
    """How old a customer or product may be that is only shown."""
    display_stale_if_error_seconds: int
    """How much older, while its API does not answer."""
    lambda_memory_mb: int
    log_retention: RetentionDays
    throttle: Throttle | None

    def __post_init__(self) -> None:
        """Refuse times in the wrong order, and addresses that cannot be called."""
        purchase = self.read_timeout_seconds + self.shipment_timeout_seconds + RECORDING_SECONDS
        if purchase > self.lambda_timeout_seconds:
            raise SettingsError(
                f"Stage {self.stage}: a purchase may take {purchase} s, which is more than the "
                f"{self.lambda_timeout_seconds} s that its function has."
            )
        if self.lambda_timeout_seconds >= GATEWAY_TIMEOUT_SECONDS:
            raise SettingsError(
                f"Stage {self.stage}: a function may take {self.lambda_timeout_seconds} s, but API "
                f"Gateway gives up after {GATEWAY_TIMEOUT_SECONDS} s."
            )
        if self.pending_expiry_seconds <= self.lambda_timeout_seconds:
            raise SettingsError(
                f"Stage {self.stage}: attempts are called dead after "
                f"{self.pending_expiry_seconds} s, while their function may still be running."
            )
        _check_surrounding(self)

    @property
    def prefix(self) -> str:
        """What every name in this stage begins with."""
        return f"till-{self.stage}"


def _check_surrounding(settings: StageSettings) -> None:
    schemes = ("https",) if settings.is_aws else ("http", "https")
    for name in ("upstream_url", "issuer", "jwks_url"):
        url = getattr(settings.surrounding, name)
        parts = urlsplit(url)
        if parts.scheme not in schemes or not parts.hostname or parts.query or parts.fragment:
            raise SettingsError(
                f"Stage {settings.stage}: {name} must be a plain {' or '.join(schemes)} address "
                f"such as {schemes[0]}://host/path, not {url!r}."
            )


def _emulated(
    stage: str,
    surrounding: Surrounding,
    *,
    runs_on: Target,
    packaging: Packaging,
    identity_from: IdentityFrom,
) -> StageSettings:
    # A dead attempt should be seen to recover while one looks; but two cores that start fifty
    # workers at once make every call slow, and that is no outage.
    return StageSettings(
        stage=stage,
        surrounding=surrounding,
        is_aws=False,
        runs_on=runs_on,
        packaging=packaging,
        identity_from=identity_from,
        support_limit_minor=500_00,
        read_timeout_seconds=8,
        shipment_timeout_seconds=8,
        lambda_timeout_seconds=25,
        pending_expiry_seconds=30,
        unknown_deadline_seconds=86_400,
        display_max_age_seconds=5,
        display_stale_if_error_seconds=300,
        lambda_memory_mb=512,
        log_retention=RetentionDays.ONE_DAY,
        throttle=None,
    )


def _aws(
    stage: str, surrounding: Surrounding, *, log_retention: RetentionDays, throttle: Throttle
) -> StageSettings:
    return StageSettings(
        stage=stage,
        surrounding=surrounding,
        is_aws=True,
        runs_on=Target.AWS,
        packaging=Packaging.LAYERS,
        identity_from=IdentityFrom.AUTHORIZER,
        support_limit_minor=500_00,
        read_timeout_seconds=3,
        shipment_timeout_seconds=10,
        lambda_timeout_seconds=25,
        pending_expiry_seconds=60,
        unknown_deadline_seconds=86_400,
        display_max_age_seconds=5,
        display_stale_if_error_seconds=300,
        lambda_memory_mb=512,
        log_retention=log_retention,
        throttle=throttle,
    )


EMULATED_STAGES: Final = ("local", "localstack")
AWS_STAGES: Final = ("dev", "staging", "prod")
STAGES: Final = (*EMULATED_STAGES, *AWS_STAGES)
"""The stages there are."""


def settings_for(stage: object, context: Callable[[str], object]) -> StageSettings:
    """The settings of a stage, with what its deployment was given as context.

    Raises:
        SettingsError: no such stage, or its surrounding is not described, or makes no sense.
    """
    if stage not in STAGES:
        named = "No stage was named" if stage is None else f"There is no stage {stage!r}"
        raise SettingsError(f"{named}: pass -c stage= with one of {', '.join(STAGES)}.")
    stage = str(stage)
    surrounding = Surrounding.from_context(context, stage)
    surrounding = replace(surrounding, upstream_url=surrounding.upstream_url.rstrip("/"))
    if stage == "local":
        return _emulated(
            stage,
            surrounding,
            runs_on=Target.LOCAL,
            packaging=Packaging.LAYERS,
            identity_from=IdentityFrom.AUTHORIZER,
        )
    if stage == "localstack":
        # Its community image applies neither layers nor authorizers (docs/localstack.md).
        return _emulated(
            stage,
            surrounding,
            runs_on=_runs_on(context),
            packaging=Packaging.BUNDLES,
            identity_from=IdentityFrom.FUNCTION,
        )
    if stage == "prod":
        return _aws(
            stage,
            surrounding,
            log_retention=RetentionDays.ONE_YEAR,
            throttle=Throttle(requests_per_second=100, burst=200),
        )
    return _aws(
        stage,
        surrounding,
        log_retention=RetentionDays.ONE_MONTH,
        throttle=Throttle(requests_per_second=20, burst=40),
    )


def _runs_on(context: Callable[[str], object]) -> Target:
    """LocalStack runs functions in AWS's images; ``-c runs_on=local`` is for another emulator."""
    given = context("runs_on") or Target.AWS
    try:
        return Target(str(given))
    except ValueError:
        known = " or ".join(Target)
        raise SettingsError(f"There is no target {given!r}: -c runs_on= takes {known}.") from None
