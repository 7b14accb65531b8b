"""One search for everything, and the index of customers behind it."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING, Literal
from uuid import UUID, uuid4

import pytest
from pydantic import BaseModel

from local.upstream.behaviour import Behaviour, Drop, Refuse
from local.upstream.caching import Caching
from tests.integration.shop import PERSONAL, customer_with
from tests.integration.waiting import until
from till.adapters.dynamodb.customer_index import DynamoCustomerIndex
from till.adapters.dynamodb.stored.customer_index import StoredCustomerWords
from till.domain.words import CustomerWords, TypedWords

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import boto3
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, WriteRequestTypeDef

    from local.upstream.client import StandInControl
    from tests.integration.client import TillClient
    from tests.integration.shop import Shop
    from tests.under_test import Emulated

SEEDED = 100_000


class Match(BaseModel):
    kind: Literal["purchase", "attempt", "shipment", "customer", "promo_code"]
    id: str
    purchase_id: UUID | None
    customer_id: UUID | None
    name: str | None
    email: str | None
    status: str | None


class Found(BaseModel):
    items: list[Match]
    more_customers: bool
    customers_unavailable: bool


class Desk:
    """A rep's search, and customers with names of their own."""

    def __init__(self, till: TillClient, upstream: StandInControl) -> None:
        self.till = till
        self.upstream = upstream

    def customer(self, name: str, email: str | None = None) -> UUID:
        """A customer of the Customer API whom Till has not seen, and whom it keeps no copy of."""
        customer_id = uuid4()
        self.call(customer_id, name, email or f"{customer_id.hex}@{PERSONAL}.example.com")
        self.upstream.cache_customer(customer_id, Caching(cache_control="no-store"))
        return customer_id

    def call(self, customer_id: UUID, name: str, email: str) -> None:
        """Give a customer another name."""
        made = customer_with(customer_id)
        self.upstream.put_customer(made.model_copy(update={"name": name, "email": email}))

    def see(self, customer_id: UUID, status: int = 200) -> None:
        """Show a customer."""
        assert self.till.send("GET", f"/customers/{customer_id}").status_code == status

    def search(self, text: str) -> Found:
        response = self.till.send("GET", "/search", params={"query": text})
        assert response.status_code == 200, response.text
        return Found.model_validate_json(response.content)

    def customers(self, text: str) -> list[UUID | None]:
        """The customers that a search finds."""
        return [match.customer_id for match in self.search(text).items if match.kind == "customer"]

    def ids(self, text: str) -> list[tuple[str, str]]:
        return [(match.kind, match.id) for match in self.search(text).items]


@pytest.fixture
def desk(till: TillClient, upstream: StandInControl) -> Desk:
    return Desk(till, upstream)


def word() -> str:
    """A word that no other customer has: without digits, which would be no name."""
    return f"{PERSONAL.lower()}{''.join(random.choices('bcdfgklmnprstvz', k=8))}"


def test_a_purchase_by_its_id_its_short_id_and_its_shipment(
    desk: Desk, till: TillClient, shop: Shop
) -> None:
    purchase = till.buy(shop.customer(credit=1_000), shop.product().id).result()
    whole = str(purchase.id)
    assert desk.ids(whole) == [("purchase", whole)]
    assert desk.ids(f" {whole.upper()} ") == [("purchase", whole)]
    assert until(lambda: desk.ids(whole[:8]), "its short id") == [("purchase", whole)]
    assert desk.ids(purchase.shipment_id) == [("shipment", purchase.shipment_id)]
    (match,) = desk.search(purchase.shipment_id).items
    assert (match.purchase_id, match.name, match.status) == (purchase.id, "A thing", "COMPLETED")


def test_an_attempt_of_unknown_outcome(desk: Desk, till: TillClient, shop: Shop) -> None:
    product = shop.product()
    desk.upstream.plan_shipments(product.sku, Behaviour(answer=Drop()))
    customer = shop.customer(credit=1_000)
    attempt_id = till.buy(customer, product.id).problem().attempt_id
    assert attempt_id is not None
    (match,) = desk.search(str(attempt_id)).items
    assert (match.kind, match.status, match.customer_id) == ("attempt", "UNKNOWN", customer)
    assert till.call_off(attempt_id).ok


def test_a_promo_code_in_any_case(desk: Desk, till: TillClient) -> None:
    code = f"FIND-{uuid4().hex[:8].upper()}"
    offer = {"code": code, "discount": {"type": "fixed", "amount": 100}}
    assert till.send("POST", "/promo-codes", json=offer).status_code == 201
    assert desk.ids(code.lower()) == [("promo_code", code)]


def test_a_customer_in_any_order_case_accent_and_unicode_form(desk: Desk) -> None:
    first, last = word(), word()
    customer = desk.customer(
        f"Séan {first.title()} O'{last.title()}", f"{first}@{last}.example.com"
    )
    desk.see(customer)
    for typed in (
        f"{first} o{last}",
        f"O{last} SEAN",
        f"se\u0301an {first}",
        f"o\u2019{last}",
        f"sean o{last} {first[:-3]}",
        first[:-2],
        f"{first}@{last}.ex".upper(),
        str(customer),
        str(customer)[:8],
    ):
        assert desk.customers(typed) == [customer], typed
    for typed in (f"{first[:-2]} sean", f"sean {last}", f"x{first}"):
        assert desk.customers(typed) == [], typed


def test_a_customer_is_found_from_the_first_credit_on(desk: Desk, till: TillClient) -> None:
    name = word()
    customer = desk.customer(f"Ada {name}")
    assert desk.customers(name) == []
    till.grant(customer, 100).result()
    assert desk.customers(f"{name} ad") == [customer]


def test_a_customer_who_never_had_credit_is_found_once_seen(desk: Desk) -> None:
    name = word()
    customer = desk.customer(f"Ada {name}", f"{name}@example.com")
    assert desk.ids(str(customer)) == [("customer", str(customer))], "by id always"
    assert desk.customers(name) == [customer], "and that was a look at them"
    assert desk.customers(f"{name}@example.com") == [customer]


def test_an_exact_match_comes_first(desk: Desk) -> None:
    name = word()
    longer, exact = desk.customer(f"Ada {name}son"), desk.customer(f"Zoe {name}")
    desk.see(longer)
    desk.see(exact)
    assert desk.customers(name) == [exact, longer]


def test_who_is_gone_from_the_customer_api_is_neither_shown_nor_kept(
    desk: Desk, aws: boto3.Session, emulated: Emulated
) -> None:
    name = word()
    customer = desk.customer(f"Ada {name}")
    desk.see(customer)
    assert entries_of(aws, emulated, customer, name) > 0
    desk.upstream.remove_customer(customer)
    assert desk.ids(name) == []
    assert entries_of(aws, emulated, customer, name) == 0


def entries_of(aws: boto3.Session, emulated: Emulated, customer: UUID, name: str) -> int:
    """How many items of the index are about a customer, as far as keys can tell."""
    client = aws.client("dynamodb", endpoint_url=emulated.url)
    found = 0
    for pk in (f"CUSTOMER#{customer}", f"TERM#{name[0]}", f"WORD#{name}", "WORD#ada"):
        pages = client.get_paginator("query").paginate(
            TableName=f"{emulated.function_prefix}customer-index",
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": pk}},
        )
        items = [item for page in pages for item in page["Items"]]
        found += sum(str(customer) in item["pk"]["S"] + item["sk"]["S"] for item in items)
    return found


def test_whoever_shows_a_customer_corrects_the_index(
    desk: Desk, till: TillClient, shop: Shop
) -> None:
    """Each operation meets a new name, and then that there is no such customer any more."""
    product = shop.product()
    customer = desk.customer(f"Ada {word()}")
    desk.see(customer)
    before = word()
    desk.call(customer, f"Ada {before}", "x@example.com")
    till.grant(customer, 5_000).result()
    assert desk.customers(before) == [customer], "the grant that opened the account"
    assert till.buy(customer, product.id).ok
    desk.upstream.plan_shipments(product.sku, Behaviour(answer=Drop()))
    attempt_id = till.buy(customer, product.id, 2).problem().attempt_id
    assert attempt_id is not None
    names = {"include": "customer_names", "limit": "100"}
    views: Sequence[Callable[[], object]] = (
        lambda: till.send("GET", f"/customers/{customer}"),
        lambda: till.send("GET", "/customers", params={"limit": "100"}),
        lambda: till.send("GET", "/purchases", params=names),
        lambda: till.send("GET", "/purchase-attempts", params={**names, "state": "UNKNOWN"}),
    )
    for view in views:
        now = word()
        desk.call(customer, f"Ada {now}", "x@example.com")
        view()
        assert desk.customers(now) == [customer]
        assert desk.customers(before) == []
        before = now
    assert till.call_off(attempt_id).ok


def test_without_the_customer_api_other_things_are_found_and_a_name_is_refused(
    desk: Desk, till: TillClient, shop: Shop
) -> None:
    name = word()
    customer = desk.customer(f"Ada {name}")
    desk.see(customer)
    desk.upstream.plan_customer(customer, Behaviour(answer=Refuse(status=503)))
    assert till.send("GET", "/search", params={"query": name}).status_code == 503
    purchase = till.buy(shop.customer(credit=1_000), shop.product().id).result()
    desk.upstream.plan_customer(purchase.id, Behaviour(answer=Refuse(status=503)))
    found = desk.search(str(purchase.id))
    assert [match.kind for match in found.items] == ["purchase"]
    assert found.customers_unavailable


def test_one_bounded_read_for_each_word_among_100_000_customers(
    desk: Desk, aws: boto3.Session, emulated: Emulated
) -> None:
    """Their last names are in one partition, a thousand have each, and ten have both names."""
    table = f"{emulated.function_prefix}customer-index"
    client = aws.client("dynamodb", endpoint_url=emulated.url)
    mark = word()
    firsts, lasts = ([f"{mark}{kind}{n:03}" for n in range(100)] for kind in "fl")

    def entries(number: int) -> Iterator[tuple[str, str]]:
        words = CustomerWords((firsts[number // 100 % 100], lasts[number % 100]), "")
        record = StoredCustomerWords.of(uuid4(), words, revision=1)
        # Of the entries only those in the partitions that are searched: the others take minutes.
        for pk, sk in record.entries():
            if sk.startswith(lasts[number % 100]) and pk in {
                f"TERM#{mark[0]}",
                f"WORD#{firsts[7]}",
            }:
                yield pk, sk

    def put(items: Sequence[tuple[str, str]]) -> None:
        requests: list[WriteRequestTypeDef] = [
            {"PutRequest": {"Item": {"pk": {"S": pk}, "sk": {"S": sk}}}} for pk, sk in items
        ]
        assert not client.batch_write_item(RequestItems={table: requests})["UnprocessedItems"]

    everything = (entry for number in range(SEEDED) for entry in entries(number))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(put, iter(lambda: list(islice(everything, 25)), [])))
    customer = desk.customer(f"Zoe {firsts[7]} {lasts[9]}")
    desk.see(customer)

    read: list[tuple[int, int]] = []
    client.meta.events.register(
        "after-call.dynamodb.Query",
        lambda parsed, **_: read.append((parsed["ScannedCount"], _bytes(parsed["Items"]))),
    )
    index = DynamoCustomerIndex(client, table=table)
    for text, expected in ((lasts[9], 63), (f"{firsts[7]} {lasts[9]}", 11), (f"zoe {lasts[9]}", 1)):
        typed = TypedWords.in_text(text)
        assert typed is not None
        read.clear()
        index.propose(typed, limit=21)
        ((entries_read, size),) = read
        assert entries_read == expected
        # At most one read unit: 8 KB, read eventually consistently.
        assert size <= 8_192
    assert desk.customers(f"{lasts[9]} zoe") == [customer]


def _bytes(items: Sequence[dict[str, AttributeValueTypeDef]]) -> int:
    return sum(len(name) + len(value["S"]) for item in items for name, value in item.items())
