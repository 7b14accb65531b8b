"""The emulator's Query by page answers as the original does, and reads no more than a page."""

# ruff: noqa: ANN401 - the emulator's own data and functions have no types

from __future__ import annotations

import json
import random
from typing import Any, Final

import pytest
from ministack.services import dynamodb

from local.emulator.queries import query_by_page

# The original, whatever the module has been given since.
ORIGINAL: Final = dynamodb._query
BY_PAGE: Final = query_by_page(ORIGINAL)

TABLE: Final = "till-test-emulator-queries"
PARTITIONS: Final = ("one", "two", "none")
INDEX_PARTITIONS: Final = ("open", "closed", "empty")


def _call(function: str, **request: Any) -> dict[str, Any]:
    status, _, body = getattr(dynamodb, function)(request)
    assert status == 200, body
    answer: dict[str, Any] = json.loads(body)
    return answer


@pytest.fixture
def table() -> Any:
    """An empty table with an index."""
    keys = ("pk", "sk"), ("part_of", "placed")
    schemas = [
        [
            {"AttributeName": name, "KeyType": kind}
            for name, kind in zip(names, ("HASH", "RANGE"), strict=True)
        ]
        for names in keys
    ]
    _call(
        "_create_table",
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "S"} for names in keys for name in names
        ],
        KeySchema=schemas[0],
        GlobalSecondaryIndexes=[
            {"IndexName": "index", "KeySchema": schemas[1], "Projection": {"ProjectionType": "ALL"}}
        ],
    )
    yield
    _call("_delete_table", TableName=TABLE)


def _write_something(random_: random.Random) -> None:
    key = {
        "pk": {"S": random_.choice(PARTITIONS[:2])},
        "sk": {"S": f"{random_.choice('vw')}#{random_.randrange(40):02d}"},
    }
    if random_.random() < 0.25:
        _call("_delete_item", TableName=TABLE, Key=key)
        return
    item: dict[str, Any] = key | {"size": {"S": "x" * random_.choice((1, 20, 60_000))}}
    if random_.random() < 0.7:
        item |= {
            "part_of": {"S": random_.choice(INDEX_PARTITIONS[:2])},
            # Few, so that many items have the same.
            "placed": {"S": f"p#{random_.randrange(6)}"},
        }
    if random_.random() < 0.5:
        _call("_put_item", TableName=TABLE, Item=item)
    else:
        _call("_transact_write_items", TransactItems=[{"Put": {"TableName": TABLE, "Item": item}}])


def _some_query(random_: random.Random) -> dict[str, Any]:
    """A request in one of many forms, some of them invalid or with no form of Till's."""
    on_index = random_.random() < 0.5
    hash_name, sort_name = ("part_of", "placed") if on_index else ("pk", "sk")
    prefix = "p#" if on_index else random_.choice(("v#", "w#", "v#1", "", "x"))
    number = random_.randrange(6 if on_index else 40)
    width = 1 if on_index else 2
    values = {
        ":hash": {"S": random_.choice(INDEX_PARTITIONS if on_index else PARTITIONS)},
        ":a": {"S": f"{prefix}{number:0{width}d}"},
        ":b": {"S": f"{prefix}{number + random_.randrange(-1, 5):0{width}d}"},
    }
    sort = random_.choice(
        (
            "",
            " AND begins_with({sort}, :a)",
            " AND {sort} BETWEEN :a AND :b",
            " AND {sort} = :a",
            " AND {sort} < :a",
            " AND {sort} >= :a",
            " AND {sort} = :a AND {sort} = :b",
            " AND other = :a",
        )
    )
    request: dict[str, Any] = {
        "TableName": TABLE,
        "KeyConditionExpression": f"{hash_name} = :hash" + sort.format(sort=sort_name),
        "ScanIndexForward": random_.random() < 0.5,
    }
    if random_.random() < 0.3:
        request["KeyConditionExpression"] = request["KeyConditionExpression"].replace(
            sort_name, "#sort"
        )
        if "#sort" in request["KeyConditionExpression"]:
            request["ExpressionAttributeNames"] = {"#sort": sort_name}
    if sort and random_.random() < 0.2:
        request["FilterExpression"] = "attribute_exists(part_of)"
    request["ExpressionAttributeValues"] = {
        name: value for name, value in values.items() if name in request["KeyConditionExpression"]
    }
    if on_index:
        request["IndexName"] = random_.choice(("index", "index", "index", "no-index"))
    if random_.random() < 0.7:
        request["Limit"] = random_.choice((0, 1, 1, 2, 3, 10, 100))
    if random_.random() < 0.2:
        request["ExclusiveStartKey"] = random_.choice(
            ({}, {"pk": {"S": "one"}}, {"pk": {"S": "one"}, "sk": {"S": "v#10"}}, {"pk": 1})
        )
    request["ReturnConsumedCapacity"] = "TOTAL"
    return request


def _answer(query: Any, request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    status, _, body = query(dict(request))
    return status, json.loads(body)


@pytest.mark.usefixtures("table")
@pytest.mark.parametrize("seed", range(20))
def test_it_answers_as_the_original_does_page_after_page(seed: int) -> None:
    random_ = random.Random(seed)
    pages = 0
    for _ in range(60):
        for _ in range(5):
            _write_something(random_)
        request: dict[str, Any] | None = _some_query(random_)
        while request:
            status, expected = _answer(ORIGINAL, request)
            assert _answer(BY_PAGE, request) == (status, expected), request
            pages += status == 200
            last = expected.get("LastEvaluatedKey")
            # Sometimes there is a write between two pages.
            if last and random_.random() < 0.3:
                _write_something(random_)
            request = request | {"ExclusiveStartKey": last} if last else None
    assert pages > 15


@pytest.mark.usefixtures("table")
@pytest.mark.parametrize("index", [None, "index"])
def test_it_reads_no_more_than_a_page(index: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(300):
        item = {"pk": {"S": "one"}, "sk": {"S": f"v#{number:04d}"}}
        item |= {"part_of": {"S": "one"}, "placed": {"S": f"v#{number:04d}"}}
        _call("_put_item", TableName=TABLE, Item=item)
    evaluated = []
    evaluate = dynamodb._evaluate_condition

    def counted(condition: str, item: Any, *rest: Any, **options: Any) -> Any:
        evaluated.append(item)
        return evaluate(condition, item, *rest, **options)

    monkeypatch.setattr(dynamodb, "_evaluate_condition", counted)
    hash_name, sort_name = ("part_of", "placed") if index else ("pk", "sk")
    request: dict[str, Any] = {
        "TableName": TABLE,
        "KeyConditionExpression": f"{hash_name} = :hash AND begins_with({sort_name}, :v)",
        "ExpressionAttributeValues": {":hash": {"S": "one"}, ":v": {"S": "v#"}},
        "ScanIndexForward": False,
        "Limit": 1,
    } | ({"IndexName": index} if index else {})

    status, answer = _answer(BY_PAGE, request)

    assert status == 200
    assert [item["sk"] for item in answer["Items"]] == [{"S": "v#0299"}]
    assert len(evaluated) <= 2


@pytest.mark.usefixtures("table")
def test_a_table_with_ordered_partitions_can_be_saved_and_copied() -> None:
    item = {"pk": {"S": "one"}, "sk": {"S": "v#1"}}
    _call("_put_item", TableName=TABLE, Item=item)
    _answer(
        BY_PAGE,
        {
            "TableName": TABLE,
            "KeyConditionExpression": "pk = :hash",
            "ExpressionAttributeValues": {":hash": {"S": "one"}},
        },
    )

    saved = {name: table for (_, _, name), table in dynamodb.get_state()["tables"].all_items()}

    assert type(saved[TABLE]["items"]["one"]) is dict
    assert saved[TABLE]["items"]["one"] == {"v#1": item}
