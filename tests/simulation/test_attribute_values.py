"""The quick translation of attribute values gives what boto3's gives."""

from __future__ import annotations

import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from tests.simulation.attribute_values import Deserializer, Serializer

VALUES: tuple[object, ...] = (
    "text",
    "",
    0,
    -12,
    9_007_199_254_740_991,
    True,
    False,
    None,
    [],
    ["a", 1, [True]],
    {},
    {"a": {"b": [1, "c"]}, "d": None},
    {"x", "y"},
    b"bytes",
)


@pytest.mark.parametrize("value", VALUES)
def test_both_translate_alike(value: object) -> None:
    stored = TypeSerializer().serialize(value)
    assert Serializer().serialize(value) == stored
    there = Deserializer().deserialize(stored)
    assert there == TypeDeserializer().deserialize(stored)
    assert type(there) is type(TypeDeserializer().deserialize(stored))
