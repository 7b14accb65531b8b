"""Verify what is written: the streams of both tables call this with every record.

Every minute it is called without any, and audits: it checks more of both tables and of the journal,
so that a week sees all of it. It shares no code with what writes: ``till`` is not imported here.
"""

import time
from typing import TYPE_CHECKING

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from evidence import wiring
from evidence.audit import Audit
from evidence.rounds import AuditMetric, AuditRun
from evidence.watch import Watch, WatchMetric

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aws_lambda_powertools.utilities.typing import LambdaContext

    from evidence.findings import Finding

AUDIT_SECONDS = 10
"""How long a run of the audit begins with further items. What looks wrong is read three times."""
LONGEST = 1_000
"""The items that are read at most to count redemptions; an attempt counts as five of a page."""

logger = Logger()
metrics = Metrics(namespace="Till", service="till")
metrics.set_default_dimensions(stage=wiring.stage())


@metrics.log_metrics
def lambda_handler(event: "Mapping[str, Sequence[object]]", _context: "LambdaContext") -> None:
    """Verify a batch, or audit. Who calls with a batch makes the call again if this fails."""
    # Without any, the alarm knows that nothing was found.
    metrics.add_metric(WatchMetric.TAMPERING_FOUND, MetricUnit.Count, 0)
    if "Records" in event:
        watched = Watch(wiring.tables(), wiring.journal(), tell=tell)(event["Records"])
        metrics.add_metric(WatchMetric.VERSIONS_VERIFIED, MetricUnit.Count, watched.verified)
        logger.info("watched", extra={"verified": watched.verified})
        return
    ends = time.monotonic() + AUDIT_SECONDS
    audit = Audit(wiring.tables(), wiring.journal(), LONGEST)
    run = AuditRun(audit, lambda: time.monotonic() > ends, tell=tell)()
    metrics.add_metric(AuditMetric.ITEMS_AUDITED, MetricUnit.Count, run.checked)
    metrics.add_metric(AuditMetric.AUDIT_ROUND_SECONDS, MetricUnit.Seconds, run.round_seconds)
    logger.info("audited", extra={"items": run.checked, "round_seconds": run.round_seconds})


def tell(finding: "Finding") -> None:
    """Tell those who look after the stage of a finding, immediately: the run may yet fail."""
    logger.error("tampering found", extra={"where": finding.where, "fault": finding.fault})
    metrics.add_metric(WatchMetric.TAMPERING_FOUND, MetricUnit.Count, 1)
    metrics.flush_metrics()
