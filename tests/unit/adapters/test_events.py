"""What the ledger's stream says, and what goes onto the bus."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from botocore.stub import ANY, Stubber
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from tests.unit.fakes import opened
from till.adapters.dynamodb.client import serialize
from till.adapters.dynamodb.stored.accounts import StoredChange
from till.adapters.dynamodb.stream import new_versions
from till.adapters.event_bus import (
    EventBridgeBus,
    QueuedDeadLetters,
    make_events_client,
    make_queue_client,
)
from till.adapters.event_details import DETAILS, detail_of
from till.domain.account import Account, AccountChange
from till.domain.actor import Actor
from till.domain.events import DomainEvent, EventName, event_of
from till.domain.ledger import Cause, LedgerCorruptError
from till.domain.money import Money
from till.services.ports.events import RecordLocation, UnreadableRecordError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_events import EventBridgeClient

ATTEMPT, REFUND, PRODUCT = uuid4(), uuid4(), uuid4()
PRICE = Money(1_000)
SECRET = "Qzvxw Person rang"
CAUSE = Cause(
    actor=Actor("rita"),
    at=datetime(2026, 11, 22, 12, tzinfo=UTC),
    reason=SECRET,
    idempotency_key="key-1",
)

Image = dict[str, object]


def changes(customer_id: UUID) -> Iterator[AccountChange]:
    """A change of each kind, as far as one account can have them all."""
    granted = Account.empty(customer_id).grant(Money(5_000), CAUSE)
    yield granted
    held = granted.account.hold(opened(PRICE, attempt_id=ATTEMPT, product_id=PRODUCT), CAUSE)
    yield held
    unknown = held.account.mark_unknown(ATTEMPT, CAUSE)
    yield unknown
    yield held.account.void_hold(ATTEMPT, CAUSE)
    bought = unknown.account.post_hold(ATTEMPT, CAUSE)
    yield bought
    refunded = bought.account.refund(PRICE, CAUSE, purchase_id=ATTEMPT, refund_id=REFUND)
    yield refunded
    yield refunded.account.deduct(Money(300), CAUSE)


def events() -> list[DomainEvent]:
    found = [event_of(change) for change in changes(uuid4())]
    return [event for event in found if event is not None]


def image_of(change: AccountChange) -> Image:
    return dict(serialize(StoredChange.of(change).values()))


def record(image: Image | None, *, name: str = "INSERT", **changed: object) -> dict[str, object]:
    """A record as Lambda hands it over."""
    image = {"pk": {"S": "ACCOUNT#x"}, "sk": {"S": "VERSION#1"}} if image is None else image
    stream = {
        "ApproximateCreationDateTime": 1_795_348_800.0,
        "Keys": {key: image[key] for key in ("pk", "sk")},
        "NewImage": image,
        "SequenceNumber": "100000000003498069978",
        "SizeBytes": 500,
        "StreamViewType": "NEW_IMAGE",
        **changed,
    }
    return {
        "eventID": "2",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "eventName": name,
        "dynamodb": {key: value for key, value in stream.items() if value is not None},
    }


def test_a_new_version_is_read_as_it_was_written() -> None:
    written = list(changes(uuid4()))
    found = new_versions({"Records": [record(image_of(change)) for change in written]})
    read = [one.change() for one in found]
    assert [replace(one, account=replace(one.account, stored_hash="")) for one in read] == written
    assert found[0].location.sort_key == "VERSION#0000000000000001"
    assert found[0].location.sequence_number == "100000000003498069978"


def test_what_is_no_new_version_is_passed_over() -> None:
    granted = next(changes(uuid4()))
    remembered: Image = {"pk": {"S": "ACCOUNT#x"}, "sk": {"S": "REQUEST#grant_credit#k"}}
    found = new_versions(
        {
            "Records": [
                record(image_of(granted), name="MODIFY"),
                record(image_of(granted), name="REMOVE", NewImage=None),
                record(remembered),
            ]
        }
    )
    assert found == []


def test_what_is_no_stream_at_all_is_refused() -> None:
    with pytest.raises(ValidationError):
        new_versions({"detail-type": "Scheduled Event"})


BROKEN: dict[str, Image] = {
    "of an unknown kind": {"kind": {"S": "GIFT"}},
    "without an amount": {"amount": None},
    "of half a cent": {"amount": {"N": "0.5"}},
    "of more than there can be": {"amount": {"N": "9" * 30}, "posted": {"N": "9" * 30}},
    "of no customer": {"pk": {"S": f"ACCOUNT#{SECRET}"}},
    "at no time": {"at": {"S": "yesterday"}},
    "of an attribute that is no attribute": {"amount": {"X": "1"}},
    "under the key of another version": {"version": {"N": "2"}},
    "under a key of another form": {"pk": {"S": f"ACCOUNT#{uuid4()}".upper()}},
}


@pytest.mark.parametrize("changed", BROKEN.values(), ids=BROKEN.keys())
def test_what_makes_no_sense_is_told_without_what_is_in_it(changed: Image) -> None:
    image = image_of(next(changes(uuid4())))
    image = {name: value for name, value in {**image, **changed}.items() if value is not None}
    (found,) = new_versions({"Records": [record(image)]})
    with pytest.raises(UnreadableRecordError) as raised:
        found.change()
    assert str(raised.value)
    assert SECRET not in str(raised.value)


def test_a_record_without_an_image_makes_no_sense() -> None:
    (found,) = new_versions({"Records": [record(None, NewImage=None)]})
    with pytest.raises(UnreadableRecordError, match="amount: missing"):
        found.change()


ATTRIBUTES = st.one_of(
    st.integers(-(10**20), 10**20).map(lambda n: {"N": str(n)}),
    st.decimals(allow_nan=False, allow_infinity=False, places=2).map(lambda n: {"N": str(n)}),
    st.text(max_size=5).map(lambda text: {"S": text}),
    st.sampled_from([{"NULL": True}, {"BOOL": True}, {"L": []}, {"M": {}}, {"N": "NaN"}, {"Z": 0}]),
)


@given(
    place=st.integers(0, 6),
    changed=st.dictionaries(
        st.sampled_from(sorted(image_of(next(changes(uuid4()))).keys() - {"pk", "sk"})),
        st.none() | ATTRIBUTES,
        min_size=1,
        max_size=3,
    ),
)
def test_whatever_is_in_an_item_it_is_an_event_or_unreadable(place: int, changed: Image) -> None:
    """Nothing else may come of it: any other error would keep its shard from going on."""
    image = {**image_of(list(changes(uuid4()))[place]), **changed}
    image = {name: value for name, value in image.items() if value is not None}
    (found,) = new_versions({"Records": [record(image)]})
    try:
        event = event_of(found.change())
    except (UnreadableRecordError, LedgerCorruptError):
        return
    if event is not None:
        detail_of(event)


@pytest.mark.parametrize("event", events(), ids=lambda event: event.name)
def test_a_detail_has_what_its_schema_says_and_no_more(event: DomainEvent) -> None:
    model = DETAILS[event.name]
    schema = model.model_json_schema(mode="serialization")
    detail = json.loads(detail_of(event).model_dump_json())
    Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(
        detail
    )
    assert detail.keys() == schema["properties"].keys() == set(schema["required"])
    assert detail["schema_version"] == 1
    assert detail["available"] == detail["posted"] - detail["held"]
    assert detail["occurred_at"] == "2026-11-22T12:00:00.000000Z"
    text = json.dumps(detail)
    assert SECRET not in text
    assert CAUSE.actor.subject not in text


def test_every_event_has_a_schema() -> None:
    assert set(DETAILS) == set(EventName) == {event.name for event in events()}
    assert [model.__name__ for model in DETAILS.values()] == [name.value for name in DETAILS]


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> EventBridgeClient:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    return make_events_client()


def test_events_go_onto_the_bus_under_their_names(client: EventBridgeClient) -> None:
    bus, sent = EventBridgeBus(client, name="till-local"), events()
    with Stubber(client) as stub:
        stub.add_response(
            "put_events",
            {"FailedEntryCount": 0, "Entries": [{"EventId": str(i)} for i in range(len(sent))]},
            {
                "Entries": [
                    {
                        "EventBusName": "till-local",
                        "Source": "till",
                        "DetailType": event.name.value,
                        "Time": CAUSE.at,
                        "Detail": detail_of(event).model_dump_json(),
                    }
                    for event in sent
                ]
            },
        )
        assert bus.publish(sent) == {event.id for event in sent}


def test_only_those_count_that_the_bus_took(client: EventBridgeClient) -> None:
    bus, sent = EventBridgeBus(client, name="till-local"), events()[:3]
    entries = [
        {"EventId": "1"},
        {"ErrorCode": "ThrottlingException", "ErrorMessage": "later"},
        {"EventId": "3"},
    ]
    with Stubber(client) as stub:
        stub.add_response(
            "put_events", {"FailedEntryCount": 1, "Entries": entries}, {"Entries": ANY}
        )
        assert bus.publish(sent) == {sent[0].id, sent[2].id}


def test_a_bus_that_does_not_answer_took_nothing(
    client: EventBridgeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    bus, sent = EventBridgeBus(client, name="till-local"), events()
    for error in (
        EndpointConnectionError(endpoint_url="http://nowhere"),
        ClientError({"Error": {"Code": "InternalFailure", "Message": "m"}}, "PutEvents"),
    ):

        def fail(error: Exception = error, **_: object) -> None:
            raise error

        monkeypatch.setattr(client, "put_events", fail)
        assert bus.publish(sent) == frozenset()


def test_a_dead_letter_names_the_location_of_the_record(client: EventBridgeClient) -> None:
    queue = make_queue_client()
    dead_letters = QueuedDeadLetters(queue, url="http://127.0.0.1:4566/0/dead-letters")
    location = RecordLocation(partition_key="p", sort_key="s", sequence_number="1")
    with Stubber(queue) as stub:
        stub.add_response(
            "send_message",
            {"MessageId": "1"},
            {"QueueUrl": "http://127.0.0.1:4566/0/dead-letters", "MessageBody": ANY},
        )
        dead_letters.add(location, UnreadableRecordError("kind: enum"))
        stub.assert_no_pending_responses()


def test_a_dead_letter_that_cannot_be_sent_is_raised(client: EventBridgeClient) -> None:
    queue = make_queue_client()
    dead_letters = QueuedDeadLetters(queue, url="http://127.0.0.1:4566/0/dead-letters")
    location = RecordLocation(partition_key="p", sort_key="s", sequence_number="1")
    with Stubber(queue) as stub:
        stub.add_client_error("send_message", "AWS.SimpleQueueService.NonExistentQueue")
        with pytest.raises(ClientError):
            dead_letters.add(location, UnreadableRecordError("kind: enum"))
