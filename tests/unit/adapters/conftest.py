"""The books on moto's DynamoDB. Single-threaded: moto isolates nothing between threads."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from moto import mock_aws

from till.adapters.dynamodb.books import DynamoBooks
from till.adapters.dynamodb.client import make_client

KEYS = [
    {"AttributeName": "pk", "KeyType": "HASH"},
    {"AttributeName": "sk", "KeyType": "RANGE"},
]


@pytest.fixture
def books(monkeypatch: pytest.MonkeyPatch) -> Iterator[DynamoBooks]:
    for name in [n for n in os.environ if n.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        client = make_client()
        text = [{"AttributeName": n, "AttributeType": "S"} for n in ("pk", "sk")]
        client.create_table(
            TableName="ledger",
            KeySchema=KEYS,  # type: ignore[arg-type]
            AttributeDefinitions=text,  # type: ignore[arg-type]
            BillingMode="PAY_PER_REQUEST",
        )
        index = [{"AttributeName": n, "AttributeType": "S"} for n in ("state_shard", "state_at")]
        client.create_table(
            TableName="purchases",
            KeySchema=KEYS,  # type: ignore[arg-type]
            AttributeDefinitions=[*text, *index],  # type: ignore[list-item]
            GlobalSecondaryIndexes=[
                {
                    "IndexName": "state-index",
                    "KeySchema": [
                        {"AttributeName": "state_shard", "KeyType": "HASH"},
                        {"AttributeName": "state_at", "KeyType": "RANGE"},
                    ],
                    "Projection": {"ProjectionType": "KEYS_ONLY"},
                }
            ],
            BillingMode="PAY_PER_REQUEST",
        )
        yield DynamoBooks(client, ledger_table="ledger", purchases_table="purchases")
