"""Says what is being done while it is being done, and how long each step took."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Progress:
    """A clock, and one line for each step's beginning and end.

    Steps run side by side, so a line says which step it is about.
    """

    def __init__(self) -> None:
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        """The time since this began."""
        return time.monotonic() - self._began

    def say(self, text: str) -> None:
        """One line, with the time it was said at."""
        print(f"{self.seconds:6.1f} s  {text}", flush=True)

    @contextmanager
    def step(self, name: str, doing: str) -> Iterator[None]:
        """Announce a step, and say how long it took or that it failed or was stopped."""
        self.say(f"{name}: {doing}")
        began = time.monotonic()
        try:
            yield
        except Exception:
            self.say(f"{name}: failed after {time.monotonic() - began:.1f} s")
            raise
        self.say(f"{name}: done in {time.monotonic() - began:.1f} s")
