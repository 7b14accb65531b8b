"""The metrics of the running system, and the id by which one request is found everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from local.upstream.behaviour import Behaviour, Refuse
from tests.integration.badges import bearer
from tests.integration.client import new_key
from tests.integration.measured import Measured
from tests.integration.waiting import until

if TYPE_CHECKING:
    from local.upstream.client import StandInControl
    from tests.integration.client import TillClient
    from tests.integration.functions import Functions
    from tests.integration.shop import Shop


def test_purchases_are_counted_by_outcome_and_money_by_kind(
    till: TillClient, upstream: StandInControl, shop: Shop, functions: Functions
) -> None:
    customer = shop.customer(credit=100_00)
    good, refused, lost = (shop.product("10.00") for _ in range(3))
    upstream.plan_shipments(refused.sku, Behaviour(answer=Refuse(status=400)))
    upstream.plan_shipments(lost.sku, Behaviour(answer=Refuse(status=504)))
    buying = Measured(functions, "create_purchase")
    sold = till.buy(customer, good.id).result()
    till.buy(customer, refused.id).refused(502, "shipment-failed")
    till.buy(customer, lost.id).refused(504, "shipment-outcome-unknown")

    def all_there() -> bool:
        # The emulator picks up a late line with the next request.
        till.buy(customer, uuid4()).refused(404, "product-not-found")
        return buying.saw(
            PurchasesReserved=3,
            PurchasesCompleted=1,
            PurchasesVoided=1,
            PurchasesUnknown=1,
            MoneySpentMinor=10_00,
        )

    until(all_there, "the metrics of three purchases")
    assert buying.total("MoneySpentMinor") == 10_00
    assert buying.total("ShipmentApiMilliseconds") > 0

    refunding = Measured(functions, "refund_purchase")
    till.refund(sold.id, 4_00).result()

    def refund_there() -> bool:
        till.refund(sold.id, 99_00).refused(409, "refund-exceeds-purchase")
        return refunding.saw(MoneyRefundedMinor=4_00)

    until(refund_there, "the measure of a refund")


def test_unknown_attempts_and_their_age_are_measured_at_each_run(
    till: TillClient, upstream: StandInControl, shop: Shop, functions: Functions
) -> None:
    customer, lost = shop.customer(credit=100_00), shop.product("10.00")
    upstream.plan_shipments(lost.sku, Behaviour(answer=Refuse(status=504)))
    till.buy(customer, lost.id).refused(504, "shipment-outcome-unknown")
    recovery = Measured(functions, "recover_attempts")

    def seen() -> bool:
        functions.recover()
        return recovery.saw(UnknownAttempts=1) and recovery.total("OldestUnknownSeconds") > 0

    until(seen, "the measure of the unknown attempts")


def test_views_are_counted_by_what_the_cache_did(
    till: TillClient, shop: Shop, functions: Functions
) -> None:
    product = shop.product()
    viewing = Measured(functions, "get_product")

    def seen() -> bool:
        till.send("GET", f"/products/{product.id}")
        return viewing.saw(CacheHits=1, CacheMisses=1)

    until(seen, "the metrics of the cache")


def test_one_name_for_a_request_from_the_caller_to_the_carrier_and_back(
    till: TillClient, upstream: StandInControl, shop: Shop, functions: Functions
) -> None:
    customer, product = shop.customer(credit=100_00), shop.product("10.00")
    name = f"trace-{uuid4()}"
    response = till.send(
        "POST",
        f"/customers/{customer}/purchases",
        json={"product_id": str(product.id), "quantity": 1},
        headers={"Idempotency-Key": new_key(), "X-Correlation-Id": name},
    )
    assert response.status_code == 201
    assert response.headers["X-Correlation-Id"] == name
    (request,) = upstream.shipments(product.sku).requests
    assert request.headers["x-correlation-id"] == name

    def logged() -> bool:
        till.buy(customer, uuid4()).refused(404, "product-not-found")
        return any(name in line for line in functions.log("create_purchase"))

    until(logged, "the line of the request")


def test_no_token_is_in_any_log(till: TillClient, shop: Shop, functions: Functions) -> None:
    """Runs early; what the others' tokens left behind is looked for in test_logs."""
    customer = shop.customer()
    sent = till.send("GET", f"/customers/{customer}/credit", headers=bearer("not.a.token"))
    assert sent.status_code == 401
    for group in functions.log_groups():
        assert not any("not.a.token" in line for line in functions.log_of(group)), group
