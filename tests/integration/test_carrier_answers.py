"""Step 4 of the purchase protocol: what each answer of the carrier, or its lack, leads to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from local.upstream.behaviour import Behaviour, Drop, Raw, Refuse, Silent
from tests.integration.client import new_key, new_shipment_id
from tests.integration.fault_proxy import Seen, StopListening, running_proxy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from local.endpoints import Endpoints
    from local.upstream.client import StandInControl
    from tests.integration.client import TillClient
    from tests.integration.fault_proxy import Seen
    from tests.integration.functions import Functions
    from tests.integration.invariants import Auditor
    from tests.integration.shop import Shop

CREDIT = 5_000
PRICE = 1_000

SHIPPED: dict[str, Behaviour] = {
    "200": Behaviour(),
    "201": Behaviour(answer=Raw(status=201, body=f'{{"id": "{new_shipment_id()}"}}'), record=True),
    "slow, but in time": Behaviour(delay_seconds=1),
    "more than the contract promises": Behaviour(
        answer=Raw(body=f'{{"id": "{new_shipment_id()}", "eta": null}}'), record=True
    ),
}

NOT_SHIPPED: dict[str, Behaviour] = {
    **{
        str(status): Behaviour(answer=Refuse(status=status, message=f"no, {status}"))
        for status in (400, 401, 403, 404, 409, 422, 429, 500, 501, 503)
    },
    "500 in HTML": Behaviour(answer=Raw(status=500, body="<h1>no</h1>", content_type="text/html")),
}

UNKNOWN: dict[str, Behaviour] = {
    **{str(status): Behaviour(answer=Refuse(status=status)) for status in (408, 502, 504, 599)},
    "302": Behaviour(answer=Raw(status=302, headers={"Location": "/api/elsewhere"})),
    "204": Behaviour(answer=Raw(status=204)),
    "200 without an id": Behaviour(answer=Raw(body="{}"), record=True),
    "200 with an empty id": Behaviour(answer=Raw(body='{"id": ""}'), record=True),
    "200 with a number for an id": Behaviour(answer=Raw(body='{"id": 17}'), record=True),
    "200 with HTML": Behaviour(answer=Raw(body="<h1>yes</h1>", content_type="text/html")),
    "200 with a list": Behaviour(answer=Raw(body='["shp"]'), record=True),
    "200, too deep": Behaviour(answer=Raw(body="[" * 100_000), record=True),
    "200, too long": Behaviour(answer=Raw(body=f'{{"id": "{"x" * 300_000}"}}'), record=True),
    "200, cut short": Behaviour(answer=Raw(body='{"id": "shp"}', missing_bytes=9), record=True),
    "dropped, having made a parcel": Behaviour(answer=Drop(), record=True),
    "dropped": Behaviour(answer=Drop(), record=False),
    "reset, having made a parcel": Behaviour(answer=Drop(reset=True), record=True),
    "silent, having made a parcel": Behaviour(answer=Silent(), record=True),
    "silent": Behaviour(answer=Silent(), record=False),
    "too late, having made a parcel": Behaviour(delay_seconds=12, record=True),
}


@dataclass(frozen=True)
class Asked:
    """A customer with credit, a product, and the key to buy it with."""

    customer: UUID
    product: UUID
    sku: str
    key: str


@pytest.fixture(scope="module", autouse=True)
def _impatient(functions: Functions) -> Iterator[None]:
    """A short time-out for the carrier, to keep the tests short."""
    with functions.configured("create_purchase", TILL_UPSTREAM_SHIPMENT_TIMEOUT_SECONDS="2"):
        yield


@pytest.fixture
def asked(shop: Shop) -> Asked:
    product = shop.product("10.00")
    return Asked(shop.customer(credit=CREDIT), product.id, product.sku, new_key())


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_posts(
    till: TillClient, upstream: StandInControl, audit: Auditor, asked: Asked, name: str
) -> None:
    upstream.plan_shipments(asked.sku, SHIPPED[name])

    reply = till.buy(asked.customer, asked.product, key=asked.key)

    purchase = reply.result()
    assert not reply.replayed
    picture = audit(asked.customer)
    assert (picture.balance.posted, picture.balance.held) == (CREDIT - PRICE, 0)
    assert len(picture.purchases) == picture.parcel_count == len(picture.carrier_calls) == 1
    assert picture.purchases[0].id == purchase.id
    attempt = till.attempt(purchase.id).result()
    assert (attempt.state, attempt.purchase_id) == ("COMPLETED", purchase.id)
    assert attempt.shipment_id == purchase.shipment_id
    assert attempt.carrier is not None
    assert attempt.carrier.outcome == "shipped"

    again = till.buy(asked.customer, asked.product, key=asked.key)
    assert again.replayed
    assert again.response.content == reply.response.content
    assert len(upstream.shipments(asked.sku).requests) == 1


@pytest.mark.parametrize("name", NOT_SHIPPED)
def test_not_shipped_voids(
    till: TillClient, upstream: StandInControl, audit: Auditor, asked: Asked, name: str
) -> None:
    upstream.plan_shipments(asked.sku, NOT_SHIPPED[name])

    reply = till.buy(asked.customer, asked.product, key=asked.key)

    problem = reply.refused(502, "shipment-failed")
    if "HTML" not in name:
        assert f"no, {name}" in problem.detail
    _nothing_was_bought(till, audit, asked, problem.attempt_id)
    assert len(upstream.shipments(asked.sku).requests) == 1

    upstream.clear("shipments", asked.sku)
    again = till.buy(asked.customer, asked.product, key=asked.key)
    assert again.refused(502, "shipment-failed").attempt_id == problem.attempt_id
    assert again.replayed
    assert len(upstream.shipments(asked.sku).requests) == 1
    # With another key it is another purchase, and may be made.
    till.buy(asked.customer, asked.product).result()
    assert audit(asked.customer).balance.posted == CREDIT - PRICE


def _nothing_was_bought(
    till: TillClient, audit: Auditor, asked: Asked, attempt_id: UUID | None
) -> None:
    picture = audit(asked.customer)
    assert (picture.balance.posted, picture.balance.held) == (CREDIT, 0)
    assert picture.purchases == []
    assert [entry.kind for entry in picture.entries] == ["GRANT"]
    assert attempt_id is not None
    attempt = till.attempt(attempt_id).result()
    assert (attempt.state, attempt.purchase_id, attempt.shipment_id) == ("VOIDED", None, None)
    assert attempt.orphan is None
    assert attempt.carrier is not None
    assert attempt.carrier.outcome == "not_shipped"
    till.purchase(attempt_id).refused(404, "purchase-not-found")
    till.refund(attempt_id).refused(404, "purchase-not-found")


@pytest.mark.parametrize("name", UNKNOWN)
def test_unknown_keeps_the_hold(
    till: TillClient, upstream: StandInControl, audit: Auditor, asked: Asked, name: str
) -> None:
    upstream.plan_shipments(asked.sku, UNKNOWN[name])

    reply = till.buy(asked.customer, asked.product, key=asked.key)

    problem = reply.refused(504, "shipment-outcome-unknown")
    assert not reply.replayed
    picture = audit(asked.customer)
    assert (picture.balance.posted, picture.balance.held) == (CREDIT, PRICE)
    assert picture.purchases == []
    assert [entry.kind for entry in picture.entries] == ["GRANT"]
    assert len(picture.carrier_calls) == 1
    assert problem.attempt_id is not None
    attempt = till.attempt(problem.attempt_id).result()
    assert (attempt.state, attempt.purchase_id, attempt.shipment_id) == ("UNKNOWN", None, None)
    assert attempt.carrier is not None
    assert attempt.carrier.outcome == "unknown"
    assert attempt.unknown_since is not None
    assert attempt.deadline_at is not None
    assert (attempt.deadline_at - attempt.unknown_since).total_seconds() == 86_400
    till.purchase(attempt.id).refused(404, "purchase-not-found")

    upstream.clear("shipments", asked.sku)
    again = till.buy(asked.customer, asked.product, key=asked.key)
    assert again.refused(504, "shipment-outcome-unknown").attempt_id == attempt.id
    assert again.replayed
    # The same again under another key might be a second parcel; another quantity is another intent.
    same = till.buy(asked.customer, asked.product)
    assert same.refused(409, "unresolved-attempt").attempt_id == attempt.id
    till.buy(asked.customer, asked.product, 2).result()
    picture = audit(asked.customer)
    assert (picture.balance.posted, picture.balance.held) == (CREDIT - 2 * PRICE, PRICE)
    assert len(picture.carrier_calls) == 2


def test_what_is_held_cannot_be_spent(
    till: TillClient, upstream: StandInControl, shop: Shop, audit: Auditor, asked: Asked
) -> None:
    upstream.plan_shipments(asked.sku, Behaviour(answer=Refuse(status=504)))
    till.buy(asked.customer, asked.product, 4).refused(504, "shipment-outcome-unknown")

    deduction = till.deduct(asked.customer, 1_001).refused(409, "insufficient-credit")
    assert (deduction.needed, deduction.available) == (1_001, 1_000)
    purchase = till.buy(asked.customer, shop.product("10.01").id)
    problem = purchase.refused(409, "insufficient-credit")
    assert (problem.needed, problem.available) == (1_001, 1_000)
    till.deduct(asked.customer, 1_000).result()
    balance = audit(asked.customer).balance
    assert (balance.posted, balance.held, balance.available) == (4_000, 4_000, 0)


def test_closed_port_voids(
    endpoints: Endpoints, functions: Functions, till: TillClient, audit: Auditor, asked: Asked
) -> None:
    reads: set[str] = set()

    def both_being_read(seen: Seen) -> bool:
        reads.add(seen.path.split("/")[-2])
        return {"customers", "products"} <= reads

    with (
        running_proxy(endpoints.upstream_url) as proxy,
        functions.configured("create_purchase", TILL_UPSTREAM_URL=proxy.url),
        # No connection is accepted once customer and product are being read.
        proxy.fault(StopListening(), both_being_read),
    ):
        reply = till.buy(asked.customer, asked.product, key=asked.key)

    problem = reply.refused(502, "shipment-failed")
    assert "could not be reached" in problem.detail
    _nothing_was_bought(till, audit, asked, problem.attempt_id)
    assert till.buy(asked.customer, asked.product, key=asked.key).replayed
