"""Seeing what a stage does: alarms that say where to read on, and a dashboard."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.alarms import ALARM_PERIOD, RELEASE_ALARM_PERIOD, Runbook, notify, ring
from infra.data_stack import (
    OPENED_INDEX,
    SHORT_ID_INDEX,
    STATE_INDEX,
    customer_index_name,
)
from infra.settings import StageSettings

NAMESPACE: Final = "Till"

_WIDTH: Final = 12
_OLD_ATTEMPT_HOURS: Final = 12
_ROUND_DAYS: Final = 7


class Observability(Construct):
    """The alarms on the whole of a stage; on AWS also the dashboard.

    What is measured is named in ``till.metrics``; a test holds both against each other.
    Alarms on single functions are with the functions.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: StageSettings,
        dead_letters: Sequence[sqs.IQueue],
        alarm_topic: sns.ITopic | None,
    ) -> None:
        super().__init__(scope, construct_id)
        self._settings: Final = settings
        self.of_releases: Final = self._release_alarms()
        """What no release may set off, whichever function it is of."""
        for alarm in (
            *self.of_releases,
            *self._money_alarms(),
            self._latency_alarm(),
            self._concurrency_alarm(),
            *self._table_alarms(),
        ):
            notify(alarm, alarm_topic)
        if settings.is_aws:
            self._make_dashboard(dead_letters)

    def _measure(
        self,
        name: str,
        statistic: str = cloudwatch.Stats.SUM,
        *,
        period: Duration = ALARM_PERIOD,
        label: str | None = None,
    ) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace=NAMESPACE,
            metric_name=name,
            dimensions_map={"service": "till", "stage": self._settings.stage},
            statistic=statistic,
            period=period,
            label=label,
        )

    def _release_alarms(self) -> tuple[cloudwatch.Alarm, ...]:
        return (
            ring(
                self,
                "UnexpectedErrors",
                self._measure("UnexpectedErrors", period=RELEASE_ALARM_PERIOD),
                "A request ended in an unexpected error: a fault of ours.",
                Runbook.ERRORS,
            ),
            ring(
                self,
                "ServerErrors",
                self._api_metric("5XXError", period=RELEASE_ALARM_PERIOD),
                "The API answers with 5xx: ours, or an upstream's that it passes on.",
                Runbook.ERRORS,
                threshold=5,
                periods=3,
            ),
        )

    def _money_alarms(self) -> tuple[cloudwatch.Alarm, ...]:
        return (
            ring(
                self,
                "UnknownAttempts",
                self._measure("UnknownAttempts", cloudwatch.Stats.MAXIMUM),
                "There are purchase attempts of unknown outcome: money is held.",
                Runbook.UNKNOWN_ATTEMPTS,
                # One that is settled within minutes needs no person.
                periods=3,
            ),
            ring(
                self,
                "OldUnknownAttempt",
                self._measure("OldestUnknownSeconds", cloudwatch.Stats.MAXIMUM),
                f"An attempt has been unknown for {_OLD_ATTEMPT_HOURS} hours, and will be voided "
                "at its deadline.",
                Runbook.UNKNOWN_ATTEMPTS,
                threshold=Duration.hours(_OLD_ATTEMPT_HOURS).to_seconds(),
            ),
            ring(
                self,
                "OpenOrphans",
                self._measure("OpenOrphans", cloudwatch.Stats.MAXIMUM),
                "Attempts were voided although a parcel may exist, and no person has closed them.",
                Runbook.ORPHAN_SHIPMENTS,
            ),
            ring(
                self,
                "AnswersNotRecorded",
                self._measure("AnswersNotRecorded"),
                "An answer of the carrier is written nowhere but in the log.",
                Runbook.CARRIER_ANSWERS,
            ),
            ring(
                self,
                "ShipmentIdsTaken",
                self._measure("ShipmentIdsTaken"),
                "The carrier answered with the shipment id of another purchase.",
                Runbook.CARRIER_ANSWERS,
            ),
            ring(
                self,
                "UnreadableItems",
                self._measure("UnreadableItems"),
                "Items of the tables cannot be read and are left out of lists.",
                Runbook.UNREADABLE_ITEMS,
            ),
            ring(
                self,
                "TamperingFound",
                self._measure("TamperingFound"),
                "The tables hold what Till does not write, or have lost what it wrote.",
                Runbook.TAMPERING,
            ),
            ring(
                self,
                "AuditRoundLate",
                self._measure("AuditRoundSeconds", cloudwatch.Stats.MAXIMUM),
                f"The audit has not run for ten minutes, or a round has taken {_ROUND_DAYS} days.",
                Runbook.TAMPERING,
                threshold=Duration.days(_ROUND_DAYS).to_seconds(),
                periods=2,
                missing=cloudwatch.TreatMissingData.BREACHING,
            ),
        )

    def _latency_alarm(self) -> cloudwatch.Alarm:
        return ring(
            self,
            "Latency",
            self._api_metric("Latency", "p99"),
            "One request in a hundred takes longer than ten seconds.",
            Runbook.LATENCY,
            threshold=Duration.seconds(10).to_milliseconds(),
            periods=3,
        )

    def _concurrency_alarm(self) -> cloudwatch.Alarm:
        """One for all functions: what refuses them is the limit of the whole account."""
        return ring(
            self,
            "FunctionThrottles",
            lambda_.Function.metric_all_throttles(
                period=ALARM_PERIOD, statistic=cloudwatch.Stats.SUM
            ),
            "A function of this account was refused a place to run: the account's Lambda "
            "concurrency is used up.",
            Runbook.THROTTLES,
        )

    def _table_alarms(self) -> tuple[cloudwatch.Alarm, ...]:
        """For tables and indexes: an index that is throttled holds its table's writes up."""
        ledger, purchases = self._settings.ledger_table, self._settings.purchases_table
        return tuple(
            ring(
                self,
                f"{name.title().replace(' ', '')}{direction}Throttles",
                self._table_metric(table, f"{direction}ThrottleEvents", index=index),
                f"DynamoDB refuses to {direction.lower()} the {name} as fast as is asked.",
                Runbook.THROTTLES,
                periods=2,
            )
            for name, table, index in (
                ("ledger table", ledger, None),
                ("ledger index", ledger, OPENED_INDEX),
                ("purchases table", purchases, None),
                ("purchases index", purchases, STATE_INDEX),
                ("short id index", purchases, SHORT_ID_INDEX),
                ("customer index", customer_index_name(self._settings), None),
            )
            for direction in ("Read", "Write")
        )

    def _api_metric(
        self,
        name: str,
        statistic: str = cloudwatch.Stats.SUM,
        *,
        period: Duration = ALARM_PERIOD,
        label: str | None = None,
    ) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace="AWS/ApiGateway",
            metric_name=name,
            dimensions_map={"ApiName": self._settings.prefix},
            statistic=statistic,
            period=period,
            label=label,
        )

    @staticmethod
    def _table_metric(
        table: str, name: str, *, index: str | None = None, label: str | None = None
    ) -> cloudwatch.Metric:
        of_index = {} if index is None else {"GlobalSecondaryIndexName": index}
        return cloudwatch.Metric(
            namespace="AWS/DynamoDB",
            metric_name=name,
            dimensions_map={"TableName": table, **of_index},
            statistic=cloudwatch.Stats.SUM,
            period=ALARM_PERIOD,
            label=label,
        )

    def _make_dashboard(self, dead_letters: Sequence[sqs.IQueue]) -> None:
        tables = (self._settings.ledger_table, self._settings.purchases_table)
        graphs: tuple[tuple[str, Sequence[cloudwatch.IMetric]], ...] = (
            (
                "Purchases by outcome",
                [
                    self._measure(f"Purchases{outcome}", label=outcome.lower())
                    for outcome in ("Reserved", "Completed", "Voided", "Unknown")
                ],
            ),
            (
                "Money moved (minor units)",
                [
                    self._measure(f"Money{kind}Minor", label=kind.lower())
                    for kind in ("Granted", "Deducted", "Spent", "Refunded")
                ],
            ),
            (
                "Unknown attempts and open orphan shipments",
                [
                    self._measure("UnknownAttempts", cloudwatch.Stats.MAXIMUM, label="unknown"),
                    self._measure("OpenOrphans", cloudwatch.Stats.MAXIMUM, label="orphans"),
                    self._measure("RecoveriesFailed", label="recoveries that failed"),
                ],
            ),
            (
                "Age of the oldest one (s)",
                [
                    self._measure(
                        "OldestUnknownSeconds", cloudwatch.Stats.MAXIMUM, label="unknown"
                    ),
                    self._measure("OldestOrphanSeconds", cloudwatch.Stats.MAXIMUM, label="orphans"),
                ],
            ),
            (
                "Carrier answers to look at, and unreadable items",
                [
                    self._measure("AnswersNotRecorded", label="not recorded"),
                    self._measure("ShipmentIdsTaken", label="shipment id taken"),
                    self._measure("UnreadableItems", label="unreadable items"),
                ],
            ),
            (
                "Upstreams (ms)",
                [
                    self._measure(f"{api}ApiMilliseconds", statistic, label=f"{api} {statistic}")
                    for api in ("Customer", "Product", "Shipment")
                    for statistic in ("p50", "p99")
                ],
            ),
            (
                "Views, by what the cache did",
                [
                    self._measure(f"Cache{did}", label=did.lower())
                    for did in ("Hits", "Revalidations", "Misses")
                ],
            ),
            (
                "The probe of the API (ms), and its failures",
                [
                    self._measure("ProbeMilliseconds", cloudwatch.Stats.MAXIMUM, label="ms"),
                    self._measure("ProbesFailed", label="failures"),
                ],
            ),
            (
                "The watcher and the audit",
                [
                    self._measure("VersionsVerified", label="versions verified"),
                    self._measure("ItemsAudited", label="items audited"),
                    self._measure("TamperingFound", label="findings"),
                ],
            ),
            (
                "Age of the audit's round (s)",
                [self._measure("AuditRoundSeconds", cloudwatch.Stats.MAXIMUM, label="s")],
            ),
            ("Commits thought over", [self._measure("ConflictsRetried")]),
            ("Unexpected errors", [self._measure("UnexpectedErrors")]),
            (
                "Domain events",
                [
                    self._measure("EventsPublished", label="published"),
                    self._measure("RecordsUnreadable", label="unreadable"),
                ],
            ),
            (
                "Requests",
                [
                    self._api_metric(name, label=label)
                    for name, label in (
                        ("Count", "requests"),
                        ("4XXError", "4xx"),
                        ("5XXError", "5xx"),
                    )
                ],
            ),
            (
                "Latency of the API (ms)",
                [
                    self._api_metric("Latency", statistic, label=statistic)
                    for statistic in ("p50", "p99")
                ],
            ),
            (
                "Throttles of the tables",
                [
                    self._table_metric(
                        table, f"{direction}ThrottleEvents", label=f"{table}: {direction.lower()}"
                    )
                    for table in tables
                    for direction in ("Read", "Write")
                ],
            ),
            (
                "What failed for good",
                [
                    queue.metric_approximate_number_of_messages_visible(period=ALARM_PERIOD)
                    for queue in dead_letters
                ],
            ),
        )
        dashboard = cloudwatch.Dashboard(
            self,
            "Dashboard",
            dashboard_name=self._settings.prefix,
            default_interval=Duration.days(1),
        )
        for row in range(0, len(graphs), 2):
            dashboard.add_widgets(
                *(
                    cloudwatch.GraphWidget(title=title, left=list(metrics), width=_WIDTH)
                    for title, metrics in graphs[row : row + 2]
                )
            )
