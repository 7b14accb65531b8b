"""Attribute values are what boto3 would make of the same, and are read as boto3 reads them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from till.adapters.dynamodb.values import attribute_value, python_value

STORED: tuple[object, ...] = (
    "",
    "text",
    True,
    False,
    None,
    0,
    -1,
    10**37,
    Decimal("0.10"),
    Decimal("1E+3"),
    [],
    ["a", 1, [None]],
    {},
    {"a": {"b": [1, {"c": Decimal("-2.5")}]}},
)


@pytest.mark.parametrize("value", STORED, ids=repr)
def test_a_value_is_written_and_read_as_by_boto3(value: object) -> None:
    """Types as well as values: True is not 1, and 1 is a Decimal."""
    written = attribute_value(value)
    assert written == TypeSerializer().serialize(value)
    read = python_value(written)
    assert repr(read) == repr(TypeDeserializer().deserialize(written))


@pytest.mark.parametrize(
    "value",
    [1.5, 10**39, Decimal("1E+127"), Decimal("NaN"), Decimal("Infinity"), object()],
    ids=repr,
)
def test_what_boto3_refuses_to_write_is_refused_alike(value: object) -> None:
    """No number loses a digit."""
    with pytest.raises((TypeError, ArithmeticError)):
        TypeSerializer().serialize(value)
    with pytest.raises((TypeError, ArithmeticError)):
        attribute_value(value)


@pytest.mark.parametrize("value", [{}, {"X": 1}, {"N": "1" * 39}, {"L": None}], ids=repr)
def test_what_is_no_attribute_value_is_refused_alike(value: dict[str, object]) -> None:
    """A store turns these errors into an unreadable item."""
    with pytest.raises((TypeError, ArithmeticError)):
        TypeDeserializer().deserialize(value)  # type: ignore[arg-type]
    with pytest.raises((TypeError, ArithmeticError)):
        python_value(value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "value", [{"B": b"a"}, {"SS": ["a"]}, {"NS": ["1"]}, {"BS": [b"a"]}], ids=repr
)
def test_a_foreign_value_spoils_only_the_attribute_that_has_it(value: dict[str, object]) -> None:
    """An attribute that others added does not make an account unreadable."""
    read = python_value({"M": {"theirs": value, "ours": {"S": "a"}}})
    assert isinstance(read, dict)
    assert read["ours"] == "a"
    assert not isinstance(read["theirs"], str | bytes | Decimal | list | set | dict)


def test_a_number_that_is_none_is_read_as_by_boto3() -> None:
    """As NaN, which no field of a stored item takes."""
    assert repr(python_value({"N": "one"})) == repr(TypeDeserializer().deserialize({"N": "one"}))
