"""One DynamoDB client, and the translation between Python values and attribute values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.config import Config

from till.adapters.aws import session

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

_CONNECT_TIMEOUT_SECONDS: Final = 1.0
_READ_TIMEOUT_SECONDS: Final = 3.0
_TRIES: Final = 3

_serializer = TypeSerializer()
_deserializer = TypeDeserializer()


def make_client() -> DynamoDBClient:
    """A client whose calls end well within a function's time.

    Its retries are safe: botocore sends a retried transaction with the same ClientRequestToken.
    """
    config = Config(
        connect_timeout=_CONNECT_TIMEOUT_SECONDS,
        read_timeout=_READ_TIMEOUT_SECONDS,
        retries={"mode": "standard", "total_max_attempts": _TRIES},
        max_pool_connections=16,
    )
    return cast("DynamoDBClient", session().create_client("dynamodb", config=config))


def serialize(values: Mapping[str, object]) -> dict[str, AttributeValueTypeDef]:
    """Python values as attribute values. None is left out."""
    return {
        name: _serializer.serialize(value) for name, value in values.items() if value is not None
    }


def deserialize(item: Mapping[str, AttributeValueTypeDef]) -> dict[str, object]:
    """An item as Python values; numbers as Decimal."""
    return {name: _deserializer.deserialize(value) for name, value in item.items()}
