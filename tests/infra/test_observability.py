"""Alarms lead to pages, and watch and draw what is really measured."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from evidence.rounds import AuditMetric
from evidence.watch import WatchMetric
from infra.alarms import Runbook
from infra.observability import NAMESPACE
from infra.settings import SettingsError, settings_for, warnings_of
from tests.infra.synthesized import deployment_context, synthesize
from tests.infra.templates import render
from till.metrics import Metric

if TYPE_CHECKING:
    from tests.infra.synthesized import Synthesized

RUNBOOKS = Path(__file__).resolve().parents[2] / "docs" / "runbooks"
MEASURED = {name.value for name in (*Metric, *WatchMetric, *AuditMetric)}


def test_every_alarm_names_its_page(synthesized: Synthesized) -> None:
    alarms = synthesized.compute.all("AWS::CloudWatch::Alarm")
    assert len(alarms) > 60
    named = set()
    for alarm in alarms:
        page = re.search(
            r"See docs/runbooks/([a-z-]+\.md)\.$", alarm.properties["AlarmDescription"]
        )
        assert page is not None, alarm.logical_id
        named.add(page[1])
    # A stage has a probe if it is told what to call: tests/infra/test_probe.py.
    assert named == {page.value for page in Runbook if page is not Runbook.PROBE}


@pytest.mark.parametrize("page", Runbook)
def test_every_page_says_what_it_means_how_to_look_and_what_to_do(page: Runbook) -> None:
    text = (RUNBOOKS / page).read_text(encoding="utf-8")
    for part in ("**What it means.**", "**How to look.**", "**What to do.**"):
        assert part in text


def test_alarms_watch_what_is_measured(synthesized: Synthesized) -> None:
    watched = {}
    for alarm in synthesized.compute.all("AWS::CloudWatch::Alarm"):
        if alarm.properties.get("Namespace") == NAMESPACE:
            dimensions = {one["Name"]: one["Value"] for one in alarm.properties["Dimensions"]}
            assert dimensions == {"service": "till", "stage": synthesized.stage}
            watched[alarm.properties["MetricName"]] = alarm
    assert set(watched) == {
        "AnswersNotRecorded",
        "AuditRoundSeconds",
        "OldestUnknownSeconds",
        "OpenOrphans",
        "ShipmentIdsTaken",
        "TamperingFound",
        "UnexpectedErrors",
        "UnknownAttempts",
        "UnreadableItems",
    }
    assert watched.keys() <= MEASURED
    for name in ("AnswersNotRecorded", "OpenOrphans", "ShipmentIdsTaken", "UnreadableItems"):
        assert watched[name].properties["Threshold"] == 1


def test_on_aws_every_alarm_tells_somebody(prod: Synthesized, local: Synthesized) -> None:
    for alarm in prod.compute.all("AWS::CloudWatch::Alarm"):
        assert len(alarm.properties["AlarmActions"]) == 1, alarm.logical_id
    for alarm in local.compute.all("AWS::CloudWatch::Alarm"):
        assert "AlarmActions" not in alarm.properties


def test_the_dashboard_draws_all_that_is_measured(prod: Synthesized) -> None:
    body = json.loads(
        render(prod.compute.one("AWS::CloudWatch::Dashboard").properties["DashboardBody"])
    )
    drawn = {
        metric[1]
        for widget in body["widgets"]
        for metric in widget["properties"]["metrics"]
        if metric[0] == NAMESPACE
    }
    assert drawn == MEASURED


def test_the_emulator_gets_no_dashboard(local: Synthesized) -> None:
    assert not local.compute.all("AWS::CloudWatch::Dashboard")


def test_one_alarm_is_for_the_concurrency_of_the_whole_account(synthesized: Synthesized) -> None:
    (alarm,) = (
        one.properties
        for one in synthesized.compute.all("AWS::CloudWatch::Alarm")
        if (one.properties.get("Namespace"), one.properties.get("MetricName"))
        == ("AWS/Lambda", "Throttles")
    )
    # Without a dimension it is the sum over all functions. One for each would cost 29 alarms.
    assert "Dimensions" not in alarm
    assert (alarm["Statistic"], alarm["Threshold"]) == ("Sum", 1)


def test_tables_and_their_indexes_are_watched_for_throttles(synthesized: Synthesized) -> None:
    watched = {
        (
            tuple(one["Value"] for one in alarm.properties["Dimensions"]),
            alarm.properties["MetricName"],
        )
        for alarm in synthesized.compute.all("AWS::CloudWatch::Alarm")
        if alarm.properties.get("Namespace") == "AWS/DynamoDB"
    }
    wanted: set[tuple[tuple[str, ...], str]] = set()
    for table in synthesized.data.all("AWS::DynamoDB::Table"):
        name = table.properties["TableName"]
        for direction in ("ReadThrottleEvents", "WriteThrottleEvents"):
            wanted.add(((name,), direction))
            for index in table.properties.get("GlobalSecondaryIndexes", []):
                wanted.add(((index["IndexName"], name), direction))
    assert watched == wanted


@pytest.mark.parametrize(
    ("hears", "protocol"),
    [("on-call@example.com", "email"), ("https://pages.example.com/till?key=1", "https")],
)
def test_who_is_named_hears_the_alarms(hears: str, protocol: str, tmp_path: Path) -> None:
    stage = synthesize("prod", "https://shop.example.com/api", tmp_path, alarms_to=hears)
    subscription = stage.data.one("AWS::SNS::Subscription").properties
    assert (subscription["Protocol"], subscription["Endpoint"]) == (protocol, hears)
    assert not any("alarms" in warning for warning in warnings_of(stage.settings))


def test_a_stage_whose_alarms_reach_no_one_warns(prod: Synthesized, local: Synthesized) -> None:
    assert prod.data.all("AWS::SNS::Subscription") == []
    warning, *_ = warnings_of(prod.settings)
    assert "the alarms of stage prod reach no one. Set TILL_ALARMS_TO" in warning
    assert warnings_of(local.settings) == []


@pytest.mark.parametrize("hears", ["on-call", "http://pages.example.com", "mailto:a@example.com"])
def test_an_address_that_is_neither_mail_nor_https_is_refused(hears: str) -> None:
    told = deployment_context("https://shop.example.com/api", alarms_to=hears)
    with pytest.raises(SettingsError, match="alarms_to must be an e-mail address or an https"):
        settings_for("prod", told.get)


def test_tracing_is_a_setting_and_off_unless_asked_for(prod: Synthesized, tmp_path: Path) -> None:
    assert "xray:" not in str(prod.compute.document)
    assert "TracingConfig" not in str(prod.compute.document)
    traced = synthesize("prod", "https://shop.example.com/api", tmp_path, tracing="on").compute
    assert traced.one("AWS::ApiGateway::Stage").properties["TracingEnabled"] is True
    for function in traced.functions().values():
        assert function.properties["TracingConfig"] == {"Mode": "Active"}
        role = traced.role_of(function)
        (trace,) = (
            statement
            for owner, statement in traced.policies()
            if owner == role and statement.document["Sid"] == "Trace"
        )
        assert trace.actions == ("xray:PutTelemetryRecords", "xray:PutTraceSegments")
    # In the role itself, as everything else.
    assert not traced.all("AWS::IAM::Policy")


@pytest.mark.parametrize("name", ["tracing", "snap_start"])
def test_a_switch_is_on_or_off(name: str) -> None:
    told = deployment_context("https://shop.example.com/api", **{name: "yes"})
    with pytest.raises(SettingsError, match=f"-c {name}= takes on or off"):
        settings_for("prod", told.get)
