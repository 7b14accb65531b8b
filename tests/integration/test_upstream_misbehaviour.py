"""Answers that are wrong as JSON or as HTTP: never a 500, never a lost parcel, never late."""

from __future__ import annotations

import base64
import gzip
import json
import time
from typing import TYPE_CHECKING

import pytest

from local.upstream.behaviour import Behaviour, Dribble, Interim, PlannedAnswer, Raw
from tests.integration.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from local.upstream.client import StandInControl
    from tests.integration.client import TillClient
    from tests.integration.functions import Functions
    from tests.integration.invariants import Auditor
    from tests.integration.shop import Shop

CREDIT, PRICE = 5_000, 1_000
READ_SECONDS, SHIPMENT_SECONDS = 1, 2
SPARE_SECONDS = 8.0
"""What a purchase with a cold function on a busy machine may add; far from a Lambda's 25 s."""

HUGE_EXPONENT = "1e" + "9" * 20
SLOW_HEAD = Dribble(part="head", pause_seconds=0.4)
SLOW_BODY = Dribble(part="body", pause_seconds=0.4)


def encoded(body: str, **raw: int) -> Raw:
    content = base64.b64encode(gzip.compress(body.encode()))
    return Raw.model_validate(
        {"body_base64": content, "headers": {"Content-Encoding": "gzip"}, **raw}
    )


def raw_bytes(body: bytes, **raw: int) -> Raw:
    return Raw.model_validate({"body_base64": base64.b64encode(body), **raw})


UNKNOWN: dict[str, PlannedAnswer] = {
    "a huge exponent": Raw(status=201, body=f'{{"id": "shp-1", "weight": {HUGE_EXPONENT}}}'),
    "a huge integer": Raw(status=201, body=f'{{"id": "shp-1", "weight": {"9" * 100_000}}}'),
    "NaN": Raw(body='{"id": "shp-1", "weight": NaN}'),
    "two ids": Raw(body='{"id": "shp-1", "id": "shp-2"}'),
    "no id": Raw(body='{"ID": "shp-1"}'),
    "null": Raw(body='{"id": null}'),
    "blank": Raw(body='{"id": " "}'),
    "a line break after the id": Raw(body='{"id": "shp-1\\n"}'),
    "not ASCII": Raw(body='{"id": "shp-\u00e9"}'),
    "too long": Raw(body=json.dumps({"id": "x" * 256})),
    "UTF-16": raw_bytes('{"id": "shp-1"}'.encode("utf-16")),
    "half of a surrogate pair": Raw(body='{"id": "shp-1", "note": "\\ud800"}'),
    "encoded": encoded('{"id": "shp-1"}', status=201),
    "broken off": Raw(body='{"id": "shp-1"', missing_bytes=1),
    "header bytes one by one": Raw(body='{"id": "shp-1"}', dribble=SLOW_HEAD),
    "body bytes one by one": Raw(body='{"id": "shp-1"}', dribble=SLOW_BODY),
    "one 1xx after another": Interim(),
}

NOT_SHIPPED: dict[str, PlannedAnswer] = {
    "a huge exponent": Raw(status=422, body=f'{{"Message": "no", "code": {HUGE_EXPONENT}}}'),
    "names twice": Raw(status=400, body='{"Message": "no", "Message": "yes"}'),
    "encoded": encoded('{"Message": "no"}', status=500),
    "broken off": Raw(status=503, body="{", missing_bytes=9),
    "too large": Raw(status=422, body=" " * 300_000),
    "body bytes one by one": Raw(status=422, body='{"Message": "no"}', dribble=SLOW_BODY),
}

BAD_PRICES = (HUGE_EXPONENT, f"1e-{'9' * 20}", "9" * 100_000, "0", "0.00", "-0.0", "1.001", "1e400")


@pytest.fixture(scope="module", autouse=True)
def _impatient(functions: Functions) -> Iterator[None]:
    with functions.configured(
        "create_purchase",
        TILL_UPSTREAM_READ_TIMEOUT_SECONDS=str(READ_SECONDS),
        TILL_UPSTREAM_SHIPMENT_TIMEOUT_SECONDS=str(SHIPMENT_SECONDS),
    ):
        yield


@pytest.mark.parametrize("name", UNKNOWN)
def test_an_unusable_success_is_an_unknown_outcome(
    till: TillClient, upstream: StandInControl, shop: Shop, audit: Auditor, name: str
) -> None:
    customer, product = shop.customer(credit=CREDIT), shop.product("10.00")
    upstream.plan_shipments(product.sku, Behaviour(answer=UNKNOWN[name], record=True))

    began = time.monotonic()
    problem = till.buy(customer, product.id).refused(504, "shipment-outcome-unknown")

    assert time.monotonic() - began < SHIPMENT_SECONDS + SPARE_SECONDS
    picture = audit(customer)
    assert (picture.balance.posted, picture.balance.held) == (CREDIT, PRICE)
    assert problem.attempt_id is not None
    attempt = till.attempt(problem.attempt_id).result()
    assert attempt.state == "UNKNOWN"
    assert attempt.carrier is not None
    assert attempt.carrier.outcome == "unknown"


@pytest.mark.parametrize("name", NOT_SHIPPED)
def test_a_refusal_is_judged_by_its_status(
    till: TillClient, upstream: StandInControl, shop: Shop, audit: Auditor, name: str
) -> None:
    customer, product = shop.customer(credit=CREDIT), shop.product("10.00")
    upstream.plan_shipments(product.sku, Behaviour(answer=NOT_SHIPPED[name]))

    began = time.monotonic()
    till.buy(customer, product.id).refused(502, "shipment-failed")

    assert time.monotonic() - began < SHIPMENT_SECONDS + SPARE_SECONDS
    picture = audit(customer)
    assert (picture.balance.posted, picture.balance.held) == (CREDIT, 0)
    assert picture.purchases == []


@pytest.mark.parametrize("price", BAD_PRICES, ids=lambda price: price[:8])
def test_a_price_that_breaks_the_contract(
    till: TillClient, upstream: StandInControl, shop: Shop, audit: Auditor, price: str
) -> None:
    customer, product = shop.customer(credit=CREDIT), shop.product("10.00")
    _answers_with_price(upstream, product.id, product.model_dump_json(by_alias=True), price)

    till.buy(customer, product.id).refused(502, "upstream-contract")

    picture = audit(customer)
    assert (picture.attempts, picture.carrier_calls) == ([], [])


def test_a_price_of_0_is_one_where_products_may_be_free(
    functions: Functions, till: TillClient, upstream: StandInControl, shop: Shop, audit: Auditor
) -> None:
    customer, product = shop.customer(credit=CREDIT), shop.product("10.00")
    _answers_with_price(upstream, product.id, product.model_dump_json(by_alias=True), "0")
    with functions.configured("create_purchase", TILL_FREE_PRODUCTS="true"):
        assert till.buy(customer, product.id).result().total == 0
    assert audit(customer).balance.posted == CREDIT


def _answers_with_price(
    upstream: StandInControl, product_id: UUID, product: str, price: str
) -> None:
    fields = {**json.loads(product), "price": "PRICE"}
    body = json.dumps(fields).replace('"PRICE"', price)
    upstream.plan_product(product_id, Behaviour(answer=Raw(body=body)))


@pytest.mark.parametrize("dribble", [SLOW_HEAD, SLOW_BODY], ids=["head", "body"])
def test_a_read_is_bounded_as_a_whole(
    till: TillClient, upstream: StandInControl, shop: Shop, audit: Auditor, dribble: Dribble
) -> None:
    customer, product = shop.customer(credit=CREDIT), shop.product("10.00")
    upstream.plan_product(product.id, Behaviour(answer=Raw(body=" " * 50, dribble=dribble)))

    began = time.monotonic()
    till.buy(customer, product.id).refused(503, "upstream-unavailable")

    assert time.monotonic() - began < READ_SECONDS + SPARE_SECONDS
    assert audit(customer).carrier_calls == []


def test_an_encoded_customer_breaks_the_contract(
    till: TillClient, upstream: StandInControl, shop: Shop, audit: Auditor
) -> None:
    customer, product = shop.customer(credit=CREDIT), shop.product("10.00")
    upstream.plan_customer(customer, Behaviour(answer=encoded("{}")))
    till.buy(customer, product.id).refused(502, "upstream-contract")
    assert audit(customer).carrier_calls == []


def test_the_log_says_what_was_shipped(functions: Functions, till: TillClient, shop: Shop) -> None:
    customer, product = shop.customer(credit=CREDIT), shop.product("10.00")
    sold = till.buy(customer, product.id).result()

    def told() -> bool:
        lines = [line for line in functions.log("create_purchase") if str(sold.id) in line]
        return any("calling CreateShipment" in line for line in lines) and any(
            sold.shipment_id in line and "Shipped" in line for line in lines
        )

    until(told, "the lines about the shipment")
