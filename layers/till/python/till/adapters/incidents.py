"""Incidents go to the log, and are measured: alarms look there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_lambda_powertools import Logger

from till.measures import Measure, measure

if TYPE_CHECKING:
    from uuid import UUID

logger = Logger(child=True)


class LoggedIncidents:
    """``till.services.ports.Incidents`` as errors in the log."""

    def possible_orphan(self, attempt_id: UUID) -> None:
        """See docs/runbooks/possible-orphans.md."""
        measure(Measure.POSSIBLE_ORPHANS)
        logger.error("possible orphan shipment", extra={"attempt_id": str(attempt_id)})
