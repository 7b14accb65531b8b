"""The customer index on moto's DynamoDB."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, cast
from uuid import UUID, uuid4

import pytest
from botocore.exceptions import ClientError

from tests.unit.fakes import details_of
from till.adapters.dynamodb.customer_index import DynamoCustomerIndex
from till.domain.words import TypedWords
from till.services.ports.store_errors import StoreUnreadableError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from till.domain.catalogue import CustomerDetails

ADA, BRUNO = UUID(int=0xA), UUID(int=0xB)


class Index:
    """The index, as one process after another would use it: nothing is remembered."""

    def __init__(self, client: DynamoDBClient) -> None:
        self.client = client

    @property
    def of_new_process(self) -> DynamoCustomerIndex:
        return DynamoCustomerIndex(self.client, table="customer-index")

    def saw(self, *customers: CustomerDetails, gone: tuple[UUID, ...] = ()) -> None:
        self.of_new_process.saw(customers, gone=gone)

    def find(self, text: str, limit: int = 10) -> tuple[UUID, ...]:
        typed = TypedWords.in_text(text)
        assert typed is not None
        return self.of_new_process.propose(typed, limit=limit)

    def size(self) -> int:
        return self.client.scan(TableName="customer-index", Select="COUNT")["Count"]


@pytest.fixture
def index(client: DynamoDBClient, monkeypatch: pytest.MonkeyPatch) -> Index:
    one_by_one = "till.adapters.dynamodb.customer_index.all_in_parallel"
    monkeypatch.setattr(one_by_one, lambda calls: [call() for call in calls])
    return Index(client)


def customer(customer_id: UUID, name: str, email: str = "x@example.com") -> CustomerDetails:
    return replace(details_of(customer_id, name), email=email)


def test_words_in_any_order_and_e_mail_addresses_are_proposed(index: Index) -> None:
    index.saw(customer(ADA, "Ada Mary Okafor", "Ada.Okafor@Example.com"))
    index.saw(customer(BRUNO, "Bruno Okafor", "bruno@example.com"))
    assert index.find("okafor ada") == (ADA,)
    assert index.find("okafor") == (ADA, BRUNO)
    assert index.find("ma") == (ADA,)
    assert index.find("mary okafor ad") == (ADA,)
    assert index.find("bruno okafor ad") == ()
    assert index.find("ADA.OKAFOR@exa") == (ADA,)
    assert index.find("bruno okaf") == (BRUNO,)
    assert index.find("x") == ()
    assert index.of_new_process.with_id_prefix(str(ADA)[:8], limit=10) == (ADA, BRUNO)
    assert index.find("okafor", limit=1) == (ADA,)


def test_a_corrected_name_replaces_the_old_one(index: Index) -> None:
    index.saw(customer(ADA, "Ada Okafor"))
    size = index.size()
    index.saw(customer(ADA, "Ada Lovelace"))
    assert index.find("okafor") == ()
    assert index.find("lovelace ada") == (ADA,)
    assert index.size() == size


def test_who_is_gone_leaves_nothing_behind(index: Index) -> None:
    index.saw(customer(ADA, "Ada Mary Okafor"))
    index.saw(gone=(ADA, BRUNO))
    assert index.size() == 0


def test_what_is_up_to_date_is_not_read_again(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = index.of_new_process
    kept.saw([customer(ADA, "Ada")])
    with monkeypatch.context() as patched:
        patched.setattr(index.client, "batch_get_item", pytest.fail)
        kept.saw([customer(ADA, "Ada")])
    kept.saw((), gone=(ADA,))
    kept.saw([customer(ADA, "Ada")])
    assert index.find("ada") == (ADA,)


def test_of_two_writers_one_is_refused_and_neither_fails(index: Index) -> None:
    first, second = index.of_new_process, index.of_new_process
    first.saw([customer(ADA, "Ada One")])
    second.saw([customer(ADA, "Ada One")])
    read = first._records([ADA])
    second.saw([customer(ADA, "Ada Two")])
    with pytest.raises(ClientError):
        first._replace(ADA, read[ADA], None)
    assert index.find("two") == (ADA,)


def test_a_table_that_fails_stops_no_one_and_no_name_is_logged(
    index: Index, caplog: pytest.LogCaptureFixture
) -> None:
    broken = DynamoCustomerIndex(index.client, table="not-there")
    with caplog.at_level(logging.DEBUG):
        broken.saw([customer(ADA, "Ada")])
    assert "Ada" not in caplog.text
    with pytest.raises(ClientError):
        broken.with_id_prefix("0", limit=1)


def test_an_index_that_does_not_answer_is_unreadable() -> None:
    class Silent:
        def query(self, **_: object) -> None:
            raise TimeoutError

    silent = DynamoCustomerIndex(cast("DynamoDBClient", Silent()), table="customer-index")
    with pytest.raises(StoreUnreadableError):
        silent.with_id_prefix("0", limit=1)


def test_a_list_of_many_new_customers_is_indexed_over_several_views(index: Index) -> None:
    many = [customer(uuid4(), f"Ada {number}") for number in range(12)]
    index.saw(*many)
    assert len(index.find("ada", limit=20)) == 10
    index.saw(*many)
    assert len(index.find("ada", limit=20)) == 12
