"""The probe: a scheduled function that calls the deployed API from outside, and its alarm."""

from __future__ import annotations

from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.alarms import RELEASE_ALARM_PERIOD, Runbook, notify, ring
from infra.api_function import ApiFunction, SharedByFunctions
from infra.lasting import schedule_name
from infra.settings import Probe
from till.http.routes import PROBE

_INTERVAL: Final = Duration.minutes(1)
_FAILED_MINUTES: Final = 3
"""One failed run may be an upstream that restarts. CodeDeploy waits for five minutes."""


class ApiProbe(Construct):
    """Reads a balance and asks for a quote every minute, so that no release is judged by silence.

    A run that fails is a value of the metric. There is no queue of failed runs: the next one is a
    minute later, and a run that is missing counts as a failed one.
    """

    def __init__(
        self, scope: Construct, *, probe: Probe, api_url: str, shared: SharedByFunctions
    ) -> None:
        super().__init__(scope, "Probe")
        settings = shared.settings
        function = ApiFunction(
            scope,
            PROBE,
            shared=shared,
            description="Till: calls the API from outside every minute",
            further_rights=[
                iam.PolicyStatement(
                    sid="ProbeCredential",
                    actions=["secretsmanager:GetSecretValue"],
                    resources=[probe.secret_arn],
                )
            ],
        )
        for name, value in (
            ("TILL_PROBE_API_URL", api_url),
            ("TILL_PROBE_TOKEN_URL", probe.token_url),
            ("TILL_PROBE_SECRET", probe.secret_arn),
            ("TILL_PROBE_CUSTOMER_ID", probe.customer_id),
            ("TILL_PROBE_PRODUCT_ID", probe.product_id),
        ):
            function.function.add_environment(name, value)
        events.Rule(
            self,
            "Schedule",
            rule_name=schedule_name(settings, PROBE),
            schedule=events.Schedule.rate(_INTERVAL),
            targets=[
                targets.LambdaFunction(function.called, retry_attempts=0, max_event_age=_INTERVAL)
            ],
        )
        runs = lambda_.CfnEventInvokeConfig(
            self,
            "Runs",
            function_name=function.function.function_name,
            qualifier=function.qualifier,
            maximum_retry_attempts=0,
            maximum_event_age_in_seconds=_INTERVAL.to_seconds(),
        )
        # It names the alias, which CloudFormation does not recognise as a reference.
        runs.node.add_dependency(function.called)
        self.alarm: Final = ring(
            self,
            "FailedAlarm",
            cloudwatch.Metric(
                namespace="Till",
                metric_name="ProbesFailed",
                dimensions_map={"service": "till", "stage": settings.stage},
                statistic=cloudwatch.Stats.MAXIMUM,
                period=RELEASE_ALARM_PERIOD,
            ),
            f"The API has not answered its probe as it should for {_FAILED_MINUTES} minutes, or "
            "the probe does not run.",
            Runbook.PROBE,
            periods=_FAILED_MINUTES,
            missing=cloudwatch.TreatMissingData.BREACHING,
        )
        notify(self.alarm, shared.alarm_topic)
