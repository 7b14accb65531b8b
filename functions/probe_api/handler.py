"""Every minute, where it is configured: call the deployed API as a shop does."""

import till.cold_start

import time
from typing import TYPE_CHECKING

from aws_lambda_powertools import Logger

from till import bootstrap, metrics
from till.metrics import Metric, measure

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

logger = Logger()

_KEPT_SECONDS = 2.0
"""For what is done after the calls."""


def lambda_handler(_: object, context: "LambdaContext") -> dict[str, object]:
    """Probe once. A failure is a result and no error: the alarm is on the metric."""
    began = time.monotonic()
    failure = bootstrap.probe_api()(context.get_remaining_time_in_millis() / 1000 - _KEPT_SECONDS)
    if failure is not None:
        logger.error("the API failed its probe", extra={"failure": failure})
    milliseconds = round((time.monotonic() - began) * 1000, 1)
    measure(Metric.PROBES_FAILED, 0 if failure is None else 1)
    measure(Metric.PROBE_MILLISECONDS, milliseconds)
    metrics.flush()
    return {"healthy": failure is None, "failure": failure, "milliseconds": milliseconds}


till.cold_start.end()
