"""Many requests at the same moment."""

from __future__ import annotations

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol, TypeVar

import httpx

from tests.integration.client import Reply, new_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pydantic import BaseModel

T = TypeVar("T")
Answer = TypeVar("Answer", bound="httpx.Response | Reply[BaseModel]")
START_WITHIN_SECONDS = 60.0
FIRST_WAVE = 4
RETRY_AFTER_SECONDS = (1, 2, 4, 8, 16)


def all_at_once(calls: Sequence[Callable[[], T]]) -> list[T]:
    """Make every call on a thread of its own, and none before all threads are ready."""
    gate = threading.Barrier(len(calls))

    def run(call: Callable[[], T]) -> T:
        gate.wait(START_WITHIN_SECONDS)
        return call()

    with ThreadPoolExecutor(max_workers=len(calls)) as pool:
        return [future.result() for future in [pool.submit(run, call) for call in calls]]


def retried(call: partial[Answer]) -> Callable[[], Answer]:
    """A call that is repeated with its key while the answer is 503, as a client would."""

    def run() -> Answer:
        keyed = partial(call, key=new_key())
        answer = keyed()
        for seconds in RETRY_AFTER_SECONDS:
            response = answer if isinstance(answer, httpx.Response) else answer.response
            if response.status_code != HTTPStatus.SERVICE_UNAVAILABLE:
                break
            time.sleep(seconds)
            answer = keyed()
        return answer

    return run


def warm_up(calls: Sequence[Callable[[], object]]) -> None:
    """Let the emulator start a worker for each of the calls, in waves that double.

    A worker for each at the same moment, in containers as LocalStack has them, keeps two cores busy
    for longer than a caller waits.
    """
    size = min(FIRST_WAVE, len(calls))
    all_at_once(calls[:size])
    while size < len(calls):
        size = min(2 * size, len(calls))
        all_at_once(calls[:size])


def outcomes(replies: Iterable[Reply[BaseModel]]) -> Counter[str]:
    """How many got which answer: the status, or the problem's name."""
    return Counter(str(r.status) if r.ok else r.problem().slug for r in replies)


class Crowd(Protocol):
    """How many calls are made at the same moment: see the fixture."""

    def __call__(self, calls: Sequence[partial[Answer]], /) -> list[Answer]:
        """Make them all; gives back the answers, in their order."""
        ...
