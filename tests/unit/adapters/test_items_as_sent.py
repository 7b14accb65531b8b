"""The answers of DynamoDB are the same, whichever parser reads them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import botocore.session
import pytest
from botocore.parsers import JSONParser

from till.adapters.aws import ItemsAsSent, session

if TYPE_CHECKING:
    from botocore.parsers import ResponseParser

ITEM: Final[dict[str, object]] = {
    "pk": {"S": "ACCOUNT#1"},
    "version": {"N": "12"},
    "is_open": {"BOOL": False},
    "nothing": {"NULL": True},
    "attempts": {"L": [{"M": {"amount": {"N": "3"}}}, {"S": ""}]},
}
ANSWERS: Final[dict[str, dict[str, object]]] = {
    "GetItem": {"Item": ITEM, "ConsumedCapacity": {"TableName": "ledger", "CapacityUnits": 1.0}},
    "Query": {"Items": [ITEM, {}], "Count": 2, "ScannedCount": 5, "LastEvaluatedKey": ITEM},
    "BatchGetItem": {
        "Responses": {"purchases": [ITEM]},
        "UnprocessedKeys": {"purchases": {"Keys": [ITEM], "ConsistentRead": True}},
    },
    "TransactGetItems": {"Responses": [{"Item": ITEM}, {}]},
    "TransactWriteItems": {"ConsumedCapacity": [{"TableName": "ledger", "CapacityUnits": 4.0}]},
}


def _parsed(parser: ResponseParser, operation: str, answer: dict[str, object]) -> object:
    model = botocore.session.get_session().get_service_model("dynamodb")
    shape = model.operation_model(operation).output_shape
    assert shape is not None
    response = {"status_code": 200, "headers": {}, "body": json.dumps(answer).encode()}
    return parser.parse(response, shape)


@pytest.mark.parametrize(("operation", "answer"), ANSWERS.items())
def test_it_reads_what_botocores_own_parser_reads(
    operation: str, answer: dict[str, object]
) -> None:
    expected = _parsed(JSONParser(), operation, answer)
    assert _parsed(ItemsAsSent(), operation, answer) == expected
    assert isinstance(expected, dict)
    assert answer.items() <= expected.items()


def test_the_clients_of_the_session_use_it() -> None:
    parsers = session().get_component("response_parser_factory")
    assert isinstance(parsers.create_parser("json"), ItemsAsSent)
    assert not isinstance(parsers.create_parser("rest-xml"), ItemsAsSent)
