"""Virtual time, and tasks of which exactly one runs at a time.

A task is a greenlet: ordinary synchronous code that gives way whenever it waits. Which task is next
is decided by virtual time alone, so a run with the same waits is the same run.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from functools import partial
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Final, TypeVar, cast

from greenlet import getcurrent, greenlet

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")

NEVER: Final = float("inf")


class Killed(BaseException):
    """The function was ended from outside. Product code must not be able to catch it."""


_idle: Final[list[greenlet]] = []
"""Greenlets whose task has ended, for the next task: a new one takes longer than a short task."""


@dataclass(eq=False, slots=True)
class Task:
    """Something that runs, or is to run, on a greenlet."""

    process: Process
    runs_on: greenlet
    work: Callable[[], None] | None
    """What it has to do; None once it has begun."""
    ended: bool = False


@dataclass(eq=False, slots=True)
class Process:
    """One run of a function: tasks that end together."""

    name: str
    tasks: set[Task] = field(default_factory=set)
    dead: bool = False


def _run_tasks(task: Task) -> None:
    """Run a task, and then each other that its greenlet is given."""
    while True:
        process, work = task.process, task.work
        assert work is not None
        task.work = None
        own = task.runs_on
        try:
            work()
        except Killed:
            pass
        finally:
            task.ended = True
            process.tasks.discard(task)
        del process, work
        _idle.append(own)
        parent = own.parent
        assert parent is not None
        task = parent.switch()


class Scheduler:
    """Runs tasks by virtual time, in seconds from 0."""

    def __init__(self) -> None:
        self.now = 0.0
        self._order = itertools.count()
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._hub = getcurrent()
        self._current: Task | None = None

    @property
    def task(self) -> Task:
        """The task that is running."""
        assert self._current is not None
        return self._current

    @property
    def process(self) -> Process:
        """The process of the task that is running."""
        return self.task.process

    def at(self, instant: float, event: Callable[[], None]) -> None:
        """Do something at an instant, whichever tasks there are by then."""
        if instant < NEVER:
            now = self.now
            heappush(self._events, (instant if instant > now else now, next(self._order), event))

    def start(self, process: Process, work: Callable[[], None]) -> None:
        """Start a task of a process, now."""
        runs_on = _idle.pop() if _idle else greenlet(_run_tasks)
        runs_on.parent = self._hub
        task = Task(process, runs_on, work)
        process.tasks.add(task)
        self.at(self.now, partial(self._resume, task))

    def sleep(self, seconds: float) -> None:
        """Let others run until so many seconds have passed."""
        self.at(self.now + seconds, partial(self._resume, self.task))
        self._hub.switch()

    def _resume(self, task: Task) -> None:
        if not task.ended and not task.process.dead:
            before, self._current = self._current, task
            if task.work is None:
                task.runs_on.switch()
            else:
                task.runs_on.switch(task)
            self._current = before

    def kill(self, process: Process) -> None:
        """End a process from outside, wherever its tasks are. Called by a task, or by an event."""
        process.dead = True
        current = self._current
        for task in tuple(process.tasks):
            if task is not current:
                self._end(process, task)
        if current in process.tasks:
            raise Killed

    def _end(self, process: Process, task: Task) -> None:
        if task.work is not None:
            task.ended = True
            process.tasks.discard(task)
            _idle.append(task.runs_on)
            return
        # It comes back here when it has ended.
        task.runs_on.parent = getcurrent()
        before, self._current = self._current, task
        task.runs_on.throw(Killed)
        self._current = before

    def run(self) -> None:
        """Run until nothing is left to do."""
        events = self._events
        while events:
            self.now, _, event = heappop(events)
            event()

    # What product code runs on; see till.services.shared.in_parallel.Runner.

    def run_all(self, calls: Sequence[Callable[[], T]], *, at_once: int) -> list[T]:
        """Run calls as tasks of the same process; the first of them in the caller's own."""
        del at_once
        first, *others = calls
        parent = self.task
        process = parent.process
        results: list[T | None] = [None for _ in others]
        left = len(others)
        waiting = False

        def child(call: Callable[[], T], number: int) -> None:
            nonlocal left
            results[number] = call()
            left -= 1
            if left == 0 and waiting:
                self.at(self.now, partial(self._resume, parent))

        for number, call in enumerate(others):
            self.start(process, partial(child, call, number))
        own = first()
        if left:
            waiting = True
            self._hub.switch()
        return [own, *cast("list[T]", results)]

    def pause(self, seconds: float) -> None:
        """Wait, in virtual time."""
        self.sleep(seconds)
