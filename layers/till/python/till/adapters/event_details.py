"""The details of domain events as they are published: docs/events is generated from these models.

Within a version of a schema, attributes may be added and nothing else may change. Consumers ignore
attributes that they do not know. Any other change is a new version, published together with the old
one for as long as that has consumers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from till.domain.events import EventName
from till.domain.instant import format_instant

if TYPE_CHECKING:
    from collections.abc import Mapping

    from till.domain.events import DomainEvent

SCHEMA_VERSION: Final = 1
SOURCE: Final = "till"
"""``source`` of every event on the bus."""

_ATTEMPT: Final = "The purchase attempt; if it ever completes, it is the purchase"


class EventDetail(BaseModel):
    """What every event says."""

    model_config = ConfigDict(frozen=True)

    schema_version: Literal[1]
    event_id: UUID = Field(
        description="The same for the same event, however often it is published: pass over what "
        "you have seen"
    )
    occurred_at: str = Field(
        description="RFC 3339, in UTC", json_schema_extra={"format": "date-time"}
    )
    customer_id: UUID
    account_version: int = Field(
        ge=1,
        description="Grows with each event of the customer, and so orders them. There are gaps: a "
        "purchase that begins makes a version, and no event",
    )
    entry_sequence: int = Field(
        ge=0,
        description="The number of the newest ledger entry at that version. Entries are numbered "
        "without a gap, and each has an event",
    )
    amount: int = Field(ge=0, description="What it was about, in minor units (cents)")
    currency: str = Field(description="ISO 4217")
    posted: int = Field(ge=0, description="The balance afterwards, in minor units")
    held: int = Field(ge=0, description="What of it is set aside for open purchase attempts")
    available: int = Field(ge=0, description="What the customer can spend: posted - held")


class CreditGranted(EventDetail):
    """Credit was given: amount more is posted."""


class CreditDeducted(EventDetail):
    """Credit was taken away: amount less is posted."""


class PurchaseCompleted(EventDetail):
    """A purchase was shipped and paid: amount less is posted."""

    purchase_id: UUID


class PurchaseVoided(EventDetail):
    """Nothing was bought: amount is no longer held, and nothing was posted."""

    attempt_id: UUID = Field(description=_ATTEMPT)


class PurchaseUnknown(EventDetail):
    """The shipment outcome is unknown: the amount stays held until it is resolved."""

    attempt_id: UUID = Field(description=_ATTEMPT)


class RefundIssued(EventDetail):
    """A purchase was refunded, or a part of it: amount more is posted."""

    purchase_id: UUID
    refund_id: UUID


DETAILS: Final[Mapping[EventName, type[EventDetail]]] = {
    EventName.CREDIT_GRANTED: CreditGranted,
    EventName.CREDIT_DEDUCTED: CreditDeducted,
    EventName.PURCHASE_COMPLETED: PurchaseCompleted,
    EventName.PURCHASE_VOIDED: PurchaseVoided,
    EventName.PURCHASE_UNKNOWN: PurchaseUnknown,
    EventName.REFUND_ISSUED: RefundIssued,
}


def detail_of(event: DomainEvent) -> EventDetail:
    """The detail of an event."""
    # Each model takes of these what it has.
    return DETAILS[event.name].model_validate(
        {
            "schema_version": SCHEMA_VERSION,
            "event_id": event.id,
            "occurred_at": format_instant(event.occurred_at),
            "customer_id": event.customer_id,
            "account_version": event.account_version,
            "entry_sequence": event.entry_sequence,
            "amount": event.amount.amount_minor,
            "currency": event.amount.currency,
            "posted": event.posted.amount_minor,
            "held": event.held.amount_minor,
            "available": event.available.amount_minor,
            "purchase_id": event.attempt_id,
            "attempt_id": event.attempt_id,
            "refund_id": event.refund_id,
        }
    )
