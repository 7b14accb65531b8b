"""Instants: UTC with microseconds, written as RFC 3339 of one fixed width.

The fixed width makes the written form sort like time, which the tables' keys rely on.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from till.domain.errors import TillError

_WIDTH: Final = len("2026-11-22T16:25:18.000000Z")


class TimeInFutureError(TillError):
    """What is asked for has not happened yet. ``field`` is the parameter that asks for it."""

    def __init__(self, field: str) -> None:
        super().__init__("time in the future")
        self.field = field


def format_instant(instant: datetime) -> str:
    """RFC 3339 in UTC: ``2026-11-22T16:25:18.000000Z``."""
    # Not strftime: its %Y is not padded everywhere.
    written = instant.astimezone(UTC).isoformat(timespec="microseconds")
    return written.removesuffix("+00:00") + "Z"


def parse_instant(text: str) -> datetime:
    """The instant that ``format_instant`` wrote.

    Raises:
        ValueError: it did not write this.
    """
    if len(text) != _WIDTH or not text.endswith("Z"):
        raise ValueError(f"not an instant with {_WIDTH} characters, in UTC")
    return datetime.fromisoformat(text)
