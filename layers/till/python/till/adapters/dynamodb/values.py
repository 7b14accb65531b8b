"""Python values as DynamoDB's attribute values, and back.

boto3's own ``TypeSerializer`` does the same, but importing it loads all of boto3, s3transfer and
multiprocessing: 25 ms of every cold start.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Clamped, Context, Decimal, Inexact, Overflow, Rounded, Underflow
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

NUMBERS: Final = Context(
    Emin=-128, Emax=126, prec=38, traps=[Clamped, Overflow, Inexact, Rounded, Underflow]
)
"""The numbers that DynamoDB keeps as they are. Any other raises an ``ArithmeticError``."""

_NOT_OURS: Final = frozenset({"B", "BS", "NS", "SS"})
_FOREIGN: Final = object()
"""In place of a value of a type that Till never stores: no field of a stored item takes it."""


def attribute_value(value: object) -> AttributeValueTypeDef:
    """A Python value as an attribute value.

    Raises:
        TypeError: Till stores no such values.
        ArithmeticError: DynamoDB cannot keep the number as it is.
    """
    match value:
        case str():
            return {"S": value}
        case bool():
            return {"BOOL": value}
        case int() | Decimal():
            number = NUMBERS.create_decimal(value)
            if not number.is_finite():
                raise TypeError("Infinity and NaN are not stored")
            return {"N": str(number)}
        case None:
            return {"NULL": True}
        case list() | tuple():
            return {"L": [attribute_value(each) for each in value]}
        case Mapping():
            return {"M": {name: attribute_value(each) for name, each in value.items()}}
        case _:
            raise TypeError(f"{type(value).__name__} is not stored")


def python_value(value: AttributeValueTypeDef) -> object:
    """An attribute value as a Python value; numbers as Decimal.

    Raises:
        TypeError: it is no attribute value.
        ArithmeticError: it is not a number that DynamoDB keeps.
    """
    for kind, content in value.items():
        match kind, content:
            case (("S" | "BOOL"), _):
                return content
            case "N", str():
                return NUMBERS.create_decimal(content)
            case "NULL", _:
                return None
            case "L", list():
                return [python_value(each) for each in content]
            case "M", dict():
                return {name: python_value(each) for name, each in content.items()}
            case _ if kind in _NOT_OURS:
                return _FOREIGN
            case _:
                break
    raise TypeError("it is not an attribute value")
