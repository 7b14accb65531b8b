"""One table of requests, against the simulated DynamoDB, moto and the embedded emulator.

Where they differ, ``DIFFERENCES`` says what AWS documents, and so who is wrong.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, cast

import boto3
import pytest
from botocore.exceptions import ClientError, ParamValidationError
from ministack.services import dynamodb as ministack_dynamodb
from moto import mock_aws

from tests.simulation.dynamodb import INDEXES, Call, CancelledError, Client, Tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mypy_boto3_dynamodb import DynamoDBClient

    from tests.simulation.expressions import Item

TABLE = "purchases"
ONE = {":one": {"N": "1"}}


class _Now:
    """A network on which everything happens immediately."""

    def __init__(self, call: Call | None = None) -> None:
        self._call = call or Call()

    def next_call(self, operation: str, items: int) -> Call:
        del operation, items
        return self._call

    def sent(self, call: Call, effect: Callable[[], None], limit: float) -> None:
        del call, limit
        effect()

    def saw(self, items: Iterable[Item]) -> None:
        del items


INDEX: Final = "state-index"

API: Final = "docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_"

EXPRESSIONS: Final = (
    "no page of AWS was found that says it; the emulator, which was measured against DynamoDB, "
    "answers ValidationException, as the simulation does"
)
OPERANDS: Final = (
    f"{API}TransactWriteItems.html, reason ValidationError: "
    "'An operand in the update expression has an incorrect data type'"
)

DIFFERENCES: Final[dict[tuple[str, str], tuple[str, str]]] = {
    ("moto", "token"): (
        "moto applies a repeated request with the same ClientRequestToken again",
        f"{API}TransactWriteItems.html: such calls 'have the same effect as one single call'",
    ),
    ("moto", "token, another body"): (
        "moto does not compare the bodies of one ClientRequestToken",
        f"{API}TransactWriteItems.html: then there is 'an IdempotentParameterMismatch exception'",
    ),
    ("moto", "a page that ends with the last item"): (
        "moto gives no LastEvaluatedKey if the limit is reached by the last item",
        f"{API}Query.html: 'If LastEvaluatedKey is not empty, it does not necessarily mean that "
        "there is more data'; processing stops at Limit and gives the key to continue from",
    ),
    ("moto", "400 KB, done"): (
        "moto refuses an item of exactly 400 KB",
        "docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html: the maximum "
        "item size is 400 KB, names and values",
    ),
    ("moto", "unused value"): ("moto does not check what is defined and not used", EXPRESSIONS),
    ("moto", "undefined value"): ("moto fails with an exception of its own", EXPRESSIONS),
    ("moto", "nonsense value"): ("moto fails with an exception of its own", EXPRESSIONS),
    ("moto", "arithmetic on a text"): (
        "moto refuses the request, without a reason for each item",
        OPERANDS,
    ),
    ("emulator", "arithmetic on a text"): (
        "the emulator says that it is done, and leaves the item as it was",
        OPERANDS,
    ),
}
"""By implementation and case: what it does, and the page of AWS that says otherwise.

Each of these is wrong in moto or in the emulator; none is in the simulation. Till's adapter meets
none of them: it sends no token, and its expressions are valid and add numbers to numbers.
"""


class Emulator:
    """The embedded emulator's own functions, called as a client is."""

    def __getattr__(self, operation: str) -> Callable[..., dict[str, Any]]:
        function = getattr(ministack_dynamodb, f"_{operation}")

        def call(**request: object) -> dict[str, Any]:
            status, _, body = function(copy.deepcopy(request))
            answer: dict[str, Any] = json.loads(body)
            if status == HTTPStatus.OK:
                return answer
            code = str(answer["__type"]).rpartition("#")[2]
            error = {"Error": {"Code": code, "Message": str(answer.get("message", ""))}}
            raise ClientError({**error, **answer}, operation)  # type: ignore[typeddict-item]

        return call


@pytest.fixture(params=["simulated", "moto", "emulator"])
def implementation(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def client(implementation: str) -> Iterator[DynamoDBClient]:
    if implementation == "simulated":
        yield cast("DynamoDBClient", Client(Tables(), _Now(), 3.0))
        return
    keys = ("pk", "sk"), INDEXES[INDEX]
    schemas = [
        [
            {"AttributeName": name, "KeyType": kind}
            for name, kind in zip(names, ("HASH", "RANGE"), strict=True)
        ]
        for names in keys
    ]
    table: dict[str, Any] = {
        "TableName": TABLE,
        "AttributeDefinitions": [
            {"AttributeName": name, "AttributeType": "S"} for names in keys for name in names
        ],
        "KeySchema": schemas[0],
        "GlobalSecondaryIndexes": [
            {"IndexName": INDEX, "KeySchema": schemas[1], "Projection": {"ProjectionType": "ALL"}}
        ],
        "BillingMode": "PAY_PER_REQUEST",
    }
    if implementation == "emulator":
        emulator = cast("DynamoDBClient", Emulator())
        emulator.create_table(**table)
        yield emulator
        emulator.delete_table(TableName=TABLE)
        return
    with mock_aws():
        made = boto3.client("dynamodb", region_name="us-east-1")
        made.create_table(**table)
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


def _transact(
    client: DynamoDBClient, items: list[dict[str, object]], token: str | None = None
) -> str:
    same: dict[str, str] = {} if token is None else {"ClientRequestToken": token}
    try:
        answer = client.transact_write_items(
            TransactItems=items,  # type: ignore[arg-type]
            ReturnConsumedCapacity="TOTAL",
            **same,  # type: ignore[arg-type]
        )
    except ClientError as error:
        reasons = error.response.get("CancellationReasons")
        if reasons:
            return "/".join(reason.get("Code", "None") for reason in reasons)
        return error.response["Error"]["Code"]
    except (ValueError, KeyError) as error:
        # moto's own code.
        return type(error).__name__
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


def test_an_update_removes_an_attribute_that_is_there_or_not(client: DynamoDBClient) -> None:
    put(client, "a")
    assert update(client, "a", "SET m = :one") == "done"
    for number in (2, 3):
        assert update(client, "a", "SET n = n + :one REMOVE m, o") == "done"
        assert stored(client, "a") == str(number)
        key = {"pk": {"S": "p"}, "sk": {"S": "a"}}
        item = client.get_item(TableName=TABLE, Key=key, ConsistentRead=True)["Item"]
        assert set(item) == {"pk", "sk", "n"}


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


def test_a_page_ends_at_its_limit_even_if_it_was_the_last(
    client: DynamoDBClient, implementation: str
) -> None:
    for sk in ("a", "b"):
        put(client, sk)
    answer = _query(client, "pk = :pk", {":pk": "p"}, Limit=2)
    last = answer.get("LastEvaluatedKey")
    there = last == {"pk": {"S": "p"}, "sk": {"S": "b"}}
    _known(implementation, "a page that ends with the last item", holds=there)
    if not there:
        return
    answer = _query(client, "pk = :pk", {":pk": "p"}, Limit=2, ExclusiveStartKey=last)
    assert answer["Items"] == []
    assert "LastEvaluatedKey" not in answer


def _query(
    client: DynamoDBClient, condition: str, values: dict[str, str], **more: object
) -> dict[str, Any]:
    answer = client.query(
        TableName=TABLE,
        KeyConditionExpression=condition,
        ExpressionAttributeValues={name: {"S": value} for name, value in values.items()},
        **more,  # type: ignore[arg-type]
    )
    return cast("dict[str, Any]", answer)


@pytest.mark.parametrize(
    ("condition", "values", "found"),
    [
        ("begins_with(sk, :a)", {":a": "v#1"}, ["v#1", "v#10"]),
        ("begins_with(sk, :a)", {":a": "x"}, []),
        ("sk BETWEEN :a AND :b", {":a": "v#1", ":b": "v#2"}, ["v#1", "v#10", "v#2"]),
        ("sk = :a", {":a": "v#2"}, ["v#2"]),
        ("sk < :a", {":a": "v#10"}, ["v#1"]),
        ("sk <= :a", {":a": "v#10"}, ["v#1", "v#10"]),
        ("sk > :a", {":a": "v#2"}, ["v#\u00e9", "w"]),
        ("sk >= :a", {":a": "w"}, ["w"]),
    ],
)
@pytest.mark.parametrize("forward", [True, False])
def test_a_key_condition(
    client: DynamoDBClient, condition: str, values: dict[str, str], found: list[str], forward: bool
) -> None:
    for sk in ("w", "v#2", "v#10", "v#1", "v#\u00e9"):
        put(client, sk)
    answer = _query(
        client, f"pk = :pk AND {condition}", {":pk": "p", **values}, ScanIndexForward=forward
    )
    assert [item["sk"]["S"] for item in answer["Items"]] == (found if forward else found[::-1])


def _put_in_state(client: DynamoDBClient, sk: str, shard: str | None, at: str = "1") -> None:
    item = {"pk": {"S": "p"}, "sk": {"S": sk}}
    if shard is not None:
        item |= {"state_shard": {"S": shard}, "state_at": {"S": at}}
    assert _transact(client, [{"Put": {"TableName": TABLE, "Item": item}}]) == "done"


def test_an_index_has_the_items_with_its_attributes(client: DynamoDBClient) -> None:
    _put_in_state(client, "a", "OPEN", "2")
    _put_in_state(client, "b", "OPEN", "1")
    _put_in_state(client, "c", None)
    _put_in_state(client, "d", "ENDED")
    answer = _query(client, "state_shard = :s", {":s": "OPEN"}, IndexName=INDEX, Limit=1)
    assert [item["sk"]["S"] for item in answer["Items"]] == ["b"]
    assert answer["LastEvaluatedKey"] == {
        "pk": {"S": "p"},
        "sk": {"S": "b"},
        "state_shard": {"S": "OPEN"},
        "state_at": {"S": "1"},
    }
    start = answer["LastEvaluatedKey"]
    answer = _query(
        client, "state_shard = :s", {":s": "OPEN"}, IndexName=INDEX, ExclusiveStartKey=start
    )
    assert [item["sk"]["S"] for item in answer["Items"]] == ["a"]
    _put_in_state(client, "a", "ENDED")
    answer = _query(client, "state_shard = :s", {":s": "OPEN"}, IndexName=INDEX)
    assert [item["sk"]["S"] for item in answer["Items"]] == ["b"]


def test_an_index_is_not_read_consistently(client: DynamoDBClient) -> None:
    with pytest.raises(ClientError) as raised:
        _query(client, "state_shard = :s", {":s": "x"}, IndexName=INDEX, ConsistentRead=True)
    assert raised.value.response["Error"]["Code"] == "ValidationException"


def _put_request(sk: str, n: int = 1, text: str = "") -> dict[str, object]:
    item = {"pk": {"S": "p"}, "sk": {"S": sk}, "n": {"N": str(n)}}
    if text:
        item["text"] = {"S": text}
    return {"Put": {"TableName": TABLE, "Item": item}}


def test_the_same_token_is_one_transaction(client: DynamoDBClient, implementation: str) -> None:
    put(client, "a")
    add: dict[str, object] = {
        "Update": {
            "TableName": TABLE,
            "Key": {"pk": {"S": "p"}, "sk": {"S": "a"}},
            "UpdateExpression": "ADD n :one",
            "ExpressionAttributeValues": ONE,
        }
    }
    token = f"one-{implementation}"
    assert _transact(client, [add], token) == "done"
    assert _transact(client, [add], token) == "done"
    _known(implementation, "token", holds=stored(client, "a") == "2")


def test_one_token_with_another_body_is_refused(
    client: DynamoDBClient, implementation: str
) -> None:
    token = f"two-{implementation}"
    assert _transact(client, [_put_request("a", 1)], token) == "done"
    said = _transact(client, [_put_request("a", 2)], token)
    _known(
        implementation,
        "token, another body",
        holds=said == "IdempotentParameterMismatchException" and stored(client, "a") == "1",
    )


def _known(implementation: str, case: str, *, holds: bool) -> None:
    """What AWS documents holds, unless the difference is listed; and then it does not."""
    assert holds == ((implementation, case) not in DIFFERENCES), case


def test_a_cancelled_transaction_does_not_use_its_token_up(
    client: DynamoDBClient, implementation: str
) -> None:
    put(client, "a", n=5)
    refused: dict[str, object] = {
        "Update": {
            "TableName": TABLE,
            "Key": {"pk": {"S": "p"}, "sk": {"S": "a"}},
            "UpdateExpression": "SET n = n + :one",
            "ConditionExpression": "n < :one",
            "ExpressionAttributeValues": {":one": {"N": "3"}},
        }
    }
    token = f"three-{implementation}"
    assert _transact(client, [refused], token) == "ConditionalCheckFailed"
    put(client, "a", n=1)
    assert _transact(client, [refused], token) == "done"
    assert stored(client, "a") == "4"


def test_a_hundred_writes_are_the_most(client: DynamoDBClient) -> None:
    writes = [_put_request(f"{number:03d}") for number in range(101)]
    assert _transact(client, writes) == "ValidationException"
    assert stored(client, "000") is None
    assert _transact(client, writes[:100]) == "done"
    assert stored(client, "099") == "1"


@pytest.mark.parametrize(
    ("more", "said"), [(0, "done"), (1, "ValidationException")], ids=["400 KB", "more"]
)
def test_an_item_has_at_most_400_kb(
    client: DynamoDBClient, implementation: str, more: int, said: str
) -> None:
    # Names and values: pk p, sk a, n 1 (two bytes), text.
    rest = len("pkpskantext") + 2
    write = _put_request("a", text="x" * (400 * 1024 - rest + more))
    answer = _transact(client, [write])
    _known(implementation, f"400 KB, {said}", holds=answer == said)


def test_a_batch_has_the_items_that_are_there(client: DynamoDBClient) -> None:
    for sk in ("a", "b"):
        put(client, sk)
    keys = [{"pk": {"S": "p"}, "sk": {"S": sk}} for sk in ("b", "gone", "a")]
    answer = client.batch_get_item(RequestItems={TABLE: {"Keys": keys, "ConsistentRead": True}})
    assert sorted(item["sk"]["S"] for item in answer["Responses"][TABLE]) == ["a", "b"]
    assert answer["UnprocessedKeys"] == {}


@pytest.mark.parametrize("count", [0, 101])
def test_a_batch_has_one_to_a_hundred_keys(client: DynamoDBClient, count: int) -> None:
    keys = [{"pk": {"S": "p"}, "sk": {"S": str(number)}} for number in range(count)]
    with pytest.raises((ClientError, ParamValidationError)) as raised:
        client.batch_get_item(RequestItems={TABLE: {"Keys": keys}})
    if isinstance(raised.value, ClientError):
        assert raised.value.response["Error"]["Code"] == "ValidationException"


@pytest.mark.parametrize("wrong", ["unused", "undefined", "nonsense"])
def test_a_request_that_is_not_valid_changes_nothing(
    client: DynamoDBClient, implementation: str, wrong: str
) -> None:
    put(client, "a")
    values = {**ONE, ":two": {"N": "2"}} if wrong == "unused" else ONE
    condition = {"undefined": "n = :three", "nonsense": "n n"}.get(wrong, "n = :one")
    change: dict[str, object] = {
        "TableName": TABLE,
        "Key": {"pk": {"S": "p"}, "sk": {"S": "a"}},
        "UpdateExpression": "SET n = n + :one",
        "ConditionExpression": condition,
        "ExpressionAttributeValues": values,
    }
    said = _transact(client, [{"Update": change}])
    _known(implementation, f"{wrong} value", holds=said == "ValidationException")


def test_arithmetic_on_a_text_is_refused(client: DynamoDBClient, implementation: str) -> None:
    item = {"pk": {"S": "p"}, "sk": {"S": "a"}, "n": {"S": "text"}}
    assert _transact(client, [{"Put": {"TableName": TABLE, "Item": item}}]) == "done"
    said = update(client, "a", "SET n = n + :one")
    _known(implementation, "arithmetic on a text", holds=said == "ValidationError")


@pytest.mark.parametrize("returned", ["ALL_OLD", "NONE"])
def test_a_failed_condition_gives_the_old_item_if_asked(
    client: DynamoDBClient, implementation: str, returned: str
) -> None:
    put(client, "a", n=7)
    write = copy.deepcopy(_put_request("a", 8))
    cast("dict[str, object]", write["Put"]).update(
        ConditionExpression="attribute_not_exists(pk)",
        ReturnValuesOnConditionCheckFailure=returned,
    )
    with pytest.raises(ClientError) as raised:
        client.transact_write_items(TransactItems=[write])  # type: ignore[list-item]
    (reason,) = cast("Any", raised.value.response)["CancellationReasons"]
    old = reason.get("Item", {}).get("n", {}).get("N")
    wanted = "7" if returned == "ALL_OLD" else None
    _known(implementation, f"{returned} of a failed condition", holds=old == wanted)


def test_a_transaction_reads_what_is_there(client: DynamoDBClient) -> None:
    put(client, "a", n=7)
    keys = [{"pk": {"S": "p"}, "sk": {"S": sk}} for sk in ("a", "b")]
    answer = client.transact_get_items(
        TransactItems=[{"Get": {"TableName": TABLE, "Key": key}} for key in keys],
        ReturnConsumedCapacity="TOTAL",
    )
    there, missing = answer["Responses"]
    assert there["Item"]["n"] == {"N": "7"}
    assert "Item" not in missing


def test_an_item_of_an_unfinished_transaction_is_in_conflict() -> None:
    """Only the simulation has transactions that take time; the others decide in an instant."""
    now = [0.0]
    tables = Tables(lambda: now[0])
    request: Any = _put_request("a")
    tables.transact([request], visible_after=(0.02,))
    with pytest.raises(CancelledError) as raised:
        tables.transact([request])
    assert raised.value.reasons == ("TransactionConflict",)
    key: Any = {"pk": {"S": "p"}, "sk": {"S": "a"}}
    assert tables.get(TABLE, key) is None
    with pytest.raises(CancelledError) as raised:
        tables.transact_get([(TABLE, key)])
    assert raised.value.reasons == ("TransactionConflict",)
    now[0] = 0.03
    assert tables.get(TABLE, key) is not None
    assert tables.transact_get([(TABLE, key)]) == [tables.get(TABLE, key)]
    tables.transact([request])


def test_an_index_may_lag_and_a_table_does_not() -> None:
    now = [0.0]
    tables = Tables(lambda: now[0])
    for number, shard in enumerate(("OPEN", "ENDED")):
        now[0] = float(number)
        item = {"pk": {"S": "p"}, "sk": {"S": "a"}, "state_shard": {"S": shard}}
        item["state_at"] = {"S": "1"}
        tables.transact([{"Put": {"TableName": TABLE, "Item": item}}])
    query = {
        "TableName": TABLE,
        "IndexName": INDEX,
        "KeyConditionExpression": "state_shard = :s",
        "ExpressionAttributeValues": {":s": {"S": "OPEN"}},
    }
    assert tables.query(query)[0] == []
    assert len(tables.query(query, lag_seconds=0.5)[0]) == 1
    assert tables.query(query, lag_seconds=1.5)[0] == []


def test_a_throttled_batch_tells_the_keys_that_are_left() -> None:
    tables = Tables()
    for sk in ("a", "b"):
        tables.transact([_put_request(sk)])  # type: ignore[list-item]
    client = Client(tables, _Now(Call(fault="throttled")), 3.0)
    keys: Any = [{"pk": {"S": "p"}, "sk": {"S": sk}} for sk in ("a", "b")]
    answer: Any = client.batch_get_item(RequestItems={TABLE: {"Keys": keys}})
    assert [item["sk"]["S"] for item in answer["Responses"][TABLE]] == ["a"]
    assert answer["UnprocessedKeys"] == {TABLE: {"Keys": keys[1:]}}
