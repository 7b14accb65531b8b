"""What is measured: CloudWatch metrics, by way of the log (embedded metric format, Powertools).

Metrics describe how the system works and are not part of the ledger: a value can be lost, or
counted twice when it is unknown whether a commit was applied. The edge writes them once per
request.
"""

from __future__ import annotations

import os
from enum import StrEnum
from typing import Final

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit

_metrics = Metrics(namespace="Till", service="till")
_metrics.set_default_dimensions(stage=os.environ.get("TILL_STAGE", "none"))


class Metric(StrEnum):
    """The names of the metrics; amounts of money are in minor units."""

    PURCHASES_RESERVED = "PurchasesReserved"
    PURCHASES_COMPLETED = "PurchasesCompleted"
    PURCHASES_VOIDED = "PurchasesVoided"
    PURCHASES_UNKNOWN = "PurchasesUnknown"
    MONEY_GRANTED_MINOR = "MoneyGrantedMinor"
    MONEY_DEDUCTED_MINOR = "MoneyDeductedMinor"
    MONEY_SPENT_MINOR = "MoneySpentMinor"
    MONEY_REFUNDED_MINOR = "MoneyRefundedMinor"
    CONFLICTS_RETRIED = "ConflictsRetried"
    UNKNOWN_ATTEMPTS = "UnknownAttempts"
    """How many there are, at each run of the recovery."""
    OLDEST_UNKNOWN_SECONDS = "OldestUnknownSeconds"
    OPEN_ORPHANS = "OpenOrphans"
    """Possible orphan shipments that no person has closed, at each run of the recovery."""
    OLDEST_ORPHAN_SECONDS = "OldestOrphanSeconds"
    ANSWERS_NOT_RECORDED = "AnswersNotRecorded"
    """Answers of the carrier that could not be written down."""
    SHIPMENT_IDS_TAKEN = "ShipmentIdsTaken"
    """Answers of the carrier with the shipment id of another purchase."""
    RECOVERIES_FAILED = "RecoveriesFailed"
    """Attempts that a run of the recovery could not bring further; one more if it had no time for
    all of them."""
    UNREADABLE_ITEMS = "UnreadableItems"
    """Items that could not be read and were left out of a list."""
    CUSTOMER_API_MILLISECONDS = "CustomerApiMilliseconds"
    PRODUCT_API_MILLISECONDS = "ProductApiMilliseconds"
    SHIPMENT_API_MILLISECONDS = "ShipmentApiMilliseconds"
    CACHE_HITS = "CacheHits"
    """Views that needed no request."""
    CACHE_REVALIDATIONS = "CacheRevalidations"
    """Views that asked, and were told that nothing had changed."""
    CACHE_MISSES = "CacheMisses"
    EVENTS_PUBLISHED = "EventsPublished"
    RECORDS_UNREADABLE = "RecordsUnreadable"
    """Records of the ledger that make no sense; each waits in a queue."""
    PROBES_FAILED = "ProbesFailed"
    """0 or 1 at each run of the probe."""
    PROBE_MILLISECONDS = "ProbeMilliseconds"
    UNEXPECTED_ERRORS = "UnexpectedErrors"
    """Requests that ended in a fault of ours, not in a known problem."""


_UNITS: Final = {
    Metric.OLDEST_UNKNOWN_SECONDS: MetricUnit.Seconds,
    Metric.OLDEST_ORPHAN_SECONDS: MetricUnit.Seconds,
    Metric.CUSTOMER_API_MILLISECONDS: MetricUnit.Milliseconds,
    Metric.PRODUCT_API_MILLISECONDS: MetricUnit.Milliseconds,
    Metric.SHIPMENT_API_MILLISECONDS: MetricUnit.Milliseconds,
    Metric.PROBE_MILLISECONDS: MetricUnit.Milliseconds,
}


def measure(name: Metric, value: float = 1) -> None:
    """Count, or take down a value, until the request ends. Safe between threads."""
    _metrics.add_metric(name=name.value, unit=_UNITS.get(name, MetricUnit.Count), value=value)


def flush(**details: str) -> None:
    """Write down what was measured since the last time, if anything was.

    ``details`` are written with the values to the log, and are no dimensions of the metric.
    """
    if _metrics.metric_set:
        for name, value in details.items():
            _metrics.add_metadata(name, value)
        _metrics.flush_metrics()
