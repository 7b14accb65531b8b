"""What people must hear of immediately."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from uuid import UUID

    from till.domain.purchase import ShipmentOutcome


class Incidents(Protocol):
    """What people must hear of immediately: each is a log line and a metric with an alarm."""

    def answer_not_recorded(self, attempt_id: UUID, outcome: ShipmentOutcome) -> None:
        """The carrier's answer could not be written down anywhere else."""
        ...

    def shipment_id_taken(self, attempt_id: UUID, shipment_id: str, purchase_id: UUID) -> None:
        """The carrier answered with the shipment id of another purchase."""
        ...
