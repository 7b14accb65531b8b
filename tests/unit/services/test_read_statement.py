"""Statements: which entries are in them, how they are paged, and what is never given out."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.unit.fakes import NOON
from till.domain.actor import Actor
from till.domain.instant import TimeInFutureError
from till.domain.ledger import BEGINNING, LedgerCorruptError, verify_chain
from till.domain.money import Money
from till.domain.statement import OutsidePeriodError, Period, PeriodReversedError
from till.services.ports.upstream import CustomerNotFoundError
from till.services.read_statement import ReadStatement

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from tests.unit.services.conftest import World
    from till.domain.statement import Statement
    from till.services.read_statement import StatementPage

SECOND = timedelta(seconds=1)
ALWAYS = Period(None, None)


def read_page(
    world: World,
    period: Period = ALWAYS,
    *,
    after: int | None = None,
    customer_id: UUID | None = None,
) -> StatementPage:
    return ReadStatement(world.store, world.customers, world.clock).page(
        customer_id or world.customer_id,
        starts_at=period.starts_at,
        ends_at=period.ends_at,
        after=after,
    )


def pages(world: World, period: Period) -> list[Statement]:
    page = read_page(world, period)
    found = [page.statement]
    while page.after is not None:
        page = read_page(world, period, after=page.after)
        found.append(page.statement)
    return found


def whole(world: World, starts_at: datetime | None, ends_at: datetime | None) -> Statement:
    (statement,) = pages(world, Period(starts_at, ends_at))
    return statement


def test_a_period_has_what_happened_from_its_first_time_until_before_its_last(
    world: World,
) -> None:
    times = []
    for _ in range(4):
        world.clock.advance(10)
        times.append(world.clock.now())
        world.grant(1)
    world.buy()  # a hold and its entry: holds are not in a statement
    world.clock.advance(60)
    statement = whole(world, times[1], times[3])
    assert [entry.created_at for entry in statement.entries] == times[1:3]
    assert (statement.opening.sequence, statement.closing.sequence) == (2, 4)
    assert statement.opening.balance == Money(10_001)
    assert statement.closing.balance == Money(10_003)
    assert whole(world, None, None).entries[-1].amount == Money(-1_000)


def test_statements_of_neighbouring_periods_join(world: World) -> None:
    bounds = [None, *(NOON + n * 7 * SECOND for n in range(1, 6)), None]
    for _ in range(20):
        world.clock.advance(2)
        world.grant(1)
    world.clock.advance(60)
    parts = [whole(world, starts_at, ends_at) for starts_at, ends_at in itertools.pairwise(bounds)]
    assert parts[0].opening == BEGINNING
    for part, following in itertools.pairwise(parts):
        assert part.closing == following.opening
    entries = [entry for part in parts for entry in part.entries]
    assert tuple(entries) == whole(world, None, None).entries


def test_long_statements_come_in_pages_that_continue_each_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("till.services.read_statement.MOST_ENTRIES", 3)
    for _ in range(6):
        world.grant(1)
    found = pages(world, ALWAYS)
    assert [len(page.entries) for page in found] == [3, 3, 1]
    assert [page.is_first_page for page in found] == [True, False, False]
    assert [page.is_last_page for page in found] == [False, False, True]
    for page, following in itertools.pairwise(found):
        assert page.closing == following.opening
    assert verify_chain(entry for page in found for entry in page.entries) == found[-1].closing


def test_a_page_cannot_begin_outside_its_period(world: World) -> None:
    for _ in range(5):
        world.clock.advance(10)
        world.grant(1)
    world.clock.advance(60)
    period = Period(NOON + 25 * SECOND, NOON + 45 * SECOND)
    assert read_page(world, period, after=4).statement.is_first_page is False
    for version in (-1, 0, 1, 2, 3, 5, 6, 7, 10**9):
        with pytest.raises(OutsidePeriodError):
            read_page(world, period, after=version)


def test_a_customer_without_credit_has_an_empty_statement(world: World) -> None:
    newcomer = world.customers.add()
    statement = read_page(world, customer_id=newcomer).statement
    assert (statement.opening, statement.entries, statement.closing) == (BEGINNING, (), BEGINNING)
    world.customers.customers.clear()
    with pytest.raises(CustomerNotFoundError):
        read_page(world, customer_id=newcomer)


def test_there_is_no_period_in_the_future_or_that_ends_before_it_begins(world: World) -> None:
    now = world.clock.now()
    for period in (Period(now, now), Period(now, now - SECOND)):
        with pytest.raises(PeriodReversedError):
            pages(world, period)
    for period, field in (
        (Period(now + SECOND, None), "from"),
        (Period(None, now + SECOND), "to"),
        (Period(now - SECOND, now + SECOND), "to"),
    ):
        with pytest.raises(TimeInFutureError) as refused:
            pages(world, period)
        assert refused.value.field == field


@pytest.mark.parametrize(
    "change",
    [
        {"actor": Actor("someone else")},
        {"reason": "another"},
        {"amount": Money(7)},
        {"balance_after": Money(7)},
        {"previous_hash": "f" * 64},
        {"hash": "f" * 64},
    ],
)
def test_what_does_not_add_up_is_not_given_out(world: World, change: dict[str, object]) -> None:
    world.grant(1)
    world.grant(1)
    entry = world.store.changes[world.customer_id][1].entry
    assert entry is not None
    world.store.tamper(world.customer_id, 2, entry=replace(entry, **change))  # type: ignore[arg-type]
    with pytest.raises(LedgerCorruptError):
        whole(world, None, None)
