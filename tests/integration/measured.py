"""What a function has written of itself since a moment: its metrics and the lines of its log."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.integration.functions import Functions


class Measured:
    """What a function has logged since this was made."""

    def __init__(self, functions: Functions, operation: str) -> None:
        self._functions = functions
        self._operation = operation
        # Not how many: an emulator lists the lines by container, so new ones may be anywhere.
        self._before = Counter(functions.log(operation))

    def values(self, name: str) -> list[float]:
        """A metric's values, oldest first."""
        found: list[float] = []
        for line in self._lines():
            values = line.get(name, []) if "_aws" in line else []
            assert isinstance(values, list)
            found += values
        return found

    def total(self, name: str) -> float:
        """The sum of a metric's values."""
        return sum(self.values(name))

    def saw(self, **wanted: float) -> bool:
        """Whether the sums are these by now."""
        return all(self.total(name) >= value for name, value in wanted.items())

    def errors(self, **wanted: object) -> list[dict[str, object]]:
        """The ERROR lines that have these fields."""
        return [
            line
            for line in self._lines()
            if line.get("level") == "ERROR"
            and all(line.get(name) == value for name, value in wanted.items())
        ]

    def _lines(self) -> list[dict[str, object]]:
        seen = Counter(self._before)
        new: list[dict[str, object]] = []
        for text in self._functions.log(self._operation):
            if seen[text] > 0:
                seen[text] -= 1
            elif text.startswith('{"'):
                new.append(json.loads(text))
        return new
