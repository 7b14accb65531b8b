"""The probe: there if a stage is told what to call, heeded by releases, and missed if silent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infra.settings import SettingsError, settings_for, warnings_of
from tests.infra.synthesized import Synthesized, deployment_context, synthesize
from tests.infra.templates import as_list
from till.http.routes import PROBE

if TYPE_CHECKING:
    from pathlib import Path

URL = "https://shop.example.com/api"
PROBED = {
    "probe_customer_id": "c0000000-0000-4000-8000-000000000001",
    "probe_product_id": "d0000000-0000-4000-8000-000000000001",
    "probe_token_url": "https://issuer.example.com/oauth/token",
    "probe_secret_arn": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:till-probe-AbCdEf",
}


@pytest.fixture(scope="module")
def probed(tmp_path_factory: pytest.TempPathFactory) -> Synthesized:
    return synthesize(
        "prod", URL, tmp_path_factory.mktemp("probed"), alarms_to="on-call@example.com", **PROBED
    )


def test_it_runs_every_minute_and_is_never_run_again(probed: Synthesized) -> None:
    function = probed.compute.functions()[PROBE]
    told = function.properties["Environment"]["Variables"]
    for name, value in PROBED.items():
        assert told[f"TILL_{name.upper().removesuffix('_ARN')}"] == value
    assert str(told["TILL_PROBE_API_URL"]).count("execute-api") == 1
    (rule,) = (
        one
        for one in probed.compute.all("AWS::Events::Rule")
        if one.properties["Name"] == "till-prod-probe-api"
    )
    assert rule.properties["ScheduleExpression"] == "rate(1 minute)"
    (runs,) = (
        one
        for one in probed.compute.all("AWS::Lambda::EventInvokeConfig")
        if one.properties["FunctionName"] == {"Ref": function.logical_id}
    )
    assert runs.properties["MaximumRetryAttempts"] == 0


def test_it_may_read_its_secret_and_write_its_log(probed: Synthesized) -> None:
    role_id = probed.compute.functions()[PROBE].properties["Role"]["Fn::GetAtt"][0]
    allowed = {
        action: statement.resources
        for resource, statement in probed.compute.policies()
        if resource.logical_id == role_id
        for action in statement.actions
    }
    assert allowed.keys() == {
        *("logs:CreateLogStream", "logs:PutLogEvents"),
        "secretsmanager:GetSecretValue",
    }
    assert allowed["secretsmanager:GetSecretValue"] == (PROBED["probe_secret_arn"],)


def test_releases_heed_its_alarm_and_silence_sets_it_off(probed: Synthesized) -> None:
    (alarm,) = (
        one
        for one in probed.compute.all("AWS::CloudWatch::Alarm")
        if one.properties.get("MetricName") == "ProbesFailed"
    )
    told = alarm.properties
    assert told["TreatMissingData"] == "breaching"
    assert told["Period"] * told["EvaluationPeriods"] < 5 * 60, "while the canary is out"
    assert "docs/runbooks/probe.md" in told["AlarmDescription"]
    groups = probed.compute.all("AWS::CodeDeploy::DeploymentGroup")
    assert len(groups) == len(probed.compute.functions())
    for group in groups:
        heeded = group.properties["AlarmConfiguration"]["Alarms"]
        assert {"Name": {"Ref": alarm.logical_id}} in as_list(heeded)


def test_a_stage_without_a_probe_warns(prod: Synthesized, local: Synthesized) -> None:
    for stage in (prod, local):
        assert PROBE not in stage.compute.functions()
    assert any("no probe calls the API of stage prod" in one for one in warnings_of(prod.settings))
    assert warnings_of(local.settings) == []


def test_a_stage_that_is_told_everything_does_not_warn(probed: Synthesized) -> None:
    assert warnings_of(probed.settings) == []


@pytest.mark.parametrize("missing", PROBED)
def test_it_needs_all_of_its_settings(missing: str) -> None:
    told = deployment_context(URL, **{name: v for name, v in PROBED.items() if name != missing})
    with pytest.raises(SettingsError, match=f"the probe needs {missing} as well"):
        settings_for("prod", told.get)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("probe_customer_id", "42"),
        ("probe_product_id", "kettle"),
        ("probe_token_url", "http://issuer.example.com/token"),
        ("probe_secret_arn", "till-probe"),
        ("probe_secret_arn", "arn:aws:s3:::bucket"),
    ],
)
def test_a_setting_that_is_wrong_is_refused_by_name(name: str, value: str) -> None:
    told = deployment_context(URL, **PROBED | {name: value})
    with pytest.raises(SettingsError, match=name):
        settings_for("prod", told.get)


def test_settings_are_synthesized_on_an_emulator_too(tmp_path: Path) -> None:
    stage = synthesize("local", "http://127.0.0.1:9000/api", tmp_path, **PROBED)
    assert PROBE in stage.compute.functions()
