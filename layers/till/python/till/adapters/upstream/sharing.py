"""One run of the same work for all who ask for it at the same time."""

from __future__ import annotations

import threading
from concurrent.futures import Future, wait
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

T = TypeVar("T")


class Shared(Generic[T]):
    """Lets threads share a run, but only one that began after they asked for it.

    To join a run under way could bring an answer from before one asked, and the price may have
    changed since. So whoever comes meanwhile waits for its end, and all who wait share the next:
    N threads at once make two runs at most.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[Hashable, Future[T]] = {}
        self._running: dict[Hashable, Future[T]] = {}

    def run(self, key: Hashable, work: Callable[[], T]) -> T:
        """What the work gives, or raises; done by this thread or by another.

        Under one key, the work is the same for all.
        """
        ours: Future[T] = Future()
        with self._lock:
            theirs = self._waiting.setdefault(key, ours)
            before = self._running.get(key)
        if theirs is not ours:
            return theirs.result()
        if before is not None:
            wait([before])
        with self._lock:
            # Whoever comes from here on may not join any more.
            self._running[key] = self._waiting.pop(key)
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
        # Before the result is told: whoever waits for the end of this run then puts its own here.
        with self._lock:
            del self._running[key]
