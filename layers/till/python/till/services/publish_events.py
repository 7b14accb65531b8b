"""Telling others what happened to accounts: at least once, and in order for each customer."""

from __future__ import annotations

import random
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from till.domain.errors import TillError
from till.domain.events import event_of
from till.domain.ledger import LedgerCorruptError
from till.services.ports.events import UnreadableRecordError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from uuid import UUID

    from till.domain.events import DomainEvent
    from till.services.ports.events import AccountVersions, DeadLetters, EventBus, LedgerRecord
    from till.services.ports.run import Deadline

TRIES: Final = 4
"""How often in a row the bus may take nothing at all before the run is given up."""

_FIRST_PAUSE_SECONDS: Final = 0.05
_KEPT_SECONDS: Final = 9.0
"""What a call takes at most that the bus does not answer: without so much left, none is begun."""


class EventsNotPublishedError(TillError):
    """The bus did not take all events: the run is to be made again, from its beginning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishReport:
    """What one run did."""

    published: int
    unreadable: int


class PublishEvents:
    """Publishes the domain events of new versions of accounts.

    No call of the bus carries two events of one customer, since the bus may take the second and
    refuse the first. So each event is on the bus before the next of its customer is sent.
    """

    def __init__(
        self,
        *,
        bus: EventBus,
        dead_letters: DeadLetters,
        versions: AccountVersions,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._bus = bus
        self._dead_letters = dead_letters
        self._versions = versions
        self._pause = pause

    def __call__(self, records: Iterable[LedgerRecord], deadline: Deadline) -> PublishReport:
        """Publish what the records stand for, in their order.

        An unreadable record goes to the dead letters, and the others go on.

        Raises:
            EventsNotPublishedError: the bus does not take them; some may have been published.
        """
        events: list[DomainEvent] = []
        unreadable = 0
        for record in records:
            try:
                event = _event_of(record)
            except (UnreadableRecordError, LedgerCorruptError) as error:
                self._dead_letters.add(record.location, error)
                unreadable += 1
                continue
            if event is not None:
                events.append(event)
        self._publish(events, deadline)
        return PublishReport(published=len(events), unreadable=unreadable)

    def again(self, customer_id: UUID, version: int, deadline: Deadline) -> PublishReport:
        """Publish the event of a version once more, from the ledger.

        For an unreadable record, once it can be read.

        Raises:
            InconsistentReadError: there is no such version.
            LedgerCorruptError: it is still unreadable.
            EventsNotPublishedError: the bus does not take it.
        """
        event = event_of(self._versions.change(customer_id, version))
        events = [event] if event is not None else []
        self._publish(events, deadline)
        return PublishReport(published=len(events), unreadable=0)

    def _publish(self, events: list[DomainEvent], deadline: Deadline) -> None:
        waiting: dict[UUID, deque[DomainEvent]] = {}
        for event in events:
            waiting.setdefault(event.customer_id, deque()).append(event)
        fruitless = 0
        while waiting:
            if deadline.remaining_seconds() < _KEPT_SECONDS:
                raise EventsNotPublishedError(f"no time left for {_count(waiting)} events")
            wave = [queue[0] for queue in waiting.values()][: self._bus.most_at_once]
            taken = self._bus.publish(wave)
            for event in wave:
                # Each customer of this wave goes to the end: one whose event the bus refuses again
                # and again does not block the others.
                queue = waiting.pop(event.customer_id)
                if event.id in taken:
                    queue.popleft()
                if queue:
                    waiting[event.customer_id] = queue
            fruitless = 0 if taken else fruitless + 1
            if fruitless == TRIES:
                raise EventsNotPublishedError(f"the bus does not take {_count(waiting)} events")
            if len(taken) < len(wave):
                longest = _FIRST_PAUSE_SECONDS * 2**fruitless
                self._pause(random.uniform(0, longest))  # noqa: S311 - jitter, not a secret


def _event_of(record: LedgerRecord) -> DomainEvent | None:
    try:
        return event_of(record.change())
    except (UnreadableRecordError, LedgerCorruptError):
        raise
    except (TillError, ValueError) as error:
        # What no version of ours can hold, such as amounts of two currencies, or out of bounds.
        raise UnreadableRecordError(type(error).__name__) from error


def _count(waiting: dict[UUID, deque[DomainEvent]]) -> int:
    return sum(map(len, waiting.values()))
