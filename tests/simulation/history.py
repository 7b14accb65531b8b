"""Run one history, and say what in it contradicts the protocol."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

from tests.simulation.invariants import PURCHASES, Violation, integer, part, text
from tests.simulation.plan import Operation, Plan, plan_of
from tests.simulation.world import (
    CUSTOMER_IDS,
    FUNCTION_SECONDS,
    Delivery,
    World,
    attempt_id_of,
    customer_id_of,
    first_tables,
    running,
)
from till.domain.errors import TillError
from till.domain.ledger import LedgerCorruptError
from till.domain.promo import PromoCodeDeactivatedError, StaleVersionError
from till.http.problems import problem_for
from till.services.adjust_credit import Adjusted
from till.services.close_orphan_shipment import Closed
from till.services.create_purchase import Purchased
from till.services.errors import (
    RequestInFlightError,
    ShipmentFailedError,
    ShipmentOutcomeUnknownError,
)
from till.services.ports.store_errors import BusyError, ReadAgainError
from till.services.recover_attempts import RecoveryReport
from till.services.refund_purchase import Refunded
from till.services.resolve_attempt import Resolved
from till.services.shared.idempotency import IdempotencyKeyReusedError

if TYPE_CHECKING:
    from tests.simulation.dynamodb import Tables
    from tests.simulation.expressions import Item
    from tests.simulation.invariants import Effect
    from till.domain.purchase import Purchase

_RECOVERIES: Final = (70.0, 70.0, 90_000.0, 90_000.0, 90_000.0)
"""Seconds between the runs of the recovery once everything is quiet."""

_OPERATIONS: Final = {
    "grant": "grant_credit",
    "deduct": "deduct_credit",
    "refund": "refund_purchase",
    "resolve": "resolve_attempt",
}

before_any_history: Final[Callable[[], Tables]] = cache(first_tables)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a history went; ``violation`` is None if nothing was contradicted."""

    plan: Plan
    violation: str | None
    story: tuple[str, ...] = ()
    transactions: int = 0
    drawn: tuple[tuple[int, int, int], ...] = ()
    """The calls that did not go as they usually do, by request, delivery and number."""


def run_plan(plan: Plan, *, told: bool = False) -> Outcome:
    """Run a history to its end; ``told``: with its story."""
    try:
        before = before_any_history()
    except Violation as found:
        return Outcome(plan, str(found))
    world = World(plan, before)
    if told:
        world.trace = []
    violation: str | None = None
    try:
        with running(world):
            world.play()
            _come_to_rest(world)
            _at_rest(world)
            _repeat(world)
    except Violation as found:
        violation = str(found)
    drawn = tuple(
        (d.operation.number, d.number, number)
        for d in world.deliveries
        if d.stream is not None and d.operation is not None
        for number, _ in d.stream.drawn
    )
    return Outcome(plan, violation, tuple(_story(world)), world.auditor.checked, drawn)


def run_seed(seed: int) -> Outcome:
    """Run the history of a seed."""
    return run_plan(plan_of(seed))


def _story(world: World) -> Iterator[str]:
    for at, who, what in world.trace or ():
        yield f"{at:12.3f} s  {who:18} {what}"


def _come_to_rest(world: World) -> None:
    """Let the recovery bring every open attempt to its end."""
    for after in _RECOVERIES:
        if not world.open_attempts():
            return
        recover = Operation(number=900, kind="recover", deliveries=(0.0,))
        world.run_quietly(recover, after=after)
    if left := world.open_attempts():
        raise Violation(f"attempts that never end: {left}")


def _require(holds: bool, sentence: str) -> None:
    if not holds:
        raise Violation(sentence)


def _at_rest(world: World) -> None:
    """What must be true once everything has come to rest."""
    attempts = {
        key[1].removeprefix("PURCHASE#"): item
        for key, item in world.tables.items.items()
        if key[2] == "PURCHASE"
    }
    _parcels(world, attempts)
    for delivery in world.deliveries:
        _answer(world, delivery, attempts)
    for operation in world.plan.operations:
        _one_body(world, operation)


def _one_body(world: World, operation: Operation) -> None:
    """A key belongs to the body that it had its effect with."""
    if operation.other_body:
        effective = {
            delivery.number == 1
            for delivery in world.deliveries
            if delivery.operation is operation
            and isinstance(delivery.result, Adjusted | Refunded | Purchased)
        }
        _require(len(effective) < 2, f"{operation.key} took effect with two bodies")


def _parcels(world: World, attempts: dict[str, Item]) -> None:
    for attempt_id in world.shelf.calls:
        _require(attempt_id in attempts, f"the carrier was called for {attempt_id}, no attempt")
        if not world.plan.idempotent:
            count = world.shelf.calls.count(attempt_id)
            _require(count == 1, f"the carrier was called {count} times for {attempt_id}")
    for parcel in world.shelf.parcels:
        item = attempts[parcel.attempt_id]
        _require(
            text(item, "state") == "COMPLETED" or "orphan" in item,
            f"parcel {parcel.shipment_id} has neither a purchase nor an orphan shipment",
        )
    for attempt_id, item in attempts.items():
        if text(item, "state") == "COMPLETED":
            told = attempt_id in world.shelf.told
            _require(
                told or world.shelf.parcel_of(attempt_id) is not None,
                f"{attempt_id} was charged, and has no parcel",
            )


def _answer(world: World, delivery: Delivery, attempts: dict[str, Item]) -> None:
    operation = delivery.operation
    assert operation is not None
    if operation.kind == "purchase" and delivery.attempt_id in attempts:
        _carrier_answer(world, delivery, attempts[delivery.attempt_id])
    if delivery.ended is None:
        return
    if operation.kind == "recover":
        _recovered(world, delivery)
        return
    if operation.kind == "promo":
        _promo_answer(world, delivery)
        return
    _customer_answer(world, delivery, operation, attempts)


def _recovered(world: World, delivery: Delivery) -> None:
    """A recovery comes to its end, whatever fails, and settles what it can."""
    name, report = delivery.name, delivery.result
    if not isinstance(report, RecoveryReport):
        _require(delivery.denied, f"{name} ended with {report!r}")
        return
    for attempt_id, error in report.failed.items():
        _not_corrupt(f"{name}, attempt {attempt_id},", error)
    assert delivery.ended is not None
    alone = all(
        other is delivery
        or other.started > delivery.ended
        or (other.ended or other.started + FUNCTION_SECONDS) < delivery.started
        for other in world.deliveries
    )
    if alone and delivery.stream is not None and not delivery.stream.faults:
        left = [key[1] for key in delivery.left if key[1] != world.stuck]
        _require(not left, f"{name} met no fault and left {left}")


def _not_corrupt(name: str, error: object) -> None:
    """Nothing damages what is stored: no run may say so, but for one that means to read again."""
    while isinstance(error, BaseException) and not isinstance(error, ReadAgainError):
        _require(not isinstance(error, LedgerCorruptError), f"{name} was told {error!r}")
        error = error.__cause__


def _customer_answer(
    world: World, delivery: Delivery, operation: Operation, attempts: dict[str, Item]
) -> None:
    name, effects = delivery.name, _effects(world, operation)
    _not_corrupt(name, delivery.result)
    match delivery.result:
        case Purchased(purchase=purchase):
            _purchase_answer(name, purchase, attempts.get(str(purchase.id), {}))
        case ShipmentFailedError(attempt_id=attempt_id, parcel_possible=parcel_possible):
            state = text(attempts.get(str(attempt_id), {}), "state")
            _require(state == "VOIDED", f"{name} was told not shipped: the attempt is {state}")
            since = world.auditor.orphans.get(str(attempt_id), delivery.started)
            _require(
                parcel_possible or since >= delivery.started,
                f"{name} was told to buy again: {attempt_id} may have a parcel",
            )
        case ShipmentOutcomeUnknownError(attempt_id=attempt_id):
            _require(str(attempt_id) in attempts, f"{name} was told of an attempt: none")
        case RequestInFlightError() | IdempotencyKeyReusedError():
            _require(bool(effects), f"{name} was told of an earlier request: none")
        case Adjusted() | Refunded() | Resolved() | Closed():
            _require(bool(effects), f"{name} was told that it took effect: it did not")
            _same_effect(world, delivery, attempts)
        case BusyError() | ReadAgainError():
            pass
        case TillError() as refusal if problem_for(refusal).nothing_changed:
            _refusal(delivery, effects)
        case result:
            _require(delivery.denied, f"{name} failed: {result!r}")


def _purchase_answer(name: str, purchase: Purchase, item: Item) -> None:
    sold = (text(item, "shipment_id"), integer(item, "total"), text(item, "customer_id"))
    total = purchase.order.total.amount_minor
    told = (purchase.shipment_id, total, str(purchase.customer_id))
    _require(text(item, "state") == "COMPLETED", f"{name} was told of a purchase: none")
    _require(sold == told, f"{name} was told {told}, stored is {sold}")
    _require(purchase.refund_count == 0, f"{name} was told of a purchase with refunds")


def _promo_answer(world: World, delivery: Delivery) -> None:
    own = [
        key
        for key, effects in world.auditor.effects.items()
        if key[0] == "promo" and any(effect.writer is delivery for effect in effects)
    ]
    _require(len(own) <= 1, f"{delivery.name} made {len(own)} versions of the code")
    if isinstance(delivery.result, StaleVersionError | PromoCodeDeactivatedError):
        _require(not own, f"{delivery.name} was told {delivery.result!r} of its own change")


def _refusal(delivery: Delivery, effects: list[Effect]) -> None:
    """ "Nothing was changed" must be true of this run, and of every one that ended before it."""
    for effect in effects:
        told = f"{delivery.name} was told {delivery.result!r}, nothing was changed"
        _require(effect.writer is not delivery, f"{told}; its own commit took effect")
        _require(effect.at >= delivery.started, f"{told}; its key had taken effect before")
        unseen = not effect.version or delivery.saw.get(effect.pk, 0) < effect.version
        _require(unseen, f"{told}; it had read what its key had done")


def _effects(world: World, operation: Operation) -> list[Effect]:
    if operation.kind == "purchase":
        name, owner = "purchase", str(CUSTOMER_IDS[operation.customer])
    elif operation.kind in {"grant", "deduct"}:
        name, owner = _OPERATIONS[operation.kind], f"ACCOUNT#{customer_id_of(operation)}"
    else:
        of = next(each for each in world.plan.operations if each.number == operation.of)
        if operation.kind == "close_orphan":
            attempt_id = attempt_id_of(of)
            name, owner = "close_orphan", str(attempt_id)
        else:
            name, owner = _OPERATIONS[operation.kind], f"ACCOUNT#{CUSTOMER_IDS[of.customer]}"
    return world.auditor.effects.get((name, owner, operation.key), [])


def _same_effect(world: World, delivery: Delivery, attempts: dict[str, Item]) -> None:
    """Every answer to a key tells of the one effect that it had."""
    name = delivery.name
    match delivery.result:
        case Adjusted(change=change):
            key = (
                "ledger",
                f"ACCOUNT#{change.account.customer_id}",
                _version(change.account.version),
            )
            stored = world.tables.items[key]
            _require(
                text(stored, "idempotency_key") == delivery.operation.key  # type: ignore[union-attr]
                and integer(stored, "amount") == change.amount.amount_minor
                and integer(stored, "posted") == change.account.posted.amount_minor,
                f"{name} was told of a change that is not its own",
            )
        case Refunded(refund=refund):
            pk = f"PURCHASE#{refund.purchase_id}"
            stored = world.tables.items.get((PURCHASES, pk, f"REFUND#{refund.number:08d}"), {})
            _require(
                text(stored, "id") == str(refund.id)
                and integer(stored, "amount") == refund.amount.amount_minor,
                f"{name} was told of a refund that is not its own",
            )
        case Resolved(attempt=attempt):
            state = text(attempts[str(attempt.id)], "state")
            _require(
                state == attempt.state.value, f"{name} was told {attempt.state}, it is {state}"
            )


def _version(number: int) -> str:
    return f"VERSION#{number:016d}"


def _carrier_answer(world: World, delivery: Delivery, item: Item) -> None:
    """What the carrier answered to a run that was not killed is never lost."""
    attempt_id, shelf = str(delivery.attempt_id), world.shelf
    # Its function's time is enough to record the answer, unless the machine stood still.
    lived_on = delivery.ended is not None or (delivery.timed_out and not delivery.frozen)
    if not lived_on or attempt_id in world.incidents.not_recorded:
        return
    carrier, orphan = part(item, "carrier"), part(item, "orphan")
    if delivery.told is not None and delivery.told not in _taken(world, attempt_id):
        where = {text(item, "shipment_id"), orphan.get("shipment_id"), carrier.get("detail")}
        _require(delivery.told in where, f"the answer {delivery.told} of {attempt_id} was lost")
    # An attempt that the recovery marked may have had a second call, as far as its run can know.
    marked = "shipped_again_at" in item
    if delivery.told_not_shipped and shelf.calls.count(attempt_id) == 1 and not marked:
        state = text(item, "state")
        _require(state == "VOIDED", f"the carrier did not ship {attempt_id}, and it is {state}")
        _require(
            carrier.get("kind") == "not_shipped",
            f"the carrier did not ship {attempt_id}, and its answer was lost",
        )
        # By clocks that are hours ahead its deadline may have passed before the answer came.
        _require(
            "orphan" not in item or "resolution" in item,
            f"the carrier did not ship {attempt_id}, yet an orphan",
        )


def _taken(world: World, attempt_id: str) -> set[str]:
    return {
        text(item, "shipment_id")
        for key, item in world.tables.items.items()
        if key[2] == "PURCHASE" and key[1] != f"PURCHASE#{attempt_id}"
    }


def _repeat(world: World) -> None:
    """Send a request that has had its effect once more: nothing changes, and the answer fits."""
    for operation in world.plan.operations:
        if operation.kind in {"recover", "price", "address", "promo"}:
            continue
        if not _effects(world, operation) or operation.other_body:
            continue
        count = world.auditor.checked
        again = world.run_quietly(operation, after=1.0)
        _require(world.auditor.checked == count, f"{again.name}, sent again, changed something")
        attempts = {
            key[1].removeprefix("PURCHASE#"): item
            for key, item in world.tables.items.items()
            if key[2] == "PURCHASE"
        }
        _answer(world, again, attempts)
        refused = isinstance(again.result, Exception) and not isinstance(
            again.result, ShipmentFailedError
        )
        _require(not refused, f"{again.name}, sent again, was told {again.result!r}")
        return
