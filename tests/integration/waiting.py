"""Waiting for a condition, and only for as long as it takes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

PAUSE_SECONDS = 0.1


def until(look: Callable[[], T | None], what: str, *, seconds: float = 30.0) -> T:
    """Look again and again until there is something to see; give that back."""
    deadline = time.monotonic() + seconds
    while True:
        seen = look()
        if seen:
            return seen
        assert time.monotonic() < deadline, f"{what}: not within {seconds:.0f} s"
        time.sleep(PAUSE_SECONDS)
