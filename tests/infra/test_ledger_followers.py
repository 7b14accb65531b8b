"""Who follows the ledger's stream: what becomes of failures, and who is told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.infra.templates import Json, Resource, arn_of, render
from till.http.routes import STREAM_OPERATIONS

if TYPE_CHECKING:
    from tests.infra.synthesized import Synthesized

RUNBOOKS = {"publish_events": "dead-letters.md", "watch_ledger": "tampering.md"}
FOLLOWERS = pytest.mark.parametrize("operation", STREAM_OPERATIONS)


def _function(synthesized: Synthesized, operation: str) -> Resource:
    return synthesized.compute.functions()[operation]


def _mappings(synthesized: Synthesized, operation: str) -> dict[str, Json]:
    """By the stream that is followed."""
    return {
        one.properties["EventSourceArn"]["Ref"]: one.properties
        for one in synthesized.compute.all("AWS::Lambda::EventSourceMapping")
        if synthesized.compute.called(one.properties["FunctionName"])
        == _function(synthesized, operation).logical_id
    }


def _mapping(synthesized: Synthesized, operation: str) -> Json:
    return _mappings(synthesized, operation)["LedgerStreamArn"]


def _queue(synthesized: Synthesized, operation: str) -> Resource:
    name = f"till-{synthesized.stage}-{operation.replace('_', '-')}-dead-letters"
    (queue,) = (
        one
        for one in synthesized.data.all("AWS::SQS::Queue")
        if one.properties["QueueName"] == name
    )
    return queue


@FOLLOWERS
def test_the_ledger_s_stream_is_followed_from_its_beginning(
    synthesized: Synthesized, operation: str
) -> None:
    mapping = _mapping(synthesized, operation)
    assert mapping["StartingPosition"] == "TRIM_HORIZON"
    # More than one at a time of a partition key would be out of order; that is Lambda's default.
    assert "ParallelizationFactor" not in mapping
    assert "TumblingWindowInSeconds" not in mapping


def test_the_watcher_follows_the_purchases_in_the_same_way(synthesized: Synthesized) -> None:
    mappings = _mappings(synthesized, "watch_ledger")
    assert mappings.keys() == {"LedgerStreamArn", "PurchasesStreamArn"}
    ledger, purchases = mappings["LedgerStreamArn"], mappings["PurchasesStreamArn"]
    assert purchases == {**ledger, "EventSourceArn": {"Ref": "PurchasesStreamArn"}}
    assert _mappings(synthesized, "publish_events").keys() == {"LedgerStreamArn"}


def test_only_new_versions_wake_the_publisher_and_everything_wakes_the_watcher(
    synthesized: Synthesized,
) -> None:
    assert "FilterCriteria" not in _mapping(synthesized, "watch_ledger")
    mapping = _mapping(synthesized, "publish_events")
    (chosen,) = mapping["FilterCriteria"]["Filters"]
    assert json.loads(chosen["Pattern"]) == {
        "eventName": ["INSERT"],
        "dynamodb": {"Keys": {"sk": {"S": [{"prefix": "VERSION#"}]}}},
    }


@FOLLOWERS
def test_what_fails_for_hours_is_given_up_before_the_stream_forgets_it(
    synthesized: Synthesized, operation: str
) -> None:
    mapping = _mapping(synthesized, operation)
    assert 0 < mapping["MaximumRecordAgeInSeconds"] <= 24 * 3600 / 2
    assert mapping["BisectBatchOnFunctionError"] is True
    queue = _queue(synthesized, operation)
    assert render(mapping["DestinationConfig"]["OnFailure"]["Destination"]) == arn_of(
        "sqs", queue.properties["QueueName"]
    )
    assert queue.properties["MessageRetentionPeriod"] == 14 * 24 * 3600
    if synthesized.settings.is_aws:
        # It holds what the ledger holds.
        assert render(queue.properties["KmsMasterKeyId"]).endswith(".Arn>")
    else:
        assert queue.properties["SqsManagedSseEnabled"] is True
    # By age only: an outage of the bus would use up any number of tries.
    assert "MaximumRetryAttempts" not in mapping
    # A partial answer would be taken for success by emulators.
    assert "FunctionResponseTypes" not in mapping


def test_the_publisher_is_told_its_bus_and_its_queue(synthesized: Synthesized) -> None:
    variables = _function(synthesized, "publish_events").properties["Environment"]["Variables"]
    bus = synthesized.data.one("AWS::Events::EventBus")
    assert variables["TILL_EVENT_BUS"] == bus.properties["Name"]
    assert variables["TILL_DEAD_LETTERS_URL"] == {"Ref": "DeadLettersUrl"}
    (written,) = (
        one.properties
        for one in synthesized.data.all("AWS::SSM::Parameter")
        if one.properties["Name"].endswith("/dead-letters-url")
    )
    assert written["Value"] == {"Ref": _queue(synthesized, "publish_events").logical_id}


@FOLLOWERS
def test_a_dead_letter_rings_and_so_does_one_who_is_behind_or_not_called(
    synthesized: Synthesized, operation: str
) -> None:
    queue = _queue(synthesized, operation).properties["QueueName"]
    age = {"Ref": _function(synthesized, operation).logical_id}
    found = {}
    for alarm in synthesized.compute.all("AWS::CloudWatch::Alarm"):
        values = [one["Value"] for one in alarm.properties.get("Dimensions", [])]
        if queue in values:
            found["unreadable"] = alarm.properties
        if _measured(alarm.properties).get("IteratorAge") == age:
            found["late"] = alarm.properties
    assert found["unreadable"]["Threshold"] == 1
    assert found["unreadable"]["MetricName"] == "ApproximateNumberOfMessagesVisible"
    late = found["late"]
    assert late["Threshold"] == 5 * 60 * 1000
    for properties in found.values():
        assert RUNBOOKS[operation] in properties["AlarmDescription"]
    if "Metrics" not in late:
        assert synthesized.stage == "local", "an emulator has no expressions over metrics"
        return
    assert set(_measured(late)) == {"IteratorAge", "ConsumedWriteCapacityUnits"}
    assert str(_measured(late)["ConsumedWriteCapacityUnits"]).endswith("-ledger")
    (expression,) = (one["Expression"] for one in late["Metrics"] if "Expression" in one)
    assert expression == "IF(FILL(age, -1) >= 0, age, IF(FILL(written, 0) > 0, 300000, 0))"


def _measured(alarm: Json) -> dict[str, Json]:
    """The metrics that an alarm is about, with the value of their dimension."""
    if "MetricName" in alarm and "Dimensions" in alarm:
        return {alarm["MetricName"]: alarm["Dimensions"][0]["Value"]}
    return {
        one["MetricStat"]["Metric"]["MetricName"]: one["MetricStat"]["Metric"]["Dimensions"][0][
            "Value"
        ]
        for one in alarm.get("Metrics", [])
        if "MetricStat" in one
    }
