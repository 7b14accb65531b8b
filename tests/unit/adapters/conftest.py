"""The books on moto's DynamoDB. Single-threaded: moto isolates nothing between threads."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

import pytest
from moto import mock_aws

from till.adapters.dynamodb.client import make_client
from till.adapters.dynamodb.store import DynamoStore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeDefinitionTypeDef, KeySchemaElementTypeDef


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[DynamoDBClient]:
    for name in [n for n in os.environ if n.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        client = make_client.__wrapped__(1.0)
        _create_table(client, "ledger", "opened-index", "opened_shard", "opened_at")
        _create_table(client, "purchases", "state-index", "state_shard", "state_at")
        _add_index(client, "purchases", "short-id-index", "short_id")
        client.create_table(
            TableName="customer-index",
            KeySchema=_KEYS,
            AttributeDefinitions=_texts("pk", "sk"),
            BillingMode="PAY_PER_REQUEST",
        )
        yield client


@pytest.fixture
def store(client: DynamoDBClient) -> DynamoStore:
    return DynamoStore(lambda _: client, ledger_table="ledger", purchases_table="purchases")


_KEYS: Final[list[KeySchemaElementTypeDef]] = [
    {"AttributeName": "pk", "KeyType": "HASH"},
    {"AttributeName": "sk", "KeyType": "RANGE"},
]


def _texts(*names: str) -> list[AttributeDefinitionTypeDef]:
    return [{"AttributeName": name, "AttributeType": "S"} for name in names]


def _add_index(client: DynamoDBClient, table: str, index: str, key: str) -> None:
    client.update_table(
        TableName=table,
        AttributeDefinitions=_texts("pk", "sk", key),
        GlobalSecondaryIndexUpdates=[
            {
                "Create": {
                    "IndexName": index,
                    "KeySchema": [{"AttributeName": key, "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "KEYS_ONLY"},
                }
            }
        ],
    )


def _create_table(client: DynamoDBClient, name: str, index: str, shard: str, place: str) -> None:
    client.create_table(
        TableName=name,
        KeySchema=_KEYS,
        AttributeDefinitions=_texts("pk", "sk", shard, place),
        GlobalSecondaryIndexes=[
            {
                "IndexName": index,
                "KeySchema": [
                    {"AttributeName": shard, "KeyType": "HASH"},
                    {"AttributeName": place, "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
        BillingMode="PAY_PER_REQUEST",
    )
