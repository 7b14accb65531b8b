"""Independent calls, made at the same time. The one place where Till starts threads, and waits.

Both go through the ``Runner`` in use. It is ``Threads``, except in the simulation of
tests/simulation, which runs the same code in virtual time.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Final, NoReturn, Protocol, TypeVar, overload

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")

_MOST_THREADS: Final = 16


class Runner(Protocol):
    """Runs calls at the same time, and waits."""

    def run_all(self, calls: Sequence[Callable[[], A]], *, at_once: int) -> list[A]:
        """Run calls that raise nothing, at most ``at_once`` at the same time, until all ended."""
        ...

    def pause(self, seconds: float) -> None:
        """Let so many seconds pass."""
        ...


class Threads:
    """Threads, and the time of this machine."""

    def run_all(self, calls: Sequence[Callable[[], A]], *, at_once: int) -> list[A]:
        """Run the first call in this thread, which would only wait otherwise."""
        first, *others = calls
        with ThreadPoolExecutor(max_workers=max(1, min(len(others), at_once))) as pool:
            running = [pool.submit(call) for call in others]
            own = first()
        return [own, *(call.result() for call in running)]

    def pause(self, seconds: float) -> None:
        """Sleep."""
        time.sleep(seconds)


_runner: Runner = Threads()


def use(runner: Runner) -> Runner:
    """Run everything on a runner from now on; returns the one that was used before."""
    global _runner
    before, _runner = _runner, runner
    return before


def pause(seconds: float) -> None:
    """Let so many seconds pass."""
    _runner.pause(seconds)


@overload
def in_parallel(first: Callable[[], A], second: Callable[[], B], /) -> tuple[A, B]: ...
@overload
def in_parallel(
    first: Callable[[], A], second: Callable[[], B], third: Callable[[], C], /
) -> tuple[A, B, C]: ...
@overload
def in_parallel(
    first: Callable[[], A],
    second: Callable[[], B],
    third: Callable[[], C],
    fourth: Callable[[], D],
    /,
) -> tuple[A, B, C, D]: ...
def in_parallel(*calls: Callable[[], object]) -> tuple[object, ...]:
    """Run calls at the same time and wait for them all.

    If several raise, the exception of the first one in the list is raised.
    """
    return tuple(all_in_parallel(calls))


def all_in_parallel(calls: Sequence[Callable[[], A]], *, at_once: int = _MOST_THREADS) -> list[A]:
    """Run any number of like calls, at most ``at_once`` at the same time; see ``in_parallel``."""
    if not calls:
        return []
    ended = _runner.run_all([partial(_run, call) for call in calls], at_once=at_once)
    return [result() for result in ended]


def deferred(call: Callable[[], A]) -> Callable[[], A]:
    """Run a call now; its result is returned, or its exception raised, where it is asked for."""
    return _run(call)


def _run(call: Callable[[], A]) -> Callable[[], A]:
    try:
        result = call()
    except Exception as error:  # noqa: BLE001 - raised where the result is asked for
        return partial(_raise, error)
    return lambda: result


def _raise(error: Exception) -> NoReturn:
    raise error
