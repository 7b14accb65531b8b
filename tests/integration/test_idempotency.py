"""The same Idempotency-Key has its effect once, without a time limit; another body is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from local.upstream.behaviour import Behaviour, Raw
from tests.integration.client import REASON, Reply, new_key
from tests.integration.client import Problem as ProblemModel

if TYPE_CHECKING:
    from uuid import UUID

    from local.upstream.client import StandInControl
    from tests.integration.client import TillClient
    from tests.integration.invariants import Auditor
    from tests.integration.shop import Shop

LONGEST = "".join(chr(0x21 + n % 94) for n in range(255))
"""Every visible character, and as many as there may be."""

BAD_KEYS = {
    "missing": None,
    "empty": "",
    "too long": "x" * 256,
    "a space within": "two words",
    "a tab within": "two\twords",
    "not ASCII": "sch\u00f6n",
}


def _grants(customer: UUID) -> tuple[str, dict[str, object]]:
    return f"/customers/{customer}/credit/grants", {"amount": 100, "reason": REASON}


@pytest.mark.parametrize("name", BAD_KEYS)
@pytest.mark.parametrize("operation", ["grant", "deduct", "buy", "refund", "resolve"])
def test_without_a_proper_key_nothing_moves(
    till: TillClient, shop: Shop, audit: Auditor, operation: str, name: str
) -> None:
    customer, product = shop.customer(credit=2_000), shop.product("10.00")
    purchase = till.buy(customer, product.id).result()
    path, body = {
        "grant": _grants(customer),
        "deduct": (f"/customers/{customer}/credit/deductions", {"amount": 1, "reason": REASON}),
        "buy": (
            f"/customers/{customer}/purchases",
            {"product_id": str(product.id), "quantity": 1},
        ),
        "refund": (f"/purchases/{purchase.id}/refunds", {"reason": REASON}),
        "resolve": (
            f"/purchase-attempts/{purchase.id}/resolution",
            {"outcome": "not_shipped", "reason": REASON},
        ),
    }[operation]
    before = till.credit(customer).result()
    key = BAD_KEYS[name]
    headers = httpx.Headers({} if key is None else {"Idempotency-Key": key}, encoding="utf-8")

    response = till.send("POST", path, json=body, headers=headers)

    problem = Reply(response, 201, ProblemModel).refused(400, "invalid-request")
    assert {field.lower() for field in problem.fields} == {"idempotency-key"}
    assert till.credit(customer).result() == before
    assert len(audit(customer).carrier_calls) == 1


def test_any_visible_characters_are_a_key(till: TillClient, shop: Shop, audit: Auditor) -> None:
    customer, product = shop.customer(credit=5_000), shop.product("10.00")
    for _ in range(2):
        till.grant(customer, 100, key=LONGEST).result()
        till.buy(customer, product.id, key=LONGEST).result()
        till.grant(customer, 1, key="#").result()
        till.grant(customer, 2, key="/../%2F").result()
    picture = audit(customer)
    assert picture.balance.posted == 5_000 + 100 - 1_000 + 1 + 2


def test_the_first_answer_for_ever(till: TillClient, shop: Shop, audit: Auditor) -> None:
    customer, product = shop.customer(credit=5_000), shop.product("10.00")
    keys = [new_key() for _ in range(4)]
    purchase = till.buy(customer, product.id, key=keys[0])
    bought = purchase.result()

    def ask() -> list[tuple[int, bytes, bool]]:
        replies = [
            till.buy(customer, product.id, key=keys[0]),
            till.grant(customer, 100, key=keys[1]),
            till.deduct(customer, 50, key=keys[2]),
            till.refund(bought.id, 300, key=keys[3]),
        ]
        return [(r.status, r.response.content, r.replayed) for r in replies]

    answers = ask()
    assert [replayed for _, _, replayed in answers] == [True, False, False, False]
    # Whatever happens afterwards.
    till.refund(bought.id).result()
    till.grant(customer, 1_000).result()
    till.deduct(customer, 10).result()
    again = ask()
    assert [(s, body) for s, body, _ in again] == [(s, body) for s, body, _ in answers]
    assert all(replayed for _, _, replayed in again)
    assert again[0][1] == purchase.response.content
    audit(customer)


def test_the_same_request_laid_out_otherwise(till: TillClient, shop: Shop, audit: Auditor) -> None:
    customer, key = shop.customer(), new_key()
    path, _ = _grants(customer)
    headers = {"Idempotency-Key": key, "Content-Type": "application/json; charset=utf-8"}
    bodies = ['{"amount": 5, "reason": "caf\\u00e9"}', '{\n"reason":"café","amount":5}']
    first, second = (
        till.send("POST", path, content=body.encode(), headers=headers) for body in bodies
    )
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.headers["Idempotency-Replayed"] == "true"
    assert len(audit(customer).entries) == 1


def test_the_key_with_another_body(till: TillClient, shop: Shop, audit: Auditor) -> None:
    customer, key = shop.customer(credit=10_000), new_key()
    product, other = shop.product("10.00"), shop.product("10.00")
    purchase = till.buy(customer, product.id, key=key, expected_total=1_000).result()
    till.grant(customer, 100, key=key).result()
    till.deduct(customer, 100, key=key).result()
    till.refund(purchase.id, 100, key=key).result()
    before = till.credit(customer).result()

    for reply in (
        till.buy(customer, other.id, key=key, expected_total=1_000),
        till.buy(customer, product.id, 2, key=key, expected_total=1_000),
        till.buy(customer, product.id, key=key, expected_total=1_001),
        till.buy(customer, product.id, key=key),
        till.grant(customer, 101, key=key),
        till.grant(customer, 100, key=key, reason="another"),
        till.deduct(customer, 99, key=key),
        till.refund(purchase.id, 99, key=key),
        till.refund(purchase.id, key=key),
        till.refund(purchase.id, 100, key=key, reason="another"),
    ):
        reply.refused(422, "idempotency-key-reused")
        assert not reply.replayed
    assert till.credit(customer).result() == before
    audit(customer)


def test_a_key_belongs_to_one_customer_and_operation(
    till: TillClient, shop: Shop, audit: Auditor
) -> None:
    one, two, key = shop.customer(credit=5_000), shop.customer(credit=5_000), new_key()
    product = shop.product("10.00")
    replies = [
        till.grant(one, 100, key=key),
        till.grant(two, 100, key=key),
        till.deduct(one, 100, key=key),
        till.deduct(two, 100, key=key),
        till.buy(one, product.id, key=key),
        till.buy(two, product.id, key=key),
    ]
    assert [(reply.status, reply.replayed) for reply in replies] == [(201, False)] * 6
    purchases = [till.customer_purchases(c).result().items[0].id for c in (one, two)]
    assert purchases[0] != purchases[1]
    refunds = [till.refund(purchase, 100, key=key).result() for purchase in purchases]
    assert refunds[0].id != refunds[1].id
    audit(one)
    audit(two)


def test_one_refund_key_on_two_purchases(till: TillClient, shop: Shop, audit: Auditor) -> None:
    customer, product, key = shop.customer(credit=5_000), shop.product("10.00"), new_key()
    first, second = (till.buy(customer, product.id).result() for _ in range(2))
    till.refund(first.id, 100, key=key).result()
    till.refund(second.id, 100, key=key).refused(422, "idempotency-key-reused")
    audit(customer)


def test_the_actor_is_not_part_of_the_request(till: TillClient, shop: Shop, audit: Auditor) -> None:
    """Another rep who repeats a request gets its answer, and the books keep the first one."""
    customer, key = shop.customer(), new_key()
    till.grant(customer, 100, key=key, actor="rep.one").result()
    replay = till.grant(customer, 100, key=key, actor="rep.two")
    assert replay.replayed
    assert replay.result().entry.actor == "rep.one"
    audit(customer)


def test_a_refused_request_is_not_remembered(
    till: TillClient, upstream: StandInControl, shop: Shop, audit: Auditor
) -> None:
    customer, product, key = shop.customer(credit=500), shop.product("10.00"), new_key()
    upstream.remove_product(product.id)

    till.buy(customer, product.id, key=key).refused(404, "product-not-found")
    upstream.put_product(product)
    upstream.plan_product(product.id, Behaviour(answer=Raw(body="<p>"), times=1))
    till.buy(customer, product.id, key=key).refused(502, "upstream-contract")
    till.buy(customer, product.id, 0, key=key).refused(400, "invalid-request")
    till.buy(customer, product.id, key=key).refused(409, "insufficient-credit")
    till.deduct(customer, 700, key=key).refused(409, "insufficient-credit")
    till.grant(customer, -1, key=key).refused(400, "invalid-request")
    till.grant(customer, 1_500, key=key).result()
    deducted = till.deduct(customer, 700, key=key)
    bought = till.buy(customer, product.id, key=key)

    assert (deducted.status, deducted.replayed) == (201, False)
    assert (bought.status, bought.replayed) == (201, False)
    purchase = bought.result()
    till.refund(purchase.id, 1_001, key=key).refused(409, "refund-exceeds-purchase")
    assert not till.refund(purchase.id, 1_000, key=key).replayed
    assert audit(customer).balance.posted == 500 + 1_500 - 700
