"""Python values as DynamoDB's attribute values and back, as boto3 does it, in a third of the time.

A history spends much of its time on this; ``test_attribute_values.py`` compares the two.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from boto3.dynamodb.types import DYNAMODB_CONTEXT, TypeDeserializer, TypeSerializer

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef as AttributeValue

_create_decimal: Final = DYNAMODB_CONTEXT.create_decimal


class Serializer(TypeSerializer):
    """``boto3.dynamodb.types.TypeSerializer``."""

    def serialize(self, value: Any) -> AttributeValue:  # noqa: ANN401 - as boto3 has it
        """A value as an attribute value. What Till seldom stores is left to boto3."""
        kind = type(value)
        if kind is str:
            return {"S": value}
        if kind is bool:
            return {"BOOL": value}
        if kind is int:
            return {"N": str(_create_decimal(value))}
        if kind is dict:
            each = self.serialize
            return {"M": {name: each(held) for name, held in value.items()}}
        if kind is list:
            return {"L": [self.serialize(held) for held in value]}
        return super().serialize(value)


class Deserializer(TypeDeserializer):
    """``boto3.dynamodb.types.TypeDeserializer``."""

    def deserialize(self, value: AttributeValue) -> object:
        """An attribute value as a Python value. What Till seldom stores is left to boto3."""
        ((kind, content),) = value.items()
        if kind in {"S", "BOOL"}:
            return content
        if kind == "N":
            return _number(str(content))
        each = self.deserialize
        if kind == "M" and isinstance(content, dict):
            return {name: each(held) for name, held in content.items()}
        if kind == "L" and isinstance(content, list):
            return [each(held) for held in content]
        return super().deserialize(value)


def _number(text: str) -> Decimal:
    return _create_decimal(text)
