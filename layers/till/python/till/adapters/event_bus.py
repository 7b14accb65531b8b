"""The EventBridge bus, and the dead-letter queue of records that cannot be read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, cast

from aws_lambda_powertools import Logger
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from till.adapters.aws import session
from till.adapters.event_details import SOURCE, detail_of
from till.metrics import Metric, measure

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef
    from mypy_boto3_sqs import SQSClient

    from till.domain.errors import TillError
    from till.domain.events import DomainEvent
    from till.services.ports.events import RecordLocation

_CONFIG: Final = Config(
    connect_timeout=1.0,
    read_timeout=3.0,
    # A call that is repeated puts its events on the bus twice at worst, under the same ids.
    retries={"mode": "standard", "total_max_attempts": 2},
)
_MOST_ENTRIES: Final = 10

logger = Logger(child=True)


def make_events_client() -> EventBridgeClient:
    """A client of EventBridge whose calls end well within a function's time."""
    return cast("EventBridgeClient", session().create_client("events", config=_CONFIG))


def make_queue_client() -> SQSClient:
    """The same of SQS."""
    return cast("SQSClient", session().create_client("sqs", config=_CONFIG))


class EventBridgeBus:
    """``till.services.ports.events.EventBus`` on EventBridge."""

    most_at_once: int = _MOST_ENTRIES

    def __init__(self, client: EventBridgeClient, *, name: str) -> None:
        self._client = client
        self._name = name

    def publish(self, events: Sequence[DomainEvent]) -> frozenset[UUID]:
        """See the port."""
        try:
            answer = self._client.put_events(Entries=[self._entry(event) for event in events])
        except (BotoCoreError, ClientError) as error:
            logger.warning("the bus took nothing", extra={"error": _name_of(error)})
            return frozenset()
        # The answers are in the order of the entries; one that was refused has no id.
        results = list(zip(events, answer["Entries"], strict=True))
        refusals = {result["ErrorCode"] for _, result in results if "ErrorCode" in result}
        if refusals:
            logger.warning("the bus refused events", extra={"errors": sorted(refusals)})
        taken = frozenset(event.id for event, result in results if result.get("EventId"))
        measure(Metric.EVENTS_PUBLISHED, len(taken))
        return taken

    def _entry(self, event: DomainEvent) -> PutEventsRequestEntryTypeDef:
        return {
            "EventBusName": self._name,
            "Source": SOURCE,
            "DetailType": event.name.value,
            "Time": event.occurred_at,
            "Detail": detail_of(event).model_dump_json(),
        }


class QueuedDeadLetters:
    """``till.services.ports.events.DeadLetters`` in a queue whose first message rings an alarm."""

    def __init__(self, client: SQSClient, *, url: str) -> None:
        self._client = client
        self._url = url

    def add(self, location: RecordLocation, error: TillError) -> None:
        """See the port."""
        message = {
            "partition_key": location.partition_key,
            "sort_key": location.sort_key,
            "sequence_number": location.sequence_number,
            "error": type(error).__name__,
            "detail": str(error),
        }
        self._client.send_message(QueueUrl=self._url, MessageBody=json.dumps(message))
        measure(Metric.RECORDS_UNREADABLE)
        logger.error("a record of the ledger is unreadable", extra=message)


def _name_of(error: BotoCoreError | ClientError) -> str:
    if isinstance(error, ClientError):
        return error.response["Error"]["Code"]
    return type(error).__name__
