"""The times of the purchase protocol, and of what is shown to people.

Standard library only: the CDK app imports it without the rest of the layer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import timedelta

SETTLE_SECONDS: Final = 5.0
"""What is kept of a purchase's time, after the carrier's, to record the outcome (step 4)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShipmentPolicy:
    """How long each step may take, and what the carrier promises.

    ``shipment_timeout_seconds`` bounds CreateShipment. A PENDING attempt older than
    ``pending_expiry`` is dead (it must outlast the longest run of the function), an UNKNOWN one is
    voided in the customer's favour after ``unknown_deadline``. ``shipments_idempotent``: the
    carrier makes one shipment per Idempotency-Key, so a dead attempt may be shipped again.
    """

    shipment_timeout_seconds: float
    pending_expiry: timedelta
    unknown_deadline: timedelta
    shipments_idempotent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DisplayPolicy:
    """How old what is only shown may be.

    After ``max_age_seconds`` its API is asked again. If that fails, the copy is shown, marked as
    stale, for ``stale_if_error_seconds`` more.
    """

    max_age_seconds: int
    stale_if_error_seconds: int
