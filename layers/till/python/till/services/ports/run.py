"""Time, as a run of a use case sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime


class Clock(Protocol):
    """The time of day."""

    def now(self) -> datetime:
        """The present instant, in UTC."""
        ...


class Deadline(Protocol):
    """How long this run may still work."""

    def remaining_seconds(self) -> float:
        """Seconds until this run is ended from outside."""
        ...
