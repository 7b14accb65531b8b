"""One run of the same work for all who ask for it at the same time."""

from __future__ import annotations

import threading
from concurrent.futures import Future, wait
from typing import TYPE_CHECKING, Final, Generic, TypeVar

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from till.adapters.upstream.deadline import Deadline

T = TypeVar("T")

_TOO_LATE: Final = "another read of the same took too long"


class SingleFlight(Generic[T]):
    """Lets threads share a run, but only one that began after they asked for it.

    A run that is under way may return a price that has changed since. Threads that ask during a run
    therefore wait for its end, and all of them share the next one: N threads make at most two runs.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[Hashable, Future[T]] = {}
        self._running: dict[Hashable, Future[T]] = {}

    def run(self, key: Hashable, work: Callable[[], T], deadline: Deadline) -> T:
        """What the work gives, or raises; done by this thread or by another.

        Under one key, the work is the same for all. The deadline bounds the waiting for others;
        the work has to end by itself.

        Raises:
            httpx.ReadTimeout: another run took until the deadline.
        """
        ours: Future[T] = Future()
        with self._lock:
            theirs = self._waiting.setdefault(key, ours)
            before = self._running.get(key)
        if theirs is not ours:
            return _result(theirs, deadline)
        in_time = before is None or before in wait([before], deadline.left()).done
        with self._lock:
            # From here on no other thread may join.
            del self._waiting[key]
            if in_time:
                self._running[key] = ours
        if not in_time:
            error = httpx.ReadTimeout(_TOO_LATE)
            ours.set_exception(error)
            raise error
        try:
            result = work()
        except BaseException as error:
            self._end(key)
            ours.set_exception(error)
            raise
        self._end(key)
        ours.set_result(result)
        return result

    def _end(self, key: Hashable) -> None:
        # Before the result is set: a thread that waits for the end of this run then starts its own.
        with self._lock:
            del self._running[key]


def _result(future: Future[T], deadline: Deadline) -> T:
    if future not in wait([future], deadline.left()).done:
        raise httpx.ReadTimeout(_TOO_LATE)
    return future.result()
