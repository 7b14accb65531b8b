"""Functions that follow the ledger table's stream."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Final

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.alarms import ALARM_PERIOD, Runbook, notify, ring
from infra.api_function import ApiFunction, SharedByFunctions, key_rights
from infra.data_stack import event_bus_name
from infra.lasting import dead_letters_queue, queue_named, schedule_name
from infra.permissions import KEY_SEND
from infra.settings import StageSettings
from infra.written_down import WrittenDown

GIVEN_UP_AFTER: Final = Duration.hours(6)
"""How old a record gets before it is given up. The stream keeps it for 24 hours: what is left of
them is for finding out which records those were."""

_BATCH_SIZE: Final = 100
_LATE: Final = Duration.minutes(5)
_AUDIT_EVERY: Final = Duration.minutes(1)
_NEW_VERSIONS: Final = {
    "eventName": ["INSERT"],
    "dynamodb": {"Keys": {"sk": {"S": [{"prefix": "VERSION#"}]}}},
}
"""The publisher is not called for remembered requests. It is for holds, which it does not publish:
a filter by kind would drop a record without a kind, which belongs in the dead letters."""


class LedgerFollower(Construct):
    """A function that is called with each record of the ledger's stream, or with some.

    It may follow other streams in the same way.

    A batch that fails is called again as a whole, and not from its first failure on: that is the
    one way in which AWS and the emulators agree, and what a follower does can be repeated. It is
    given up by age and never by a number of tries, which an outage would use up in minutes. Were
    there ever a record that kills the function, halving the batches finds it, and only its own
    shard waits.

    A stream serves two followers at once, and no third.
    """

    def __init__(
        self,
        scope: Construct,
        operation: str,
        *,
        shared: SharedByFunctions,
        description: str,
        runbook: Runbook,
        streams: Sequence[WrittenDown] = (WrittenDown.LEDGER_STREAM,),
        filtered_by: object = None,
        rights: Sequence[iam.PolicyStatement] = (),
    ) -> None:
        super().__init__(scope, f"{operation}-follower")
        settings = shared.settings
        self._operation: Final = operation
        self._settings: Final = settings
        self._runbook: Final = runbook
        self.dead_letters: Final = queue_named(self, dead_letters_queue(settings, operation))
        self._function: Final = ApiFunction(
            scope,
            operation,
            shared=shared,
            description=description,
            further_rights=[
                *rights,
                iam.PolicyStatement(
                    sid="ParkRecords",
                    actions=["sqs:SendMessage"],
                    resources=[self.dead_letters.queue_arn],
                ),
                *key_rights(scope, settings, sid="KeyOfParked", actions=KEY_SEND, service="sqs"),
            ],
        )
        self.function: Final = self._function.function
        self.called: Final = self._function.called
        for stream in streams:
            self._follow(stream, settings, filtered_by)
        for alarm in self._alarms():
            notify(alarm, shared.alarm_topic)

    def _follow(self, stream: WrittenDown, settings: StageSettings, filtered_by: object) -> None:
        # Not by CDK's own event source: that gives the role a right to list all streams there are.
        lambda_.CfnEventSourceMapping(
            self,
            f"{stream.name.title().replace('_', '')}Mapping",
            function_name=self.called.function_arn,
            event_source_arn=stream.look_up(self, settings),
            # Also what was written before this was deployed.
            starting_position="TRIM_HORIZON",
            batch_size=_BATCH_SIZE,
            maximum_batching_window_in_seconds=1,
            bisect_batch_on_function_error=True,
            maximum_record_age_in_seconds=GIVEN_UP_AFTER.to_seconds(),
            filter_criteria=None if filtered_by is None else _filter(filtered_by),
            destination_config=lambda_.CfnEventSourceMapping.DestinationConfigProperty(
                on_failure=lambda_.CfnEventSourceMapping.OnFailureProperty(
                    destination=self.dead_letters.queue_arn
                )
            ),
        )

    def _alarms(self) -> Iterator[cloudwatch.Alarm]:
        yield ring(
            self,
            "ParkedAlarm",
            self.dead_letters.metric_approximate_number_of_messages_visible(
                period=ALARM_PERIOD, statistic=cloudwatch.Stats.MAXIMUM
            ),
            f"{self._operation} has given up records of the ledger.",
            self._runbook,
        )
        yield ring(
            self,
            "LateAlarm",
            self._milliseconds_behind(),
            f"{self._operation} is more than {_LATE.to_minutes():g} minutes behind the ledger, or "
            "is not called with what is written to it; it gives up after "
            f"{GIVEN_UP_AFTER.to_hours():g} hours.",
            self._runbook,
            threshold=_LATE.to_milliseconds(),
            # What is written at the end of one period is followed in the next.
            periods=2,
        )

    def _milliseconds_behind(self) -> cloudwatch.Metric | cloudwatch.MathExpression:
        """How old the records are that it is called with.

        A function that is not called has no age: then it is late if anything was written. Emulators
        have no expressions over metrics.
        """
        age = self.function.metric(
            "IteratorAge", period=ALARM_PERIOD, statistic=cloudwatch.Stats.MAXIMUM
        )
        if not self._settings.is_aws:
            return age
        return cloudwatch.MathExpression(
            expression="IF(FILL(age, -1) >= 0, age, "
            f"IF(FILL(written, 0) > 0, {_LATE.to_milliseconds():g}, 0))",
            using_metrics={
                "age": age,
                "written": cloudwatch.Metric(
                    namespace="AWS/DynamoDB",
                    metric_name="ConsumedWriteCapacityUnits",
                    dimensions_map={"TableName": self._settings.ledger_table},
                    statistic=cloudwatch.Stats.SUM,
                ),
            },
            period=ALARM_PERIOD,
        )


class EventPublisher(LedgerFollower):
    """Publishes each new version of an account that others hear of.

    What cannot be understood does not fail: the function itself puts it into the queue and goes on.
    The events have ids by which a repeated one is known.
    """

    def __init__(self, scope: Construct, operation: str, *, shared: SharedByFunctions) -> None:
        settings = shared.settings
        super().__init__(
            scope,
            operation,
            shared=shared,
            description="Till: tells others what happened to customers' credit",
            runbook=Runbook.DEAD_LETTERS,
            filtered_by=_NEW_VERSIONS,
            rights=[
                iam.PolicyStatement(
                    sid="PublishEvents",
                    actions=["events:PutEvents"],
                    resources=[_bus_arn(scope, settings)],
                )
            ],
        )
        self.function.add_environment("TILL_EVENT_BUS", event_bus_name(settings))
        self.function.add_environment(
            "TILL_DEAD_LETTERS_URL", WrittenDown.DEAD_LETTERS_URL.look_up(self, settings)
        )


class LedgerWatcher(LedgerFollower):
    """Verifies every record of both tables, and writes every version to the journal.

    Every minute it audits, too. A run that fails is not repeated: the next one does the same.
    """

    def __init__(self, scope: Construct, operation: str, *, shared: SharedByFunctions) -> None:
        super().__init__(
            scope,
            operation,
            shared=shared,
            description="Till: verifies what is written to both tables",
            runbook=Runbook.TAMPERING,
            streams=(WrittenDown.LEDGER_STREAM, WrittenDown.PURCHASES_STREAM),
        )
        events.Rule(
            self,
            "Schedule",
            rule_name=schedule_name(shared.settings, operation),
            schedule=events.Schedule.rate(_AUDIT_EVERY),
            targets=[
                targets.LambdaFunction(self.called, retry_attempts=0, max_event_age=_AUDIT_EVERY)
            ],
        )


def _bus_arn(scope: Construct, settings: StageSettings) -> str:
    return Stack.of(scope).format_arn(
        service="events", resource="event-bus", resource_name=event_bus_name(settings)
    )


def _filter(pattern: object) -> lambda_.CfnEventSourceMapping.FilterCriteriaProperty:
    return lambda_.CfnEventSourceMapping.FilterCriteriaProperty(
        filters=[lambda_.CfnEventSourceMapping.FilterProperty(pattern=json.dumps(pattern))]
    )
