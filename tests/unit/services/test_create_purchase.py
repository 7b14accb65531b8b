"""The purchase protocol on fakes: every outcome, and every fault of the books at every commit."""

from __future__ import annotations

import itertools

import pytest

from tests.unit.fakes import FakeDeadline, Fault, settling_fails
from tests.unit.services.conftest import World
from till.domain.account import InsufficientCreditError, UnresolvedAttemptError
from till.domain.actor import Actor
from till.domain.ledger import LedgerCorruptError
from till.domain.money import Money
from till.domain.purchase import (
    AttemptState,
    NotShipped,
    OrphanStatus,
    OutcomeUnknown,
    Shipped,
    TotalChangedError,
    attempt_id_for,
)
from till.http.problems import problem_for
from till.services.errors import (
    RequestInFlightError,
    ShipmentFailedError,
    ShipmentOutcomeUnknownError,
)
from till.services.ports.attempts import CreateAttempt, UpdateAttempt
from till.services.ports.store import Write
from till.services.ports.store_errors import BusyError, UnconfirmedCommitError
from till.services.ports.upstream import CustomerNotFoundError, ProductNotFoundError
from till.services.refund_purchase import RefundRequest
from till.services.shared.idempotency import IdempotencyKeyReusedError

LOST = Fault(applied=True)
REFUSED = Fault(applied=False)


def test_a_purchase_ships_once_and_is_paid_once(world: World) -> None:
    purchased = world.buy(quantity=2)
    assert not purchased.replayed
    assert purchased.purchase.order.total.amount_minor == 2000
    assert purchased.purchase.shipment_id == "S1"
    assert world.balance() == (8000, 0)
    assert world.store.commits == 3, "the grant, the reservation and the posting"
    assert world.carrier.calls == [purchased.purchase.id]
    world.audit()


def test_the_funds_are_held_while_the_carrier_is_called(world: World) -> None:
    seen: list[tuple[int, int]] = []
    world.carrier.during = lambda: seen.append(world.balance())
    world.buy()
    assert seen == [(10_000, 1000)]


def test_not_shipped_changes_nothing_and_is_remembered(world: World) -> None:
    world.carrier.outcome = NotShipped(message="no such sku")
    for replayed in (False, True, True):
        with pytest.raises(ShipmentFailedError) as raised:
            world.buy()
        assert raised.value.message == "no such sku"
        assert raised.value.replayed is replayed
    assert len(world.carrier.calls) == 1
    assert world.balance() == (10_000, 0)
    assert world.the_attempt().state is AttemptState.VOIDED
    world.audit()


def test_an_unknown_outcome_keeps_the_hold_and_blocks_the_same_purchase(world: World) -> None:
    world.carrier.outcome = OutcomeUnknown(message="no answer")
    for replayed in (False, True):
        with pytest.raises(ShipmentOutcomeUnknownError) as raised:
            world.buy("first")
        assert (raised.value.attempt_id, raised.value.replayed) == (
            world.the_attempt().id,
            replayed,
        )
    assert world.balance() == (10_000, 1000)
    world.carrier.outcome = Shipped(shipment_id="S2")
    with pytest.raises(UnresolvedAttemptError) as blocked:
        world.buy("second")
    assert blocked.value.attempt_id == world.the_attempt().id
    assert world.buy("another quantity", quantity=2).purchase.shipment_id == "S2"
    assert len(world.carrier.calls) == 2
    world.audit()


def test_the_same_request_gets_its_first_answer_even_after_refunds(world: World) -> None:
    first = world.buy()
    request = RefundRequest(
        purchase_id=first.purchase.id,
        amount=None,
        quantity=None,
        reason="r",
        limit=None,
        actor=Actor("rep"),
        idempotency_key="k",
    )
    world.refund(request, FakeDeadline())
    again = world.buy()
    assert (again.purchase, again.replayed) == (first.purchase, True)
    assert len(world.carrier.calls) == 1
    world.audit()


def test_the_same_key_with_another_request_is_refused(world: World) -> None:
    world.buy("key")
    with pytest.raises(IdempotencyKeyReusedError):
        world.buy("key", quantity=2)
    with pytest.raises(IdempotencyKeyReusedError):
        world.buy("key", expected_minor=1000)


def test_the_same_request_at_the_same_time_is_told_to_wait(world: World) -> None:
    def again() -> None:
        world.carrier.during = None
        with pytest.raises(RequestInFlightError):
            world.buy()

    world.carrier.during = again
    world.buy()
    assert len(world.carrier.calls) == 1


def test_a_refused_request_leaves_nothing_behind(world: World) -> None:
    with pytest.raises(InsufficientCreditError) as raised:
        world.buy("key", quantity=11)
    assert (raised.value.needed.amount_minor, raised.value.available.amount_minor) == (
        11_000,
        10_000,
    )
    with pytest.raises(TotalChangedError):
        world.buy("key", expected_minor=999)
    assert not world.store.attempt_items
    assert not world.carrier.calls
    assert not world.buy("key").replayed


def test_who_and_what_must_exist(world: World) -> None:
    del world.products.products[world.product_id]
    with pytest.raises(ProductNotFoundError):
        world.buy()
    del world.customers.customers[world.customer_id]
    with pytest.raises(CustomerNotFoundError):
        world.buy()
    assert not world.store.attempt_items


@pytest.mark.parametrize("faults", list(itertools.product([None, REFUSED, LOST], repeat=4)))
@pytest.mark.parametrize(
    "outcome",
    [Shipped(shipment_id="S"), NotShipped(message="no"), OutcomeUnknown(message="?")],
    ids=["shipped", "not-shipped", "unknown"],
)
def test_whatever_befalls_the_commits_the_carrier_is_called_once(
    world: World,
    faults: tuple[Fault | None, ...],
    outcome: Shipped | NotShipped | OutcomeUnknown,
) -> None:
    world.carrier.outcome = outcome
    world.store.faults = list(faults)
    expected: dict[type[object], tuple[AttemptState, tuple[int, int]]] = {
        Shipped: (AttemptState.COMPLETED, (9000, 0)),
        NotShipped: (AttemptState.VOIDED, (10_000, 0)),
        OutcomeUnknown: (AttemptState.UNKNOWN, (10_000, 1000)),
    }
    if isinstance(outcome, Shipped):
        world.buy()
    else:
        with pytest.raises((ShipmentFailedError, ShipmentOutcomeUnknownError)):
            world.buy()
    assert (world.the_attempt().state, world.balance()) == expected[type(outcome)]
    assert len(world.carrier.calls) == 1
    world.audit()


def test_no_time_to_reserve_changes_nothing(world: World) -> None:
    world.store.faults = [REFUSED] * 50
    with pytest.raises(BusyError):
        world.buy(deadline=FakeDeadline(20, less_each_look=2))
    assert world.balance() == (10_000, 0)
    assert not world.carrier.calls
    world.audit()


def test_a_reservation_that_was_applied_too_late_to_ship_is_given_back(world: World) -> None:
    world.store.faults = [LOST]
    with pytest.raises(ShipmentFailedError):
        world.buy(deadline=FakeDeadline(13.5, less_each_look=1))
    assert world.the_attempt().state is AttemptState.VOIDED
    assert world.balance() == (10_000, 0)
    assert not world.carrier.calls
    world.audit()


def test_without_time_for_the_carrier_it_is_not_called(world: World) -> None:
    with pytest.raises(ShipmentFailedError):
        world.buy(deadline=FakeDeadline(12))
    assert not world.carrier.calls
    assert world.balance() == (10_000, 0)


def test_an_answer_that_could_not_be_settled_is_noted_and_settled_later(world: World) -> None:
    deadline = FakeDeadline(25)

    def shipped_into_contention() -> None:
        world.store.fails = settling_fails(UnconfirmedCommitError())
        deadline.seconds, deadline.less_each_look = 6, 1

    world.carrier.during = shipped_into_contention
    with pytest.raises(ShipmentOutcomeUnknownError):
        world.buy(deadline=deadline)
    attempt = world.the_attempt()
    assert (attempt.state, attempt.carrier_outcome) == (
        AttemptState.PENDING,
        Shipped(shipment_id="S1"),
    )
    world.audit()

    world.clock.advance(61)
    world.store.fails = lambda _: None
    report = world.recover()
    assert report.settled == [attempt.id]
    assert world.the_attempt().state is AttemptState.COMPLETED
    assert world.balance() == (9000, 0)
    assert len(world.carrier.calls) == 1
    assert world.buy().replayed
    world.audit()


def test_a_run_that_dies_at_the_carrier_leaves_its_hold(world: World) -> None:
    world.carrier.outcome = RuntimeError("killed")
    with pytest.raises(RuntimeError):
        world.buy()
    assert world.the_attempt().state is AttemptState.PENDING
    assert world.balance() == (10_000, 1000)
    with pytest.raises(RequestInFlightError):
        world.buy()
    world.audit()


def test_an_answer_that_comes_after_the_recovery_still_counts(world: World) -> None:
    def declared_dead() -> None:
        world.clock.advance(61)
        assert world.recover().made_unknown == [world.the_attempt().id]

    world.carrier.during = declared_dead
    assert world.buy().purchase.shipment_id == "S1"
    assert world.the_attempt().state is AttemptState.COMPLETED
    assert world.balance() == (9000, 0)
    world.audit()


def test_a_parcel_that_turns_up_after_the_void_is_an_orphan(world: World) -> None:
    def voided_meanwhile() -> None:
        world.clock.advance(61)
        world.recover()
        world.clock.advance(25 * 3600)
        world.recover()
        assert world.the_attempt().state is AttemptState.VOIDED

    world.carrier.during = voided_meanwhile
    with pytest.raises(ShipmentFailedError):
        world.buy()
    attempt = world.the_attempt()
    assert attempt.listed_as is OrphanStatus.OPEN
    assert attempt.orphan is not None
    assert attempt.orphan.shipment_id == "S1"
    assert attempt.carrier_outcome == Shipped(shipment_id="S1")
    assert world.balance() == (10_000, 0)
    world.audit()


def test_only_the_run_that_reserved_may_ship(world: World) -> None:
    """Two runs of one request: the second sees the first's reservation, and not its own."""
    world.store.faults = [LOST]

    def a_twin_reads() -> None:
        world.carrier.during = None
        with pytest.raises(RequestInFlightError):
            world.buy()

    world.carrier.during = a_twin_reads
    world.buy()
    assert len(world.carrier.calls) == 1
    world.audit()


def test_an_answer_noted_after_the_recovery_has_spoken_is_settled_by_the_next(
    world: World,
) -> None:
    deadline = FakeDeadline(25)

    def given_up_for_dead_and_then_shipped_into_contention() -> None:
        world.clock.advance(61)
        assert world.recover().made_unknown == [world.the_attempt().id]
        world.store.fails = settling_fails(UnconfirmedCommitError())
        deadline.seconds, deadline.less_each_look = 6, 1

    world.carrier.during = given_up_for_dead_and_then_shipped_into_contention
    with pytest.raises(ShipmentOutcomeUnknownError):
        world.buy(deadline=deadline)
    assert world.the_attempt().state is AttemptState.UNKNOWN
    world.store.fails = lambda _: None
    assert world.recover().settled == [world.the_attempt().id]
    assert world.the_attempt().state is AttemptState.COMPLETED
    assert world.balance() == (9000, 0)
    world.audit()


@pytest.mark.parametrize(
    "error",
    [RuntimeError("AccessDenied"), LedgerCorruptError(sequence=1, detail="?"), MemoryError()],
    ids=["unforeseen", "corrupt", "memory"],
)
@pytest.mark.parametrize(
    "outcome", [Shipped(shipment_id="S1"), NotShipped(message="no"), OutcomeUnknown(message="?")]
)
def test_whatever_ends_the_settling_the_answer_is_noted_and_settled_later(
    world: World, error: Exception, outcome: Shipped | NotShipped | OutcomeUnknown
) -> None:
    world.carrier.outcome = outcome
    world.store.fails = settling_fails(error)
    world.carrier.during = lambda: None
    hold = world.store.fails
    world.store.fails = lambda writes: None if _creates(writes) else hold(writes)
    with pytest.raises(ShipmentOutcomeUnknownError):
        world.buy()
    attempt = world.the_attempt()
    assert (attempt.state, attempt.carrier_outcome) == (AttemptState.PENDING, outcome)
    assert world.incidents.not_recorded == []

    world.store.fails = lambda _: None
    world.clock.advance(61)
    world.recover()
    states: dict[type[object], AttemptState] = {
        Shipped: AttemptState.COMPLETED,
        NotShipped: AttemptState.VOIDED,
    }
    assert world.the_attempt().state is states.get(type(outcome), AttemptState.UNKNOWN)
    assert len(world.carrier.calls) == 1
    world.audit()


def test_an_answer_that_can_be_written_nowhere_is_reported(world: World) -> None:
    world.store.fails = lambda writes: None if _creates(writes) else RuntimeError("denied")
    with pytest.raises(ShipmentOutcomeUnknownError):
        world.buy()
    attempt = world.the_attempt()
    assert world.incidents.not_recorded == [(attempt.id, Shipped(shipment_id="S1"))]


def _creates(writes: tuple[Write, ...]) -> bool:
    return any(isinstance(write, CreateAttempt) for write in writes)


def test_a_shipment_id_of_another_purchase_is_no_answer(world: World) -> None:
    world.carrier.outcome = Shipped(shipment_id="S1")
    first = world.buy("first").purchase
    with pytest.raises(ShipmentOutcomeUnknownError) as raised:
        world.buy("second")
    second = world.store.attempt_items[raised.value.attempt_id]
    assert second.state is AttemptState.UNKNOWN
    assert isinstance(second.carrier_outcome, OutcomeUnknown)
    assert world.incidents.ids_taken == [(second.id, "S1", first.id)]
    assert world.balance() == (9000, 1000), "charged once"
    world.audit()


def test_the_same_order_is_not_shipped_again_once_the_first_run_has_ended(world: World) -> None:
    world.carrier.outcome = RuntimeError("killed")
    with pytest.raises(RuntimeError):
        world.buy("first", deadline=FakeDeadline(25))
    world.carrier.outcome = None
    world.clock.advance(24.9)
    world.buy("while the first may still be running")
    world.clock.advance(0.1)
    with pytest.raises(UnresolvedAttemptError) as raised:
        world.buy("after it has ended")
    assert raised.value.attempt_id == attempt_id_for(world.customer_id, "first")
    world.buy("another quantity", quantity=2)


@pytest.mark.parametrize(
    ("noted", "blocks"),
    [
        (Shipped(shipment_id="S7"), True),
        (OutcomeUnknown(message="?"), True),
        (NotShipped(message="no"), False),
    ],
)
def test_an_answer_that_is_only_noted_blocks_the_same_order_immediately(
    world: World, noted: Shipped | NotShipped | OutcomeUnknown, blocks: bool
) -> None:
    world.carrier.outcome = noted
    fails = settling_fails(RuntimeError("denied"))
    world.store.fails = lambda writes: None if _creates(writes) else fails(writes)
    with pytest.raises(ShipmentOutcomeUnknownError):
        world.buy("first")
    world.carrier.outcome, world.store.fails = None, lambda _: None
    if blocks:
        with pytest.raises(UnresolvedAttemptError):
            world.buy("second")
    else:
        world.buy("second")


def test_ten_equal_orders_at_once_all_go_through(world: World) -> None:
    def another(number: int) -> None:
        world.carrier.during = (lambda: another(number - 1)) if number else None
        world.buy(f"order {number}")

    another(9)
    assert len(world.carrier.calls) == 10
    assert world.balance() == (0, 0)
    world.audit()


def test_a_refusal_is_given_only_after_the_key_was_looked_up_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key is read before a twin's commit, and the account after it."""
    world.carrier.during = lambda: None
    bought = world.buy("key", quantity=10).purchase
    missed = [None]
    read = world.store.attempt
    monkeypatch.setattr(world.store, "attempt", lambda i: missed.pop() if missed else read(i))
    again = world.buy("key", quantity=10)
    assert (again.purchase.id, again.replayed) == (bought.id, True)


def test_a_refusal_by_our_own_unconfirmed_reservation_is_none(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commit is applied, its confirmation lost, and its attempt is visible last."""
    world.store.faults = [LOST]
    invisible = [None, None]
    read = world.store.attempt
    monkeypatch.setattr(world.store, "attempt", lambda i: invisible.pop() if invisible else read(i))
    assert world.buy("key", quantity=10).purchase.order.total == Money(10_000)
    assert len(world.carrier.calls) == 1
    world.audit()


def test_a_noted_shipment_id_of_another_purchase_leaves_the_decision_to_a_person(
    world: World,
) -> None:
    world.carrier.outcome = Shipped(shipment_id="S1")
    first = world.buy().purchase
    world.carrier.outcome = OutcomeUnknown(message="no answer")
    attempt_id = attempt_id_for(world.customer_id, "again")
    with pytest.raises(ShipmentOutcomeUnknownError):
        world.buy("again")
    unknown = world.store.attempt(attempt_id)
    assert unknown is not None
    # Its answer comes late, and nothing can be read: it is noted as it is.
    noted = unknown.with_carrier_answer(Shipped(shipment_id="S1"), world.clock.now())
    world.store.commit(UpdateAttempt(unknown, noted))

    world.recover()

    looked_at = world.store.attempt(attempt_id)
    assert looked_at is not None
    assert isinstance(looked_at.carrier_outcome, OutcomeUnknown)
    assert (attempt_id, "S1", first.id) in world.incidents.ids_taken
    told = len(world.incidents.ids_taken)
    world.recover()
    assert len(world.incidents.ids_taken) == told
    looked_at.require_not_answered_otherwise(NotShipped(message="a rep looked"))
    world.audit()


def test_who_may_get_a_parcel_is_not_told_to_buy_again(world: World) -> None:
    world.carrier.outcome = OutcomeUnknown(message="?")
    with pytest.raises(ShipmentOutcomeUnknownError):
        world.buy()
    world.clock.advance(24 * 3600)
    world.recover()
    with pytest.raises(ShipmentFailedError) as failed:
        world.buy()
    assert failed.value.parcel_possible
    told = problem_for(failed.value).detail
    assert "ask customer service before you buy it again" in told
    assert "new Idempotency-Key" not in told


def _die_at_the_carrier(world: World) -> None:
    world.carrier.outcome = RuntimeError("killed")
    with pytest.raises(RuntimeError, match="killed"):
        world.buy()
    world.carrier.outcome = Shipped(shipment_id="shp_2")


@pytest.mark.parametrize("ahead", [0, 3600, 365 * 86_400])
def test_a_dead_run_blocks_its_order_though_the_account_is_ahead_of_the_clock(
    world: World, ahead: float
) -> None:
    world.clock.advance(ahead)
    world.grant(1)
    world.clock.advance(-ahead)
    _die_at_the_carrier(world)
    world.clock.advance(26)
    with pytest.raises(UnresolvedAttemptError):
        world.buy("another")
    assert len(world.carrier.calls) == 1


def test_a_run_by_a_clock_that_is_far_ahead_blocks_its_order_immediately(world: World) -> None:
    world.clock.advance(3600)
    _die_at_the_carrier(world)
    world.clock.advance(-3600)
    with pytest.raises(UnresolvedAttemptError):
        world.buy("another")


def test_equal_orders_succeed_while_the_account_is_ahead_of_the_clock(world: World) -> None:
    world.clock.advance(3600)
    world.grant(1)
    world.clock.advance(-3600)

    def another() -> None:
        world.carrier.during = None
        world.buy("another")

    world.carrier.during = another
    world.buy()
    assert len(world.carrier.calls) == 2
    world.audit()
