"""Parts of a deadline: what a step may take, and what is kept for the steps after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from till.services.ports.run import Deadline

NEW_REQUEST_SECONDS: Final = 6.0
"""How long a new request that only touches the tables tries before it asks to be sent again."""


class _EarlierDeadline:
    def __init__(self, deadline: Deadline, kept_seconds: float) -> None:
        self._deadline = deadline
        self._kept_seconds = kept_seconds

    def remaining_seconds(self) -> float:
        return self._deadline.remaining_seconds() - self._kept_seconds


def keeping(deadline: Deadline, seconds: float) -> Deadline:
    """The deadline less the seconds that are kept for what comes after."""
    return _EarlierDeadline(deadline, seconds)


def at_most(deadline: Deadline, seconds: float) -> Deadline:
    """The deadline, but no more than so many seconds from now."""
    return _EarlierDeadline(deadline, max(0.0, deadline.remaining_seconds() - seconds))
