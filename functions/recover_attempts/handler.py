"""Every minute: settle the purchase attempts whose run has ended without doing so."""

import till.cold_start

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from aws_lambda_powertools import Logger

from till import bootstrap, metrics
from till.metrics import Metric, measure

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

logger = Logger()


class RecoveryFailedError(Exception):
    """Some attempts could not be recovered; the next run tries them again."""


def lambda_handler(_: object, context: "LambdaContext") -> None:
    """Run the recovery once, and log what it did."""
    report = bootstrap.recover_attempts()(bootstrap.deadline(context))
    now = datetime.now(UTC)
    measure(Metric.UNKNOWN_ATTEMPTS, report.unknown.count)
    measure(Metric.OLDEST_UNKNOWN_SECONDS, report.unknown.oldest_seconds(now))
    measure(Metric.OPEN_ORPHANS, report.orphans.count)
    measure(Metric.OLDEST_ORPHAN_SECONDS, report.orphans.oldest_seconds(now))
    measure(Metric.RECOVERIES_FAILED, len(report.failed) + (not report.finished))
    metrics.flush()
    logger.info(
        "recovery",
        extra={
            "settled": [str(i) for i in report.settled],
            "made_unknown": [str(i) for i in report.made_unknown],
            "voided_at_deadline": [str(i) for i in report.voided_at_deadline],
            "unknown_count": report.unknown.count,
            "open_orphan_count": report.orphans.count,
            "finished": report.finished,
        },
    )
    for attempt_id, error in report.failed.items():
        logger.error(
            "an attempt could not be recovered",
            extra={"attempt_id": str(attempt_id), "error": type(error).__name__},
        )
    if report.failed:
        raise RecoveryFailedError(f"{len(report.failed)} attempts could not be recovered")


till.cold_start.end()
