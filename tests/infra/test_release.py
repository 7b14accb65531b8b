"""How a new version takes over: who calls the alias, and what takes the old version back."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from infra.waves import AT_A_TIME
from tests.infra.synthesized import synthesize
from tests.infra.templates import as_list
from till.http.routes import AUTHORIZER, ROUTES, STREAM_OPERATIONS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.infra.synthesized import Synthesized
    from tests.infra.templates import Resource


def _groups(synthesized: Synthesized) -> dict[str, Resource]:
    return {
        one.properties["DeploymentGroupName"].replace("-", "_"): one
        for one in synthesized.compute.all("AWS::CodeDeploy::DeploymentGroup")
    }


def test_every_function_has_an_alias_that_codedeploy_moves(prod: Synthesized) -> None:
    compute, groups = prod.compute, _groups(prod)
    aliases = {
        compute.called(one.properties["FunctionName"]): one
        for one in compute.all("AWS::Lambda::Alias")
    }
    functions = compute.functions()
    assert aliases.keys() == {one.logical_id for one in functions.values()}
    assert groups.keys() == functions.keys()
    for operation, function in functions.items():
        alias = aliases[function.logical_id]
        assert alias.properties["Name"] == "live"
        moved_by = alias.document["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]
        assert moved_by["DeploymentGroupName"] == {"Ref": groups[operation].logical_id}


@pytest.mark.parametrize(("kind", "at_a_time"), AT_A_TIME.items())
def test_a_few_of_a_kind_are_made_at_a_time(prod: Synthesized, kind: str, at_a_time: int) -> None:
    """All at once, a deploy would ask more of an AWS API than it answers in a second."""
    all_of_them = {one.logical_id: one for one in prod.compute.all(kind)}
    waits_for = {
        name: all_of_them.keys() & set(as_list(one.document.get("DependsOn", [])))
        for name, one in all_of_them.items()
    }

    def wave(name: str) -> int:
        return 1 + max(map(wave, waits_for[name]), default=0)

    waves = Counter(map(wave, waits_for))
    assert len(all_of_them) > 2 * at_a_time
    assert max(waves.values()) <= at_a_time
    if kind == "AWS::Lambda::Alias":
        # Each takes as long as a canary, and the job that deploys has an hour.
        assert len(waves) <= 4


def test_the_version_before_stays_when_a_new_one_has_taken_over(prod: Synthesized) -> None:
    for version in prod.compute.all("AWS::Lambda::Version"):
        assert version.document["DeletionPolicy"] == "Retain"


def test_nobody_calls_a_function_past_its_alias(prod: Synthesized) -> None:
    """What does would get the new version whole, whatever the canary says."""
    compute = prod.compute
    functions = {one.logical_id for one in compute.functions().values()}
    callers = [
        *(one.properties["Integration"]["Uri"] for one in compute.all("AWS::ApiGateway::Method")),
        compute.one("AWS::ApiGateway::Authorizer").properties["AuthorizerUri"],
        *(one.properties["Targets"] for one in compute.all("AWS::Events::Rule")),
        *(one.properties["FunctionName"] for one in compute.all("AWS::Lambda::EventSourceMapping")),
        *(one.properties["FunctionName"] for one in compute.all("AWS::Lambda::Permission")),
    ]
    # Routes, authorizer and two schedules each call and have a permission; Lambda follows streams,
    # and for the watcher those of both tables.
    assert len(callers) == 2 * (len(ROUTES) + 3) + len(STREAM_OPERATIONS) + 1
    for caller in callers:
        named = set(_references(caller))
        assert not named & functions
        assert any(compute.get(one).type == "AWS::Lambda::Alias" for one in named)


def _references(value: object) -> list[str]:
    match value:
        case {"Ref": str(name)} if not name.startswith("AWS::"):
            return [name]
        case {"Fn::GetAtt": [str(name), _]}:
            return [name]
        case dict():
            return [name for one in value.values() for name in _references(one)]
        case list():
            return [name for one in value for name in _references(one)]
    return []


def test_a_canary_goes_back_when_an_alarm_rings(prod: Synthesized) -> None:
    compute, functions = prod.compute, prod.compute.functions()
    alarms = {one.logical_id: one for one in compute.all("AWS::CloudWatch::Alarm")}
    for operation, group in _groups(prod).items():
        assert group.properties["DeploymentConfigName"].endswith("LambdaCanary10Percent5Minutes")
        back = group.properties["AutoRollbackConfiguration"]
        assert back["Enabled"] is True
        assert set(back["Events"]) == {*("DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM")}
        heeded = group.properties["AlarmConfiguration"]
        assert heeded["Enabled"] is True
        watched = [alarms[one["Name"]["Ref"]] for one in heeded["Alarms"]]
        own = [one for one in watched if one.properties["MetricName"] == "Errors"]
        # To API Gateway, who is not known is an error of the authorizer: anybody can cause one.
        wanted = [] if operation == AUTHORIZER else [{"Ref": functions[operation].logical_id}]
        assert [one.properties["Dimensions"][0]["Value"] for one in own] == wanted
        others = {one.properties["MetricName"] for one in watched} - {"Errors"}
        assert others == {"UnexpectedErrors", "5XXError"}
        for alarm in watched:
            # Soon enough to be heard while the canary is out.
            longest = alarm.properties["Period"] * alarm.properties["EvaluationPeriods"]
            assert longest < 5 * 60, alarm.logical_id


def test_what_is_released_at_once_waits_for_no_alarm(dev: Synthesized, named: Synthesized) -> None:
    """One that rings already would forbid the release that mends its cause, on prod as well."""
    for stage in (dev, named):
        assert _groups(stage).keys() == stage.compute.functions().keys()
        for group in _groups(stage).values():
            assert group.properties["DeploymentConfigName"].endswith("LambdaAllAtOnce")
            assert "Alarms" not in group.properties.get("AlarmConfiguration", {})


def test_an_emulator_has_one_version_of_everything(
    local: Synthesized, localstack: Synthesized
) -> None:
    for synthesized in (local, localstack):
        for kind in ("Lambda::Alias", "Lambda::Version", "CodeDeploy::DeploymentGroup"):
            assert not synthesized.compute.all(f"AWS::{kind}")


def test_snapshots_are_a_setting_and_off_unless_asked_for(
    prod: Synthesized, tmp_path: Path
) -> None:
    assert "SnapStart" not in str(prod.compute.document)
    restored = synthesize("prod", "https://shop.example.com/api", tmp_path, snap_start="on").compute
    for function in restored.functions().values():
        assert function.properties["SnapStart"] == {"ApplyOn": "PublishedVersions"}
    # They take no further resources, of which a stack may have 500.
    assert len(restored.document["Resources"]) == len(prod.compute.document["Resources"])
