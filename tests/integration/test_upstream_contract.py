"""An external API that breaks its contract, or is not there: a 502 or 503, and never a charge."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Literal
from uuid import uuid4

import pytest

from local.upstream.behaviour import Behaviour, Drop, PlannedAnswer, Raw, Refuse, Silent
from tests.integration.client import new_key
from tests.integration.shop import customer_with

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from local.upstream.client import StandInControl
    from local.upstream.contract import Product
    from tests.integration.client import TillClient
    from tests.integration.functions import Functions
    from tests.integration.invariants import Auditor
    from tests.integration.shop import Shop

What = Literal["customer", "product"]

CUSTOMER_FIELDS = (
    *("id", "name", "email", "billingAddress", "shippingAddress", "createdAt", "lastModifiedAt"),
)
PRODUCT_FIELDS = ("id", "sku", "name", "description", "price", "createdAt", "lastModifiedAt")
ADDRESS_FIELDS = ("line1", "city", "postalCode", "state", "country")

BAD_PRICES = {
    **{text: text for text in ("19.999", "0.001", "1e-3", "-1", "-0.01", "1e400", "1e30", "NaN")},
    **{text: text for text in ("Infinity", '"12.00"', '"NaN"', "null", "true", "[12]", "{}")},
    "99999999999999.99": "99999999999999.99",
    "a long number": "1" * 5_000,
    "a fraction that rounds up": "0.00" + "9" * 40,
    "a fraction that rounds down": "12." + "0" * 40 + "1",
}

BAD_ANSWERS: dict[str, str] = {
    "nothing": "",
    "HTML": "<html><body>Hello</body></html>",
    "not JSON": "{",
    "null": "null",
    "a list": "[]",
    "a text": '"customer"',
    "an empty object": "{}",
    "too deep": "[" * 100_000,
    "huge": '"' + "x" * 300_000 + '"',
}

UNAVAILABLE: dict[str, PlannedAnswer] = {
    **{str(status): Refuse(status=status) for status in (400, 401, 403, 429, 500, 502, 503)},
    "302": Raw(status=302, headers={"Location": "/api/elsewhere"}),
    "204": Raw(status=204),
    "dropped": Drop(),
    "reset": Drop(reset=True),
    "cut short": Raw(body="{", missing_bytes=100),
}


class Trader:
    """Tries to buy while an answer is wrong, and looks at what became of it."""

    def __init__(
        self, till: TillClient, upstream: StandInControl, shop: Shop, audit: Auditor
    ) -> None:
        self._till = till
        self._upstream = upstream
        self._shop = shop
        self._audit = audit
        self.customer: UUID = shop.customer(credit=50_000)
        self.product: Product = shop.product("10.00")

    def answer(self, what: What) -> dict[str, object]:
        """What the API answers when all is well."""
        entity = customer_with(self.customer) if what == "customer" else self.product
        fields: dict[str, object] = json.loads(entity.model_dump_json(by_alias=True))
        return fields

    def plan(self, what: What, behaviour: Behaviour) -> None:
        if what == "customer":
            self._upstream.plan_customer(self.customer, behaviour)
        else:
            self._upstream.plan_product(self.product.id, behaviour)

    def does_not_buy(self, what: What, answer: PlannedAnswer, *problems: tuple[int, str]) -> None:
        """Under this answer nothing is bought or shipped; after it the same key buys."""
        key = new_key()
        self.plan(what, Behaviour(answer=answer))

        problem = self._till.buy(self.customer, self.product.id, key=key).problem()

        assert (problem.status, problem.slug) in problems
        picture = self._audit(self.customer)
        assert (picture.attempts, picture.carrier_calls) == ([], [])
        assert picture.balance.posted == 50_000
        self._upstream.clear("customers", self.customer)
        self._upstream.clear("products", self.product.id)
        self._till.buy(self.customer, self.product.id, key=key).result()
        assert self._audit(self.customer).parcel_count == 1


@pytest.fixture(scope="module", autouse=True)
def _impatient(functions: Functions) -> Iterator[None]:
    """A short time-out, to keep the tests short."""
    with functions.configured("create_purchase", TILL_UPSTREAM_READ_TIMEOUT_SECONDS="1"):
        yield


@pytest.fixture
def trader(till: TillClient, upstream: StandInControl, shop: Shop, audit: Auditor) -> Trader:
    return Trader(till, upstream, shop, audit)


CONTRACT = (502, "upstream-contract")
ABSENT = (503, "upstream-unavailable")


@pytest.mark.parametrize("what", ["customer", "product"])
@pytest.mark.parametrize("name", BAD_ANSWERS)
def test_an_answer_that_is_something_else(trader: Trader, what: What, name: str) -> None:
    answer = Raw(body=BAD_ANSWERS[name])
    trader.does_not_buy(what, answer, CONTRACT, *((ABSENT,) if name == "huge" else ()))


@pytest.mark.parametrize(
    ("what", "field"),
    [("customer", f) for f in CUSTOMER_FIELDS] + [("product", f) for f in PRODUCT_FIELDS],
)
def test_a_field_is_missing(trader: Trader, what: What, field: str) -> None:
    answer = trader.answer(what)
    del answer[field]
    trader.does_not_buy(what, Raw(body=json.dumps(answer)), CONTRACT)


@pytest.mark.parametrize("field", ADDRESS_FIELDS)
def test_a_field_of_the_address_is_missing(trader: Trader, field: str) -> None:
    answer = trader.answer("customer")
    address = answer["shippingAddress"]
    assert isinstance(address, dict)
    del address[field]
    trader.does_not_buy("customer", Raw(body=json.dumps(answer)), CONTRACT)


@pytest.mark.parametrize(
    ("what", "field", "value"),
    [
        ("customer", "id", str(uuid4())),
        ("customer", "id", "x"),
        ("customer", "id", 5),
        ("customer", "name", None),
        ("customer", "shippingAddress", "at home"),
        ("customer", "shippingAddress", None),
        ("product", "id", str(uuid4())),
        ("product", "id", None),
        ("product", "sku", ""),
        ("product", "sku", 5),
        ("product", "name", ["x"]),
        ("product", "description", None),
    ],
)
def test_a_field_is_wrong(trader: Trader, what: What, field: str, value: object) -> None:
    answer = {**trader.answer(what), field: value}
    trader.does_not_buy(what, Raw(body=json.dumps(answer)), CONTRACT)


@pytest.mark.parametrize("name", BAD_PRICES)
def test_a_price_that_is_none(trader: Trader, name: str) -> None:
    answer = {**trader.answer("product"), "price": "PRICE"}
    body = json.dumps(answer).replace('"PRICE"', BAD_PRICES[name])
    trader.does_not_buy("product", Raw(body=body), CONTRACT)


@pytest.mark.parametrize(
    ("text", "minor"), [("12", 1_200), ("12.3", 1_230), ("12.340000", 1_234), ("1.234e1", 1_234)]
)
def test_a_price_in_another_notation(
    till: TillClient, trader: Trader, audit: Auditor, text: str, minor: int
) -> None:
    answer = {**trader.answer("product"), "price": "PRICE"}
    body = json.dumps(answer).replace('"PRICE"', text)
    trader.plan("product", Behaviour(answer=Raw(body=body)))
    assert till.buy(trader.customer, trader.product.id).result().total == minor
    audit(trader.customer)


def test_more_than_the_contract_promises(till: TillClient, trader: Trader, audit: Auditor) -> None:
    trader.plan(
        "product", Behaviour(answer=Raw(body=json.dumps({**trader.answer("product"), "x": 1})))
    )
    till.buy(trader.customer, trader.product.id).result()
    audit(trader.customer)


@pytest.mark.parametrize("what", ["customer", "product"])
@pytest.mark.parametrize("name", UNAVAILABLE)
def test_an_api_that_fails(trader: Trader, what: What, name: str) -> None:
    trader.does_not_buy(what, UNAVAILABLE[name], ABSENT, CONTRACT)


@pytest.mark.parametrize("what", ["customer", "product"])
def test_an_api_that_does_not_answer(trader: Trader, what: What) -> None:
    trader.does_not_buy(what, Silent(), ABSENT)


def test_a_first_grant_needs_to_know_whose_it_is(
    till: TillClient, upstream: StandInControl, shop: Shop, audit: Auditor
) -> None:
    customer, key = shop.customer(), new_key()
    for answer, problem in ((Refuse(status=500), ABSENT), (Raw(body="<p>"), CONTRACT)):
        upstream.plan_customer(customer, Behaviour(answer=answer))
        till.grant(customer, 100, key=key).refused(*problem)
        till.credit(customer).refused(*problem)
        till.customer_purchases(customer).refused(*problem)
    upstream.clear("customers", customer)
    assert audit(customer).versions == []
    assert not till.grant(customer, 100, key=key).replayed
    audit(customer)
