"""Repeat a step until its commit is confirmed."""

from __future__ import annotations

import itertools
import random
from typing import TYPE_CHECKING, Final, TypeVar

from till.domain.errors import TillError
from till.domain.ledger import LedgerCorruptError
from till.services.ports.store_errors import (
    BusyError,
    InconsistentReadError,
    ReadAgainError,
    UnansweredCommitError,
)
from till.services.shared.in_parallel import pause

if TYPE_CHECKING:
    from collections.abc import Callable

    from till.services.ports.run import Deadline

T = TypeVar("T")

_QUICKEST_TRY_SECONDS: Final = 0.01
"""A refusal may come faster than what caused it becomes visible."""
_LONGEST_PAUSE_SECONDS: Final = 2.0
_SHORTEST_SHARE: Final = 0.1
"""Of its pause, what a request that is about to give up still waits."""
_LEAST_STEP_SECONDS: Final = 0.5
"""A step that has less time than this may not end in it, so it is not started."""
_INCONSISTENT_READS: Final = 12
"""After so many it is no accident of timing that two items contradict each other."""


def until_confirmed(
    step: Callable[[], T],
    deadline: Deadline,
    *,
    tries: int | None = None,
) -> T:
    """Run a step that reads, decides and commits, until its commit is confirmed.

    The step must read again each time, so that what was committed meanwhile, by others or by its
    own unconfirmed try, is part of its decision.

    Pauses are random. They grow with the number of tries and with how long a try takes, so that the
    writers of one account come apart whether the machine is quick or overloaded, and they shrink as
    the deadline comes nearer, so that old requests win. docs/decisions/25 has the measurements.

    Raises:
        BusyError: there is no time, or no try, left; or the step refused what an earlier try of it,
            whose effect is unknown, may still do.
        LedgerCorruptError: reading again and again has not resolved a contradiction.
    """
    time_at_first = max(deadline.remaining_seconds(), _LEAST_STEP_SECONDS)
    inconsistent = 0
    in_doubt = False
    for tried in itertools.count(1):
        time_before = deadline.remaining_seconds()
        try:
            return step()
        except ReadAgainError as error:
            in_doubt = in_doubt or isinstance(error, UnansweredCommitError)
            if isinstance(error, InconsistentReadError):
                inconsistent += 1
                if inconsistent == _INCONSISTENT_READS:
                    raise LedgerCorruptError(sequence=0, detail=error.detail) from error
            time_left = deadline.remaining_seconds()
            took = max(time_before - time_left, _QUICKEST_TRY_SECONDS)
            longest = min(2 * tried * took, _LONGEST_PAUSE_SECONDS)
            share = max(time_left / time_at_first, _SHORTEST_SHARE)
            seconds = random.uniform(0, longest * share)  # noqa: S311 - jitter, not a secret
            if tried == tries or time_left - seconds < _LEAST_STEP_SECONDS:
                raise BusyError from error
            pause(seconds)
        except TillError as refusal:
            # A try whose effect is unknown may still take effect: it is not refused yet.
            if in_doubt and not isinstance(refusal, LedgerCorruptError):
                raise BusyError from refusal
            raise
    raise AssertionError("unreachable")  # pragma: no cover
