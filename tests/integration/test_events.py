"""Others hear of what happens to credit: at least once, in a customer's order, whatever fails."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest

from local.upstream.behaviour import Behaviour, Drop, Refuse
from tests.integration.fault_proxy import (
    HoldReply,
    LoseReply,
    Seen,
    json_answer,
    refuse,
    running_proxy,
)
from tests.integration.listener import Listener, listening
from tests.integration.shop import PERSONAL
from tests.integration.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import boto3
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_sqs import SQSClient

    from local.endpoints import Endpoints
    from local.upstream.client import StandInControl
    from tests.integration.client import TillClient
    from tests.integration.fault_proxy import FaultProxy
    from tests.integration.functions import Functions
    from tests.integration.invariants import Auditor
    from tests.integration.shop import Shop
    from tests.integration.tables import Tables

PUBLISHER = "publish_events"


@dataclass(frozen=True)
class Stage:
    """Where credit moves."""

    till: TillClient
    upstream: StandInControl
    shop: Shop


@dataclass(frozen=True)
class Saboteur:
    """Writes past the product into the ledger."""

    client: DynamoDBClient
    table: str

    @contextmanager
    def poison(
        self, customer: UUID, changed: dict[str, AttributeValueTypeDef | None]
    ) -> Iterator[None]:
        """A broken copy of an account's first version, until the block ends.

        It is version 0, which never was: before all others, so that no search for the newest
        version finds it.
        """
        first = self.client.get_item(
            TableName=self.table, Key=_version(customer, 1), ConsistentRead=True
        )["Item"]
        item = {**first, "version": {"N": "0"}, **changed, **_version(customer, 0)}
        self.client.put_item(
            TableName=self.table,
            Item={name: value for name, value in item.items() if value is not None},
        )
        try:
            yield
        finally:
            self.client.delete_item(TableName=self.table, Key=_version(customer, 0))


def _version(customer: UUID, number: int) -> dict[str, AttributeValueTypeDef]:
    return {"pk": {"S": f"ACCOUNT#{customer}"}, "sk": {"S": f"VERSION#{number:016d}"}}


@dataclass(frozen=True)
class Operator:
    """Looks after the dead letters."""

    sqs: SQSClient
    functions: LambdaClient
    publisher: str

    def dead_letter(self, customer: UUID) -> dict[str, str] | None:
        """The dead letter about a customer, taken from the queue."""
        url = self.sqs.get_queue_url(QueueName=f"{self.publisher}-dead-letters")["QueueUrl"]
        for message in self.sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=1
        ).get("Messages", []):
            body: dict[str, str] = json.loads(message["Body"])
            if body["partition_key"] == f"ACCOUNT#{customer}":
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                return body
        return None

    def publish_again(self, customer: UUID, version: int) -> bool:
        """Have the event of a version published; gives back whether that was done."""
        wanted = {"publish_again": {"customer_id": str(customer), "version": version}}
        answer = self.functions.invoke(
            FunctionName=self.publisher, Payload=json.dumps(wanted).encode()
        )
        return "FunctionError" not in answer


@pytest.fixture(scope="module")
def stage(till: TillClient, upstream: StandInControl, shop: Shop) -> Stage:
    return Stage(till, upstream, shop)


@pytest.fixture(scope="module")
def sqs(aws: boto3.Session, endpoints: Endpoints) -> SQSClient:
    return aws.client("sqs", endpoint_url=endpoints.aws_endpoint_url)


@pytest.fixture(scope="module")
def saboteur(aws: boto3.Session, endpoints: Endpoints) -> Saboteur:
    client = aws.client("dynamodb", endpoint_url=endpoints.aws_endpoint_url)
    return Saboteur(client, endpoints.ledger_table)


@pytest.fixture(scope="module")
def operator(
    aws: boto3.Session, endpoints: Endpoints, functions: Functions, sqs: SQSClient
) -> Operator:
    client = aws.client("lambda", endpoint_url=endpoints.aws_endpoint_url)
    return Operator(sqs, client, functions.name(PUBLISHER))


@pytest.fixture(scope="module")
def listener(aws: boto3.Session, endpoints: Endpoints, sqs: SQSClient) -> Iterator[Listener]:
    events = aws.client("events", endpoint_url=endpoints.aws_endpoint_url)
    with listening(events, sqs, endpoints.function_prefix.removesuffix("-")) as found:
        yield found


@pytest.fixture
def bus_proxy(endpoints: Endpoints, functions: Functions) -> Iterator[FaultProxy]:
    """Stands between the publisher and the bus."""
    with (
        running_proxy(endpoints.aws_endpoint_url) as proxy,
        functions.configured(PUBLISHER, AWS_ENDPOINT_URL_EVENTBRIDGE=proxy.url),
    ):
        yield proxy


def to_the_bus(seen: Seen) -> bool:
    return seen.operation == "PutEvents"


def about(*customers: UUID) -> Callable[[Seen], bool]:
    """Calls that carry an event of one of these, and of whomever else."""
    names = [str(customer).encode() for customer in customers]
    return lambda seen: to_the_bus(seen) and any(name in seen.body for name in names)


def test_a_customer_s_whole_life_is_told_in_its_order(
    stage: Stage, tables: Tables, listener: Listener, audit: Auditor
) -> None:
    till, upstream, shop = stage.till, stage.upstream, stage.shop
    customer = shop.customer()
    good, refused, lost = (shop.product("10.00") for _ in range(3))
    upstream.plan_shipments(refused.sku, Behaviour(answer=Refuse(status=400)))
    upstream.plan_shipments(lost.sku, Behaviour(answer=Drop()))
    till.grant(customer, 50_00, reason=f"{PERSONAL} asked for it").result()
    sold = till.buy(customer, good.id).result()
    refund = till.refund(sold.id, 4_00).result()
    voided = till.buy(customer, refused.id).refused(502, "shipment-failed").attempt_id
    unknown = till.buy(customer, lost.id).refused(504, "shipment-outcome-unknown").attempt_id
    assert unknown is not None
    till.call_off(unknown).result()
    till.deduct(customer, 1_00).result()

    until(lambda: len(listener.of(customer)) >= 7, "the events of a whole life")

    heard = listener.of(customer)
    assert [(event.name, event.detail.amount) for event in heard] == [
        ("CreditGranted", 50_00),
        ("PurchaseCompleted", 10_00),
        ("RefundIssued", 4_00),
        ("PurchaseVoided", 10_00),
        ("PurchaseUnknown", 10_00),
        ("PurchaseVoided", 10_00),
        ("CreditDeducted", 1_00),
    ]
    about_what = [(one.detail.purchase_id or one.detail.attempt_id) for one in heard]
    assert about_what == [None, sold.id, sold.id, voided, unknown, unknown, None]
    assert heard[2].detail.refund_id == refund.id
    # They are all that the ledger says but the holds, and each says what was left.
    stored = [one for one in tables.versions(customer) if one.kind != "HOLD"]
    assert listener.versions(customer) == [one.version for one in stored]
    for event, version in zip(heard, stored, strict=True):
        detail = event.detail
        assert (detail.posted, detail.held) == (version.posted, version.held)
        assert detail.available == detail.posted - detail.held
        assert detail.entry_sequence == version.sequence
        assert event.source == "till"
        assert event.time.timestamp() == pytest.approx(_seconds(version.at), abs=1)
        assert PERSONAL not in event.body
        assert version.actor not in event.body
    assert heard[-1].detail.available == audit(customer).balance.available


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def test_many_at_once_are_each_told_in_order(
    till: TillClient, shop: Shop, listener: Listener
) -> None:
    customers = [shop.customer() for _ in range(12)]

    def busy(customer: UUID) -> None:
        for amount in range(1, 6):
            till.grant(customer, amount).result()

    with ThreadPoolExecutor(max_workers=6) as pool:
        list(pool.map(busy, customers))

    def all_heard() -> bool:
        return all(len(listener.of(customer)) == 5 for customer in customers)

    until(all_heard, "five events of each of twelve customers")
    for customer in customers:
        assert listener.versions(customer) == [1, 2, 3, 4, 5]
        assert [event.detail.amount for event in listener.of(customer)] == [1, 2, 3, 4, 5]


BROKEN: dict[str, dict[str, AttributeValueTypeDef | None]] = {
    "of an unknown kind": {"kind": {"S": "GIFT"}},
    "without an amount": {"amount": None},
    "of half a cent": {"amount": {"N": "0.5"}},
    "that spent more than there was": {"held": {"N": "999999"}},
    "with a text for a number": {"posted": {"S": f"{PERSONAL} 12"}},
}


@pytest.mark.parametrize("changed", BROKEN.values(), ids=BROKEN.keys())
def test_an_unreadable_record_goes_to_the_dead_letters_and_blocks_no_other(
    stage: Stage,
    saboteur: Saboteur,
    operator: Operator,
    listener: Listener,
    changed: dict[str, AttributeValueTypeDef | None],
) -> None:
    customer, other = stage.shop.customer(credit=1_00), stage.shop.customer()
    with saboteur.poison(customer, changed):
        stage.till.grant(other, 2_00).result()
        stage.till.grant(customer, 3_00).result()

        until(lambda: listener.versions(other) == [1], "the next customer's event")
        until(lambda: listener.versions(customer) == [1, 2], "the same customer's later event")
        record = until(lambda: operator.dead_letter(customer), "the dead letter")
    assert record["sort_key"] == "VERSION#0000000000000000"
    assert record["sequence_number"]
    assert record["detail"]
    assert PERSONAL not in json.dumps(record)


def test_a_bus_that_is_out_of_order_loses_nothing(
    till: TillClient, shop: Shop, bus_proxy: FaultProxy, listener: Listener
) -> None:
    one, other = shop.customer(), shop.customer()
    with bus_proxy.fault(refuse("InternalFailure", 500), to_the_bus) as outage:
        for customer in (one, other, one):
            till.grant(customer, 1_00).result()
        until(lambda: outage.hits >= 3, "the publisher tries again and again")
        assert listener.of(one) == listener.of(other) == []

    until(lambda: len(listener.of(one)) == 2, "what happened meanwhile")
    until(lambda: len(listener.of(other)) == 1, "what happened meanwhile")
    assert listener.versions(one) == [1, 2]


def test_a_bus_that_refuses_each_event_loses_nothing(
    till: TillClient, shop: Shop, bus_proxy: FaultProxy, listener: Listener
) -> None:
    """Not the call fails, but the one entry that is in it."""
    customer = shop.customer()
    entry = {"ErrorCode": "ThrottlingException", "ErrorMessage": "injected"}
    throttled = json_answer({"FailedEntryCount": 1, "Entries": [entry]})
    with bus_proxy.fault(throttled, about(customer)) as refusals:
        for _ in range(3):
            till.grant(customer, 1_00).result()
        until(lambda: refusals.hits >= 6, "the publisher tries again and again")
        assert listener.of(customer) == []

    until(lambda: len(listener.of(customer)) == 3, "what happened meanwhile")
    assert listener.versions(customer) == [1, 2, 3]


def test_a_reply_that_is_lost_repeats_an_event_under_its_id(
    till: TillClient, shop: Shop, bus_proxy: FaultProxy, listener: Listener
) -> None:
    customer = shop.customer()
    with bus_proxy.fault(LoseReply(), about(customer), times=1):
        till.grant(customer, 1_00).result()
        until(lambda: listener.times_heard(customer) == 2, "the event, and once more")
    (event,) = listener.of(customer)
    assert (event.name, event.detail.account_version) == ("CreditGranted", 1)


def test_a_publisher_that_dies_is_followed_by_one_that_goes_on(
    till: TillClient,
    shop: Shop,
    functions: Functions,
    bus_proxy: FaultProxy,
    listener: Listener,
) -> None:
    customer = shop.customer()
    held = HoldReply()
    with bus_proxy.fault(held, about(customer), times=1):
        till.grant(customer, 1_00).result()
        # On the bus, but the publisher does not know.
        assert held.applied.wait(30)
        till.grant(customer, 2_00).result()
        assert functions.kill(PUBLISHER) > 0
        held.released.set()
        until(lambda: len(listener.of(customer)) == 2, "both events")
    assert listener.versions(customer) == [1, 2]
    assert listener.times_heard(customer) > 2


def test_an_operator_has_an_event_published_again(
    shop: Shop, operator: Operator, listener: Listener
) -> None:
    customer = shop.customer(credit=1_00)
    until(lambda: listener.times_heard(customer) == 1, "the event")
    assert operator.publish_again(customer, 1)
    until(lambda: listener.times_heard(customer) == 2, "the event once more")
    assert len(listener.of(customer)) == 1
    # There is no such version.
    assert not operator.publish_again(customer, 2)


def test_a_request_that_is_repeated_is_told_once(
    till: TillClient, shop: Shop, listener: Listener
) -> None:
    customer, key = shop.customer(), str(uuid4())
    till.grant(customer, 1_00, key=key).result()
    assert till.grant(customer, 1_00, key=key).replayed
    till.deduct(customer, 1_00).result()
    until(lambda: len(listener.of(customer)) == 2, "both events")
    assert listener.names(customer) == ["CreditGranted", "CreditDeducted"]
