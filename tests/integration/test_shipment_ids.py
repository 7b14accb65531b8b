"""A shipment id belongs to one purchase, from whatever source it comes."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from local.upstream.behaviour import Behaviour, Raw, Refuse
from tests.integration.client import new_shipment_id
from tests.integration.measured import Measured
from tests.integration.race import all_at_once, outcomes
from tests.integration.waiting import until

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    from local.upstream.client import StandInControl
    from tests.integration.client import TillClient
    from tests.integration.functions import Functions
    from tests.integration.invariants import Auditor
    from tests.integration.shop import Shop
    from tests.integration.tables import Tables

CREDIT = 5_000


def _unresolved(till: TillClient, upstream: StandInControl, shop: Shop) -> tuple[UUID, UUID]:
    """A customer, and their attempt of unknown outcome."""
    customer, product = shop.customer(credit=CREDIT), shop.product("10.00")
    upstream.plan_shipments(product.sku, Behaviour(answer=Refuse(status=504)))
    attempt = till.buy(customer, product.id).refused(504, "shipment-outcome-unknown").attempt_id
    assert attempt is not None
    return customer, attempt


def test_a_purchase_is_found_by_its_shipment_id(
    till: TillClient, upstream: StandInControl, shop: Shop
) -> None:
    customer, product = shop.customer(credit=CREDIT), shop.product("10.00")
    bought = till.buy(customer, product.id).result()
    _, attempt = _unresolved(till, upstream, shop)
    by_hand = new_shipment_id()
    assert till.purchases(shipment_id=by_hand).result().items == []
    till.confirm(attempt, by_hand).result()

    for shipment_id, purchase_id in ((bought.shipment_id, bought.id), (by_hand, attempt)):
        page = till.purchases(shipment_id=shipment_id).result()
        assert [purchase.id for purchase in page.items] == [purchase_id]
        assert page.next_cursor is None
    assert till.purchases(shipment_id="").refused(400, "invalid-request").fields == {"shipment_id"}


def test_a_rep_is_told_which_purchase_has_the_shipment_id(
    till: TillClient, upstream: StandInControl, shop: Shop, audit: Auditor
) -> None:
    buyer, product = shop.customer(credit=CREDIT), shop.product("10.00")
    bought = till.buy(buyer, product.id).result()
    customer, attempt = _unresolved(till, upstream, shop)

    problem = till.confirm(attempt, bought.shipment_id).refused(409, "shipment-id-taken")

    assert problem.purchase_id == bought.id
    assert till.attempt(attempt).result().state == "UNKNOWN"
    till.confirm(attempt, new_shipment_id()).result()
    audit(customer)
    audit(buyer)


def test_two_reps_bring_one_shipment_id_at_once(
    till: TillClient, upstream: StandInControl, shop: Shop, audit: Auditor
) -> None:
    """For two attempts of one customer, and for those of others."""
    pairs = [_unresolved(till, upstream, shop) for _ in range(4)]
    parcel = new_shipment_id()

    replies = all_at_once([partial(till.confirm, attempt, parcel) for _, attempt in pairs])

    assert outcomes(replies) == {"200": 1, "shipment-id-taken": len(pairs) - 1}
    (winner,) = (reply.result().id for reply in replies if reply.ok)
    assert {r.problem().purchase_id for r in replies if not r.ok} == {winner}
    for customer, _ in pairs:
        audit(customer)


def test_a_carrier_that_brings_another_purchase_s_shipment_id_proves_nothing(
    till: TillClient, upstream: StandInControl, shop: Shop, functions: Functions, audit: Auditor
) -> None:
    customer, product = shop.customer(credit=CREDIT), shop.product("10.00")
    parcel = f"shp-{uuid4()}"
    again = Behaviour(answer=Raw(body=f'{{"id": "{parcel}"}}'), record=True)
    upstream.plan_shipments(product.sku, again)
    first = till.buy(customer, product.id).result()
    buying = Measured(functions, "create_purchase")

    problem = till.buy(customer, product.id).refused(504, "shipment-outcome-unknown")

    assert problem.attempt_id is not None
    attempt = till.attempt(problem.attempt_id).result()
    assert (attempt.state, attempt.shipment_id) == ("UNKNOWN", None)
    assert attempt.carrier is not None
    assert attempt.carrier.outcome == "unknown"
    assert str(first.id) in str(attempt.carrier.message)
    wanted = {"attempt_id": str(attempt.id), "shipment_id": parcel, "purchase_id": str(first.id)}
    until(lambda: buying.errors(**wanted), "the line about the shipment id")
    assert buying.total("ShipmentIdsTaken") >= 1
    picture = audit(customer)
    assert (picture.balance.posted, picture.balance.held) == (CREDIT - 1_000, 1_000)
    assert [purchase.id for purchase in picture.purchases] == [first.id]


def test_a_noted_answer_with_another_purchase_s_shipment_id_stands_in_nobody_s_way(
    *,
    till: TillClient,
    upstream: StandInControl,
    shop: Shop,
    functions: Functions,
    tables: Tables,
    audit: Auditor,
) -> None:
    """It was noted before anyone could look whose the id is."""
    buyer, product = shop.customer(credit=CREDIT), shop.product("10.00")
    taken = till.buy(buyer, product.id).result().shipment_id
    customer, attempt = _unresolved(till, upstream, shop)
    said: dict[str, AttributeValueTypeDef] = {
        "kind": {"S": "shipped"},
        "detail": {"S": taken},
        "at": {"S": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")},
    }
    tables.set(f"PURCHASE#{attempt}", "PURCHASE", carrier={"M": said})

    def looked_at() -> bool:
        functions.recover()
        carrier = till.attempt(attempt).result().carrier
        return carrier is not None and carrier.outcome == "unknown"

    until(looked_at, "the recovery finds out that it proves nothing")
    till.call_off(attempt).result()
    assert audit(customer).balance.available == CREDIT
