"""A parcel that may exist although nothing was bought stays on a list until a person closes it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest

from local.upstream.behaviour import Behaviour, Drop
from tests.integration.client import all_items, new_key
from tests.integration.fault_proxy import LoseReply, changes
from tests.integration.functions import RECOVERY
from tests.integration.measured import Measured
from tests.integration.waiting import until

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    from local.upstream.client import StandInControl
    from tests.integration.client import Attempt, TillClient
    from tests.integration.fault_proxy import FaultProxy
    from tests.integration.functions import Functions
    from tests.integration.invariants import Auditor
    from tests.integration.shop import Shop
    from tests.integration.tables import Tables

CREDIT = 5_000
LONG_AGO: AttributeValueTypeDef = {"S": "2020-01-01T00:00:00.000000Z"}


pytestmark = pytest.mark.usefixtures("no_time_to_look")


def _lost(till: TillClient, upstream: StandInControl, shop: Shop) -> tuple[UUID, UUID]:
    """A customer, and their attempt whose parcel was made without a word."""
    customer, product = shop.customer(credit=CREDIT), shop.product("10.00")
    upstream.plan_shipments(product.sku, Behaviour(answer=Drop(), record=True))
    attempt = till.buy(customer, product.id).refused(504, "shipment-outcome-unknown").attempt_id
    assert attempt is not None
    return customer, attempt


def _open_orphan(till: TillClient, functions: Functions, attempt_id: UUID) -> Attempt:
    def look() -> Attempt | None:
        functions.recover()
        attempt = till.attempt(attempt_id).result()
        return attempt if attempt.state == "VOIDED" else None

    return until(look, "the deadline voids it")


def _listed(till: TillClient) -> set[UUID]:
    items = all_items(lambda c: till.attempts(orphan="OPEN", limit=100, cursor=c))
    assert all(each.orphan is not None and each.orphan.status == "OPEN" for each in items)
    return {each.id for each in items}


def test_it_is_open_although_the_confirmation_of_the_void_was_lost(
    *,
    till: TillClient,
    upstream: StandInControl,
    shop: Shop,
    functions: Functions,
    dynamodb_proxy: FaultProxy,
    audit: Auditor,
) -> None:
    customer, attempt_id = _lost(till, upstream, shop)

    with dynamodb_proxy.fault(LoseReply(), changes("VOID", customer)) as plan:
        attempt = _open_orphan(till, functions, attempt_id)

    assert plan.hits == 1
    assert attempt.orphan is not None
    assert (attempt.orphan.status, attempt.orphan.shipment_id) == ("OPEN", None)
    assert attempt.resolution is not None
    assert attempt.resolution.actor == "system:recovery"
    assert attempt_id in _listed(till)
    assert attempt_id in {a.id for a in till.attempts(state="VOIDED", limit=100).result().items}
    assert attempt_id not in {a.id for a in till.attempts(limit=100).result().items}
    assert audit(customer, orphans=[attempt_id]).balance.available == CREDIT


def test_a_person_closes_it_once_with_a_reason(
    *,
    till: TillClient,
    upstream: StandInControl,
    shop: Shop,
    functions: Functions,
    audit: Auditor,
) -> None:
    customer, attempt_id = _lost(till, upstream, shop)
    _open_orphan(till, functions, attempt_id)
    before = audit(customer, orphans=[attempt_id])
    key = new_key()

    first = till.close_orphan(attempt_id, "RECALLED", reason="On its way back", key=key)

    orphan = first.result().orphan
    assert orphan is not None
    assert orphan.closing is not None
    assert (orphan.status, orphan.closing.outcome) == ("CLOSED", "RECALLED")
    assert (orphan.closing.reason, orphan.closing.closed_by) == ("On its way back", till.subject)
    assert not first.replayed
    assert attempt_id not in _listed(till)
    assert till.attempt(attempt_id).result() == first.result()
    again = till.close_orphan(attempt_id, "RECALLED", reason="On its way back", key=key)
    assert again.replayed
    assert again.response.content == first.response.content
    for outcome, reason in (("RECALLED", "another reason"), ("WRITTEN_OFF", "On its way back")):
        other = till.close_orphan(attempt_id, outcome, reason=reason, key=key)
        other.refused(422, "idempotency-key-reused")
    till.close_orphan(attempt_id, "NOT_REAL").refused(409, "orphan-already-closed")
    assert till.attempt(attempt_id).result() == first.result()
    # It moves no money.
    assert audit(customer, orphans=[attempt_id]).versions == before.versions


def test_only_a_possible_orphan_can_be_closed(till: TillClient, shop: Shop, audit: Auditor) -> None:
    customer = shop.customer(credit=CREDIT)
    bought = till.buy(customer, shop.product("10.00").id).result().id
    till.close_orphan(bought, "NOT_REAL").refused(409, "no-orphan-shipment")
    till.close_orphan(uuid4(), "NOT_REAL").refused(404, "attempt-not-found")
    for outcome in ("recalled", "OPEN", ""):
        reply = till.close_orphan(bought, outcome)
        assert reply.refused(400, "invalid-request").fields == {"outcome"}
    assert till.attempts(orphan="CLOSED").refused(400, "invalid-request").fields == {"orphan"}
    audit(customer)


def test_open_ones_are_counted_at_each_run(
    till: TillClient, upstream: StandInControl, shop: Shop, functions: Functions
) -> None:
    _, attempt_id = _lost(till, upstream, shop)
    _open_orphan(till, functions, attempt_id)
    recovery = Measured(functions, RECOVERY)

    def newest_count() -> list[float]:
        functions.recover()
        return recovery.values("OpenOrphans")[-1:]

    there_are = len(_listed(till))
    assert there_are > 0
    until(lambda: newest_count() == [there_are], "the number of open ones")
    assert recovery.total("OldestOrphanSeconds") > 0
    till.close_orphan(attempt_id, "NOT_REAL").result()
    until(lambda: newest_count() == [there_are - 1], "one less")


def test_a_parcel_that_turns_up_after_the_deadline_is_one(
    *,
    till: TillClient,
    upstream: StandInControl,
    shop: Shop,
    functions: Functions,
    tables: Tables,
    audit: Auditor,
) -> None:
    """The recovery takes a run for dead that is not: the carrier answers after all."""
    customer, product, key = shop.customer(credit=CREDIT), shop.product("10.00"), new_key()
    upstream.plan_shipments(product.sku, Behaviour(hold=True, times=1))
    with (
        functions.configured(
            "create_purchase",
            timeout_seconds=20,
            TILL_UPSTREAM_SHIPMENT_TIMEOUT_SECONDS="12",
            TILL_PENDING_EXPIRY_SECONDS="30",
        ),
        ThreadPoolExecutor(max_workers=1) as pool,
    ):
        buying = pool.submit(till.buy, customer, product.id, key=key)
        upstream.await_shipments(product.sku, 1)
        (attempt,) = tables.attempts(customer)
        tables.set(attempt.pk, attempt.sk, expires_at=LONG_AGO)
        voided = _open_orphan(till, functions, attempt.id)
        assert voided.orphan is not None
        upstream.release("shipments", product.sku)
        reply = buying.result()

    assert reply.refused(502, "shipment-failed").attempt_id == attempt.id
    (parcel,) = upstream.shipments(product.sku).shipment_ids
    orphan = till.attempt(attempt.id).result().orphan
    assert orphan is not None
    assert (orphan.status, orphan.shipment_id) == ("OPEN", parcel)
    assert attempt.id in _listed(till)
    assert audit(customer, orphans=[attempt.id]).balance.available == CREDIT
