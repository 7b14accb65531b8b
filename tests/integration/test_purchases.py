"""Purchases and refunds: what was bought, as it was then."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from tests.integration.client import new_key
from tests.integration.shop import address_of
from tests.integration.test_credit import RFC_3339_IN_UTC

if TYPE_CHECKING:
    from local.upstream.client import StandInControl
    from tests.integration.client import TillClient
    from tests.integration.functions import Functions
    from tests.integration.invariants import Auditor
    from tests.integration.shop import Shop
    from tests.integration.tables import Tables

PURCHASE_FIELDS = {
    "id",
    "customer_id",
    "product",
    "quantity",
    "subtotal",
    "discount",
    "total",
    "refunded",
    "refundable",
    "currency",
    "promo_code",
    "shipment_id",
    "shipping_address",
    "status",
    "created_at",
    "created_by",
    "created_by_name",
}
PRODUCT_FIELDS = {"id", "sku", "name", "description", "unit_price"}


def test_a_purchase(till: TillClient, upstream: StandInControl, shop: Shop, audit: Auditor) -> None:
    customer, product = shop.customer(credit=5_000), shop.product("12.34")

    purchase = till.buy(customer, product.id, 3, actor="rep.one").result()

    assert (purchase.customer_id, purchase.quantity) == (customer, 3)
    assert (purchase.subtotal, purchase.discount, purchase.total) == (3_702, 0, 3_702)
    assert (purchase.refunded, purchase.refundable, purchase.status) == (0, 3_702, "COMPLETED")
    assert (purchase.currency, purchase.promo_code, purchase.created_by) == ("USD", None, "rep.one")
    sold = purchase.product
    assert (sold.id, sold.sku, sold.unit_price) == (product.id, product.sku, 1_234)
    assert (sold.name, sold.description) == (product.name, product.description)
    (call,) = upstream.shipments(product.sku).requests
    assert call.shipment_id == purchase.shipment_id
    assert call.products == {product.sku: 3}
    assert call.shipping_address == address_of(customer)
    assert call.headers["idempotency-key"] == str(purchase.id)
    assert purchase.shipping_address.model_dump() == address_of(customer).model_dump()
    picture = audit(customer)
    debit = picture.entries[-1]
    assert (debit.kind, debit.amount, debit.purchase_id) == ("PURCHASE", -3_702, purchase.id)
    assert (debit.actor, debit.balance_after) == ("rep.one", 5_000 - 3_702)
    assert till.purchase(purchase.id).result().refunds == []


def test_the_names_that_clients_rely_on(till: TillClient, shop: Shop) -> None:
    customer, product = shop.customer(credit=5_000), shop.product()
    bought = json.loads(till.buy(customer, product.id).response.content)
    read = json.loads(till.purchase(bought["id"]).response.content)
    (listed,) = json.loads(till.customer_purchases(customer).response.content)["items"]

    assert bought.keys() >= PURCHASE_FIELDS
    assert bought["product"].keys() >= PRODUCT_FIELDS
    assert read == {**bought, "refunds": []}
    assert listed == bought
    assert RFC_3339_IN_UTC.fullmatch(bought["created_at"])


def test_what_was_sold_stays_as_it_was(
    till: TillClient, upstream: StandInControl, shop: Shop, audit: Auditor
) -> None:
    customer, product, key = shop.customer(credit=5_000), shop.product("10.00"), new_key()
    first = till.buy(customer, product.id, key=key)
    purchase = first.result()

    changed = product.model_copy(update={"name": "Another thing", "price": Decimal("11.00")})
    upstream.put_product(changed)
    upstream.move_customer(customer, address_of(customer, line2=None))

    assert till.purchase(purchase.id).result().product.name == product.name
    again = till.buy(customer, product.id, key=key)
    assert again.replayed
    assert again.response.content == first.response.content
    later = till.buy(customer, product.id).result()
    assert (later.product.name, later.total) == ("Another thing", 1_100)
    assert later.shipping_address.line2 is None
    assert [c.shipping_address.line2 for c in audit(customer).carrier_calls] == [
        address_of(customer).line2,
        None,
    ]


@pytest.mark.parametrize("expected", [1_000, 1_001, 5_000])
def test_at_most_the_expected_total_is_charged(
    till: TillClient, shop: Shop, audit: Auditor, expected: int
) -> None:
    customer, product = shop.customer(credit=5_000), shop.product("10.00")
    purchase = till.buy(customer, product.id, expected_total=expected).result()
    assert purchase.total == 1_000
    assert audit(customer).balance.posted == 4_000


def test_more_than_the_expected_total_is_not_charged(
    till: TillClient, upstream: StandInControl, shop: Shop, audit: Auditor
) -> None:
    customer, product, key = shop.customer(credit=5_000), shop.product("10.00"), new_key()
    upstream.price_product(product.id, Decimal("10.01"))

    reply = till.buy(customer, product.id, 2, expected_total=2_000, key=key)

    problem = reply.refused(409, "total-changed")
    assert (problem.expected_total, problem.total) == (2_000, 2_002)
    assert audit(customer).carrier_calls == []
    # It left nothing behind: with the new total the same key may be used again.
    purchase = till.buy(customer, product.id, 2, expected_total=2_002, key=key).result()
    assert purchase.total == 2_002
    audit(customer)


def test_too_little_credit(till: TillClient, shop: Shop, audit: Auditor) -> None:
    customer, product = shop.customer(credit=999), shop.product("10.00")
    problem = till.buy(customer, product.id).refused(409, "insufficient-credit")
    assert (problem.needed, problem.available) == (1_000, 999)
    picture = audit(customer)
    assert (picture.attempts, picture.carrier_calls, len(picture.versions)) == ([], [], 1)


def test_no_such_product(till: TillClient, shop: Shop, audit: Auditor) -> None:
    customer = shop.customer(credit=1_000)
    problem = till.buy(customer, uuid4()).refused(404, "product-not-found")
    assert problem.fields == {"product_id"}
    assert audit(customer).attempts == []


def test_a_price_of_0_breaks_the_contract(till: TillClient, shop: Shop, audit: Auditor) -> None:
    customer, product = shop.customer(credit=1_000), shop.product("0.00")
    till.buy(customer, product.id).refused(502, "upstream-contract")
    assert audit(customer).attempts == []


def test_a_free_product_where_the_stage_allows_it(
    till: TillClient, functions: Functions, shop: Shop, audit: Auditor
) -> None:
    """There is something to ship and nothing to pay: a purchase of 0, with its debit of 0."""
    customer, product = shop.customer(credit=1_000), shop.product("0.00")
    with functions.configured("create_purchase", TILL_FREE_PRODUCTS="true"):
        purchase = till.buy(customer, product.id).result()
    assert (purchase.total, purchase.refundable, purchase.status) == (0, 0, "COMPLETED")
    till.refund(purchase.id).refused(409, "refund-exceeds-purchase")
    picture = audit(customer)
    assert (picture.balance.posted, picture.parcel_count) == (1_000, 1)


def test_a_total_that_is_too_large(till: TillClient, shop: Shop, audit: Auditor) -> None:
    customer, product = shop.customer(credit=1_000), shop.product("999999.99")
    problem = till.buy(customer, product.id, 1_000_000).refused(400, "invalid-request")
    assert problem.fields == {"quantity"}
    assert audit(customer).attempts == []


def test_a_purchase_belongs_to_its_customer(till: TillClient, shop: Shop) -> None:
    customer, other, product = shop.customer(credit=1_000), shop.customer(), shop.product("10.00")
    purchase = till.buy(customer, product.id).result()
    assert till.customer_purchase(customer, purchase.id).result().id == purchase.id
    till.customer_purchase(other, purchase.id).refused(404, "purchase-not-found")
    till.customer_purchase(customer, uuid4()).refused(404, "purchase-not-found")
    till.purchase(uuid4()).refused(404, "purchase-not-found")


def test_refunds(till: TillClient, shop: Shop, audit: Auditor) -> None:
    customer, product = shop.customer(credit=1_000), shop.product("10.00")
    purchase = till.buy(customer, product.id).result()

    part = till.refund(purchase.id, 300, reason="Scratched", actor="rep.one").result()

    assert (part.amount, part.refunded, part.refundable) == (300, 300, 700)
    assert (part.purchase_id, part.customer_id) == (purchase.id, customer)
    assert (part.reason, part.created_by, part.balance_after) == ("Scratched", "rep.one", 300)
    read = till.purchase(purchase.id).result()
    assert (read.status, read.refunded, read.refundable) == ("PARTIALLY_REFUNDED", 300, 700)
    assert read.refunds == [part]

    problem = till.refund(purchase.id, 701).refused(409, "refund-exceeds-purchase")
    assert problem.refundable == 700
    rest = till.refund(purchase.id).result()
    assert (rest.amount, rest.refunded, rest.refundable) == (700, 1_000, 0)
    read = till.purchase(purchase.id).result()
    assert (read.status, read.refunds) == ("REFUNDED", [part, rest])
    for reply in (till.refund(purchase.id), till.refund(purchase.id, 1)):
        assert reply.refused(409, "refund-exceeds-purchase").refundable == 0

    picture = audit(customer)
    assert picture.balance.posted == 1_000
    entries = {entry.refund_id: entry for entry in picture.entries if entry.kind == "REFUND"}
    assert (entries[part.id].reason, entries[part.id].actor) == ("Scratched", "rep.one")
    assert till.refunds(purchase.id).result().items == [rest, part]


def test_a_refund_is_of_the_amount_that_the_rep_saw(till: TillClient, shop: Shop) -> None:
    customer, product = shop.customer(credit=5_000), shop.product("10.00")
    purchase = till.buy(customer, product.id, 4).result()
    till.refund(purchase.id, 1_500, actor="rep.two").result()

    key = "all-that-is-left"
    refused = till.refund(purchase.id, expected_amount=4_000, key=key)
    problem = refused.refused(409, "refund-amount-changed")
    assert (problem.expected_amount, problem.amount) == (4_000, 2_500)
    assert till.purchase(purchase.id).result().refundable == 2_500
    assert till.purchase(purchase.id).result().refundable_quantity == 2
    assert till.refund(purchase.id, expected_amount=2_500, key=key).result().amount == 2_500


def test_no_purchase_no_refund(till: TillClient, tables: Tables) -> None:
    unknown = uuid4()
    till.refund(unknown, 100).refused(404, "purchase-not-found")
    till.refunds(unknown).refused(404, "purchase-not-found")
    assert tables.mentions(unknown) == 0
