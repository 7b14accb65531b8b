"""From the ledger's stream to the event bus."""

from __future__ import annotations

import json
from typing import Final

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.alarms import ALARM_PERIOD, Runbook, notify, ring
from infra.api_function import ApiFunction, Surroundings, key_rights
from infra.data_stack import event_bus_name
from infra.lasting import dead_letters_queue, queue_named
from infra.permissions import KEY_SEND
from infra.written_down import WrittenDown

GIVEN_UP_AFTER: Final = Duration.hours(6)
"""How old a record gets before it is given up. The stream keeps it for 24 hours: what is left of
them is for finding out which records those were."""

_BATCH_SIZE: Final = 100
_LATE: Final = Duration.minutes(5)
_NEW_VERSIONS: Final = {
    "eventName": ["INSERT"],
    "dynamodb": {"Keys": {"sk": {"S": [{"prefix": "VERSION#"}]}}},
}
"""The function is not called for remembered requests. It is for holds, which it does not
publish: a filter by kind would drop a record without a kind, which belongs in the dead letters."""


class EventPublisher(Construct):
    """Follows the ledger, and publishes each new version of an account that others hear of.

    A batch that fails is called again as a whole, and not from its first failure on: that is the
    one way in which AWS and the emulators agree, and the events have ids by which a repeated one is
    known. It is given up by age and never by a number of tries, which an outage of the bus would
    use up in minutes. What cannot be understood does not fail: the function itself puts it into the
    queue and goes on. Were there ever a record that kills the function, halving the batches finds
    it, and only its own shard waits.
    """

    def __init__(self, scope: Construct, operation: str, *, surroundings: Surroundings) -> None:
        super().__init__(scope, f"{operation}-publisher")
        settings = surroundings.settings
        self.dead_letters: Final = queue_named(self, dead_letters_queue(settings, operation))
        bus_arn = Stack.of(self).format_arn(
            service="events", resource="event-bus", resource_name=event_bus_name(settings)
        )
        self._function: Final = ApiFunction(
            scope,
            operation,
            surroundings=surroundings,
            description="Till: tells others what happened to customers' credit",
            further_rights=[
                iam.PolicyStatement(
                    sid="PublishEvents", actions=["events:PutEvents"], resources=[bus_arn]
                ),
                iam.PolicyStatement(
                    sid="ParkRecords",
                    actions=["sqs:SendMessage"],
                    resources=[self.dead_letters.queue_arn],
                ),
                *key_rights(scope, settings, sid="KeyOfParked", actions=KEY_SEND, service="sqs"),
            ],
        )
        function = self._function.function
        function.add_environment("TILL_EVENT_BUS", event_bus_name(settings))
        function.add_environment(
            "TILL_DEAD_LETTERS_URL", WrittenDown.DEAD_LETTERS_URL.look_up(self, settings)
        )
        # Not by CDK's own event source: that gives the role a right to list all streams there are.
        lambda_.CfnEventSourceMapping(
            self,
            "Mapping",
            function_name=self._function.called.function_arn,
            event_source_arn=WrittenDown.LEDGER_STREAM.look_up(self, settings),
            # Also what was written before this was deployed.
            starting_position="TRIM_HORIZON",
            batch_size=_BATCH_SIZE,
            maximum_batching_window_in_seconds=1,
            bisect_batch_on_function_error=True,
            maximum_record_age_in_seconds=GIVEN_UP_AFTER.to_seconds(),
            filter_criteria=lambda_.CfnEventSourceMapping.FilterCriteriaProperty(
                filters=[
                    lambda_.CfnEventSourceMapping.FilterProperty(pattern=json.dumps(_NEW_VERSIONS))
                ]
            ),
            destination_config=lambda_.CfnEventSourceMapping.DestinationConfigProperty(
                on_failure=lambda_.CfnEventSourceMapping.OnFailureProperty(
                    destination=self.dead_letters.queue_arn
                )
            ),
        )
        for alarm in self._alarms(operation):
            notify(alarm, surroundings.alarm_topic)

    def _alarms(self, operation: str) -> tuple[cloudwatch.Alarm, ...]:
        return (
            ring(
                self,
                "ParkedAlarm",
                self.dead_letters.metric_approximate_number_of_messages_visible(
                    period=ALARM_PERIOD, statistic=cloudwatch.Stats.MAXIMUM
                ),
                f"{operation} met unreadable records of the ledger: they made no event.",
                Runbook.DEAD_LETTERS,
            ),
            ring(
                self,
                "LateAlarm",
                self._function.function.metric(
                    "IteratorAge", period=ALARM_PERIOD, statistic=cloudwatch.Stats.MAXIMUM
                ),
                f"Domain events are more than {_LATE.to_minutes():g} minutes late, and are given "
                f"up after {GIVEN_UP_AFTER.to_hours():g} hours.",
                Runbook.DEAD_LETTERS,
                threshold=_LATE.to_milliseconds(),
            ),
        )
