from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.fakes import opened
from till.domain.account import Account, AccountChange
from till.domain.actor import Actor
from till.domain.ledger import Cause, LedgerCorruptError
from till.domain.money import Money
from till.services.ports.events import RecordLocation, UnreadableRecordError
from till.services.publish_events import TRIES, EventsNotPublishedError, PublishEvents

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from till.domain.errors import TillError
    from till.domain.events import DomainEvent

CAUSE = Cause(
    actor=Actor("a"), at=datetime(2026, 11, 22, tzinfo=UTC), reason="r", idempotency_key="k"
)


@dataclass
class Deadline:
    seconds: float = 25.0

    def remaining_seconds(self) -> float:
        return self.seconds


@dataclass
class Record:
    location: RecordLocation
    found: AccountChange | None

    def change(self) -> AccountChange:
        if self.found is None:
            raise UnreadableRecordError("amount: missing")
        return self.found


@dataclass
class Bus:
    """Takes what it is told to take; remembers each call and what is on it, in order."""

    takes: Callable[[DomainEvent], bool] = field(default=lambda _: True)
    most_at_once: int = 10
    calls: list[list[DomainEvent]] = field(default_factory=list)
    on_it: list[DomainEvent] = field(default_factory=list)

    def publish(self, events: Sequence[DomainEvent]) -> frozenset[UUID]:
        assert 0 < len(events) <= self.most_at_once
        self.calls.append(list(events))
        taken = [event for event in events if self.takes(event)]
        self.on_it += taken
        return frozenset(event.id for event in taken)


@dataclass
class DeadLetters:
    letters: list[tuple[RecordLocation, TillError]] = field(default_factory=list)
    fails: bool = False

    def add(self, location: RecordLocation, error: TillError) -> None:
        if self.fails:
            raise ConnectionError("no queue")
        self.letters.append((location, error))


@dataclass
class Ledger:
    versions: dict[tuple[UUID, int], AccountChange] = field(default_factory=dict)

    def change(self, customer_id: UUID, version: int) -> AccountChange:
        return self.versions[customer_id, version]


class World:
    """A stream with its writer and its publisher."""

    def __init__(self, bus: Bus | None = None) -> None:
        self.bus = bus or Bus()
        self.dead_letters = DeadLetters()
        self.ledger = Ledger()
        self.pauses: list[float] = []
        self.records: list[Record] = []
        self._accounts: dict[UUID, Account] = {}
        self._publish = PublishEvents(
            bus=self.bus,
            dead_letters=self.dead_letters,
            versions=self.ledger,
            pause=self.pauses.append,
        )

    def grant(self, customer: UUID) -> AccountChange:
        account = self._accounts.get(customer) or Account.empty(customer)
        return self.write(account.grant(Money(100), CAUSE))

    def write(self, change: AccountChange) -> AccountChange:
        self._accounts[change.account.customer_id] = change.account
        self.records.append(Record(self._location(), change))
        key = (change.account.customer_id, change.account.version)
        self.ledger.versions[key] = change
        return change

    def write_nonsense(self) -> RecordLocation:
        self.records.append(Record(self._location(), None))
        return self.records[-1].location

    def _location(self) -> RecordLocation:
        return RecordLocation(
            partition_key="ACCOUNT#x", sort_key="VERSION#x", sequence_number=str(len(self.records))
        )

    def run(self, seconds: float = 25.0) -> tuple[int, int]:
        report = self._publish(self.records, Deadline(seconds))
        return report.published, report.unreadable

    def again(self, customer: UUID, version: int) -> int:
        return self._publish.again(customer, version, Deadline()).published

    def versions_on_bus(self) -> dict[UUID, list[int]]:
        found: dict[UUID, list[int]] = defaultdict(list)
        for event in self.bus.on_it:
            found[event.customer_id].append(event.account_version)
        return found


def test_every_change_arrives_once_and_in_order() -> None:
    world = World()
    customers = [uuid4() for _ in range(13)]
    for _ in range(3):
        for customer in customers:
            world.grant(customer)

    assert world.run() == (39, 0)

    assert world.versions_on_bus() == {customer: [1, 2, 3] for customer in customers}
    assert world.pauses == []
    # Nothing is sent in more calls than it takes: thirteen at most ten at a time, three times.
    assert len(world.bus.calls) == 4


def test_no_call_carries_two_events_of_one_customer() -> None:
    world = World()
    one, other = uuid4(), uuid4()
    for customer in (one, one, other, one, other):
        world.grant(customer)
    world.run()
    for call in world.bus.calls:
        assert len({event.customer_id for event in call}) == len(call)


def test_a_hold_is_passed_over() -> None:
    world = World()
    customer = uuid4()
    account = world.grant(customer).account
    hold = account.hold(opened(Money(50)), CAUSE)
    world.write(hold)
    world.grant(customer)
    assert world.run() == (2, 0)
    assert world.versions_on_bus() == {customer: [1, 3]}


def test_nothing_at_all_is_no_call() -> None:
    world = World()
    assert world.run() == (0, 0)
    assert world.bus.calls == []


@given(
    refusals=st.lists(st.booleans(), max_size=40), whose=st.lists(st.integers(0, 3), max_size=12)
)
def test_whatever_the_bus_refuses_for_a_while_the_order_of_a_customer_stays(
    refusals: list[bool], whose: list[int]
) -> None:
    answers = iter(refusals)
    world = World(Bus(takes=lambda _: not next(answers, False), most_at_once=2))
    customers = [uuid4() for _ in range(4)]
    for one in whose:
        world.grant(customers[one])
    written = defaultdict(list)
    for record in world.records:
        assert record.found is not None
        written[record.found.account.customer_id].append(record.found.account.version)

    # Lambda makes the call again until it succeeds.
    while True:
        try:
            world.run()
            break
        except EventsNotPublishedError:
            continue

    for customer, versions in world.versions_on_bus().items():
        first_seen = list(dict.fromkeys(versions))
        assert first_seen == written[customer]
    assert world.versions_on_bus().keys() == written.keys()


def test_one_that_is_always_refused_does_not_keep_the_others_back() -> None:
    stuck, others = uuid4(), [uuid4() for _ in range(5)]
    world = World(Bus(takes=lambda event: event.customer_id != stuck, most_at_once=2))
    for customer in (stuck, *others, stuck, *others):
        world.grant(customer)

    with pytest.raises(EventsNotPublishedError, match="2 events"):
        world.run()

    assert world.versions_on_bus() == {customer: [1, 2] for customer in others}


def test_a_bus_that_takes_nothing_is_given_up_after_growing_pauses() -> None:
    world = World(Bus(takes=lambda _: False))
    world.grant(uuid4())
    with pytest.raises(EventsNotPublishedError):
        world.run()
    assert len(world.bus.calls) == TRIES
    assert len(world.pauses) == TRIES - 1


def test_without_time_nothing_is_begun() -> None:
    world = World()
    world.grant(uuid4())
    with pytest.raises(EventsNotPublishedError, match="no time"):
        world.run(seconds=8.9)
    assert world.bus.calls == []


def test_an_unreadable_record_goes_to_the_dead_letters_and_the_rest_goes_on() -> None:
    world = World()
    one, other = uuid4(), uuid4()
    world.grant(one)
    expected = world.write_nonsense()
    world.grant(one)
    world.grant(other)

    assert world.run() == (3, 1)

    assert world.versions_on_bus() == {one: [1, 2], other: [1]}
    ((location, error),) = world.dead_letters.letters
    assert location == expected
    assert str(error) == "amount: missing"


def test_a_change_that_the_rules_cannot_have_made_goes_to_the_dead_letters() -> None:
    world = World()
    customer = uuid4()
    granted = Account.empty(customer).grant(Money(100), CAUSE)
    world.records.append(
        Record(
            RecordLocation(partition_key="p", sort_key="s", sequence_number="1"),
            AccountChange(
                account=granted.account,
                kind=granted.kind,
                amount=granted.amount,
                cause=CAUSE,
                attempt_id=None,
                entry=None,
            ),
        )
    )
    assert world.run() == (0, 1)
    assert isinstance(world.dead_letters.letters[0][1], LedgerCorruptError)


def test_a_change_of_two_currencies_goes_to_the_dead_letters() -> None:
    world = World()
    customer = uuid4()
    world.grant(customer)
    change = Account.empty(customer).grant(Money(100), CAUSE)
    foreign = replace(change, account=replace(change.account, posted=Money(100, "EUR")))
    where = RecordLocation(partition_key="p", sort_key="s", sequence_number="1")
    world.records.append(Record(where, foreign))
    assert world.run() == (1, 1)
    assert isinstance(world.dead_letters.letters[0][1], UnreadableRecordError | LedgerCorruptError)


def test_a_change_of_amounts_out_of_bounds_goes_to_the_dead_letters() -> None:
    world = World()
    customer = uuid4()
    world.grant(customer)
    change = Account.empty(customer).grant(Money(100), CAUSE)
    least, attempts = Money(-(2**53 - 1)), (opened(Money(1)),)
    forged = replace(change, account=replace(change.account, posted=least, open_attempts=attempts))
    where = RecordLocation(partition_key="p", sort_key="s", sequence_number="1")
    world.records.append(Record(where, forged))
    assert world.run() == (1, 1)
    assert str(world.dead_letters.letters[0][1]) == "AmountOutOfBoundsError"


def test_a_record_whose_dead_letter_fails_is_not_lost() -> None:
    world = World()
    world.dead_letters.fails = True
    world.write_nonsense()
    with pytest.raises(ConnectionError):
        world.run()


def test_an_operator_has_one_published_again() -> None:
    world = World()
    customer = uuid4()
    world.grant(customer)
    world.run()
    assert world.again(customer, 1) == 1
    first, second = world.bus.on_it
    assert first == second
    with pytest.raises(LookupError):
        world.again(customer, 2)
