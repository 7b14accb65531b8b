"""Doing a step again until the books confirm it."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Final, TypeVar

from till.domain.errors import BusyError, LedgerCorruptError
from till.services.ports import ReadAgainError

if TYPE_CHECKING:
    from collections.abc import Callable

    from till.services.ports import Deadline

T = TypeVar("T")

_FIRST_PAUSE_SECONDS: Final = 0.01
_LONGEST_PAUSE_SECONDS: Final = 0.3
_SENSELESS_READINGS: Final = 6
"""After so many it is no accident of timing that an attempt and its account disagree."""


def until_confirmed(
    step: Callable[[], T],
    deadline: Deadline,
    *,
    keep_seconds: float = 1.0,
    pause: Callable[[float], None] = time.sleep,
) -> T:
    """Run a step that reads, decides and commits, until its commit is confirmed.

    The step must read anew each time, so that what was committed meanwhile, by others or by its
    own unconfirmed try, is part of its decision. Pauses are random and grow, so that many
    writers of one account come apart.

    Raises:
        BusyError: only ``keep_seconds`` of the deadline are left.
        LedgerCorruptError: reading again and again has not made sense of the ledger.
    """
    longest, senseless = _FIRST_PAUSE_SECONDS, 0
    while True:
        try:
            return step()
        except ReadAgainError as error:
            seconds = random.uniform(0, longest)  # noqa: S311 - jitter, not a secret
            longest = min(longest * 2, _LONGEST_PAUSE_SECONDS)
            if isinstance(error.__cause__, LedgerCorruptError):
                senseless += 1
                if senseless == _SENSELESS_READINGS:
                    raise error.__cause__ from error
            if deadline.remaining_seconds() - seconds <= keep_seconds:
                raise BusyError from error
            pause(seconds)
