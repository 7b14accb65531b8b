"""DynamoDB clients, and the translation between Python values and attribute values."""

from __future__ import annotations

from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Final, cast

from botocore.config import Config

from till.adapters.aws import session
from till.adapters.dynamodb.values import attribute_value, python_value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    Item = Mapping[str, AttributeValueTypeDef]

CALL_SECONDS: Final = (3.0, 1.0, 0.3)
"""How long one call may take: the longest of these that the caller's deadline leaves.

botocore fixes a client's timeouts when it makes the client, so there is one client for each.
"""

_making: Final = Lock()
"""A botocore session makes clients for one thread at a time."""


def client_for(seconds: float) -> DynamoDBClient:
    """The client whose calls end within the seconds that are left, or the quickest there is."""
    fitting = (limit for limit in CALL_SECONDS if limit <= seconds)
    with _making:
        return make_client(next(fitting, CALL_SECONDS[-1]))


@cache
def make_client(call_seconds: float) -> DynamoDBClient:
    """A client whose calls end within the seconds given: a third to connect, the rest to answer.

    It tries once. Who calls knows what a failed call means: a read is repeated, and after a commit
    of unknown effect everything is read again.
    """
    config = Config(
        connect_timeout=call_seconds / 3,
        read_timeout=call_seconds * 2 / 3,
        retries={"mode": "standard", "total_max_attempts": 1},
        max_pool_connections=16,
    )
    return cast("DynamoDBClient", session().create_client("dynamodb", config=config))


def serialize(values: Mapping[str, object]) -> dict[str, AttributeValueTypeDef]:
    """Python values as attribute values. None is left out."""
    return {name: attribute_value(value) for name, value in values.items() if value is not None}


def deserialize(item: Mapping[str, AttributeValueTypeDef]) -> dict[str, object]:
    """An item as Python values; numbers as Decimal."""
    return {name: python_value(value) for name, value in item.items()}
