"""Empty tables like those of a stage, without a stream: filling them starts no function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from local.emulator import emulator_session

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import (
        AttributeValueTypeDef,
        GlobalSecondaryIndexUnionTypeDef,
        WriteRequestTypeDef,
    )

    Item = dict[str, AttributeValueTypeDef]

_AT_ONCE: Final = 25
"""DynamoDB's limit for one batch."""


def client_of(url: str) -> DynamoDBClient:
    """A client of the emulator."""
    return emulator_session().client("dynamodb", endpoint_url=url)


def empty_copy(client: DynamoDBClient, table: str, name: str) -> str:
    """Make an empty table with the keys and indexes of another; gives back its name."""
    model = client.describe_table(TableName=table)["Table"]
    indexes: list[GlobalSecondaryIndexUnionTypeDef] = [
        {
            "IndexName": index["IndexName"],
            "KeySchema": index["KeySchema"],
            "Projection": index["Projection"],
        }
        for index in model.get("GlobalSecondaryIndexes", [])
    ]
    keys, attributes = model["KeySchema"], model["AttributeDefinitions"]
    if indexes:
        client.create_table(
            TableName=name,
            KeySchema=keys,
            AttributeDefinitions=attributes,
            BillingMode="PAY_PER_REQUEST",
            GlobalSecondaryIndexes=indexes,
        )
    else:
        client.create_table(
            TableName=name,
            KeySchema=keys,
            AttributeDefinitions=attributes,
            BillingMode="PAY_PER_REQUEST",
        )
    return name


class Filler:
    """Puts items into a table, many at a time."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table
        self._waiting: list[WriteRequestTypeDef] = []

    def put(self, items: Iterable[Item]) -> None:
        """Put items; the last ones only with ``flush``."""
        for item in items:
            self._waiting.append({"PutRequest": {"Item": item}})
            if len(self._waiting) == _AT_ONCE:
                self.flush()

    def flush(self) -> None:
        """Write what waits."""
        if self._waiting:
            answer = self._client.batch_write_item(RequestItems={self._table: self._waiting})
            if answer.get("UnprocessedItems"):
                raise RuntimeError("the emulator did not take all items")
            self._waiting = []
