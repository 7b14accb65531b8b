"""A function that is killed at the worst moment, and what the recovery makes of what it left."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from local.upstream.behaviour import Behaviour, Drop, Refuse
from tests.integration.client import all_items, new_key, new_shipment_id
from tests.integration.crashes import CREDIT, PRICE, Dead
from tests.integration.functions import RECOVERY
from tests.integration.waiting import until

if TYPE_CHECKING:
    from pydantic import BaseModel

    from local.upstream.client import StandInControl
    from tests.integration.client import Reply, TillClient
    from tests.integration.crashes import Crashes
    from tests.integration.functions import Functions
    from tests.integration.invariants import Auditor
    from tests.integration.shop import Shop
    from tests.integration.tables import Tables

RUN_SECONDS = 10
SCHEDULED_WITHIN_SECONDS = 100.0
"""The schedule is a minute, and the emulator looks at it every ten seconds."""


def _it_is_pending(till: TillClient, audit: Auditor, dead: Dead) -> None:
    """Its hold is kept, nothing was bought, and only the recovery may change it."""
    picture = audit(dead.customer)
    assert (picture.balance.posted, picture.balance.held) == (CREDIT, PRICE)
    assert picture.purchases == []
    assert [attempt.state for attempt in picture.attempts] == ["PENDING"]
    in_flight = till.buy(dead.customer, dead.product.id, key=dead.key)
    in_flight.refused(409, "request-in-flight")
    assert int(in_flight.response.headers["Retry-After"]) > 0
    till.call_off(dead.attempt).refused(409, "attempt-still-pending")


def _it_is_unknown(till: TillClient, audit: Auditor, dead: Dead, *, carrier_calls: int) -> None:
    """Its hold is kept, it waits for a person, and the carrier was not called again."""
    attempt = till.attempt(dead.attempt).result()
    assert attempt.state == "UNKNOWN"
    picture = audit(dead.customer)
    assert (picture.balance.posted, picture.balance.held) == (CREDIT, PRICE)
    assert picture.purchases == []
    assert len(picture.carrier_calls) == carrier_calls
    replay = till.buy(dead.customer, dead.product.id, key=dead.key)
    assert replay.refused(504, "shipment-outcome-unknown").attempt_id == dead.attempt
    other = till.buy(dead.customer, dead.product.id)
    assert other.refused(409, "unresolved-attempt").attempt_id == dead.attempt


def test_killed_between_ship_and_resolve(
    till: TillClient,
    upstream: StandInControl,
    functions: Functions,
    audit: Auditor,
    crashes: Crashes,
) -> None:
    dead = crashes.between_ship_and_resolve()
    _it_is_pending(till, audit, dead)
    functions.recover()
    _it_is_pending(till, audit, dead)

    crashes.until_state(dead, "UNKNOWN")

    _it_is_unknown(till, audit, dead, carrier_calls=1)
    assert audit(dead.customer).versions[-1].actor == "system:recovery"
    functions.recover()
    _it_is_unknown(till, audit, dead, carrier_calls=1)
    (parcel,) = upstream.shipments(dead.product.sku).shipment_ids
    till.confirm(dead.attempt, parcel).result()
    bought = till.buy(dead.customer, dead.product.id, key=dead.key)
    assert bought.replayed
    assert bought.result().shipment_id == parcel
    assert audit(dead.customer).balance.posted == CREDIT - PRICE


def test_a_killed_run_blocks_its_order_as_soon_as_its_time_is_over(
    *,
    till: TillClient,
    upstream: StandInControl,
    functions: Functions,
    tables: Tables,
    audit: Auditor,
    crashes: Crashes,
) -> None:
    with functions.configured(
        "create_purchase", timeout_seconds=RUN_SECONDS, TILL_PENDING_EXPIRY_SECONDS="60"
    ):
        dead = crashes.between_ship_and_resolve()
        (held,) = tables.versions(dead.customer)[-1].open_attempts
        run_ends_at = datetime.fromisoformat(held.blocks_from)
        # Until then it may still be alive: two equal orders are two orders.
        till.buy(dead.customer, dead.product.id).result()
        assert datetime.now(UTC) < run_ends_at
        until(lambda: datetime.now(UTC) >= run_ends_at, "the end of the killed run")

        same = till.buy(dead.customer, dead.product.id)

    assert same.refused(409, "unresolved-attempt").attempt_id == dead.attempt
    assert till.attempt(dead.attempt).result().state == "PENDING"
    assert len(upstream.shipments(dead.product.sku).requests) == 2
    # Another quantity is another order.
    till.buy(dead.customer, dead.product.id, 2).result()
    balance = audit(dead.customer).balance
    assert (balance.posted, balance.held) == (CREDIT - 3 * PRICE, PRICE)


def test_killed_between_reserve_and_ship_is_found_by_the_schedule(
    till: TillClient, functions: Functions, audit: Auditor, crashes: Crashes
) -> None:
    dead = crashes.between_reserve_and_ship()
    _it_is_pending(till, audit, dead)

    until(
        lambda: till.attempt(dead.attempt).result().state == "UNKNOWN",
        "the scheduled recovery",
        seconds=SCHEDULED_WITHIN_SECONDS,
    )

    _it_is_unknown(till, audit, dead, carrier_calls=0)
    functions.recover()
    _it_is_unknown(till, audit, dead, carrier_calls=0)
    till.call_off(dead.attempt).result()
    assert audit(dead.customer).balance.available == CREDIT
    replay = till.buy(dead.customer, dead.product.id, key=dead.key)
    replay.refused(502, "shipment-failed")


def test_past_its_deadline_it_is_voided_in_the_customers_favour(
    till: TillClient, functions: Functions, audit: Auditor, crashes: Crashes
) -> None:
    dead = crashes.between_ship_and_resolve()

    with functions.configured(RECOVERY, TILL_UNKNOWN_DEADLINE_SECONDS="1"):
        attempt = crashes.until_state(dead, "VOIDED")

    assert attempt.orphan is not None
    assert attempt.orphan.status == "OPEN"
    assert attempt.settled_at is not None
    assert attempt.unknown_since is not None
    picture = audit(dead.customer, orphans=[dead.attempt])
    assert (picture.balance.posted, picture.balance.held) == (CREDIT, 0)
    assert len(picture.carrier_calls) == 1
    assert picture.versions[-1].actor == "system:recovery"
    listed = all_items(lambda c: till.attempts(orphan="OPEN", limit=100, cursor=c))
    assert dead.attempt in {each.id for each in listed}
    replay = till.buy(dead.customer, dead.product.id, key=dead.key)
    replay.refused(502, "shipment-failed")
    till.confirm(dead.attempt, new_shipment_id()).refused(409, "attempt-already-resolved")
    # Nothing stands in the way of buying it again.
    till.buy(dead.customer, dead.product.id).result()
    audit(dead.customer, orphans=[dead.attempt])


def test_an_unknown_outcome_has_the_same_deadline(
    till: TillClient,
    upstream: StandInControl,
    functions: Functions,
    audit: Auditor,
    crashes: Crashes,
) -> None:
    customer, product, key = crashes.order()
    upstream.plan_shipments(product.sku, Behaviour(answer=Drop(), record=False))
    with functions.configured("create_purchase", TILL_UNKNOWN_DEADLINE_SECONDS="1"):
        problem = till.buy(customer, product.id, key=key).refused(504, "shipment-outcome-unknown")
    assert problem.attempt_id is not None

    attempt = crashes.until_state(Dead(customer, product, key, problem.attempt_id), "VOIDED")

    assert attempt.orphan is not None
    assert audit(customer).balance.available == CREDIT


def test_an_idempotent_carrier_is_asked_again(
    till: TillClient,
    upstream: StandInControl,
    functions: Functions,
    audit: Auditor,
    crashes: Crashes,
) -> None:
    dead = crashes.between_reserve_and_ship()

    with functions.configured(RECOVERY, TILL_SHIPMENTS_IDEMPOTENT="true"):
        attempt = crashes.until_state(dead, "COMPLETED")

    (call,) = upstream.shipments(dead.product.sku).requests
    assert call.headers["idempotency-key"] == str(dead.attempt)
    assert call.shipment_id == attempt.shipment_id
    picture = audit(dead.customer)
    assert (picture.balance.posted, picture.balance.held) == (CREDIT - PRICE, 0)
    replay = till.buy(dead.customer, dead.product.id, key=dead.key)
    assert replay.replayed
    assert replay.result().shipment_id == attempt.shipment_id


def test_killed_right_after_posting(
    till: TillClient, shop: Shop, audit: Auditor, crashes: Crashes
) -> None:
    customer, product, key = shop.customer(credit=CREDIT), shop.product("10.00"), new_key()

    def buy() -> Reply[BaseModel]:
        return till.buy(customer, product.id, key=key)

    crashes.kill_after_commit("create_purchase", "PURCHASE", customer, buy)

    replay = till.buy(customer, product.id, key=key)
    assert replay.replayed
    picture = audit(customer)
    assert [p.id for p in picture.purchases] == [replay.result().id]
    assert picture.balance.posted == CREDIT - PRICE


def test_killed_right_after_a_grant(
    till: TillClient, shop: Shop, audit: Auditor, crashes: Crashes
) -> None:
    customer, key = shop.customer(), new_key()

    def grant() -> Reply[BaseModel]:
        return till.grant(customer, 700, key=key)

    crashes.kill_after_commit("grant_credit", "GRANT", customer, grant)

    assert till.grant(customer, 700, key=key).replayed
    assert [entry.amount for entry in audit(customer).entries] == [700]


def test_killed_right_after_a_deduction(
    till: TillClient, shop: Shop, audit: Auditor, crashes: Crashes
) -> None:
    customer, key = shop.customer(credit=CREDIT), new_key()

    def deduct() -> Reply[BaseModel]:
        return till.deduct(customer, 700, key=key)

    crashes.kill_after_commit("deduct_credit", "DEDUCTION", customer, deduct)

    assert till.deduct(customer, 700, key=key).replayed
    assert [entry.amount for entry in audit(customer).entries] == [CREDIT, -700]


def test_killed_right_after_a_refund(
    till: TillClient, shop: Shop, audit: Auditor, crashes: Crashes
) -> None:
    customer, product, key = shop.customer(credit=CREDIT), shop.product("10.00"), new_key()
    purchase = till.buy(customer, product.id).result()

    def refund() -> Reply[BaseModel]:
        return till.refund(purchase.id, 300, key=key)

    crashes.kill_after_commit("refund_purchase", "REFUND", customer, refund)

    assert till.refund(purchase.id, 300, key=key).replayed
    assert [refund.amount for refund in audit(customer).refunds] == [300]


def test_killed_right_after_a_resolution(
    till: TillClient, upstream: StandInControl, shop: Shop, audit: Auditor, crashes: Crashes
) -> None:
    customer, product, key = shop.customer(credit=CREDIT), shop.product("10.00"), new_key()
    parcel = new_shipment_id()
    upstream.plan_shipments(product.sku, Behaviour(answer=Refuse(status=504)))
    attempt = till.buy(customer, product.id).refused(504, "shipment-outcome-unknown").attempt_id
    assert attempt is not None

    def confirm() -> Reply[BaseModel]:
        return till.confirm(attempt, parcel, key=key)

    crashes.kill_after_commit("resolve_attempt", "PURCHASE", customer, confirm)

    replay = till.confirm(attempt, parcel, key=key)
    assert replay.replayed
    assert replay.result().state == "COMPLETED"
    assert len(audit(customer).purchases) == 1
