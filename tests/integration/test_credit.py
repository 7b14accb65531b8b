"""Credit: granted, deducted, read, and its history."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import uuid4

from local.upstream.behaviour import Behaviour, Refuse
from tests.integration.client import REASON, new_key

if TYPE_CHECKING:
    from local.upstream.client import StandInControl
    from tests.integration.client import TillClient
    from tests.integration.invariants import Auditor
    from tests.integration.shop import Shop
    from tests.integration.tables import Tables

RFC_3339_IN_UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")

BALANCE_FIELDS = {
    "customer_id",
    "currency",
    "posted",
    "held",
    "available",
    "version",
    "updated_at",
}
CREDIT_FIELDS = {*BALANCE_FIELDS, "adjustment_limit", "verification"}
ENTRY_FIELDS = {
    "id",
    "sequence",
    "kind",
    "amount",
    "currency",
    "balance_after",
    "reason",
    "actor",
    "actor_name",
    "purchase_id",
    "refund_id",
    "previous_hash",
    "hash",
    "created_at",
}
MAX_AMOUNT = 1_000_000_000_00


def test_who_never_had_credit_has_none(till: TillClient, shop: Shop, tables: Tables) -> None:
    customer = shop.customer()

    balance = till.credit(customer).result()
    page = till.entries(customer).result()
    purchases = till.customer_purchases(customer).result()

    assert (balance.customer_id, balance.currency) == (customer, "USD")
    assert (balance.posted, balance.held, balance.available) == (0, 0, 0)
    assert (balance.version, balance.updated_at) == (0, None)
    assert (page.items, page.next_cursor) == ([], None)
    assert (purchases.items, purchases.next_cursor) == ([], None)
    assert tables.mentions(customer) == 0


def test_nobody_knows_the_customer(till: TillClient, shop: Shop, tables: Tables) -> None:
    unknown, product = uuid4(), shop.product()

    till.credit(unknown).refused(404, "customer-not-found")
    till.entries(unknown).refused(404, "customer-not-found")
    till.customer_purchases(unknown).refused(404, "customer-not-found")
    till.grant(unknown, 100).refused(404, "customer-not-found")
    till.deduct(unknown, 100).refused(404, "customer-not-found")
    till.buy(unknown, product.id).refused(404, "customer-not-found")
    assert tables.mentions(unknown) == 0


def test_grant_and_deduct(till: TillClient, shop: Shop, audit: Auditor) -> None:
    customer = shop.customer()

    granted = till.grant(customer, 5_000, reason="Goodwill", actor="rep.one").result()
    deducted = till.deduct(customer, 1_999, reason="A mistake", actor="rep.two").result()

    assert (granted.entry.kind, granted.entry.amount) == ("GRANT", 5_000)
    assert (granted.entry.sequence, granted.entry.balance_after) == (1, 5_000)
    assert (granted.entry.reason, granted.entry.actor) == ("Goodwill", "rep.one")
    assert (granted.balance.posted, granted.balance.version) == (5_000, 1)
    assert (deducted.entry.kind, deducted.entry.amount) == ("DEDUCTION", -1_999)
    assert (deducted.entry.sequence, deducted.entry.balance_after) == (2, 3_001)
    assert (deducted.entry.reason, deducted.entry.actor) == ("A mistake", "rep.two")
    assert deducted.entry.previous_hash == granted.entry.hash
    assert (deducted.balance.posted, deducted.balance.available) == (3_001, 3_001)
    picture = audit(customer)
    assert picture.entries == [granted.entry, deducted.entry]
    assert picture.balance == deducted.balance


def test_the_balance_as_it_was(till: TillClient, shop: Shop) -> None:
    customer, product = shop.customer(), shop.product("4.00")
    till.grant(customer, 5_000).result()
    till.buy(customer, product.id).result()
    till.deduct(customer, 1_000).result()
    entries = sorted(till.entries(customer).result().items, key=lambda entry: entry.sequence)
    assert [entry.balance_after for entry in entries] == [5_000, 4_600, 3_600]

    for entry in entries:
        balance = till.credit(customer, at=entry.created_at).result()
        assert balance.updated_at == datetime.fromisoformat(entry.created_at)
        assert balance.posted == entry.balance_after
    assert (
        till.credit(customer, at=entries[-1].created_at).result() == till.credit(customer).result()
    )
    before = till.credit(customer, at="2020-01-01T00:00:00+01:00").result()
    assert (before.posted, before.version, before.updated_at) == (0, 0, None)


def test_the_balance_at_a_time_that_is_not_past(till: TillClient, shop: Shop) -> None:
    with_account, without = shop.customer(credit=100), shop.customer()
    for customer in (with_account, without):
        for time in ("9999-01-01T00:00:00Z", "2026-11-22", "yesterday", "", "1700000000"):
            problem = till.credit(customer, at=time).refused(400, "invalid-request")
            assert problem.fields == {"at"}
    unknown = uuid4()
    till.credit(unknown, at="2020-01-01T00:00:00Z").refused(404, "customer-not-found")


def test_a_deduction_takes_what_is_there_and_no_more(
    till: TillClient, shop: Shop, audit: Auditor
) -> None:
    customer = shop.customer(credit=1_000)

    problem = till.deduct(customer, 1_001).refused(409, "insufficient-credit")
    assert (problem.needed, problem.available) == (1_001, 1_000)
    till.deduct(customer, 1_000).result()
    till.deduct(customer, 1).refused(409, "insufficient-credit")
    assert audit(customer).balance.posted == 0


def test_the_names_that_clients_rely_on(till: TillClient, shop: Shop) -> None:
    customer = shop.customer()
    change = json.loads(till.grant(customer, 100).response.content)
    balance = json.loads(till.credit(customer).response.content)
    (entry,) = json.loads(till.entries(customer).response.content)["items"]

    assert balance.keys() == CREDIT_FIELDS
    assert entry.keys() >= ENTRY_FIELDS
    assert balance["verification"] is None
    shown = {name: value for name, value in balance.items() if name in BALANCE_FIELDS}
    assert change == {"entry": entry, "balance": shown}
    for time in (balance["updated_at"], entry["created_at"]):
        assert RFC_3339_IN_UTC.fullmatch(time)


def test_upper_case_is_the_same_account(till: TillClient, shop: Shop, audit: Auditor) -> None:
    customer, product = shop.customer(credit=2_000), shop.product("10.00")
    shouted, key = str(customer).upper(), new_key()
    assert shouted != str(customer)

    till.grant(shouted, 500, key=key).result()
    assert till.grant(customer, 500, key=key).replayed
    assert till.credit(shouted).result() == till.credit(customer).result()
    assert till.entries(shouted).result() == till.entries(customer).result()
    purchase = till.buy(shouted, str(product.id).upper()).result()
    assert purchase.customer_id == customer
    assert till.purchase(str(purchase.id).upper()).result().id == purchase.id
    till.refund(str(purchase.id).upper(), 100).result()
    assert audit(customer).balance.posted == 2_000 + 500 - 1_000 + 100


def test_amounts_have_bounds(till: TillClient, shop: Shop, audit: Auditor) -> None:
    customer = shop.customer(credit=MAX_AMOUNT)
    problem = till.grant(customer, MAX_AMOUNT + 1).refused(400, "invalid-request")
    assert problem.fields == {"amount"}
    assert audit(customer).balance.posted == MAX_AMOUNT


def test_text_is_kept_as_it_was_written(till: TillClient, shop: Shop, audit: Auditor) -> None:
    customer = shop.customer()
    reason = 'Versöhnung: "50 %" \\ Café 日本 👩‍🚀 <b>&amp;</b>'
    till.grant(customer, 100, reason=reason).result()
    till.grant(customer, 100, reason="x" * 500).result()
    first, second = audit(customer).entries
    assert (first.reason, second.reason) == (reason, "x" * 500)


def test_the_actor_has_a_name_by_default(till: TillClient, shop: Shop) -> None:
    entry = till.grant(shop.customer(), 100).result().entry
    assert (entry.actor, entry.reason) == (till.subject, REASON)


def test_who_has_an_account_keeps_it(
    till: TillClient, upstream: StandInControl, shop: Shop, audit: Auditor
) -> None:
    """The Customer API may be down, or forget a customer: the credit is still there."""
    customer = shop.customer(credit=1_000)
    upstream.plan_customer(customer, Behaviour(answer=Refuse(status=500)))
    till.grant(customer, 1).result()
    assert audit(customer).balance.posted == 1_001
    upstream.clear("customers", customer)
    upstream.remove_customer(customer)
    till.deduct(customer, 1).result()
    assert audit(customer).balance.posted == 1_000
    # But nothing is sold to a customer who does not exist.
    till.buy(customer, shop.product().id).refused(404, "customer-not-found")
    audit(customer)
