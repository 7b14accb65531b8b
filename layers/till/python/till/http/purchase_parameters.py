"""The parameters of purchases and attempts."""

from __future__ import annotations

from typing import Annotated, Literal

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field

from till.domain.purchase import (
    SHIPMENT_ID_PATTERN,
    AttemptState,
    OrphanStatus,
    PurchaseStatus,
)

StatusFilter = Annotated[PurchaseStatus | None, Query(description="Only purchases of this status")]
StateFilter = Annotated[
    AttemptState | None, Query(description="Only attempts in this state; left out: the open ones")
]
OrphanFilter = Annotated[
    Literal[OrphanStatus.OPEN] | None,
    Query(description="Only voided attempts with a possible orphan shipment that is still open"),
]
ShipmentIdFilter = Annotated[
    Annotated[str, Field(pattern=SHIPMENT_ID_PATTERN)] | None,
    Query(description="Only the purchase that this shipment id of the carrier belongs to"),
]
