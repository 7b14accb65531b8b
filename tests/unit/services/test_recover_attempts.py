"""Recovering attempts that have no outcome."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from tests.unit.fakes import FakeDeadline, Fault
from tests.unit.services.conftest import World
from tests.unit.services.open_attempts import (
    LOST,
    REFUSED,
    SHIPPED,
    audit_both,
    die_at_the_carrier,
    lose_sight,
    resolution,
)
from till.domain.account import ChangeKind
from till.domain.purchase import (
    AttemptState,
    NotShipped,
    OrphanStatus,
    OutcomeUnknown,
    Shipped,
)
from till.services.errors import (
    ShipmentFailedError,
    ShipmentOutcomeUnknownError,
)
from till.services.ports.attempts import UpdateAttempt, WorkPage
from till.services.ports.store import Write
from till.services.ports.store_errors import UnconfirmedCommitError
from till.services.recover_attempts import RECOVERY_ACTOR


def test_a_dead_attempt_becomes_unknown_and_is_not_shipped_again(world: World) -> None:
    die_at_the_carrier(world)
    assert world.recover().made_unknown == [], "its time has not passed"
    world.clock.advance(61)
    attempt_id = world.the_attempt().id
    assert world.recover().made_unknown == [attempt_id]
    attempt = world.the_attempt()
    assert attempt.state is AttemptState.UNKNOWN
    assert world.balance() == (10_000, 1000)
    assert len(world.carrier.calls) == 1
    with pytest.raises(ShipmentOutcomeUnknownError):
        world.buy()
    report = world.recover()
    assert (report.made_unknown, report.unknown.count) == ([], 1)
    assert report.unknown.oldest_since == attempt.unknown_since
    world.audit()


@pytest.mark.parametrize("faults", [[], [REFUSED], [LOST], [LOST, REFUSED]])
def test_past_the_deadline_it_is_voided_in_the_customers_favour(
    world: World, faults: list[Fault | None]
) -> None:
    lose_sight(world)
    world.clock.advance(24 * 3600 - 1)
    assert world.recover().voided_at_deadline == []
    world.clock.advance(1)
    world.store.faults = list(faults)
    world.recover()
    attempt = world.the_attempt()
    assert (attempt.state, attempt.listed_as) == (AttemptState.VOIDED, OrphanStatus.OPEN)
    report = world.recover()
    assert (report.orphans.count, report.orphans.oldest_since) == (1, world.clock.now())
    assert attempt.resolution is not None
    assert attempt.resolution.actor == RECOVERY_ACTOR
    assert world.balance() == (10_000, 0)
    last = world.store.changes[world.customer_id][-1]
    assert (last.kind, last.cause.actor) == (ChangeKind.VOID, RECOVERY_ACTOR)
    audit_both(world)


@pytest.mark.parametrize(
    "outcome", [NotShipped(message="no such address"), Shipped(shipment_id="S1")], ids=["no", "yes"]
)
def test_an_answer_that_comes_after_the_deadline_is_kept(
    world: World, outcome: Shipped | NotShipped
) -> None:
    """Clocks that are hours ahead void the attempt while its carrier is asked."""

    def time_flies() -> None:
        world.carrier.during = lambda: None
        for hours in (1, 25):
            world.clock.advance(hours * 3600)
            world.recover()

    world.carrier.during = time_flies
    world.carrier.outcome = outcome
    with pytest.raises(ShipmentFailedError):
        world.buy()
    attempt = world.the_attempt()
    assert attempt.carrier_outcome == outcome
    assert attempt.listed_as is OrphanStatus.OPEN, "a person closes it"
    audit_both(world)


def test_an_idempotent_carrier_is_asked_again(world: World) -> None:
    die_at_the_carrier(world)
    world.clock.advance(61)
    world.policy = replace(world.policy, shipments_idempotent=True)
    world.carrier.outcome = Shipped(shipment_id="S1")
    report = world.recover()
    attempt = world.the_attempt()
    assert report.settled == [attempt.id]
    assert attempt.state is AttemptState.COMPLETED
    assert world.carrier.calls == [attempt.id, attempt.id], "under the same key"
    assert world.balance() == (9000, 0)
    world.audit()


@pytest.mark.parametrize(
    ("first", "reported"), [("S1", True), ("S2", False)], ids=["another parcel", "the same one"]
)
def test_a_second_parcel_for_a_purchase_is_reported(
    world: World, first: str, *, reported: bool
) -> None:
    """The recovery, by a clock that is ahead, ships again during the first call."""
    world.policy = replace(world.policy, shipments_idempotent=True)

    def meanwhile() -> None:
        world.carrier.during = None
        world.clock.advance(61)
        world.carrier.outcome = Shipped(shipment_id="S2")
        world.recover()
        world.carrier.outcome = Shipped(shipment_id=first)

    world.carrier.during = meanwhile
    world.buy()
    attempt = world.the_attempt()
    assert attempt.purchase is not None
    assert attempt.purchase.shipment_id == "S2"
    wanted = [(attempt.id, Shipped(shipment_id=first))] if reported else []
    assert world.incidents.not_recorded == wanted
    world.audit()


def test_a_second_parcel_of_an_orphan_is_reported(world: World) -> None:
    """By a clock that is days ahead the attempt is voided during two calls of the carrier."""
    world.policy = replace(world.policy, shipments_idempotent=True)

    def during_the_second_call() -> None:
        world.carrier.during = None
        world.carrier.outcome = OutcomeUnknown(message="The Shipment API did not answer in time.")
        world.recover()
        world.clock.advance(24 * 3600)
        world.recover()
        assert world.the_attempt().state is AttemptState.VOIDED
        world.carrier.outcome = Shipped(shipment_id="S2")

    def during_the_first_call() -> None:
        world.carrier.during = during_the_second_call
        world.clock.advance(61)
        world.recover()
        world.carrier.outcome = Shipped(shipment_id="S1")

    world.carrier.during = during_the_first_call
    with pytest.raises(ShipmentFailedError):
        world.buy()
    attempt = world.the_attempt()
    assert attempt.orphan is not None
    assert attempt.orphan.shipment_id == "S2", "the first parcel that was told"
    assert world.incidents.not_recorded == [(attempt.id, Shipped(shipment_id="S1"))]
    world.audit()


def test_a_first_call_that_did_not_ship_says_nothing_of_the_recoverys_call(world: World) -> None:
    """The recovery, by a clock that is ahead, is killed after it shipped again."""
    world.policy = replace(world.policy, shipments_idempotent=True)

    def meanwhile() -> None:
        world.carrier.during = None
        world.clock.advance(61)
        world.carrier.outcome = RuntimeError("killed, but there is a parcel")
        world.recover()
        world.carrier.outcome = NotShipped(message="The Shipment API answered with 500.")

    world.carrier.during = meanwhile
    with pytest.raises(ShipmentOutcomeUnknownError):
        world.buy()
    assert world.the_attempt().state is AttemptState.UNKNOWN
    assert world.balance() == (10_000, 1_000), "the hold stays"
    world.audit()


def test_an_unknown_outcome_of_a_voided_attempt_is_a_possible_orphan(world: World) -> None:
    """By a clock that is ahead a rep decides during the call: there is no parcel yet."""

    def meanwhile() -> None:
        world.carrier.during = None
        world.clock.advance(61)
        world.recover()
        found = NotShipped(message="the carrier has no parcel")
        world.resolve(resolution(world, found), FakeDeadline())

    world.carrier.during = meanwhile
    world.carrier.outcome = OutcomeUnknown(message="The Shipment API did not answer in time.")
    with pytest.raises(ShipmentFailedError):
        world.buy()
    attempt = world.the_attempt()
    assert attempt.state is AttemptState.VOIDED
    assert attempt.listed_as is OrphanStatus.OPEN, "there may be a parcel after all"
    assert attempt.carrier_outcome == world.carrier.outcome
    audit_both(world)


@pytest.mark.parametrize("end_of_run", [die_at_the_carrier, lose_sight], ids=["PENDING", "UNKNOWN"])
@pytest.mark.parametrize("answer", [SHIPPED, NotShipped(message="out of stock")])
def test_a_noted_answer_outlasts_a_recovery_that_read_before_it(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    end_of_run: Callable[[World], None],
    answer: Shipped | NotShipped,
) -> None:
    end_of_run(world)
    world.clock.advance(61)
    stale = replace(world.the_attempt(), state=AttemptState.PENDING, carrier_outcome=None)
    current = world.the_attempt()
    noted = current.with_carrier_answer(answer, world.clock.now())
    world.store.commit(UpdateAttempt(current, noted))
    page = WorkPage((stale,), count=1, oldest=stale.reserved_at, after=None)
    with monkeypatch.context() as frozen:
        frozen.setattr(world.store, "oldest_attempts", lambda *_args, **_options: page)
        world.recover()
    assert world.the_attempt().carrier_outcome == answer
    world.recover()
    settled = AttemptState.COMPLETED if answer == SHIPPED else AttemptState.VOIDED
    assert world.the_attempt().state is settled
    world.audit()


def test_that_nothing_was_shipped_again_says_nothing_of_the_first_time(world: World) -> None:
    """The dead run's call may have gone through, and only the recovery's own failed."""
    die_at_the_carrier(world)
    world.clock.advance(61)
    world.policy = replace(world.policy, shipments_idempotent=True)
    world.carrier.outcome = NotShipped(message="The Shipment API could not be reached.")
    report = world.recover()
    attempt = world.the_attempt()
    assert report.made_unknown == [attempt.id]
    assert attempt.state is AttemptState.UNKNOWN
    assert world.balance() == (10_000, 1_000), "the hold stays"
    world.audit()


def test_one_attempt_that_cannot_be_recovered_does_not_stop_the_others(world: World) -> None:
    world.carrier.outcome = RuntimeError("killed")
    for key in ("a", "b", "c"):
        with pytest.raises(RuntimeError):
            world.buy(key)
    world.clock.advance(61)
    broken = next(iter(world.store.attempt_items.values()))
    world.store.attempt_items[broken.id] = replace(broken, customer_id=uuid4())
    report = world.recover()
    assert set(report.failed) == {broken.id}
    assert len(report.made_unknown) == 2
    assert report.finished


def test_open_orphans_take_no_time_from_attempts(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many there are, the attempts past their deadline are voided before."""
    lose_sight(world)
    world.clock.advance(24 * 3600)

    def without_end(*_: object, **__: object) -> WorkPage:
        deadline.seconds -= 1
        return WorkPage((), count=1000, oldest=world.clock.now(), after="more")

    deadline = FakeDeadline(25)
    monkeypatch.setattr(world.store, "count_attempts", without_end)
    report = world.recover(deadline)
    assert report.voided_at_deadline == [world.the_attempt().id]
    assert not report.finished
    assert report.orphans.count > 0


def test_a_run_without_time_says_that_it_did_not_finish(world: World) -> None:
    die_at_the_carrier(world)
    world.clock.advance(61)
    report = world.recover(FakeDeadline(1))
    assert not report.finished
    assert world.the_attempt().state is AttemptState.PENDING


def test_what_the_recovery_does_carries_its_name(world: World) -> None:
    die_at_the_carrier(world)
    world.clock.advance(61)
    world.recover()
    last = world.store.changes[world.customer_id][-1]
    assert (last.kind, last.cause.actor) == (ChangeKind.UNKNOWN, RECOVERY_ACTOR)


def test_an_attempt_whose_commit_is_always_refused_costs_a_run_three_tries(world: World) -> None:
    world.carrier.outcome = RuntimeError("killed")
    for key in ("first", "second", "third"):
        with pytest.raises(RuntimeError):
            world.buy(key)
        world.clock.advance(1)
    poison, *others = world.store.attempt_items
    world.clock.advance(61)

    def refuse_the_first(writes: tuple[Write, ...]) -> Exception | None:
        of_poison = any(isinstance(w, UpdateAttempt) and w.after.id == poison for w in writes)
        return UnconfirmedCommitError() if of_poison else None

    world.store.fails = refuse_the_first
    commits = world.store.commits
    report = world.recover()
    assert list(report.failed) == [poison]
    assert report.made_unknown == others, "oldest first"
    assert world.store.commits - commits == 3 + len(others), "three tries"
    assert not world.incidents.not_recorded, "no answer of the carrier was lost: there was none"


def test_voiding_at_the_deadline_costs_a_run_three_tries(world: World) -> None:
    lose_sight(world)
    world.clock.advance(24 * 3600)
    world.store.fails = lambda _: UnconfirmedCommitError()
    commits = world.store.commits
    report = world.recover()
    assert list(report.failed) == [world.the_attempt().id]
    assert world.store.commits - commits == 3


@pytest.mark.parametrize("answer", [SHIPPED, NotShipped(message="out of stock")])
def test_an_answer_noted_after_the_listing_is_not_voided_at_the_deadline(
    world: World, monkeypatch: pytest.MonkeyPatch, answer: Shipped | NotShipped
) -> None:
    lose_sight(world)
    world.clock.advance(24 * 3600)
    listed = world.the_attempt()
    noted = listed.with_carrier_answer(answer, world.clock.now())
    world.store.commit(UpdateAttempt(listed, noted))
    page = WorkPage((listed,), count=1, oldest=listed.reserved_at, after=None)
    with monkeypatch.context() as stale:
        stale.setattr(world.store, "oldest_attempts", lambda *_args, **_options: page)
        assert world.recover().voided_at_deadline == []
    assert world.the_attempt().state is AttemptState.UNKNOWN
    assert world.recover().settled == [listed.id]
    audit_both(world)


def test_a_deadline_is_by_the_clock_of_who_sets_it(world: World) -> None:
    """Not by the account's time, which a clock that was ahead has moved."""
    now = world.clock.now()
    world.clock.advance(365 * 24 * 3600)
    world.grant(1)
    world.clock.advance(-365 * 24 * 3600)
    lose_sight(world)
    deadline = world.the_attempt().deadline_at
    assert deadline is not None
    assert deadline - now < timedelta(hours=25)


def test_a_second_parcel_of_an_attempt_with_a_noted_one_is_reported(world: World) -> None:
    lose_sight(world)
    current = world.the_attempt()
    noted = current.with_carrier_answer(SHIPPED, world.clock.now())
    world.store.commit(UpdateAttempt(current, noted))
    second = Shipped(shipment_id="second")
    settled = world.settle(noted, second, FakeDeadline(), actor=RECOVERY_ACTOR)
    assert settled.carrier_outcome == SHIPPED
    assert world.incidents.not_recorded == [(current.id, second)]
    assert world.recover().settled == [current.id]
    purchase = world.the_attempt().purchase
    assert purchase is not None
    assert purchase.shipment_id == SHIPPED.shipment_id


def test_the_time_kept_for_unknown_attempts_is_enough_where_the_carrier_is_idempotent(
    world: World,
) -> None:
    lose_sight(world)
    world.policy = replace(world.policy, shipments_idempotent=True)
    world.clock.advance(24 * 3600)
    assert world.recover(FakeDeadline(8)).voided_at_deadline == [world.the_attempt().id]
