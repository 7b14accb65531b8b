"""Virtual time, and tasks of which exactly one runs at a time.

A task is a greenlet: ordinary synchronous code that gives way whenever it waits. Which task is next
is decided by virtual time alone, so a run with the same waits is the same run.
"""

from __future__ import annotations

import heapq
import itertools
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar, cast

from greenlet import getcurrent, greenlet

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")

NEVER: Final = float("inf")


class Killed(BaseException):
    """The function was ended from outside. Product code must not be able to catch it."""


@dataclass(eq=False, slots=True)
class Process:
    """One run of a function: tasks that end together."""

    name: str
    tasks: set[greenlet] = field(default_factory=set)
    dead: bool = False


class Scheduler:
    """Runs tasks by virtual time, in seconds from 0."""

    def __init__(self) -> None:
        self.now = 0.0
        self._order = itertools.count()
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._hub = getcurrent()
        self._processes: dict[greenlet, Process] = {}

    @property
    def process(self) -> Process:
        """The process of the task that is running."""
        return self._processes[getcurrent()]

    def at(self, instant: float, event: Callable[[], None]) -> None:
        """Do something at an instant, whichever tasks there are by then."""
        if instant < NEVER:
            heapq.heappush(self._events, (max(instant, self.now), next(self._order), event))

    def start(self, process: Process, work: Callable[[], None]) -> None:
        """Start a task of a process, now."""
        task: greenlet

        def run() -> None:
            try:
                work()
            except Killed:
                pass
            finally:
                process.tasks.discard(task)
                del self._processes[task]

        task = greenlet(run, parent=self._hub)
        process.tasks.add(task)
        self._processes[task] = process
        self.at(self.now, partial(self._resume, task))

    def sleep(self, seconds: float) -> None:
        """Let others run until so many seconds have passed."""
        task = getcurrent()
        self.at(self.now + seconds, partial(self._resume, task))
        self._give_way()

    def _give_way(self) -> None:
        self._hub.switch()

    def _resume(self, task: greenlet) -> None:
        process = self._processes.get(task)
        if process is not None and not process.dead:
            task.switch()

    def kill(self, process: Process) -> None:
        """End a process from outside, wherever its tasks are. Called by a task, or by an event."""
        process.dead = True
        current = getcurrent()
        for task in tuple(process.tasks):
            if task is not current:
                self._end(process, task)
        if current in process.tasks:
            raise Killed

    def _end(self, process: Process, task: greenlet) -> None:
        started = bool(task)
        if not started:
            process.tasks.discard(task)
            del self._processes[task]
            return
        # It comes back here when it has ended.
        task.parent = getcurrent()
        task.throw(Killed)

    def run(self) -> None:
        """Run until nothing is left to do."""
        while self._events:
            self.now, _, event = heapq.heappop(self._events)
            event()

    # What product code runs on; see till.services.shared.in_parallel.Runner.

    def run_all(self, calls: Sequence[Callable[[], T]], *, at_once: int) -> list[T]:
        """Run calls as tasks of the same process; the first of them in the caller's own."""
        del at_once
        first, *others = calls
        parent, process = getcurrent(), self.process
        results: list[T | None] = [None for _ in others]
        left = len(others)
        waiting = False

        def child(call: Callable[[], T], number: int) -> None:
            nonlocal left
            results[number] = call()
            left -= 1
            if left == 0 and waiting:
                self.at(self.now, lambda: self._resume(parent))

        for number, call in enumerate(others):
            self.start(process, partial(child, call, number))
        own = first()
        if left:
            waiting = True
            self._give_way()
        return [own, *cast("list[T]", results)]

    def pause(self, seconds: float) -> None:
        """Wait, in virtual time."""
        self.sleep(seconds)
