"""The settings of a function, from its environment."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, model_validator

from till.services.shared.policy import SETTLE_SECONDS, DisplayPolicy, ShipmentPolicy

if TYPE_CHECKING:
    from collections.abc import Mapping

_PREFIX = "TILL_"

Seconds = Annotated[float, Field(gt=0)]
WholeSeconds = Annotated[int, Field(ge=0)]


class Settings(BaseModel):
    """What a function is told by its environment: each field in capitals, after ``TILL_``.

    Raises:
        ValidationError: one is missing or invalid.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    stage: Literal["local", "localstack", "dev", "staging", "prod"]
    ledger_table: Annotated[str, Field(min_length=3)]
    purchases_table: Annotated[str, Field(min_length=3)]
    customer_index_table: Annotated[str, Field(min_length=3)]
    upstream_url: HttpUrl
    upstream_read_timeout_seconds: Seconds
    upstream_shipment_timeout_seconds: Seconds
    upstream_secret: Annotated[str, Field(min_length=1)]
    """The name of the secret with the credential for all of them."""
    upstream_credential_max_age_seconds: Annotated[int, Field(gt=0)]
    shipments_idempotent: bool
    free_products: bool
    """Whether a price of 0 is a price. If not, it breaks the Product API's contract."""
    pending_expiry_seconds: Seconds
    unknown_deadline_seconds: Seconds
    display_max_age_seconds: WholeSeconds
    display_stale_if_error_seconds: WholeSeconds
    identity_from: Literal["authorizer", "function"]
    """Who verifies access tokens, the authorizer or each function. One of them always does."""
    token_issuer: Annotated[str, Field(min_length=1)]
    token_audience: Annotated[str, Field(min_length=1)]
    token_jwks_url: HttpUrl
    token_roles_claim: Annotated[str, Field(min_length=1)]
    token_customer_claim: Annotated[str, Field(min_length=1)]
    support_limit_minor: Annotated[int, Field(gt=0)]
    """The most that a rep may grant, deduct or refund in one operation."""

    @model_validator(mode="after")
    def _a_pending_attempt_outlasts_its_run(self) -> Self:
        longest_run = self.upstream_shipment_timeout_seconds + SETTLE_SECONDS
        if self.pending_expiry_seconds <= longest_run:
            raise ValueError(f"pending_expiry_seconds must be more than {longest_run}")
        return self

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """The settings that an environment holds."""
        return cls.model_validate(_ours(environment))

    def credential_fetch_seconds(self) -> float:
        """How long a question to Secrets Manager may take.

        It is taken from the time of the call that needs the credential. That one may have to wait
        for another thread's question, then ask its own, and has a third left for what it is about.
        """
        call = min(self.upstream_read_timeout_seconds, self.upstream_shipment_timeout_seconds)
        return call / 3

    def shipment_policy(self) -> ShipmentPolicy:
        """The times of the purchase protocol."""
        return ShipmentPolicy(
            shipment_timeout_seconds=self.upstream_shipment_timeout_seconds,
            pending_expiry=timedelta(seconds=self.pending_expiry_seconds),
            unknown_deadline=timedelta(seconds=self.unknown_deadline_seconds),
            shipments_idempotent=self.shipments_idempotent,
        )

    def display_policy(self) -> DisplayPolicy:
        """How old what is only shown may be."""
        return DisplayPolicy(
            max_age_seconds=self.display_max_age_seconds,
            stale_if_error_seconds=self.display_stale_if_error_seconds,
        )


class EventSettings(BaseModel):
    """What only ``publish_events`` is told, in the same way.

    Raises:
        ValidationError: one is missing or invalid.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    event_bus: Annotated[str, Field(min_length=1)]
    dead_letters_url: HttpUrl

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """The settings that an environment holds."""
        return cls.model_validate(_ours(environment))


class SigningSettings(BaseModel):
    """What only those that sign, or tell the signing key, are told, in the same way.

    Raises:
        ValidationError: one is missing or invalid.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    signing_key: Annotated[str, Field(pattern="^arn:")]
    """The ARN of the KMS key that signs statements."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """The settings that an environment holds."""
        return cls.model_validate(_ours(environment))


class JournalSettings(BaseModel):
    """What only those that read the journal are told, in the same way.

    Raises:
        ValidationError: one is missing or invalid.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    journal: Annotated[str, Field(min_length=3)]
    """The name of its bucket."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """The settings that an environment holds."""
        return cls.model_validate(_ours(environment))


class ProbeSettings(BaseModel):
    """What only ``probe_api`` is told, in the same way.

    Raises:
        ValidationError: one is missing or invalid.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    probe_api_url: HttpUrl
    probe_token_url: HttpUrl
    probe_secret: Annotated[str, Field(min_length=1)]
    """The secret with the header by which the issuer knows the probe."""
    probe_customer_id: UUID
    probe_product_id: UUID

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """The settings that an environment holds."""
        return cls.model_validate(_ours(environment))


def _ours(environment: Mapping[str, str]) -> dict[str, str]:
    return {
        name.removeprefix(_PREFIX).lower(): value
        for name, value in environment.items()
        if name.startswith(_PREFIX)
    }
