"""Items of the tables as plain values."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import TypeAlias

Plain: TypeAlias = "str | int | bool | list[Plain] | dict[str, Plain]"
Item: TypeAlias = Mapping[str, Plain]


class UnreadableItemError(Exception):
    """An item is not of the form that Till writes."""


def plain(item: object) -> dict[str, Plain]:
    """An item as DynamoDB sends it, as plain values.

    Raises:
        UnreadableItemError: it has a value of a kind that Till does not store.
    """
    if not isinstance(item, Mapping):
        raise UnreadableItemError("it is not an item")
    return {str(name): _value(value) for name, value in item.items()}


def text(item: Item, name: str) -> str:
    """A text of an item.

    Raises:
        UnreadableItemError: it is not there, or not a text.
    """
    value = item.get(name)
    if not isinstance(value, str):
        raise UnreadableItemError(f"{name} is not a text")
    return value


def integer(item: Item, name: str) -> int:
    """A number of an item.

    Raises:
        UnreadableItemError: it is not there, or not a number.
    """
    value = item.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise UnreadableItemError(f"{name} is not a number")
    return value


def items(item: Item, name: str) -> list[dict[str, Plain]]:
    """A list of items within an item; empty if it is not there.

    Raises:
        UnreadableItemError: it is something else.
    """
    value = item.get(name, [])
    if not isinstance(value, list):
        raise UnreadableItemError(f"{name} is not a list")
    found = [each for each in value if isinstance(each, dict)]
    if len(found) != len(value):
        raise UnreadableItemError(f"{name} holds something else than items")
    return found


def is_id(written: str) -> bool:
    """Whether a text is a UUID, written as Till writes it."""
    try:
        return str(uuid.UUID(written)) == written
    except ValueError:
        return False


def _value(value: object) -> Plain:
    if isinstance(value, Mapping) and len(value) == 1:
        ((kind, content),) = value.items()
        match kind, content:
            case "S", str():
                return content
            case "N", str() if content.lstrip("-").isdecimal():
                return int(content)
            case "BOOL", bool():
                return content
            case "L", list():
                return [_value(each) for each in content]
            case "M", Mapping():
                return {str(name): _value(each) for name, each in content.items()}
            case _:
                pass
    raise UnreadableItemError("it has a value that Till does not store")
