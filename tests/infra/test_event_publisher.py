"""From the ledger's stream to the bus: what is followed, what becomes of failures, who is told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.infra.templates import Resource, arn_of, render

if TYPE_CHECKING:
    from tests.infra.synthesized import Synthesized

OPERATION = "publish_events"


def _function(synthesized: Synthesized) -> Resource:
    return synthesized.compute.functions()[OPERATION]


def _queue(synthesized: Synthesized) -> Resource:
    name = f"till-{synthesized.stage}-publish-events-dead-letters"
    (queue,) = (
        one
        for one in synthesized.data.all("AWS::SQS::Queue")
        if one.properties["QueueName"] == name
    )
    return queue


def test_the_ledger_s_stream_is_followed_from_its_beginning(synthesized: Synthesized) -> None:
    mapping = synthesized.compute.one("AWS::Lambda::EventSourceMapping").properties
    called = synthesized.compute.called(mapping["FunctionName"])
    assert called == _function(synthesized).logical_id
    assert mapping["EventSourceArn"] == {"Ref": "LedgerStreamArn"}
    assert mapping["StartingPosition"] == "TRIM_HORIZON"
    # More than one at a time of a partition key would be out of order; that is Lambda's default.
    assert "ParallelizationFactor" not in mapping
    assert "TumblingWindowInSeconds" not in mapping


def test_only_new_versions_wake_the_function(synthesized: Synthesized) -> None:
    mapping = synthesized.compute.one("AWS::Lambda::EventSourceMapping").properties
    (chosen,) = mapping["FilterCriteria"]["Filters"]
    assert json.loads(chosen["Pattern"]) == {
        "eventName": ["INSERT"],
        "dynamodb": {"Keys": {"sk": {"S": [{"prefix": "VERSION#"}]}}},
    }


def test_what_fails_for_hours_is_given_up_before_the_stream_forgets_it(
    synthesized: Synthesized,
) -> None:
    mapping = synthesized.compute.one("AWS::Lambda::EventSourceMapping").properties
    assert 0 < mapping["MaximumRecordAgeInSeconds"] <= 24 * 3600 / 2
    assert mapping["BisectBatchOnFunctionError"] is True
    queue = _queue(synthesized)
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


def test_the_function_is_told_its_bus_and_its_queue(synthesized: Synthesized) -> None:
    variables = _function(synthesized).properties["Environment"]["Variables"]
    bus = synthesized.data.one("AWS::Events::EventBus")
    assert variables["TILL_EVENT_BUS"] == bus.properties["Name"]
    assert variables["TILL_DEAD_LETTERS_URL"] == {"Ref": "DeadLettersUrl"}
    (written,) = (
        one.properties
        for one in synthesized.data.all("AWS::SSM::Parameter")
        if one.properties["Name"].endswith("/dead-letters-url")
    )
    assert written["Value"] == {"Ref": _queue(synthesized).logical_id}


def test_a_dead_letter_rings_and_so_do_late_events(synthesized: Synthesized) -> None:
    queue = _queue(synthesized).properties["QueueName"]
    function = _function(synthesized).logical_id
    found = {}
    for alarm in synthesized.compute.all("AWS::CloudWatch::Alarm"):
        values = [one["Value"] for one in alarm.properties.get("Dimensions", [])]
        if queue in values:
            found["unreadable"] = alarm.properties
        if alarm.properties["MetricName"] == "IteratorAge":
            assert values == [{"Ref": function}]
            found["late"] = alarm.properties
    assert found["unreadable"]["Threshold"] == 1
    assert found["unreadable"]["MetricName"] == "ApproximateNumberOfMessagesVisible"
    assert found["late"]["Threshold"] == 5 * 60 * 1000
    assert found["late"]["Statistic"] == "Maximum"
    for properties in found.values():
        assert "dead-letters.md" in properties["AlarmDescription"]
