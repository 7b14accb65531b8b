"""Promo codes and quotes on the running system: managed, redeemed once, given back, raced for."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest
from pydantic import BaseModel

from local.upstream.behaviour import Behaviour, Drop, Refuse
from tests.integration.client import new_key
from tests.integration.race import all_at_once, warm_up
from tests.integration.waiting import until

if TYPE_CHECKING:
    import httpx

    from local.upstream.client import StandInControl
    from tests.integration.client import TillClient
    from tests.integration.functions import Functions
    from tests.integration.invariants import Auditor
    from tests.integration.race import Crowd
    from tests.integration.shop import Shop
    from tests.integration.tables import Tables

TEN_PERCENT = {"type": "percentage", "percent": 10}
THIRTY = 30


class Code(BaseModel):
    """What these tests read of a promo code."""

    code: str
    version: int
    state: str
    redemptions: int


class Promos:
    """Promo codes, quotes, and buying with a code."""

    def __init__(self, till: TillClient, tables: Tables) -> None:
        self._till = till
        self._tables = tables

    def make(self, **terms: object) -> str:
        """A new code, 10 % off if nothing else is said."""
        code = f"T-{uuid4().hex[:12]}"
        response = self.post("/promo-codes", {"code": code, "discount": TEN_PERCENT} | terms)
        assert response.status_code == 201, response.text
        return code.upper()

    def post(self, path: str, body: object) -> httpx.Response:
        return self._till.send("POST", path, json=body)

    def read(self, code: str) -> Code:
        response = self._till.send("GET", f"/promo-codes/{code}")
        assert response.status_code == 200, response.text
        return Code.model_validate_json(response.content)

    def change(self, code: str, version: str | None, body: object) -> httpx.Response:
        headers = {"If-Match": version} if version is not None else None
        return self._till.send("PATCH", f"/promo-codes/{code}", json=body, headers=headers)

    def buy(
        self,
        customer_id: UUID,
        product_id: UUID,
        code: str,
        *,
        quantity: int = 1,
        key: str | None = None,
    ) -> httpx.Response:
        return self._till.send(
            "POST",
            f"/customers/{customer_id}/purchases",
            json={"product_id": str(product_id), "quantity": quantity, "promo_code": code},
            headers={"Idempotency-Key": key or new_key()},
        )

    def quote(self, customer_id: UUID, product_id: UUID, **intent: object) -> dict[str, object]:
        body = {"product_id": str(product_id), "quantity": 1} | intent
        response = self.post(f"/customers/{customer_id}/quotes", body)
        assert response.status_code == 200, response.text
        found: dict[str, object] = response.json()
        return found

    def require_counted(self, code: str, expected: int) -> None:
        """The counter is right, and equals the markers."""
        assert self.read(code).redemptions == expected
        assert self._tables.redemption_count(code) == expected


@pytest.fixture(scope="module")
def promos(till: TillClient, tables: Tables) -> Promos:
    return Promos(till, tables)


@pytest.fixture(scope="module")
def _workers_are_warm(promos: Promos, shop: Shop) -> None:
    """Start a worker for each buyer, so that the tests are not about cold starts."""
    customer, product = shop.customer(), shop.product()
    warm_up([partial(promos.buy, customer, product.id, "UNKNOWN-S") for _ in range(THIRTY)])


def refusal(response: httpx.Response) -> str:
    """The restriction that a code was refused by."""
    assert response.status_code == 422, response.text
    problem = response.json()
    assert problem["type"].endswith(":promo-code-refused")
    return str(problem["restriction"])


def test_a_code_is_managed_end_to_end(promos: Promos, till: TillClient) -> None:
    code = promos.make(max_redemptions=5)
    taken = promos.post("/promo-codes", {"code": code.lower(), "discount": TEN_PERCENT})
    assert (taken.status_code, taken.json()["type"].rpartition(":")[2]) == (
        409,
        "promo-code-exists",
    )
    read = till.send("GET", f"/promo-codes/{code.lower()}")
    assert read.headers["ETag"] == '"1"'
    assert promos.change(code, None, {"max_redemptions": 7}).status_code == 428
    assert promos.change(code, '"9"', {"max_redemptions": 7}).status_code == 412
    changed = promos.change(code, read.headers["ETag"], {"max_redemptions": None})
    assert changed.status_code == 200, changed.text
    assert (changed.json()["max_redemptions"], changed.headers["ETag"]) == (None, '"2"')
    assert promos.change(code, '"1"', {"max_redemptions": 8}).status_code == 412
    # Also taken once it has changed: whether this request made it is seen in its history.
    assert promos.post("/promo-codes", {"code": code, "discount": TEN_PERCENT}).status_code == 409
    ended = till.send("POST", f"/promo-codes/{code}/deactivation")
    assert (ended.status_code, ended.json()["state"]) == (200, "DEACTIVATED")
    assert promos.change(code, '"3"', {"max_redemptions": 8}).status_code == 409
    history = till.send("GET", f"/promo-codes/{code}").json()["changes"]
    assert [(c["version"], c["action"], c["actor"]) for c in history] == [
        (1, "CREATED", till.subject),
        (2, "UPDATED", till.subject),
        (3, "DEACTIVATED", till.subject),
    ]
    assert history[0]["terms"]["max_redemptions"] == 5
    assert till.send("DELETE", f"/promo-codes/{code}").status_code in {403, 404, 405}
    assert till.send("GET", "/promo-codes/UNKNOWN").status_code == 404


def test_concurrent_changes_of_one_version_are_one_change(promos: Promos) -> None:
    code = promos.make()
    bodies = [{"max_redemptions": number + 1} for number in range(10)]
    replies = all_at_once([partial(promos.change, code, '"1"', body) for body in bodies])
    assert Counter(reply.status_code for reply in replies) == {200: 1, 412: 9}
    assert promos.read(code).version == 2


def test_codes_are_paged_by_state(promos: Promos, till: TillClient) -> None:
    codes = [promos.make() for _ in range(5)]
    till.send("POST", f"/promo-codes/{codes[2]}/deactivation")
    for state, expected in (
        ("ACTIVE", [codes[n] for n in (4, 3, 1, 0)]),
        ("DEACTIVATED", [codes[2]]),
    ):
        found: list[str] = []
        cursor: str | None = None
        while True:
            params: dict[str, str | int] = {"state": state, "limit": 2}
            if cursor:
                params["cursor"] = cursor
            page = till.send("GET", "/promo-codes", params=params).json()
            found += [item["code"] for item in page["items"] if item["code"] in codes]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert found == expected
    assert till.send("GET", "/promo-codes", params={"cursor": "forged"}).status_code == 400


BAD_TERMS: list[tuple[dict[str, object], str]] = [
    ({"code": "ab"}, "code"),
    ({"code": "x" * 33}, "code"),
    ({"code": "a b"}, "code"),
    ({"code": 5}, "code"),
    ({"discount": {"type": "percentage", "percent": 0}}, "discount"),
    ({"discount": {"type": "percentage", "percent": 101}}, "discount"),
    ({"discount": {"type": "percentage", "percent": 10.5}}, "discount"),
    ({"discount": {"type": "percentage", "percent": "10"}}, "discount"),
    ({"discount": {"type": "fixed", "amount": -1}}, "discount"),
    ({"discount": {"type": "fixed"}}, "discount"),
    ({"discount": {"type": "gift"}}, "discount"),
    ({"discount": None}, "discount"),
    ({"valid_from": "tomorrow"}, "valid_from"),
    ({"valid_from": "2026-12-24T18:00:00"}, "valid_from"),
    ({"valid_until": 1767225600}, "valid_until"),
    (
        {"valid_from": "2026-12-24T18:00:00Z", "valid_until": "2026-12-24T18:00:00Z"},
        "valid_until",
    ),
    ({"max_redemptions": 0}, "max_redemptions"),
    ({"max_redemptions_per_customer": True}, "max_redemptions_per_customer"),
    ({"minimum_subtotal": 1.5}, "minimum_subtotal"),
    ({"product_ids": []}, "product_ids"),
    ({"product_ids": ["x"]}, "product_ids"),
    ({"customer_ids": [str(uuid4())] * 101}, "customer_ids"),
    ({"first_purchase_only": "yes"}, "first_purchase_only"),
    ({"surprise": 1}, "surprise"),
]


@pytest.mark.parametrize(("bad", "field"), BAD_TERMS)
def test_bad_terms_are_refused_by_name(promos: Promos, bad: dict[str, object], field: str) -> None:
    code = f"BAD-{uuid4().hex[:8]}"
    response = promos.post("/promo-codes", {"code": code, "discount": TEN_PERCENT} | bad)
    assert response.status_code == 400, response.text
    assert any(e["field"].startswith(field) for e in response.json()["errors"]), response.text


def test_a_purchase_keeps_its_code_and_rule(
    promos: Promos, till: TillClient, shop: Shop, audit: Auditor
) -> None:
    customer, product, code = shop.customer(credit=5_000), shop.product("19.99"), promos.make()
    bought = promos.buy(customer, product.id, code.lower(), quantity=2)
    assert bought.status_code == 201, bought.text
    purchase = bought.json()
    assert (purchase["subtotal"], purchase["discount"], purchase["total"]) == (3998, 400, 3598)
    assert (purchase["promo_code"], purchase["promo_discount"]["percent"]) == (code, 10)
    promos.change(code, '"1"', {"discount": {"type": "fixed", "amount": 1}})
    kept = till.send("GET", f"/purchases/{purchase['id']}").json()
    assert kept["promo_discount"] == purchase["promo_discount"]
    promos.require_counted(code, 1)
    assert audit(customer).balance.posted == 5_000 - 3598


def test_each_restriction_is_named(promos: Promos, shop: Shop) -> None:
    customer, product = shop.customer(credit=50_000), shop.product("10.00")
    now = datetime.now(UTC)
    used = promos.make(max_redemptions=1)
    assert promos.buy(customer, product.id, used).status_code == 201
    mine = promos.make(max_redemptions_per_customer=1)
    assert promos.buy(customer, product.id, mine).status_code == 201
    ended = promos.make()
    assert promos.post(f"/promo-codes/{ended}/deactivation", None).status_code == 200
    cases = {
        "UNKNOWN-CODE": "unknown",
        ended: "deactivated",
        used: "max_redemptions",
        mine: "max_redemptions_per_customer",
        promos.make(valid_from=(now + timedelta(hours=1)).isoformat()): "not_yet_valid",
        promos.make(valid_until=(now - timedelta(seconds=1)).isoformat()): "expired",
        promos.make(minimum_subtotal=1001): "minimum_subtotal",
        promos.make(product_ids=[str(uuid4())]): "products",
        promos.make(customer_ids=[str(uuid4())]): "customers",
        promos.make(first_purchase_only=True): "first_purchase_only",
    }
    for code, restriction in cases.items():
        assert refusal(promos.buy(customer, product.id, code)) == restriction
        quote = promos.quote(customer, product.id, promo_code=code)
        assert (quote["would_succeed"], quote["total"]) == (False, None)


@pytest.mark.usefixtures("_workers_are_warm")
def test_five_redemptions_and_thirty_buyers(
    promos: Promos, shop: Shop, audit: Auditor, upstream: StandInControl, crowd: Crowd
) -> None:
    product, code = shop.product("10.00"), promos.make(max_redemptions=5)
    customers = [shop.customer(credit=1_000) for _ in range(THIRTY)]

    replies = crowd([partial(promos.buy, c, product.id, code) for c in customers])

    assert Counter(reply.status_code for reply in replies) == {201: 5, 422: 25}
    assert {refusal(r) for r in replies if r.status_code == 422} == {"max_redemptions"}
    promos.require_counted(code, 5)
    assert len(upstream.shipments(product.sku).requests) == 5
    for customer in customers:
        audit(customer)


@pytest.mark.usefixtures("_workers_are_warm")
def test_one_customer_redeems_twice_and_not_ten_times(
    promos: Promos, shop: Shop, audit: Auditor, crowd: Crowd
) -> None:
    customer, product = shop.customer(credit=100_000), shop.product("10.00")
    code = promos.make(max_redemptions_per_customer=2)
    replies = crowd([partial(promos.buy, customer, product.id, code) for _ in range(10)])
    assert Counter(reply.status_code for reply in replies) == {201: 2, 422: 8}
    promos.require_counted(code, 2)
    audit(customer)


def test_any_number_of_uses_is_one_number(
    promos: Promos, till: TillClient, shop: Shop, audit: Auditor, tables: Tables
) -> None:
    """What is kept of a customer's use of a code does not grow with it."""
    uses = 28
    customer, product, code = shop.customer(credit=100_000), shop.product("10.00"), promos.make()
    assert promos.buy(customer, product.id, code).status_code == 201
    first = tables.redemption_marker(code, customer)
    for _ in range(1, uses):
        till.buy(customer, product.id, promo_code=code).result()

    marker = tables.redemption_marker(code, customer)

    assert marker["redemptions"] == {"N": str(uses)}
    assert {**marker, "redemptions": first["redemptions"]} == first
    promos.require_counted(code, uses)
    audit(customer)


def test_failed_shipments_use_none_up(
    promos: Promos, shop: Shop, audit: Auditor, upstream: StandInControl
) -> None:
    customer, product = shop.customer(credit=5_000), shop.product("10.00")
    code = promos.make(max_redemptions=1)
    upstream.plan_shipments(product.sku, Behaviour(answer=Refuse(status=500)))
    for _ in range(3):
        assert promos.buy(customer, product.id, code).status_code == 502
        promos.require_counted(code, 0)
    upstream.clear("shipments", product.sku)
    assert promos.buy(customer, product.id, code).status_code == 201
    promos.require_counted(code, 1)
    audit(customer)


def test_an_unknown_outcome_keeps_its_redemption_until_it_is_resolved(
    promos: Promos, till: TillClient, shop: Shop, audit: Auditor, upstream: StandInControl
) -> None:
    customer, product = shop.customer(credit=5_000), shop.product("10.00")
    code, key = promos.make(max_redemptions=1), new_key()
    upstream.plan_shipments(product.sku, Behaviour(answer=Drop(), times=1))
    lost = promos.buy(customer, product.id, code, key=key)
    assert lost.status_code == 504, lost.text
    promos.require_counted(code, 1)
    assert refusal(promos.buy(customer, product.id, code, quantity=2)) == "max_redemptions"
    assert till.call_off(lost.json()["attempt_id"]).ok
    promos.require_counted(code, 0)
    assert promos.buy(customer, product.id, code, quantity=2).status_code == 201
    promos.require_counted(code, 1)
    audit(customer)


def test_a_deadline_gives_the_redemption_back(
    *,
    promos: Promos,
    shop: Shop,
    audit: Auditor,
    upstream: StandInControl,
    functions: Functions,
    till: TillClient,
) -> None:
    customer, product = shop.customer(credit=5_000), shop.product("10.00")
    code = promos.make(max_redemptions=1)
    upstream.plan_shipments(product.sku, Behaviour(answer=Drop(), times=1))
    with functions.configured("create_purchase", TILL_UNKNOWN_DEADLINE_SECONDS="1"):
        lost = promos.buy(customer, product.id, code)
    assert lost.status_code == 504, lost.text
    promos.require_counted(code, 1)
    audit(customer)

    def voided() -> bool:
        functions.recover()
        return till.attempt(lost.json()["attempt_id"]).result().state == "VOIDED"

    until(voided, "the deadline voids the attempt")
    promos.require_counted(code, 0)
    audit(customer)


def test_a_gift_is_shipped_and_stands_in_the_books(
    promos: Promos, till: TillClient, shop: Shop, audit: Auditor
) -> None:
    customer, product = shop.customer(), shop.product("10.00")
    code = promos.make(discount={"type": "percentage", "percent": 100})
    bought = promos.buy(customer, product.id, code)
    assert bought.status_code == 201, bought.text
    assert (bought.json()["total"], bought.json()["refundable"]) == (0, 0)
    (entry,) = till.entries(customer).result().items
    assert (entry.kind, entry.amount, entry.balance_after) == ("PURCHASE", 0, 0)
    assert till.refund(bought.json()["id"]).problem().slug == "refund-exceeds-purchase"
    audit(customer)


def test_units_are_refunded_at_what_they_were_sold_for(
    promos: Promos, till: TillClient, shop: Shop, audit: Auditor
) -> None:
    customer, product = shop.customer(credit=5_000), shop.product("10.00")
    code = promos.make(discount={"type": "fixed", "amount": 1_000})
    purchase = promos.buy(customer, product.id, code, quantity=3).json()

    def refund(body: dict[str, object]) -> httpx.Response:
        return till.send(
            "POST",
            f"/purchases/{purchase['id']}/refunds",
            json={"reason": "r"} | body,
            headers={"Idempotency-Key": new_key()},
        )

    assert refund({"quantity": 1, "amount": 5}).status_code == 400
    assert refund({"quantity": 0}).status_code == 400
    assert refund({"quantity": 1}).json()["amount"] == 667
    too_many = refund({"quantity": 3})
    assert (too_many.status_code, too_many.json()["refundable_quantity"]) == (409, 2)
    assert refund({"quantity": 2}).json()["amount"] == 1333
    assert till.purchase(purchase["id"]).result().status == "REFUNDED"
    promos.require_counted(code, 1)
    assert audit(customer).balance.posted == 5_000


def test_a_quote_is_what_a_purchase_then_costs(
    promos: Promos, till: TillClient, shop: Shop, tables: Tables, upstream: StandInControl
) -> None:
    customer, product, code = shop.customer(credit=3_000), shop.product("10.00"), promos.make()
    before = tables.mentions(customer)
    quote = promos.quote(customer, product.id, quantity=3, promo_code=code)
    assert (quote["subtotal"], quote["discount"], quote["total"]) == (3000, 300, 2700)
    assert (quote["available"], quote["would_succeed"], quote["problem"]) == (3000, True, None)
    too_much = promos.quote(customer, product.id, quantity=4, promo_code=code)
    assert too_much["would_succeed"] is False
    assert isinstance(too_much["problem"], dict)
    assert too_much["problem"]["type"].endswith(":insufficient-credit")
    assert tables.mentions(customer) == before
    promos.require_counted(code, 0)

    total = quote["total"]
    assert isinstance(total, int)
    bought = till.send(
        "POST",
        f"/customers/{customer}/purchases",
        json={
            "product_id": str(product.id),
            "quantity": 3,
            "promo_code": code,
            "expected_total": total,
        },
        headers={"Idempotency-Key": new_key()},
    )
    assert (bought.status_code, bought.json()["total"]) == (201, total)
    assert len(upstream.shipments(product.sku).requests) == 1
