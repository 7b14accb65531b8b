"""Granting and deducting on fakes, under every fault of their one commit."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest

from tests.unit.fakes import FakeDeadline, Fault
from tests.unit.services.conftest import World
from till.domain.account import InsufficientCreditError
from till.domain.money import Money
from till.services.ports.store_errors import (
    BusyError,
    UnansweredCommitError,
    UnconfirmedCommitError,
)
from till.services.ports.upstream import CustomerNotFoundError
from till.services.read_credit import ReadCredit
from till.services.shared.idempotency import IdempotencyKeyReusedError

LOST, REFUSED = Fault(applied=True), Fault(applied=False)
FAULTS = [[], [REFUSED], [LOST], [REFUSED, LOST], [LOST, REFUSED, LOST]]


@pytest.mark.parametrize("faults", FAULTS)
def test_a_grant_counts_once_whatever_befalls_its_commit(
    world: World, faults: list[Fault | None]
) -> None:
    world.store.faults = list(faults)
    request = world.adjustment(500, "key")
    first = world.credit.grant(request, FakeDeadline())
    again = world.credit.grant(request, FakeDeadline())
    assert again.change == first.change
    assert again.replayed
    assert world.balance() == (10_500, 0)
    world.audit()


def test_a_replay_shows_the_balance_as_it_was(world: World) -> None:
    request = world.adjustment(500, "key")
    first = world.credit.grant(request, FakeDeadline())
    world.grant(7)
    again = world.credit.grant(request, FakeDeadline())
    assert again.change.account.posted == first.change.account.posted == Money(10_500)


@pytest.mark.parametrize(
    "other", [{"amount": Money(501)}, {"reason": "another"}], ids=["amount", "reason"]
)
def test_a_key_with_another_body_is_refused(world: World, other: dict[str, object]) -> None:
    request = world.adjustment(500, "key")
    world.credit.grant(request, FakeDeadline())
    with pytest.raises(IdempotencyKeyReusedError):
        world.credit.grant(replace(request, **other), FakeDeadline())  # type: ignore[arg-type]
    assert world.balance() == (10_500, 0)


def test_a_key_belongs_to_one_operation(world: World) -> None:
    request = world.adjustment(500, "key")
    world.credit.grant(request, FakeDeadline())
    assert not world.credit.deduct(request, FakeDeadline()).replayed
    assert world.balance() == (10_000, 0)


def test_a_deduction_takes_no_more_than_is_available(world: World) -> None:
    request = world.adjustment(10_001, "key")
    with pytest.raises(InsufficientCreditError):
        world.credit.deduct(request, FakeDeadline())
    world.grant(1)
    assert not world.credit.deduct(request, FakeDeadline()).replayed, "the refusal is forgotten"
    assert world.balance() == (0, 0)
    world.audit()


def test_a_deduction_is_not_refused_by_its_own_effect(world: World) -> None:
    """Its key becomes visible after the account, on which another change may have followed."""
    request = world.adjustment(6_000, "key")
    first = world.credit.deduct(request, FakeDeadline())
    world.grant(1)
    world.store.keys_hidden = True
    again = world.credit.deduct(request, FakeDeadline())
    assert (again.change, again.replayed) == (first.change, True)


def test_only_a_customer_who_exists_gets_an_account(world: World) -> None:
    stranger = replace(world.adjustment(5), customer_id=uuid4())
    with pytest.raises(CustomerNotFoundError):
        world.credit.grant(stranger, FakeDeadline())
    with pytest.raises(CustomerNotFoundError):
        world.credit.deduct(stranger, FakeDeadline())


def test_an_account_outlives_its_customer(world: World) -> None:
    world.customers.customers.clear()
    read = ReadCredit(world.store, world.customers, world.clock)
    assert read.balance(world.customer_id).posted == Money(10_000)
    world.credit.deduct(world.adjustment(10_000), FakeDeadline())
    with pytest.raises(CustomerNotFoundError):
        read.balance(uuid4())


def test_contention_that_does_not_end_is_told(world: World) -> None:
    world.store.faults = [REFUSED] * 100
    with pytest.raises(BusyError):
        world.credit.grant(world.adjustment(5), FakeDeadline(5, less_each_look=1))
    assert world.balance() == (10_000, 0)


def test_a_refusal_after_a_try_in_doubt_is_not_final(world: World) -> None:
    """The first try may still take effect: "nothing was changed" could become false."""

    def in_doubt(_: object) -> Exception | None:
        world.store.fails = lambda _: None
        world.credit.deduct(world.adjustment(6_000), FakeDeadline())
        return UnansweredCommitError()

    world.store.fails = in_doubt
    with pytest.raises(BusyError) as busy:
        world.credit.deduct(world.adjustment(5_000), FakeDeadline())
    assert isinstance(busy.value.__cause__, InsufficientCreditError)


def test_a_refusal_after_a_refused_try_is_final(world: World) -> None:
    def refused(_: object) -> Exception | None:
        world.store.fails = lambda _: None
        world.credit.deduct(world.adjustment(6_000), FakeDeadline())
        return UnconfirmedCommitError()

    world.store.fails = refused
    with pytest.raises(InsufficientCreditError):
        world.credit.deduct(world.adjustment(5_000), FakeDeadline())
