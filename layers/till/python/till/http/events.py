"""The shape of what API Gateway hands to a function and takes back: JSON."""

from __future__ import annotations

from typing import TypeAlias

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
Event: TypeAlias = dict[str, Json]


def header(event: Event, name: str) -> str | None:
    """A request header, whatever the case of its name."""
    headers = event.get("headers")
    for key, value in headers.items() if isinstance(headers, dict) else ():
        if key.lower() == name.lower() and isinstance(value, str):
            return value
    return None
