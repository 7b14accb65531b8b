"""The balance as it was."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from tests.unit.fakes import NOON, FakeStore
from till.domain.account import Account
from till.domain.actor import Actor
from till.domain.instant import TimeInFutureError
from till.domain.ledger import Cause
from till.domain.money import Money
from till.services.ports.upstream import CustomerNotFoundError
from till.services.read_credit import ReadCredit

if TYPE_CHECKING:
    from uuid import UUID

    from tests.unit.services.conftest import World
    from till.domain.account import AccountChange

MILLION = 1_000_000
SECOND = timedelta(seconds=1)
LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)


class MillionVersions(FakeStore):
    """An account whose version n was made n seconds after noon and has a posted n."""

    reads = 0

    def account(self, customer_id: UUID) -> Account:
        return self.change(customer_id, MILLION).account

    def change(self, customer_id: UUID, version: int) -> AccountChange:
        self.reads += 1
        cause = Cause(
            actor=Actor("rep"),
            at=NOON + version * SECOND,
            reason="test",
            idempotency_key=str(version),
        )
        before = replace(Account.empty(customer_id), version=version - 1)
        return before.grant(Money(version), cause)


@pytest.mark.parametrize("version", [0, 1, 2, 3, 499_999, 500_000, 777_777, MILLION - 1, MILLION])
@pytest.mark.parametrize("later", [timedelta(), SECOND / 2])
def test_a_million_versions_take_21_reads(world: World, version: int, later: timedelta) -> None:
    store = MillionVersions()
    world.clock.instant = NOON + timedelta(days=365)
    read = ReadCredit(store, world.customers, world.clock)
    account = read.balance_at(world.customer_id, NOON + version * SECOND + later)
    assert (account.version, account.posted) == (version, Money(version))
    assert store.reads <= 21


def test_every_version_is_found_from_its_time_on(world: World) -> None:
    read = ReadCredit(world.store, world.customers, world.clock)
    for seconds in (0, 1, 0, 0, 5, 0.000001, -3, 0):  # -3: a clock that is behind
        world.clock.advance(seconds)
        world.grant(1)
    world.clock.advance(60)
    accounts = [change.account for change in world.store.changes[world.customer_id]]
    times = {account.updated_at for account in accounts if account.updated_at is not None}
    for at in {LONG_AGO, *times, *(t - SECOND / 10**6 for t in times), world.clock.now()}:
        past = [a for a in accounts if a.updated_at is not None and a.updated_at <= at]
        expected = past[-1] if past else Account.empty(world.customer_id)
        assert read.balance_at(world.customer_id, at) == expected


def test_what_was_held_then_counts_as_held(world: World) -> None:
    read = ReadCredit(world.store, world.customers, world.clock)
    world.carrier.during = lambda: world.clock.advance(10)
    start = world.clock.now()
    world.buy()
    held = read.balance_at(world.customer_id, start + 5 * SECOND)
    assert (held.posted, held.held) == (Money(10_000), Money(1_000))
    paid = read.balance_at(world.customer_id, start + 10 * SECOND)
    assert (paid.posted, paid.held) == (Money(9_000), Money(0))


def test_the_future_is_refused(world: World) -> None:
    read = ReadCredit(world.store, world.customers, world.clock)
    newcomer = world.customers.add()
    for customer_id in (world.customer_id, newcomer):
        read.balance_at(customer_id, world.clock.now())
        with pytest.raises(TimeInFutureError):
            read.balance_at(customer_id, world.clock.now() + SECOND / 10**6)


def test_the_time_of_a_version_is_past_even_for_a_clock_that_is_behind(world: World) -> None:
    read = ReadCredit(world.store, world.customers, world.clock)
    newest = world.store.account(world.customer_id)
    assert newest.updated_at is not None
    world.clock.advance(-60)
    assert read.balance_at(world.customer_id, newest.updated_at) == newest
    with pytest.raises(TimeInFutureError):
        read.balance_at(world.customer_id, newest.updated_at + SECOND)


def test_before_the_first_version_there_was_nothing(world: World) -> None:
    read = ReadCredit(world.store, world.customers, world.clock)
    newcomer = world.customers.add()
    for customer_id in (world.customer_id, newcomer):
        assert read.balance_at(customer_id, LONG_AGO) == Account.empty(customer_id)
    with pytest.raises(CustomerNotFoundError):
        read.balance_at(uuid4(), LONG_AGO)
