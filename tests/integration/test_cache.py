"""What is shown may be seconds old; what is charged and shipped never is."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest
from pydantic import BaseModel

from local.upstream.behaviour import Behaviour, Drop, PlannedAnswer, Raw, Refuse
from local.upstream.caching import Caching
from tests.integration.client import new_key
from tests.integration.shop import PERSONAL, address_of, customer_with
from tests.integration.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from local.upstream.client import StandInControl
    from local.upstream.contract import Address
    from tests.integration.client import TillClient
    from tests.integration.functions import Functions
    from tests.integration.invariants import Auditor
    from tests.integration.shop import Shop

CREDIT = 50_000

CACHING: dict[str, Caching] = {
    "an ETag": Caching(),
    "Last-Modified": Caching(etag=False, last_modified=True),
    "no validator": Caching(etag=False),
    "an hour": Caching(cache_control="max-age=3600"),
    "an hour and no validator": Caching(etag=False, cache_control="public, max-age=3600"),
}

OUTAGES: dict[str, PlannedAnswer] = {
    "503": Refuse(status=503),
    "500, to be kept": Raw(status=500, headers={"Cache-Control": "max-age=60"}),
    "dropped": Drop(),
}


class SeenAddress(BaseModel):
    line1: str
    city: str


class SeenProduct(BaseModel):
    id: UUID
    sku: str
    name: str
    description: str
    unit_price: int
    currency: str
    created_at: str
    last_modified_at: str
    stale: bool


class SeenCustomer(BaseModel):
    id: UUID
    name: str
    email: str
    billing_address: SeenAddress
    shipping_address: SeenAddress
    created_at: str
    last_modified_at: str
    stale: bool


class Window:
    """What people look at."""

    def __init__(self, till: TillClient) -> None:
        self._till = till

    def get(self, path: str) -> httpx.Response:
        return self._till.send("GET", path)

    def product(self, product_id: UUID) -> tuple[SeenProduct, int]:
        """A product, and its Age."""
        response = self.get(f"/products/{product_id}")
        assert response.status_code == 200, response.text
        return SeenProduct.model_validate_json(response.content), int(response.headers["Age"])

    def customer(self, customer_id: UUID) -> tuple[SeenCustomer, int]:
        """A customer, and their Age."""
        response = self.get(f"/customers/{customer_id}")
        assert response.status_code == 200, response.text
        return SeenCustomer.model_validate_json(response.content), int(response.headers["Age"])

    def refused(self, path: str) -> tuple[int, str]:
        """Status and name of the problem that this is answered with."""
        response = self.get(path)
        assert response.headers["Content-Type"] == "application/problem+json", response.text
        return response.status_code, response.json()["type"].rpartition(":")[2]


@pytest.fixture
def window(till: TillClient) -> Window:
    return Window(till)


@dataclass(frozen=True)
class Scene:
    """A customer with credit, and a product for 10.00."""

    customer: UUID
    product: UUID
    sku: str


@pytest.fixture
def scene(shop: Shop) -> Scene:
    product = shop.product("10.00")
    return Scene(shop.customer(credit=CREDIT), product.id, product.sku)


def new_address(customer_id: UUID) -> Address:
    return address_of(customer_id, line2=f"{PERSONAL} Floor {uuid4()}")


def test_a_customer_and_a_product_as_they_are(window: Window, scene: Scene) -> None:
    product, _ = window.product(scene.product)
    assert (product.id, product.sku) == (scene.product, scene.sku)
    assert (product.unit_price, product.currency, product.stale) == (1_000, "USD", False)
    customer, _ = window.customer(scene.customer)
    expected = customer_with(scene.customer)
    assert (customer.name, customer.email) == (expected.name, expected.email)
    assert customer.shipping_address.line1 == expected.shipping_address.line1
    assert customer.created_at.endswith("Z")
    assert customer.stale is False


@pytest.mark.parametrize("caching", CACHING)
def test_what_changed_since_the_view_is_charged_and_shipped_as_it_is_now(
    window: Window,
    scene: Scene,
    till: TillClient,
    upstream: StandInControl,
    audit: Auditor,
    *,
    caching: str,
) -> None:
    upstream.cache_product(scene.product, CACHING[caching])
    upstream.cache_customer(scene.customer, CACHING[caching])
    # The purchase's own function has seen the old ones, too.
    till.buy(scene.customer, scene.product).result()
    window.product(scene.product)
    window.customer(scene.customer)

    for cents in (1_100, 900, 950):
        upstream.price_product(scene.product, Decimal(cents) / 100)
        moved_to = new_address(scene.customer)
        upstream.move_customer(scene.customer, moved_to)
        bought = till.buy(scene.customer, scene.product).result()
        assert bought.total == cents
        assert bought.shipping_address.line2 == moved_to.line2
        parcel = upstream.shipments(scene.sku).requests[-1]
        assert parcel.shipping_address == moved_to
    audit(scene.customer)


def test_who_says_what_they_saw_never_pays_more(
    window: Window, scene: Scene, till: TillClient, upstream: StandInControl, audit: Auditor
) -> None:
    seen = window.product(scene.product)[0].unit_price
    upstream.price_product(scene.product, Decimal("10.01"))

    refused = till.buy(scene.customer, scene.product, expected_total=seen)
    assert refused.refused(409, "total-changed").total == 1_001
    picture = audit(scene.customer)
    assert (picture.attempts, picture.parcel_count) == ([], 0)

    upstream.price_product(scene.product, Decimal("9.00"))
    assert till.buy(scene.customer, scene.product, expected_total=seen).result().total == 900


def test_a_quote_is_as_fresh_as_a_purchase(
    window: Window, scene: Scene, till: TillClient, upstream: StandInControl
) -> None:
    def quoted() -> object:
        path = f"/customers/{scene.customer}/quotes"
        body = {"product_id": str(scene.product), "quantity": 3}
        return till.send("POST", path, json=body).json()["total"]

    window.product(scene.product)
    assert quoted() == 3_000
    upstream.price_product(scene.product, Decimal("11.00"))
    assert quoted() == 3_300


def test_a_price_that_rises_before_our_read_is_answered(
    scene: Scene, till: TillClient, upstream: StandInControl, audit: Auditor
) -> None:
    """The purchase is under way; what decides is what the Product API says in it."""
    upstream.plan_product(scene.product, Behaviour(hold=True, times=1))
    with ThreadPoolExecutor(1) as pool:
        buying = pool.submit(till.buy, scene.customer, scene.product, expected_total=1_000)
        until(lambda: upstream.product(scene.product).waiting, "the read of the product")
        upstream.price_product(scene.product, Decimal("10.01"))
        upstream.release("products", scene.product)
        buying.result().refused(409, "total-changed")
    assert audit(scene.customer).parcel_count == 0


def test_a_price_that_rises_between_our_read_and_our_reserve(
    scene: Scene, till: TillClient, upstream: StandInControl, audit: Auditor
) -> None:
    """It was read within the request: that is what is charged, and not more than was expected."""
    reads = upstream.product(scene.product).full
    upstream.plan_customer(scene.customer, Behaviour(hold=True, times=1))
    with ThreadPoolExecutor(1) as pool:
        buying = pool.submit(till.buy, scene.customer, scene.product, expected_total=1_000)
        until(lambda: upstream.customer(scene.customer).waiting, "the read of the customer")
        until(lambda: upstream.product(scene.product).full > reads, "the read of the product")
        upstream.price_product(scene.product, Decimal("10.01"))
        upstream.release("customers", scene.customer)
        assert buying.result().result().total == 1_000
    assert audit(scene.customer).parcel_count == 1
    # The next request reads again.
    till.buy(scene.customer, scene.product, expected_total=1_000).refused(409, "total-changed")


@pytest.mark.parametrize("what", ["customers", "products"])
def test_what_was_removed_since_the_view_is_not_sold(
    window: Window,
    scene: Scene,
    till: TillClient,
    upstream: StandInControl,
    audit: Auditor,
    *,
    what: str,
) -> None:
    till.buy(scene.customer, scene.product).result()
    window.product(scene.product)
    if what == "products":
        upstream.remove_product(scene.product)
    else:
        upstream.remove_customer(scene.customer)
    till.buy(scene.customer, scene.product).refused(404, f"{what[:-1]}-not-found")
    assert audit(scene.customer).parcel_count == 1


def test_a_404_is_forgotten_at_once(
    window: Window, upstream: StandInControl, shop: Shop, till: TillClient
) -> None:
    product = shop.product("10.00")
    customer = customer_with(uuid4())
    upstream.remove_product(product.id)
    for _ in range(2):
        assert window.refused(f"/products/{product.id}") == (404, "product-not-found")
        assert window.refused(f"/customers/{customer.id}") == (404, "customer-not-found")
    till.grant(customer.id, 100).refused(404, "customer-not-found")
    upstream.put_product(product)
    upstream.put_customer(customer)
    assert window.product(product.id)[0].unit_price == 1_000
    assert window.customer(customer.id)[0].id == customer.id
    till.grant(customer.id, 100).result()


def test_each_sees_their_own(window: Window, shop: Shop) -> None:
    ids = [shop.customer() for _ in range(5)]
    for _ in range(2):
        for customer_id in ids:
            seen, _ = window.customer(customer_id)
            assert seen.id == customer_id
            assert seen.shipping_address.line1.endswith(str(customer_id))


@pytest.mark.parametrize("path", ["/customers/unknown", "/products/1", "/products/{id}?fresh=1"])
def test_bad_input(window: Window, path: str) -> None:
    assert window.refused(path.format(id=uuid4())) == (400, "invalid-request")


@pytest.fixture(scope="module")
def always_asked(functions: Functions) -> Iterator[None]:
    """Nothing is young enough to be shown without asking."""
    with functions.configured("get_product", "get_customer", TILL_DISPLAY_MAX_AGE_SECONDS="0"):
        yield


@pytest.mark.usefixtures("always_asked")
class TestAskingEachTime:
    def test_looking_again_costs_no_body(
        self, window: Window, scene: Scene, upstream: StandInControl
    ) -> None:
        before = upstream.product(scene.product)
        for _ in range(5):
            window.product(scene.product)
        after = upstream.product(scene.product)
        assert (after.full - before.full, after.not_modified - before.not_modified) == (1, 4)

    @pytest.mark.parametrize("outage", OUTAGES)
    def test_an_outage_shows_what_was_and_sells_nothing(
        self,
        window: Window,
        scene: Scene,
        till: TillClient,
        upstream: StandInControl,
        audit: Auditor,
        *,
        outage: str,
    ) -> None:
        # The purchase's own function has a copy, too: it must not help.
        till.buy(scene.customer, scene.product).result()
        assert window.product(scene.product)[0].stale is False
        assert window.customer(scene.customer)[0].stale is False
        before = audit(scene.customer)
        plan = Behaviour(answer=OUTAGES[outage])
        upstream.plan_product(scene.product, plan)
        upstream.plan_customer(scene.customer, plan)

        product, age = window.product(scene.product)
        assert (product.unit_price, product.stale) == (1_000, True)
        assert 0 <= age < 300
        assert window.customer(scene.customer)[0].stale is True
        key = new_key()
        till.buy(scene.customer, scene.product, key=key).refused(503, "upstream-unavailable")
        after = audit(scene.customer)
        assert after.balance == before.balance
        assert after.parcel_count == before.parcel_count == 1
        assert len(after.attempts) == 1

        upstream.clear("products", scene.product)
        upstream.clear("customers", scene.customer)
        assert window.product(scene.product)[0].stale is False
        assert till.buy(scene.customer, scene.product, key=key).result().total == 1_000

    def test_an_outage_without_a_copy_is_a_problem(
        self, window: Window, scene: Scene, upstream: StandInControl
    ) -> None:
        upstream.plan_product(scene.product, Behaviour(answer=Refuse(status=503)))
        refused = window.refused(f"/products/{scene.product}")
        assert refused == (503, "upstream-unavailable")
        upstream.plan_product(scene.product, Behaviour(answer=Raw(body="{}")))
        assert window.refused(f"/products/{scene.product}") == (502, "upstream-contract")
        upstream.clear("products", scene.product)
        window.product(scene.product)
