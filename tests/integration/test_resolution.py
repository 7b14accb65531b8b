"""A rep settles what the carrier left open: shipped, or not; once, and with a reason."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest

from local.upstream.behaviour import Behaviour, Drop, Refuse
from tests.integration.client import all_items, new_key, new_shipment_id
from tests.integration.functions import RECOVERY
from tests.integration.waiting import until

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    from local.upstream.client import StandInControl
    from tests.integration.badges import Badges
    from tests.integration.client import Attempt, Reply, TillClient
    from tests.integration.functions import Functions
    from tests.integration.invariants import Auditor
    from tests.integration.shop import Shop
    from tests.integration.tables import Tables

SUPPORT_LIMIT = 500_00
CREDIT = 5_000
PRICE = 1_000


@dataclass(frozen=True)
class Open:
    """A purchase of unknown outcome: the carrier made a parcel, and did not say so."""

    customer: UUID
    product: UUID
    sku: str
    key: str
    attempt: UUID


@pytest.fixture
def unresolved(till: TillClient, upstream: StandInControl, shop: Shop) -> Open:
    customer, product, key = shop.customer(credit=CREDIT), shop.product("10.00"), new_key()
    upstream.plan_shipments(product.sku, Behaviour(answer=Drop(), record=True, times=1))
    problem = till.buy(customer, product.id, key=key).refused(504, "shipment-outcome-unknown")
    assert problem.attempt_id is not None
    return Open(customer, product.id, product.sku, key, problem.attempt_id)


def _resolved_by_rep(attempt: Attempt, reason: str) -> None:
    assert attempt.resolution is not None
    assert (attempt.resolution.actor, attempt.resolution.reason) == ("rep.one", reason)
    assert attempt.settled_at is not None


def test_shipped(
    till: TillClient, upstream: StandInControl, audit: Auditor, unresolved: Open
) -> None:
    (parcel,) = upstream.shipments(unresolved.sku).shipment_ids

    reply = till.confirm(unresolved.attempt, parcel, reason="Found it", actor="rep.one")

    attempt = reply.result()
    assert (attempt.state, attempt.shipment_id) == ("COMPLETED", parcel)
    assert attempt.purchase_id == attempt.id == unresolved.attempt
    assert attempt.orphan is None
    _resolved_by_rep(attempt, "Found it")
    picture = audit(unresolved.customer)
    assert (picture.balance.posted, picture.balance.held) == (CREDIT - PRICE, 0)
    assert (picture.entries[-1].actor, picture.entries[-1].reason) == ("rep.one", "Found it")
    # The one who bought is still the one who asked.
    bought = till.buy(unresolved.customer, unresolved.product, key=unresolved.key)
    assert bought.replayed
    assert bought.result().shipment_id == parcel
    assert bought.result().created_by == till.subject
    # Nothing stands in the way of buying the same again.
    till.buy(unresolved.customer, unresolved.product).result()
    assert len(audit(unresolved.customer).carrier_calls) == 2


def test_not_shipped(till: TillClient, audit: Auditor, unresolved: Open) -> None:
    reply = till.call_off(unresolved.attempt, reason="Nothing was sent", actor="rep.one")

    attempt = reply.result()
    assert (attempt.state, attempt.shipment_id, attempt.purchase_id) == ("VOIDED", None, None)
    _resolved_by_rep(attempt, "Nothing was sent")
    # There is a parcel all the same: the rep was wrong, and only the carrier knows.
    picture = audit(unresolved.customer, orphans=[unresolved.attempt])
    assert (picture.balance.posted, picture.balance.held) == (CREDIT, 0)
    assert [entry.kind for entry in picture.entries] == ["GRANT"]
    bought = till.buy(unresolved.customer, unresolved.product, key=unresolved.key)
    problem = bought.refused(502, "shipment-failed")
    assert problem.attempt_id == unresolved.attempt
    assert bought.replayed
    till.purchase(unresolved.attempt).refused(404, "purchase-not-found")


def test_the_same_resolution_again(till: TillClient, audit: Auditor, unresolved: Open) -> None:
    key, parcel = new_key(), new_shipment_id()
    first = till.confirm(unresolved.attempt, parcel, key=key)
    assert first.ok
    assert not first.replayed

    again = till.confirm(unresolved.attempt, parcel, key=key)

    assert again.replayed
    assert again.response.content == first.response.content
    audit(unresolved.customer)


def test_the_key_with_another_resolution(
    till: TillClient, audit: Auditor, unresolved: Open
) -> None:
    key, parcel = new_key(), new_shipment_id()
    till.confirm(unresolved.attempt, parcel, key=key).result()

    another = till.confirm(unresolved.attempt, new_shipment_id(), key=key)
    another.refused(422, "idempotency-key-reused")
    till.call_off(unresolved.attempt, key=key).refused(422, "idempotency-key-reused")
    other = till.confirm(unresolved.attempt, parcel, key=key, reason="another reason")
    other.refused(422, "idempotency-key-reused")
    assert till.attempt(unresolved.attempt).result().shipment_id == parcel
    audit(unresolved.customer)


@pytest.mark.parametrize("first", ["shipped", "not_shipped"])
def test_a_second_resolution(
    till: TillClient, audit: Auditor, unresolved: Open, first: str
) -> None:
    if first == "shipped":
        state = till.confirm(unresolved.attempt, new_shipment_id()).result().state
    else:
        state = till.call_off(unresolved.attempt).result().state

    parcel = new_shipment_id()
    for reply in (till.confirm(unresolved.attempt, parcel), till.call_off(unresolved.attempt)):
        problem = reply.refused(409, "attempt-already-resolved")
        assert problem.state == state
    audit(unresolved.customer, orphans=[unresolved.attempt] if state == "VOIDED" else [])


def test_a_pending_attempt_is_not_to_be_resolved(
    till: TillClient, upstream: StandInControl, shop: Shop, audit: Auditor
) -> None:
    customer, product = shop.customer(credit=CREDIT), shop.product("10.00")
    upstream.plan_shipments(product.sku, Behaviour(hold=True))
    key = new_key()
    with ThreadPoolExecutor(max_workers=1) as pool:
        buying = pool.submit(till.buy, customer, product.id, key=key)
        upstream.await_shipments(product.sku, 1)
        pending = till.attempts(state="PENDING", limit=100).result().items
        (attempt,) = (a for a in pending if a.customer_id == customer)

        parcel = new_shipment_id()
        for reply in (till.confirm(attempt.id, parcel), till.call_off(attempt.id)):
            problem = reply.refused(409, "attempt-still-pending")
            assert problem.state == "PENDING"
            # Not by a program, later: what the rep found out may no longer be true.
            assert "Retry-After" not in reply.response.headers
        in_flight = till.buy(customer, product.id, key=key)
        in_flight.refused(409, "request-in-flight")
        assert int(in_flight.response.headers["Retry-After"]) > 0
        assert till.credit(customer).result().held == PRICE

        upstream.release("shipments", product.sku)
        assert buying.result().result().id == attempt.id
    assert len(audit(customer).carrier_calls) == 1


@pytest.mark.parametrize("outcome", ["shipped", "not shipped"])
def test_a_rep_moves_no_more_than_their_limit(
    *,
    till: TillClient,
    upstream: StandInControl,
    shop: Shop,
    badges: Badges,
    audit: Auditor,
    outcome: str,
) -> None:
    customer, product = shop.customer(credit=3 * SUPPORT_LIMIT), shop.product("0.01")
    upstream.plan_shipments(product.sku, Behaviour(answer=Refuse(status=504)))
    within, above = (
        till.buy(customer, product.id, total).refused(504, "shipment-outcome-unknown").attempt_id
        for total in (SUPPORT_LIMIT, SUPPORT_LIMIT + 1)
    )
    assert within is not None
    assert above is not None
    with till.bearing(badges.of("rep.one", "support")) as rep:

        def resolve(attempt_id: UUID) -> Reply[Attempt]:
            if outcome == "shipped":
                return rep.confirm(attempt_id, new_shipment_id())
            return rep.call_off(attempt_id)

        resolve(above).refused(403, "amount-above-limit")
        assert till.attempt(above).result().state == "UNKNOWN"
        resolve(within).result()
    audit(customer)


def test_a_rep_cannot_contradict_what_the_carrier_said(
    *,
    till: TillClient,
    functions: Functions,
    tables: Tables,
    audit: Auditor,
    unresolved: Open,
) -> None:
    """Its answer came after the attempt was taken for dead, and waits for the recovery."""
    parcel, at = new_shipment_id(), datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    said: dict[str, AttributeValueTypeDef] = {
        "kind": {"S": "shipped"},
        "detail": {"S": parcel},
        "at": {"S": at},
    }
    # The schedule must not be there first.
    with functions.configured(RECOVERY, TILL_PURCHASES_TABLE="till-nowhere-purchases"):
        key = (f"PURCHASE#{unresolved.attempt}", "PURCHASE")
        tables.set(*key, carrier={"M": said})
        for reply in (
            till.call_off(unresolved.attempt),
            till.confirm(unresolved.attempt, new_shipment_id()),
        ):
            problem = reply.refused(409, "carrier-answered-otherwise")
            assert (problem.carrier_outcome, problem.shipment_id) == ("shipped", parcel)
        assert till.attempt(unresolved.attempt).result().state == "UNKNOWN"

    def settled() -> bool:
        functions.recover()
        return till.attempt(unresolved.attempt).result().shipment_id == parcel

    until(settled, "the recovery settles by what the carrier said")
    assert [purchase.shipment_id for purchase in audit(unresolved.customer).purchases] == [parcel]


def test_a_completed_purchase_is_not_to_be_resolved(till: TillClient, shop: Shop) -> None:
    customer, product = shop.customer(credit=CREDIT), shop.product("10.00")
    purchase = till.buy(customer, product.id).result()
    till.call_off(purchase.id).refused(409, "attempt-already-resolved")


def test_an_unknown_attempt(till: TillClient) -> None:
    nothing = uuid4()
    till.attempt(nothing).refused(404, "attempt-not-found")
    till.call_off(nothing).refused(404, "attempt-not-found")


def test_open_attempts_are_listed(
    till: TillClient, upstream: StandInControl, shop: Shop, unresolved: Open
) -> None:
    product = shop.product()
    upstream.plan_shipments(product.sku, Behaviour(answer=Refuse(status=503)))
    problem = till.buy(unresolved.customer, product.id).refused(502, "shipment-failed")

    def listed(state: str | None) -> set[UUID]:
        items = all_items(lambda c: till.attempts(state=state, limit=100, cursor=c))
        return {a.id for a in items if a.customer_id == unresolved.customer}

    assert listed(None) == listed("UNKNOWN") == {unresolved.attempt}
    assert listed("VOIDED") == {problem.attempt_id}
    assert listed("PENDING") == listed("COMPLETED") == set()
    till.confirm(unresolved.attempt, new_shipment_id()).result()
    assert listed(None) == listed("UNKNOWN") == set()
    assert listed("COMPLETED") == {unresolved.attempt}
