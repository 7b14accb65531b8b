"""Alarms. Each names the page that says what to do."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

ALARM_PERIOD: Final = Duration.minutes(5)
RELEASE_ALARM_PERIOD: Final = Duration.minutes(1)
"""Of those alarms that take a release back: it is for five minutes that a canary sings."""


class Runbook(StrEnum):
    """The pages in docs/runbooks."""

    UNKNOWN_ATTEMPTS = "unknown-attempts.md"
    ORPHAN_SHIPMENTS = "orphan-shipments.md"
    CARRIER_ANSWERS = "carrier-answers.md"
    UNREADABLE_ITEMS = "unreadable-items.md"
    ERRORS = "errors.md"
    LATENCY = "latency.md"
    THROTTLES = "throttles.md"
    DEAD_LETTERS = "dead-letters.md"
    PROBE = "probe.md"
    TAMPERING = "tampering.md"


def ring(
    scope: Construct,
    construct_id: str,
    metric: cloudwatch.Metric | cloudwatch.MathExpression,
    meaning: str,
    runbook: Runbook,
    *,
    threshold: float = 1,
    comparison: cloudwatch.ComparisonOperator = (
        cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
    ),
    periods: int = 1,
    missing: cloudwatch.TreatMissingData = cloudwatch.TreatMissingData.NOT_BREACHING,
) -> cloudwatch.Alarm:
    """An alarm that says what it means and names its page."""
    return metric.create_alarm(
        scope,
        construct_id,
        alarm_description=f"{meaning} See docs/runbooks/{runbook}.",
        threshold=threshold,
        comparison_operator=comparison,
        evaluation_periods=periods,
        treat_missing_data=missing,
    )


def notify(alarm: cloudwatch.Alarm, topic: sns.ITopic | None) -> None:
    """Tell the stage's topic when the alarm goes off. Emulated stages have no topic."""
    if topic is not None:
        alarm.add_alarm_action(actions.SnsAction(topic))
