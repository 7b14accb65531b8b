"""What differs from one stage to another, and nothing else does."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields, replace
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from aws_cdk.aws_logs import RetentionDays

from infra.layers import Machine
from till.services.shared.policy import SETTLE_SECONDS

GATEWAY_TIMEOUT_SECONDS: Final = 29
"""API Gateway's own limit for an integration: past it, the caller gets a 504."""

_EMAIL: Final = re.compile(r"[^@\s:/]+@[^@\s:/]+\.[^@\s:/]+")


class SettingsError(Exception):
    """A stage cannot be deployed as it is described. The message is for the person who tried."""


class Packaging(StrEnum):
    """How the code that functions share gets to them."""

    LAYERS = "layers"
    BUNDLES = "bundles"
    """Each function carries all of it: for a target that does not apply layers."""


class IdentityFrom(StrEnum):
    """Who verifies access tokens. One of the two always does."""

    AUTHORIZER = "authorizer"
    FUNCTION = "function"
    """Each function itself, by the authorizer's code: where a target runs no authorizers."""


class Release(StrEnum):
    """How a new version of the functions takes over."""

    IN_PLACE = "in-place"
    """There is one version only: an emulator's."""
    AT_ONCE = "at-once"
    """By the alias, which keeps the version before until the new one is there."""
    CANARY = "canary"
    """A tenth of the calls for five minutes, and back if an alarm rings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttle:
    """How many requests API Gateway lets through, over all callers."""

    requests_per_second: int
    burst: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentSettings:
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
    sign_in_url: str = ""
    """Where people sign in and get tokens, if that is another host than the issuer's."""
    domain_name: str = ""
    """The back office's custom domain name, if it has one."""
    certificate_arn: str = ""
    """The certificate for it: in us-east-1, where CloudFront looks."""
    api_domain_name: str = ""
    """The API's custom domain name, if it has one."""
    api_certificate_arn: str = ""
    """The certificate for it: in the region of the stage."""
    hosted_zone_id: str = ""
    """The zone at Route 53 of both names, if the deployment is to make their records."""
    hosted_zone_name: str = ""
    ledger_table: str = ""
    """The table that the functions use as the ledger, if it is a restored one."""
    purchases_table: str = ""
    """The same of the purchases."""
    alarms_to: str = ""
    """Who hears the stage's alarms: an e-mail address, or an https address of a paging service."""

    probe_customer_id: str = ""
    """The customer and the product that the probe reads every minute, if there is to be one."""
    probe_product_id: str = ""
    probe_token_url: str = ""
    """Where the probe gets its token, by client credentials."""
    probe_secret_arn: str = ""
    """The secret with the header by which the issuer knows the probe."""

    @classmethod
    def from_context(cls, context: Callable[[str], object], stage: str) -> DeploymentSettings:
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
class Probe:
    """What the probe of a stage calls, and with what; see ``infra.probe``."""

    customer_id: str
    product_id: str
    token_url: str
    secret_arn: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StageSettings:
    """One stage. Times are in seconds, and their order is a matter of money.

    Carrier < Lambda < API Gateway, with room to read before the carrier is called and to record
    afterwards what came of it; and an attempt is only called dead when no function can still be
    working on it.
    """

    stage: str
    deployment: DeploymentSettings
    is_aws: bool
    """False: an emulator on one's own machine, whose tables go away with it."""
    runs_on: Machine
    """What runs the functions: their compiled code is made for it."""
    packaging: Packaging
    identity_from: IdentityFrom
    release: Release
    tracing: bool
    """Whether X-Ray traces requests, from the gateway into the functions."""
    snap_start: bool
    """Whether Lambda restores functions from a snapshot instead of starting them."""
    support_limit_minor: int
    """The most that a rep may grant, deduct or refund in one operation, in cents."""
    free_products: bool
    """Whether a product may cost nothing. If not, a price of 0 is refused as a mistake."""
    read_timeout_seconds: int
    shipment_timeout_seconds: int
    lambda_timeout_seconds: int
    pending_expiry_seconds: int
    unknown_deadline_seconds: int
    upstream_credential_max_age_seconds: int
    """How long a function goes on with the upstream's credential before it asks for it again."""
    display_max_age_seconds: int
    """How old a customer or product may be that is only shown."""
    display_stale_if_error_seconds: int
    """How much older, while its API does not answer."""
    log_retention: RetentionDays
    journal_retention_days: int
    """How long no one can delete an object of the journal, and no one can shorten it."""
    throttle: Throttle | None
    monthly_budget_usd: int | None
    """What the account may cost in a month before people are told: docs/cost.md."""

    def __post_init__(self) -> None:
        """Refuse times in the wrong order, and addresses that cannot be called."""
        purchase = self.read_timeout_seconds + self.shipment_timeout_seconds + SETTLE_SECONDS
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
        _check_deployment(self)
        _check_names(self)
        _check_alarms_to(self)
        _check_probe(self)

    @property
    def has_key(self) -> bool:
        """Whether there is a key for the data: an emulator encrypts nothing."""
        return self.is_aws

    @property
    def ledger_table(self) -> str:
        """The name of the table that the functions use as the ledger."""
        return self.deployment.ledger_table or f"{self.prefix}-ledger"

    @property
    def purchases_table(self) -> str:
        """The name of the table that the functions use for purchases."""
        return self.deployment.purchases_table or f"{self.prefix}-purchases"

    @property
    def probe(self) -> Probe | None:
        """What the probe calls; None: the stage has no probe."""
        told = self.deployment
        if not told.probe_customer_id:
            return None
        return Probe(
            customer_id=told.probe_customer_id,
            product_id=told.probe_product_id,
            token_url=told.probe_token_url,
            secret_arn=told.probe_secret_arn,
        )

    @property
    def prefix(self) -> str:
        """What every name in this stage begins with."""
        return f"till-{self.stage}"


def _check_deployment(settings: StageSettings) -> None:
    schemes = ("https",) if settings.is_aws else ("http", "https")
    for name in ("upstream_url", "issuer", "jwks_url", "sign_in_url", "probe_token_url"):
        url = getattr(settings.deployment, name)
        if not url and name in ("sign_in_url", "probe_token_url"):
            continue
        parts = urlsplit(url)
        if parts.scheme not in schemes or not parts.hostname or parts.query or parts.fragment:
            raise SettingsError(
                f"Stage {settings.stage}: {name} must be a plain {' or '.join(schemes)} address "
                f"such as {schemes[0]}://host/path, not {url!r}."
            )


def warnings_of(settings: StageSettings) -> list[str]:
    """What a stage can be deployed without, and should not be."""
    if not settings.is_aws:
        return []
    stage, warnings = settings.stage, []
    if not settings.deployment.alarms_to:
        warnings.append(
            f"the alarms of stage {stage} reach no one. Set TILL_ALARMS_TO (in CI "
            f"{stage.upper()}_ALARMS_TO) to an e-mail address, or to the https address of "
            "a paging service."
        )
    if settings.probe is None:
        warnings.append(
            f"no probe calls the API of stage {stage}, so a release without traffic counts as "
            "healthy. Set TILL_PROBE_CUSTOMER_ID and the three settings with it: "
            "docs/runbooks/probe.md."
        )
    return warnings


def _check_probe(settings: StageSettings) -> None:
    told = {
        name: getattr(settings.deployment, name)
        for name in (
            *("probe_customer_id", "probe_product_id"),
            *("probe_token_url", "probe_secret_arn"),
        )
    }
    missing = [name for name, value in told.items() if not value]
    if len(missing) == len(told):
        return
    if missing:
        raise SettingsError(
            f"Stage {settings.stage}: the probe needs {', '.join(missing)} as well, or none of "
            f"{', '.join(told)}."
        )
    for name in ("probe_customer_id", "probe_product_id"):
        try:
            UUID(told[name])
        except ValueError:
            raise SettingsError(
                f"Stage {settings.stage}: {name} must be a UUID, not {told[name]!r}."
            ) from None
    if told["probe_secret_arn"].split(":")[:3:2] != ["arn", "secretsmanager"]:
        raise SettingsError(
            f"Stage {settings.stage}: probe_secret_arn must be the ARN of a secret in Secrets "
            f"Manager, not {told['probe_secret_arn']!r}."
        )


def _check_alarms_to(settings: StageSettings) -> None:
    hears = settings.deployment.alarms_to
    parts = urlsplit(hears)
    is_address = parts.scheme == "https" and bool(parts.hostname)
    if hears and not is_address and not _EMAIL.fullmatch(hears):
        raise SettingsError(
            f"Stage {settings.stage}: alarms_to must be an e-mail address or an https address, "
            f"not {hears!r}."
        )


def _check_names(settings: StageSettings) -> None:
    """See that what belongs together is there together."""
    given = settings.deployment
    for one, other in (
        ("domain_name", "certificate_arn"),
        ("api_domain_name", "api_certificate_arn"),
        ("hosted_zone_id", "hosted_zone_name"),
        # Two tables of two points in time would contradict each other.
        ("ledger_table", "purchases_table"),
    ):
        if bool(getattr(given, one)) != bool(getattr(given, other)):
            raise SettingsError(
                f"Stage {settings.stage}: {one} and {other} are given both, or neither."
            )
    if given.certificate_arn and given.certificate_arn.split(":")[3:4] != ["us-east-1"]:
        raise SettingsError(
            f"Stage {settings.stage}: certificate_arn must be in us-east-1, where CloudFront looks "
            f"for certificates, not {given.certificate_arn!r}."
        )
    for name in ("domain_name", "api_domain_name"):
        domain = getattr(given, name)
        zone = given.hosted_zone_name
        if domain and zone and not f".{domain}".endswith(f".{zone}"):
            raise SettingsError(
                f"Stage {settings.stage}: {name} {domain!r} is not in the hosted zone {zone!r}."
            )


def _emulated(
    stage: str,
    deployment: DeploymentSettings,
    *,
    runs_on: Machine,
    packaging: Packaging,
    identity_from: IdentityFrom,
) -> StageSettings:
    # A dead attempt should be seen to recover while one looks; but two cores that start fifty
    # workers at once make every call slow, and that is no outage.
    return StageSettings(
        stage=stage,
        deployment=deployment,
        is_aws=False,
        runs_on=runs_on,
        packaging=packaging,
        identity_from=identity_from,
        release=Release.IN_PLACE,
        tracing=False,
        snap_start=False,
        support_limit_minor=500_00,
        free_products=False,
        read_timeout_seconds=8,
        shipment_timeout_seconds=8,
        lambda_timeout_seconds=25,
        pending_expiry_seconds=30,
        unknown_deadline_seconds=86_400,
        upstream_credential_max_age_seconds=5,
        display_max_age_seconds=5,
        display_stale_if_error_seconds=300,
        log_retention=RetentionDays.ONE_DAY,
        journal_retention_days=1,
        throttle=None,
        monthly_budget_usd=None,
    )


def _aws(
    stage: str,
    deployment: DeploymentSettings,
    *,
    release: Release,
    tracing: bool,
    snap_start: bool,
    log_retention: RetentionDays,
    journal_retention_days: int,
    throttle: Throttle,
    monthly_budget_usd: int,
) -> StageSettings:
    return StageSettings(
        stage=stage,
        deployment=deployment,
        is_aws=True,
        runs_on=Machine.ARM64,
        packaging=Packaging.LAYERS,
        identity_from=IdentityFrom.AUTHORIZER,
        release=release,
        tracing=tracing,
        snap_start=snap_start,
        support_limit_minor=500_00,
        free_products=False,
        read_timeout_seconds=3,
        shipment_timeout_seconds=10,
        lambda_timeout_seconds=25,
        pending_expiry_seconds=60,
        unknown_deadline_seconds=86_400,
        upstream_credential_max_age_seconds=300,
        display_max_age_seconds=5,
        display_stale_if_error_seconds=300,
        log_retention=log_retention,
        journal_retention_days=journal_retention_days,
        throttle=throttle,
        monthly_budget_usd=monthly_budget_usd,
    )


EMULATED_STAGES: Final = ("local", "localstack")
AWS_STAGES: Final = ("dev", "staging", "prod")
STAGES: Final = (*EMULATED_STAGES, *AWS_STAGES)
"""The stages there are."""


def settings_for(stage: object, context: Callable[[str], object]) -> StageSettings:
    """The settings of a stage, with what its deployment was given as context.

    Raises:
        SettingsError: no such stage, or its deployment settings are missing or invalid.
    """
    if stage not in STAGES:
        named = "No stage was named" if stage is None else f"There is no stage {stage!r}"
        raise SettingsError(f"{named}: pass -c stage= with one of {', '.join(STAGES)}.")
    stage = str(stage)
    deployment = DeploymentSettings.from_context(context, stage)
    deployment = replace(deployment, upstream_url=deployment.upstream_url.rstrip("/"))
    if stage == "local":
        return _emulated(
            stage,
            deployment,
            runs_on=Machine.LOCAL,
            packaging=Packaging.LAYERS,
            identity_from=IdentityFrom.AUTHORIZER,
        )
    if stage == "localstack":
        # Its community image applies neither layers nor authorizers (docs/localstack.md).
        return _emulated(
            stage,
            deployment,
            runs_on=_runs_on(context),
            packaging=Packaging.BUNDLES,
            identity_from=IdentityFrom.FUNCTION,
        )
    release = _release(context, Release.AT_ONCE if stage == "dev" else Release.CANARY)
    tracing = _is_on(context, "tracing")
    snap_start = _is_on(context, "snap_start")
    if stage == "prod":
        return _aws(
            stage,
            deployment,
            release=release,
            tracing=tracing,
            snap_start=snap_start,
            log_retention=RetentionDays.ONE_YEAR,
            # Ten years: how long the books of a business are kept in most countries.
            journal_retention_days=3_653,
            throttle=Throttle(requests_per_second=100, burst=200),
            monthly_budget_usd=250,
        )
    return _aws(
        stage,
        deployment,
        release=release,
        tracing=tracing,
        snap_start=snap_start,
        log_retention=RetentionDays.ONE_MONTH,
        journal_retention_days=7,
        throttle=Throttle(requests_per_second=20, burst=40),
        monthly_budget_usd=50,
    )


def _runs_on(context: Callable[[str], object]) -> Machine:
    """LocalStack runs functions in AWS's images, on the machine that it is on itself."""
    given = str(context("runs_on") or Machine.of_this_machine())
    if given not in set(Machine):
        raise SettingsError(
            f"There is no machine {given!r}: -c runs_on= takes {' or '.join(Machine)}."
        )
    return Machine(given)


def _release(context: Callable[[str], object], usual: Release) -> Release:
    """``-c release=at-once`` is for a fix that cannot wait, or while an alarm is on anyway."""
    given = str(context("release") or usual)
    known = (Release.AT_ONCE, Release.CANARY)
    if given not in known:
        raise SettingsError(
            f"There is no release {given!r}: -c release= takes {' or '.join(known)}."
        )
    return Release(given)


def _is_on(context: Callable[[str], object], name: str) -> bool:
    """Whether ``-c NAME=on`` was given; by default it is off."""
    given = str(context(name) or "off")
    if given not in ("on", "off"):
        raise SettingsError(f"There is no {name} {given!r}: -c {name}= takes on or off.")
    return given == "on"
