"""A consumer of domain events, as another team would have one: a rule on the bus, and a queue."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from jsonschema import Draft202012Validator
from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_events.type_defs import TargetTypeDef
    from mypy_boto3_sqs import SQSClient

SCHEMAS = Path(__file__).resolve().parents[2] / "docs" / "events"


class Detail(BaseModel):
    """What the tests look at; the whole is held to its schema."""

    model_config = ConfigDict(frozen=True)

    event_id: UUID
    customer_id: UUID
    account_version: int
    entry_sequence: int
    amount: int
    posted: int
    held: int
    available: int
    purchase_id: UUID | None = None
    attempt_id: UUID | None = None
    refund_id: UUID | None = None


class Heard(BaseModel):
    """An event as EventBridge delivers it."""

    model_config = ConfigDict(frozen=True)

    source: str
    name: str = Field(alias="detail-type")
    time: datetime
    detail: Detail
    body: str
    """The whole of it, as it came."""


@dataclass
class Listener:
    """What has come so far, in the order in which it came, repeated ones included."""

    client: SQSClient
    url: str
    heard: list[Heard] = field(default_factory=list)

    def of(self, customer_id: UUID) -> list[Heard]:
        """What came about a customer: the first of each event."""
        self._listen()
        first: dict[UUID, Heard] = {}
        for event in self.heard:
            if event.detail.customer_id == customer_id:
                first.setdefault(event.detail.event_id, event)
        return list(first.values())

    def names(self, customer_id: UUID) -> list[str]:
        """The names of those."""
        return [event.name for event in self.of(customer_id)]

    def versions(self, customer_id: UUID) -> list[int]:
        """The versions of the account that those are of."""
        return [event.detail.account_version for event in self.of(customer_id)]

    def times_heard(self, customer_id: UUID) -> int:
        """How many came about a customer, with those that came again."""
        self._listen()
        return sum(event.detail.customer_id == customer_id for event in self.heard)

    def _listen(self) -> None:
        while True:
            messages = self.client.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get(
                "Messages", []
            )
            if not messages:
                return
            for message in messages:
                self.heard.append(_read(message["Body"]))
                self.client.delete_message(
                    QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"]
                )


def _read(body: str) -> Heard:
    """The event, which is as its published schema says."""
    envelope = json.loads(body)
    version = envelope["detail"]["schema_version"]
    schema = json.loads((SCHEMAS / f"{envelope['detail-type']}.v{version}.json").read_text())
    checker = Draft202012Validator.FORMAT_CHECKER
    Draft202012Validator(schema, format_checker=checker).validate(envelope["detail"])
    return Heard.model_validate({**envelope, "body": body})


@contextmanager
def listening(events: EventBridgeClient, sqs: SQSClient, bus: str) -> Iterator[Listener]:
    """A listener to all of a bus, until the block ends.

    Its queue is first in, first out: the order is what is looked at here.
    """
    name = f"listener-{uuid4().hex[:8]}"
    url = sqs.create_queue(
        QueueName=f"{name}.fifo",
        Attributes={"FifoQueue": "true", "ContentBasedDeduplication": "true"},
    )["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"][
        "QueueArn"
    ]
    events.put_rule(
        Name=name, EventBusName=bus, EventPattern=json.dumps({"source": ["till"]}), State="ENABLED"
    )
    target: TargetTypeDef = {
        "Id": "queue",
        "Arn": arn,
        "SqsParameters": {"MessageGroupId": "all"},
    }
    events.put_targets(Rule=name, EventBusName=bus, Targets=[target])
    try:
        yield Listener(sqs, url)
    finally:
        events.remove_targets(Rule=name, EventBusName=bus, Ids=["queue"])
        events.delete_rule(Name=name, EventBusName=bus)
        sqs.delete_queue(QueueUrl=url)
