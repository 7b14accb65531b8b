from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from infra.layers import Machine
from infra.settings import (
    AWS_STAGES,
    STAGES,
    IdentityFrom,
    Packaging,
    Release,
    SettingsError,
    settings_for,
)
from tests.infra.synthesized import deployment_context

ROOT = Path(__file__).resolve().parents[2]
URL = "https://shop.example.com/api"


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_has_settings(stage: str) -> None:
    settings = settings_for(stage, deployment_context(f"{URL}/").get)
    assert settings.stage == stage
    assert settings.deployment.upstream_url == URL
    assert settings.deployment.roles_claim == "roles"
    assert settings.is_aws is (stage in AWS_STAGES)


@pytest.mark.parametrize(
    ("stage", "packaging", "identity_from", "runs_on"),
    [
        ("local", Packaging.LAYERS, IdentityFrom.AUTHORIZER, Machine.LOCAL),
        ("localstack", Packaging.BUNDLES, IdentityFrom.FUNCTION, Machine.of_this_machine()),
        *(
            (stage, Packaging.LAYERS, IdentityFrom.AUTHORIZER, Machine.ARM64)
            for stage in AWS_STAGES
        ),
    ],
)
def test_what_a_target_lacks_is_a_setting(
    stage: str, packaging: Packaging, identity_from: IdentityFrom, runs_on: Machine
) -> None:
    settings = settings_for(stage, deployment_context(URL).get)
    assert (settings.packaging, settings.identity_from) == (packaging, identity_from)
    assert settings.runs_on is runs_on


def test_only_localstack_s_stage_can_be_compiled_for_another_target() -> None:
    context = deployment_context(URL, runs_on="local")
    assert settings_for("localstack", context.get).runs_on is Machine.LOCAL
    assert settings_for("prod", context.get).runs_on is Machine.ARM64
    with pytest.raises(SettingsError, match="There is no machine 'moon'"):
        settings_for("localstack", deployment_context(URL, runs_on="moon").get)


@pytest.mark.parametrize(
    ("stage", "release"),
    [
        ("local", Release.IN_PLACE),
        ("localstack", Release.IN_PLACE),
        ("dev", Release.AT_ONCE),
        ("staging", Release.CANARY),
        ("prod", Release.CANARY),
    ],
)
def test_a_new_version_takes_over_by_degrees_where_it_matters(stage: str, release: Release) -> None:
    assert settings_for(stage, deployment_context(URL).get).release is release


def test_a_mend_that_cannot_wait_is_released_at_once() -> None:
    context = deployment_context(URL, release="at-once")
    assert settings_for("prod", context.get).release is Release.AT_ONCE
    with pytest.raises(SettingsError, match="There is no release 'in-place'"):
        settings_for("prod", deployment_context(URL, release="in-place").get)


CERTIFICATE = "arn:aws:acm:us-east-1:111122223333:certificate/abc"


def test_a_stage_may_have_names_of_its_own() -> None:
    context = deployment_context(
        URL,
        domain_name="till.example.com",
        certificate_arn=CERTIFICATE,
        hosted_zone_id="Z1",
        hosted_zone_name="example.com",
    )
    assert settings_for("prod", context.get).deployment.domain_name == "till.example.com"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"domain_name": "till.example.com"}, "domain_name and certificate_arn are given both"),
        ({"api_certificate_arn": "arn"}, "api_domain_name and api_certificate_arn are given both"),
        ({"hosted_zone_id": "Z1"}, "hosted_zone_id and hosted_zone_name are given both"),
        (
            {
                "domain_name": "till.example.com",
                "certificate_arn": "arn:aws:acm:eu-west-1:111122223333:certificate/abc",
            },
            "must be in us-east-1",
        ),
        (
            {
                "domain_name": "till.myexample.com",
                "certificate_arn": CERTIFICATE,
                "hosted_zone_id": "Z1",
                "hosted_zone_name": "example.com",
            },
            "'till.myexample.com' is not in the hosted zone 'example.com'",
        ),
    ],
)
def test_names_without_what_belongs_to_them_are_refused(given: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        settings_for("prod", deployment_context(URL, **given).get)


@pytest.mark.parametrize("stage", [None, "", "production", "Local"])
def test_there_is_no_other_stage(stage: str | None) -> None:
    with pytest.raises(SettingsError, match="local, localstack, dev, staging, prod"):
        settings_for(stage, deployment_context(URL).get)


@pytest.mark.parametrize("name", ["upstream_url", "issuer", "audience", "jwks_url"])
@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_stage_must_know_its_deployment_settings(name: str, value: str | None) -> None:
    context = {**deployment_context(URL), name: value}
    with pytest.raises(SettingsError, match=f"pass -c {name}="):
        settings_for("local", context.get)


@pytest.mark.parametrize("name", ["upstream_url", "issuer", "jwks_url"])
@pytest.mark.parametrize(
    ("stage", "address"),
    [
        ("prod", "http://shop.example.com/api"),
        ("local", "127.0.0.1:9000"),
        ("local", "ftp://127.0.0.1/api"),
        ("local", "http:///api"),
        ("local", "http://127.0.0.1/api?x=1"),
    ],
)
def test_an_address_must_be_one_that_can_be_called(stage: str, address: str, name: str) -> None:
    with pytest.raises(SettingsError, match=f"{name} must be a plain"):
        settings_for(stage, {**deployment_context(URL), name: address}.get)


def test_claims_have_the_names_that_the_issuer_gives_them() -> None:
    context = deployment_context(
        URL, roles_claim="cognito:groups", customer_claim="custom:customer"
    )
    settings = settings_for("prod", context.get).deployment
    assert (settings.roles_claim, settings.customer_claim) == ("cognito:groups", "custom:customer")


@pytest.mark.parametrize("stage", STAGES)
def test_timeouts_in_the_wrong_order_are_refused(stage: str) -> None:
    settings = settings_for(stage, deployment_context(URL).get)
    with pytest.raises(SettingsError, match="more than the"):
        replace(settings, shipment_timeout_seconds=settings.lambda_timeout_seconds)
    with pytest.raises(SettingsError, match="API Gateway gives up"):
        replace(settings, lambda_timeout_seconds=29)
    with pytest.raises(SettingsError, match="called dead"):
        replace(settings, pending_expiry_seconds=settings.lambda_timeout_seconds)


@pytest.mark.parametrize(
    ("context", "sentence"),
    [
        (
            {"stage": "moon", "upstream_url": URL},
            "There is no stage 'moon': pass -c stage= with one of local, localstack, dev, "
            "staging, prod.",
        ),
        (
            {"stage": "local", "audience": "a"},
            "Stage local is not told everything: pass -c issuer=, -c jwks_url=, -c upstream_url=.",
        ),
    ],
)
def test_the_app_ends_with_one_sentence(context: dict[str, str], sentence: str) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "infra.app"],
        cwd=ROOT,
        env={**os.environ, "CDK_CONTEXT_JSON": json.dumps(context)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1
    assert run.stderr.strip() == sentence
    assert run.stdout == ""
