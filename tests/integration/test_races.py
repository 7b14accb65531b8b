"""Many requests at the same moment: the books are as if they had come one after the other."""

from __future__ import annotations

import os
import random
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest

from local.upstream.behaviour import Behaviour, Refuse
from tests.integration.client import new_key, new_shipment_id
from tests.integration.race import all_at_once, outcomes, warm_up

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import BaseModel

    from local.upstream.client import StandInControl
    from local.upstream.contract import Product
    from tests.integration.client import Reply, TillClient
    from tests.integration.invariants import Auditor
    from tests.integration.race import Crowd
    from tests.integration.shop import Shop

BUYERS = 50
CROWD = 20
REPS = 10


@pytest.fixture(scope="module", autouse=True)
def _workers_are_warm(till: TillClient, shop: Shop) -> None:
    """Start the workers first, so that the tests are about races and not about cold starts."""
    product = shop.product("10.00")
    customers = [shop.customer(credit=1_000) for _ in range(BUYERS)]
    warm_up([partial(till.buy, customer, product.id) for customer in customers])
    warm_up([partial(till.grant, customer, 1) for customer in customers[:CROWD]])
    warm_up([partial(till.deduct, customer, 1) for customer in customers[: CROWD // 2]])
    warm_up([partial(till.refund, uuid4()) for _ in range(CROWD)])
    warm_up([partial(till.call_off, uuid4()) for _ in range(REPS)])


def test_fifty_buyers_with_money_for_ten(
    till: TillClient, shop: Shop, audit: Auditor, crowd: Crowd
) -> None:
    customer, product = shop.customer(credit=10 * 1_000), shop.product("10.00")

    replies = crowd([partial(till.buy, customer, product.id) for _ in range(BUYERS)])

    assert outcomes(replies) == {"201": 10, "insufficient-credit": 40}
    picture = audit(customer)
    assert picture.parcel_count == len(picture.carrier_calls) == len(picture.purchases) == 10
    assert (picture.balance.posted, picture.balance.held) == (0, 0)
    sold = {purchase.id for purchase in picture.purchases}
    assert sold == {reply.result().id for reply in replies if reply.ok}


def test_twenty_full_refunds(till: TillClient, shop: Shop, audit: Auditor) -> None:
    customer, product = shop.customer(credit=1_000), shop.product("10.00")
    purchase = till.buy(customer, product.id).result()

    replies = all_at_once([partial(till.refund, purchase.id) for _ in range(CROWD)])

    assert outcomes(replies) == {"201": 1, "refund-exceeds-purchase": CROWD - 1}
    assert audit(customer).balance.posted == 1_000


def test_twenty_partial_refunds_of_more_than_was_paid(
    till: TillClient, shop: Shop, audit: Auditor
) -> None:
    customer, product = shop.customer(credit=1_000), shop.product("10.00")
    purchase = till.buy(customer, product.id).result()

    replies = all_at_once([partial(till.refund, purchase.id, 300) for _ in range(CROWD)])

    assert outcomes(replies) == {"201": 3, "refund-exceeds-purchase": CROWD - 3}
    assert till.purchase(purchase.id).result().refundable == 100
    assert audit(customer).balance.posted == 900


def test_one_purchase_request_twenty_times(
    till: TillClient, upstream: StandInControl, shop: Shop, audit: Auditor
) -> None:
    customer, product, key = shop.customer(credit=5_000), shop.product(), new_key()
    upstream.plan_shipments(product.sku, Behaviour(delay_seconds=0.3))

    replies = all_at_once([partial(till.buy, customer, product.id, key=key) for _ in range(CROWD)])

    bought = [reply for reply in replies if reply.ok]
    assert Counter(reply.replayed for reply in bought)[False] == 1
    assert len({reply.response.content for reply in bought}) == 1
    for reply in replies:
        if not reply.ok:
            reply.refused(409, "request-in-flight")
            assert int(reply.response.headers["Retry-After"]) > 0
    picture = audit(customer)
    assert len(picture.carrier_calls) == picture.parcel_count == len(picture.purchases) == 1
    again = till.buy(customer, product.id, key=key)
    assert again.replayed
    assert again.response.content == bought[0].response.content


def test_twenty_first_grants(till: TillClient, shop: Shop, audit: Auditor) -> None:
    customer = shop.customer()

    replies = all_at_once(
        [partial(till.grant, customer, 2**number) for number in range(CROWD)],
    )

    assert outcomes(replies) == {"201": CROWD}
    picture = audit(customer)
    assert sorted(entry.amount for entry in picture.entries) == [2**n for n in range(CROWD)]
    assert picture.balance.posted == 2**CROWD - 1
    # Each was told its own entry, and the balance right after it.
    told = {reply.result().entry.id: reply.result().balance.posted for reply in replies}
    assert told == {entry.id: entry.balance_after for entry in picture.entries}


def test_one_grant_request_twenty_times(till: TillClient, shop: Shop, audit: Auditor) -> None:
    customer, key = shop.customer(), new_key()

    replies = all_at_once([partial(till.grant, customer, 700, key=key) for _ in range(CROWD)])

    assert outcomes(replies) == {"201": CROWD}
    assert Counter(reply.replayed for reply in replies) == {False: 1, True: CROWD - 1}
    assert len({reply.response.content for reply in replies}) == 1
    assert len(audit(customer).entries) == 1


def test_one_refund_request_twenty_times(till: TillClient, shop: Shop, audit: Auditor) -> None:
    customer, product, key = shop.customer(credit=1_000), shop.product("10.00"), new_key()
    purchase = till.buy(customer, product.id).result()

    replies = all_at_once([partial(till.refund, purchase.id, 10, key=key) for _ in range(CROWD)])

    assert outcomes(replies) == {"201": CROWD}
    assert Counter(reply.replayed for reply in replies) == {False: 1, True: CROWD - 1}
    assert len({reply.response.content for reply in replies}) == 1
    assert len(audit(customer).refunds) == 1


def test_deductions_against_purchases(till: TillClient, shop: Shop, audit: Auditor) -> None:
    customer, product = shop.customer(credit=5_000), shop.product("10.00")
    calls: list[Callable[[], Reply[BaseModel]]] = []
    calls += [partial(till.deduct, customer, 700) for _ in range(CROWD // 2)]
    calls += [partial(till.buy, customer, product.id) for _ in range(CROWD // 2)]

    replies = all_at_once(calls)

    # The audit looks at every version: at none of them was more taken than there was.
    picture = audit(customer)
    assert picture.balance.available < 700
    assert set(outcomes(replies)) == {"201", "insufficient-credit"}
    assert outcomes(replies)["201"] == len(picture.entries) - 1


def test_ten_reps_resolve_one_attempt(
    till: TillClient, upstream: StandInControl, shop: Shop, audit: Auditor
) -> None:
    customer, product = shop.customer(credit=1_000), shop.product("10.00")
    upstream.plan_shipments(product.sku, Behaviour(answer=Refuse(status=504)))
    attempt = till.buy(customer, product.id).refused(504, "shipment-outcome-unknown").attempt_id
    assert attempt is not None
    calls: list[Callable[[], Reply[BaseModel]]] = []
    calls += [partial(till.confirm, attempt, new_shipment_id()) for _ in range(REPS // 2)]
    calls += [partial(till.call_off, attempt) for _ in range(REPS // 2)]

    replies = all_at_once(calls)

    assert outcomes(replies) == {"200": 1, "attempt-already-resolved": REPS - 1}
    picture = audit(customer)
    assert picture.balance.held == 0
    assert picture.balance.posted == (0 if picture.purchases else 1_000)


def test_one_resolution_ten_times(
    till: TillClient, upstream: StandInControl, shop: Shop, audit: Auditor
) -> None:
    customer, product, key = shop.customer(credit=1_000), shop.product("10.00"), new_key()
    parcel = new_shipment_id()
    upstream.plan_shipments(product.sku, Behaviour(answer=Refuse(status=504)))
    attempt = till.buy(customer, product.id).refused(504, "shipment-outcome-unknown").attempt_id
    assert attempt is not None

    replies = all_at_once([partial(till.confirm, attempt, parcel, key=key) for _ in range(REPS)])

    assert outcomes(replies) == {"200": REPS}
    assert Counter(reply.replayed for reply in replies) == {False: 1, True: REPS - 1}
    assert {reply.result().state for reply in replies} == {"COMPLETED"}
    assert len({reply.response.content for reply in replies}) == 1
    assert len(audit(customer).purchases) == 1


PAIRS = 20
PAIRS_AT_ONCE = 5


@pytest.mark.parametrize("what", ["purchase", "deduction", "purchase with a first-purchase code"])
def test_a_request_sent_twice_at_once_is_not_refused_by_its_own_effect(
    till: TillClient, shop: Shop, audit: Auditor, what: str
) -> None:
    """Each takes all the credit, or the one first purchase: its twin finds nothing left."""
    product, code = shop.product("10.00"), f"FIRST-{uuid4().hex[:12]}".upper()
    terms = {"code": code, "discount": {"type": "fixed", "amount": 1}, "first_purchase_only": True}
    assert till.send("POST", "/promo-codes", json=terms).status_code == 201
    credit = 9_000 if "code" in what else 1_000

    def request(customer: UUID) -> Callable[[], Reply[BaseModel]]:
        key = new_key()
        if what == "deduction":
            return partial(till.deduct, customer, credit, key=key)
        promo_code = code if "code" in what else None
        return partial(till.buy, customer, product.id, promo_code=promo_code, key=key)

    for _ in range(0, PAIRS, PAIRS_AT_ONCE):
        customers = [shop.customer(credit=credit) for _ in range(PAIRS_AT_ONCE)]
        requests = [request(customer) for customer in customers]
        replies = all_at_once([send for send in requests for _ in range(2)])

        for number, (customer, send) in enumerate(zip(customers, requests, strict=True)):
            told = outcomes(replies[2 * number : 2 * number + 2])
            assert set(told) <= {"201", "request-in-flight"}, told
            assert told["201"] >= 1
            assert send().replayed
            assert len(audit(customer).entries) == 2


SEED = int(os.environ.get("TILL_TEST_SEED", random.randrange(2**32)))


@pytest.mark.parametrize("seed", [SEED], ids=lambda seed: f"TILL_TEST_SEED={seed}")
def test_everything_at_once(
    till: TillClient, upstream: StandInControl, shop: Shop, audit: Auditor, seed: int
) -> None:
    """A hundred requests of all kinds on three customers, in waves of twenty."""
    chance = random.Random(seed)
    customers = [shop.customer(credit=chance.randrange(2_000, 6_000)) for _ in range(3)]
    usual, failing, unknown = shop.product("3.00"), shop.product("4.00"), shop.product("5.00")
    upstream.plan_shipments(failing.sku, Behaviour(answer=Refuse(status=503)))
    upstream.plan_shipments(unknown.sku, Behaviour(answer=Refuse(status=504)))
    crowd = _Crowd(till, chance, customers, [usual, failing, unknown])

    expected = {
        "200",
        "201",
        "insufficient-credit",
        "refund-exceeds-purchase",
        "request-in-flight",
        "unresolved-attempt",
        "attempt-already-resolved",
        "idempotency-key-reused",
        "shipment-failed",
        "shipment-outcome-unknown",
    }
    for _ in range(5):
        replies = all_at_once([crowd.something() for _ in range(CROWD)])
        assert set(outcomes(replies)) <= expected
        crowd.look_around()

    for customer in customers:
        audit(customer)


class _Crowd:
    """Asks for something or other, over and over."""

    def __init__(
        self,
        till: TillClient,
        chance: random.Random,
        customers: list[UUID],
        products: list[Product],
    ) -> None:
        self._till = till
        self._chance = chance
        self._customers = customers
        self._products = products
        self._keys = [new_key() for _ in range(40)]
        self._purchases: list[UUID] = []
        self._unknown: list[UUID] = []

    def something(self) -> Callable[[], Reply[BaseModel]]:
        """A request, perhaps with a key that was used before."""
        till, chance = self._till, self._chance
        customer, key = chance.choice(self._customers), chance.choice(self._keys)
        amount = chance.randrange(1, 900)
        choices: list[Callable[[], Reply[BaseModel]]] = [
            partial(till.grant, customer, amount, key=key),
            partial(till.deduct, customer, amount, key=key),
            *(
                partial(till.buy, customer, product.id, chance.randrange(1, 3), key=key)
                for product in self._products
            ),
        ]
        if self._purchases:
            purchase = chance.choice(self._purchases)
            choices.append(partial(till.refund, purchase, amount, key=key))
            choices.append(partial(till.refund, purchase, key=key))
        if self._unknown:
            attempt = chance.choice(self._unknown)
            choices.append(partial(till.confirm, attempt, f"shp-{attempt}", key=key))
            choices.append(partial(till.call_off, attempt, key=key))
        return chance.choice(choices)

    def look_around(self) -> None:
        """Learn of the purchases and attempts that there are now."""
        for customer in self._customers:
            page = self._till.customer_purchases(customer, limit=100).result()
            self._purchases += [p.id for p in page.items if p.id not in self._purchases]
        for attempt in self._till.attempts(state="UNKNOWN", limit=100).result().items:
            if attempt.customer_id in self._customers and attempt.id not in self._unknown:
                self._unknown.append(attempt.id)
