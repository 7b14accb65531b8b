"""The time that one exchange with an upstream has, from the first look-up to the last byte."""

from __future__ import annotations

import time


class Deadline:
    """An instant. It travels with a request, as its extension ``deadline``."""

    def __init__(self, seconds: float) -> None:
        self._ends_at = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds until then; 0 once it has passed."""
        return max(0.0, self._ends_at - time.monotonic())
