"""Incidents go to the log and are counted: alarms look there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_lambda_powertools import Logger

from till import metrics
from till.domain.purchase import NotShipped, OutcomeUnknown, Shipped
from till.metrics import Metric, measure

if TYPE_CHECKING:
    from uuid import UUID

    from till.domain.purchase import ShipmentOutcome

logger = Logger(child=True)


class LoggedIncidents:
    """``till.services.ports.incidents.Incidents`` as errors in the log.

    Each is written immediately: the function may be ended before it has answered.
    """

    def answer_not_recorded(self, attempt_id: UUID, outcome: ShipmentOutcome) -> None:
        """See docs/runbooks/carrier-answers.md."""
        self._tell(
            Metric.ANSWERS_NOT_RECORDED,
            "the carrier's answer could not be recorded",
            {"attempt_id": str(attempt_id), **_outcome(outcome)},
        )

    def shipment_id_taken(self, attempt_id: UUID, shipment_id: str, purchase_id: UUID) -> None:
        """See docs/runbooks/carrier-answers.md."""
        self._tell(
            Metric.SHIPMENT_IDS_TAKEN,
            "the carrier answered with another purchase's shipment id",
            {
                "attempt_id": str(attempt_id),
                "shipment_id": shipment_id,
                "purchase_id": str(purchase_id),
            },
        )

    @staticmethod
    def _tell(name: Metric, message: str, details: dict[str, str]) -> None:
        logger.error(message, extra=details)
        measure(name)
        metrics.flush(**details)


def _outcome(outcome: ShipmentOutcome) -> dict[str, str]:
    match outcome:
        case Shipped(shipment_id=shipment_id):
            return {"outcome": "shipped", "shipment_id": shipment_id}
        case NotShipped():
            return {"outcome": "not_shipped"}
        case OutcomeUnknown():
            return {"outcome": "unknown"}
