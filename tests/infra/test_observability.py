"""Alarms lead to pages, and watch and draw what is really measured."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from infra.alarms import Runbook
from infra.observability import NAMESPACE
from tests.infra.templates import render
from till.measures import Measure

if TYPE_CHECKING:
    from tests.infra.synthesized import Synthesized

RUNBOOKS = Path(__file__).resolve().parents[2] / "docs" / "runbooks"
MEASURED = {name.value for name in Measure}


def test_every_alarm_names_its_page(synthesized: Synthesized) -> None:
    alarms = synthesized.compute.all("AWS::CloudWatch::Alarm")
    assert len(alarms) > 80
    named = set()
    for alarm in alarms:
        page = re.search(
            r"See docs/runbooks/([a-z-]+\.md)\.$", alarm.properties["AlarmDescription"]
        )
        assert page is not None, alarm.logical_id
        named.add(page[1])
    assert named == {page.value for page in Runbook}


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
        "OldestUnknownSeconds",
        "OpenOrphans",
        "ShipmentIdsTaken",
        "UnexpectedErrors",
        "UnknownAttempts",
        "UnreadableItems",
    }
    assert watched.keys() <= MEASURED
    for name in ("AnswersNotRecorded", "OpenOrphans", "ShipmentIdsTaken", "UnreadableItems"):
        assert watched[name].properties["Threshold"] == 1


def test_on_aws_every_alarm_tells_somebody(prod: Synthesized, local: Synthesized) -> None:
    topic = prod.compute.one("AWS::SNS::Topic").logical_id
    for alarm in prod.compute.all("AWS::CloudWatch::Alarm"):
        assert alarm.properties["AlarmActions"] == [{"Ref": topic}], alarm.logical_id
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
