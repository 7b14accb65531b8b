"""Names in the lists of a rep: shown from the cache, and never in the way of the list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.upstream.behaviour import Behaviour, Drop, Refuse
from tests.integration.shop import PERSONAL

if TYPE_CHECKING:
    from uuid import UUID

    from local.upstream.client import StandInControl
    from tests.integration.client import TillClient
    from tests.integration.shop import Shop


def name_in(till: TillClient, path: str, customer_id: UUID, **params: str) -> object:
    """What the list says of a customer's name."""
    response = till.send("GET", path, params={"limit": "100", **params})
    assert response.status_code == 200, response.text
    (item,) = (i for i in response.json()["items"] if i["customer_id"] == str(customer_id))
    return item["customer_name"]


def test_a_purchase_of_all_customers_tells_whose_it_is(till: TillClient, shop: Shop) -> None:
    customer = shop.customer(credit=1_000)
    assert till.buy(customer, shop.product().id).ok
    name = name_in(till, "/purchases", customer, include="customer_names")
    assert name == f"{PERSONAL} Person"
    assert name_in(till, "/purchases", customer) is None
    assert till.send("GET", "/purchases", params={"include": "addresses"}).status_code == 400


def test_an_attempt_tells_whose_it_is(
    till: TillClient, shop: Shop, upstream: StandInControl
) -> None:
    customer, product = shop.customer(credit=1_000), shop.product()
    upstream.plan_shipments(product.sku, Behaviour(answer=Drop()))
    attempt_id = till.buy(customer, product.id).problem().attempt_id
    name = name_in(till, "/purchase-attempts", customer, state="UNKNOWN", include="customer_names")
    assert name == f"{PERSONAL} Person"
    assert attempt_id is not None
    assert till.call_off(attempt_id).ok


def test_a_list_is_there_although_a_name_is_not(
    till: TillClient, shop: Shop, upstream: StandInControl
) -> None:
    customer = shop.customer(credit=1_000)
    assert till.buy(customer, shop.product().id).ok
    upstream.plan_customer(customer, Behaviour(answer=Refuse(status=404)))
    assert name_in(till, "/purchases", customer, include="customer_names") is None
