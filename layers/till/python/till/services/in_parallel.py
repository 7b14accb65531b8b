"""Independent calls, made at the same time. The one place where Till starts threads."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, TypeVar, overload

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")

_MOST_THREADS: Final = 16


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
    first, *others = calls
    with ThreadPoolExecutor(max_workers=max(1, min(len(others), at_once))) as pool:
        running = [pool.submit(call) for call in others]
        # This thread would only wait otherwise.
        own = _run(first)
    return [future.result() for future in (own, *running)]


def deferred(call: Callable[[], A]) -> Callable[[], A]:
    """Run a call now; its result is returned, or its exception raised, where it is asked for."""
    return _run(call).result


def _run(call: Callable[[], A]) -> Future[A]:
    future: Future[A] = Future()
    try:
        future.set_result(call())
    except Exception as error:  # noqa: BLE001 - raised where the result is asked for
        future.set_exception(error)
    return future
