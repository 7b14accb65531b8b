"""One table of requests, against the simulated DynamoDB and against moto."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, cast

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from tests.simulation.dynamodb import Call, Client, Tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mypy_boto3_dynamodb import DynamoDBClient

    from tests.simulation.expressions import Item

TABLE = "purchases"
ONE = {":one": {"N": "1"}}


class _Now:
    """A network on which everything happens immediately."""

    def next_call(self, operation: str, items: int) -> Call:
        del operation, items
        return Call()

    def sent(self, call: Call, effect: Callable[[], None], limit: float) -> None:
        del call, limit
        effect()

    def saw(self, items: Iterable[Item]) -> None:
        del items


class Said(Protocol):
    """A request: what came of it, in a form that two implementations can share."""

    def __call__(self, client: DynamoDBClient) -> object: ...


@pytest.fixture(params=["simulated", "moto"])
def client(request: pytest.FixtureRequest) -> Iterator[DynamoDBClient]:
    if request.param == "simulated":
        yield cast("DynamoDBClient", Client(Tables(), _Now(), 3.0))
        return
    with mock_aws():
        made = boto3.client("dynamodb", region_name="us-east-1")
        made.create_table(
            TableName=TABLE,
            AttributeDefinitions=[
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "sk", "AttributeType": "S"},
            ],
            KeySchema=[
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
            BillingMode="PAY_PER_REQUEST",
        )
        yield made


def put(client: DynamoDBClient, sk: str, condition: str | None = None, n: int = 1) -> str:
    """Put an item; gives back the cancellation reason, the error's code, or "done"."""
    fields = {"TableName": TABLE, "Item": {"pk": {"S": "p"}, "sk": {"S": sk}, "n": {"N": str(n)}}}
    if condition is not None:
        fields["ConditionExpression"] = condition
    return _transact(client, [{"Put": fields}])


def update(
    client: DynamoDBClient, sk: str, change: str, condition: str | None = None, by: int = 1
) -> str:
    fields = {
        "TableName": TABLE,
        "Key": {"pk": {"S": "p"}, "sk": {"S": sk}},
        "UpdateExpression": change,
        "ExpressionAttributeValues": {":one": {"N": str(by)}},
    }
    if condition is not None:
        fields["ConditionExpression"] = condition
    return _transact(client, [{"Update": fields}])


def _transact(client: DynamoDBClient, items: list[dict[str, object]]) -> str:
    try:
        answer = client.transact_write_items(
            TransactItems=items,  # type: ignore[arg-type]
            ReturnConsumedCapacity="TOTAL",
        )
    except ClientError as error:
        reasons = error.response.get("CancellationReasons")
        if reasons:
            return "/".join(reason.get("Code", "None") for reason in reasons)
        return error.response["Error"]["Code"]
    assert "ConsumedCapacity" in answer
    return "done"


def stored(client: DynamoDBClient, sk: str) -> str | None:
    key = {"pk": {"S": "p"}, "sk": {"S": sk}}
    item = client.get_item(TableName=TABLE, Key=key, ConsistentRead=True).get("Item")
    return None if item is None else item["n"]["N"]


def test_a_put_happens_once(client: DynamoDBClient) -> None:
    assert put(client, "a", "attribute_not_exists(pk)") == "done"
    assert put(client, "a", "attribute_not_exists(pk)", n=2) == "ConditionalCheckFailed"
    assert stored(client, "a") == "1"


def test_a_transaction_is_all_or_nothing(client: DynamoDBClient) -> None:
    put(client, "a")
    new = {"pk": {"S": "p"}, "sk": {"S": "b"}, "n": {"N": "1"}}
    old = {"pk": {"S": "p"}, "sk": {"S": "a"}, "n": {"N": "9"}}
    reasons = _transact(
        client,
        [
            {"Put": {"TableName": TABLE, "Item": new}},
            {
                "Put": {
                    "TableName": TABLE,
                    "Item": old,
                    "ConditionExpression": "attribute_not_exists(pk)",
                }
            },
        ],
    )
    assert reasons == "None/ConditionalCheckFailed"
    assert stored(client, "b") is None


@pytest.mark.parametrize(
    ("change", "condition", "said", "then"),
    [
        ("SET n = n + :one", "n >= :one", "done", "2"),
        ("SET n = n - :one", "n >= :one", "done", "0"),
        ("SET n = n + :one", "n < :one", "ConditionalCheckFailed", "1"),
        ("SET n = n + :one", "n = :one AND attribute_exists(pk)", "done", "2"),
        ("ADD n :one", "attribute_not_exists(n) OR n < :one", "ConditionalCheckFailed", "1"),
        ("ADD n :one", None, "done", "2"),
    ],
)
def test_an_update(
    client: DynamoDBClient, change: str, condition: str | None, said: str, then: str
) -> None:
    put(client, "a")
    assert update(client, "a", change, condition) == said
    assert stored(client, "a") == then


def test_an_update_makes_what_is_not_there(client: DynamoDBClient) -> None:
    assert update(client, "new", "ADD n :one", "attribute_not_exists(n) OR n < :one") == "done"
    assert stored(client, "new") == "1"


def test_one_item_is_written_once_in_a_transaction(client: DynamoDBClient) -> None:
    item = {"pk": {"S": "p"}, "sk": {"S": "a"}, "n": {"N": "1"}}
    twice: list[dict[str, object]] = [{"Put": {"TableName": TABLE, "Item": item}}] * 2
    assert _transact(client, twice) == "ValidationException"


def test_a_query_is_in_order_and_in_pages(client: DynamoDBClient) -> None:
    for sk in ("VERSION#2", "VERSION#1", "OTHER", "VERSION#3"):
        put(client, sk)

    def page(forward: bool, start: str | None) -> tuple[list[str], bool]:
        begin = {"ExclusiveStartKey": {"pk": {"S": "p"}, "sk": {"S": start}}} if start else {}
        answer = client.query(
            TableName=TABLE,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :version)",
            ExpressionAttributeValues={":pk": {"S": "p"}, ":version": {"S": "VERSION#"}},
            ScanIndexForward=forward,
            Limit=2,
            ConsistentRead=True,
            **begin,  # type: ignore[arg-type]
        )
        return [item["sk"]["S"] for item in answer["Items"]], "LastEvaluatedKey" in answer

    assert page(True, None) == (["VERSION#1", "VERSION#2"], True)
    assert page(False, None) == (["VERSION#3", "VERSION#2"], True)
    assert page(True, "VERSION#2") == (["VERSION#3"], False)
