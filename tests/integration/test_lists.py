"""Lists: newest first, page by page, with nothing twice and nothing left out."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, TypeAlias
from uuid import UUID

import pytest
from pydantic import BaseModel

from local.upstream.behaviour import Behaviour, Refuse
from tests.integration.client import Page, Reply, all_items

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.upstream.client import StandInControl
    from tests.integration.client import TillClient
    from tests.integration.shop import Shop

ROWS = 7


class Row(BaseModel):
    """What every item of every list has."""

    id: UUID


Read: TypeAlias = Callable[[int | str, str | None], Reply[Page[Row]]]


@dataclass(frozen=True)
class Listed:
    """A list with some items, and a way to add one more."""

    read: Read
    expected: list[UUID]
    """Newest first."""
    add: Callable[[], UUID]


@dataclass(frozen=True)
class Make:
    """What lists are made from."""

    till: TillClient
    upstream: StandInControl
    shop: Shop

    def read(self, path: str, **filters: str) -> Read:
        def page(limit: int | str, cursor: str | None) -> Reply[Page[Row]]:
            given = {"limit": limit, "cursor": cursor, **filters}
            params = {name: value for name, value in given.items() if value is not None}
            return Reply(self.till.send("GET", path, params=params), 200, Page[Row])

        return page

    def listed(self, read: Read, add: Callable[[], UUID]) -> Listed:
        made = [add() for _ in range(ROWS)]
        return Listed(read, made[::-1], add)


def _entries(make: Make) -> Listed:
    customer, product = make.shop.customer(credit=90_000), make.shop.product("10.00")

    def add() -> UUID:
        # Holds lie between some of the entries.
        bought = make.till.buy(customer, product.id).result()
        newest = make.till.entries(customer, limit=1).result().items[0]
        assert newest.purchase_id == bought.id
        return newest.id

    read = make.read(f"/customers/{customer}/credit/entries")
    listed = make.listed(read, add)
    first = make.till.entries(customer, limit=100).result().items[-1]
    return Listed(read, [*listed.expected, first.id], add)


def _buyer(make: Make) -> tuple[UUID, Callable[[], UUID]]:
    customer, product = make.shop.customer(credit=90_000), make.shop.product("10.00")
    # What is not a purchase must not be counted as one.
    make.till.deduct(customer, 1).result()
    return customer, lambda: make.till.buy(customer, product.id).result().id


def _customer_purchases(make: Make) -> Listed:
    customer, add = _buyer(make)
    return make.listed(make.read(f"/customers/{customer}/purchases"), add)


def _customer_purchases_by_status(make: Make) -> Listed:
    customer, buy = _buyer(make)

    def add() -> UUID:
        buy()
        partly, fully = buy(), buy()
        make.till.refund(partly, 1).result()
        make.till.refund(fully).result()
        return partly

    read = make.read(f"/customers/{customer}/purchases", status="PARTIALLY_REFUNDED")
    return make.listed(read, add)


def _all_purchases(make: Make) -> Listed:
    _, first = _buyer(make)
    _, second = _buyer(make)
    since = _now()
    turns = iter([first, second] * ROWS)
    read = make.read("/purchases", created_from=since)
    return make.listed(read, lambda: next(turns)())  # noqa: PLW0108 - a turn is taken each time


def _all_purchases_by_status(make: Make) -> Listed:
    _, buy = _buyer(make)
    since = _now()

    def add() -> UUID:
        kept, refunded = buy(), buy()
        make.till.refund(refunded).result()
        return kept

    return make.listed(make.read("/purchases", created_from=since, status="COMPLETED"), add)


def _refunds(make: Make) -> Listed:
    _, buy = _buyer(make)
    purchase = buy()
    read = make.read(f"/purchases/{purchase}/refunds")
    return make.listed(read, lambda: make.till.refund(purchase, 1).result().id)


def _attempts(make: Make) -> Listed:
    product = make.shop.product("10.00")
    make.upstream.plan_shipments(product.sku, Behaviour(answer=Refuse(status=504)))
    read = make.read("/purchase-attempts", state="UNKNOWN")
    before = [row.id for row in all_items(lambda cursor: read(100, cursor))]

    def add() -> UUID:
        attempt = make.till.buy(make.shop.customer(credit=1_000), product.id).problem().attempt_id
        assert attempt is not None
        return attempt

    listed = make.listed(read, add)
    return Listed(read, listed.expected + before, add)


LISTS: dict[str, Callable[[Make], Listed]] = {
    "entries": _entries,
    "a customer's purchases": _customer_purchases,
    "a customer's purchases by status": _customer_purchases_by_status,
    "all purchases": _all_purchases,
    "all purchases by status": _all_purchases_by_status,
    "refunds": _refunds,
    "attempts": _attempts,
}


def _now() -> str:
    return datetime.now(UTC).isoformat()


@pytest.fixture(scope="module")
def make(till: TillClient, upstream: StandInControl, shop: Shop) -> Make:
    return Make(till, upstream, shop)


@pytest.fixture(scope="module", params=LISTS)
def listed(request: pytest.FixtureRequest, make: Make) -> Listed:
    name: str = request.param
    return LISTS[name](make)


def _pages(read: Read, limit: int) -> Iterator[list[UUID]]:
    cursor: str | None = None
    while True:
        page = read(limit, cursor).result()
        assert len(page.items) <= limit
        yield [row.id for row in page.items]
        if page.next_cursor is None:
            return
        cursor = page.next_cursor


@pytest.mark.parametrize("limit", [1, 2, 100])
def test_every_page_size_shows_the_same(listed: Listed, limit: int) -> None:
    pages = list(_pages(listed.read, limit))
    assert [row for page in pages for row in page] == listed.expected
    if limit == 100:
        assert len(pages) == 1


@pytest.mark.parametrize("name", LISTS)
def test_new_items_disturb_nobody(make: Make, name: str) -> None:
    listed = LISTS[name](make)
    seen: list[UUID] = []
    added: list[UUID] = []
    for page in _pages(listed.read, 2):
        seen += page
        if len(added) < 3:
            added.append(listed.add())
    assert seen == listed.expected
    pages = list(_pages(listed.read, 100))
    assert [row for page in pages for row in page] == added[::-1] + listed.expected


@pytest.mark.parametrize("limit", ["0", "-1", "101", "ten", "1.5", ""])
def test_a_limit_is_1_to_100(make: Make, listed: Listed, limit: str) -> None:
    assert listed.read(limit, None).refused(400, "invalid-request").fields == {"limit"}


def test_a_forged_cursor_is_refused(listed: Listed, make: Make) -> None:
    genuine = listed.read(1, None).result().next_cursor
    assert genuine is not None
    text = base64.urlsafe_b64decode(genuine + "=" * (-len(genuine) % 4)).decode()
    forged = {
        "",
        "x",
        "%00",
        "0",
        "null",
        genuine[:-1],
        genuine + "A",
        genuine + "=",
        genuine.swapcase(),
        "x" * 513,
        "x" * 5_000,
        *(_encoded(json) for json in ("null", "[]", "[1]", '[1, "x"]', "{}", "[" * 300, "1e999")),
        _encoded(text.replace("[", "[ ")),
        _encoded(text[:-3] + "0" + text[-2:]),
        _encoded(text.replace(text[1:4], text[1:4].swapcase() + "1")),
    }
    for cursor in forged - {genuine}:
        problem = listed.read(1, cursor).refused(400, "invalid-request")
        assert problem.fields == {"cursor"}, cursor


def _encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def test_a_cursor_belongs_to_its_list(make: Make) -> None:
    lists = [build(make) for build in LISTS.values()]
    # Another customer's list is another list, too.
    lists += [_entries(make), _customer_purchases(make), _refunds(make)]
    cursors = [listed.read(2, None).result().next_cursor for listed in lists]
    assert None not in cursors
    for listed, own in zip(lists, cursors, strict=True):
        for cursor in cursors:
            reply = listed.read(2, cursor)
            if cursor == own:
                assert reply.ok
            else:
                assert reply.refused(400, "invalid-request").fields == {"cursor"}


def test_a_time_range(make: Make) -> None:
    _, buy = _buyer(make)
    before = _now()
    purchases = [buy() for _ in range(3)]
    times = [make.till.purchase(purchase).result().created_at for purchase in purchases]

    def between(start: str, end: str) -> list[UUID]:
        read = partial(make.till.purchases, created_from=start, created_to=end, limit=1)
        return [p.id for p in all_items(lambda cursor: read(cursor=cursor))]

    def text(instant: datetime) -> str:
        return instant.isoformat()

    assert between(before, _now()) == purchases[::-1]
    assert between(text(times[0]), text(times[2])) == [purchases[1], purchases[0]]
    assert between(text(times[1]), text(times[1])) == []
    assert between(text(times[2]), text(times[0])) == []
    tick = timedelta(microseconds=1)
    assert between(text(times[1]), text(times[1] + tick)) == [purchases[1]]
    elsewhere = times[1].astimezone(tz=None).isoformat()
    assert between(elsewhere, text(times[1] + tick)) == [purchases[1]]


OUT_OF_THE_CALENDAR = ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00")


@pytest.mark.parametrize("name", ["created_from", "created_to"])
@pytest.mark.parametrize(
    "time",
    [
        "yesterday",
        "",
        "2026-01-01",
        "2026-01-01T00:00:00",
        "2026-13-01T00:00:00Z",
        "1767225600",
        *OUT_OF_THE_CALENDAR,
    ],
)
def test_a_time_is_written_as_rfc_3339(till: TillClient, name: str, time: str) -> None:
    response = till.send("GET", "/purchases", params={name: time})
    problem = Reply(response, 200, Page[Row]).refused(400, "invalid-request")
    assert problem.fields == {name}


def test_a_status_is_one_of_those_there_are(till: TillClient, shop: Shop) -> None:
    customer = shop.customer()
    for reply in (
        till.purchases(status="PENDING"),
        till.purchases(status="completed"),
        till.customer_purchases(customer, status="nonsense"),
    ):
        assert reply.refused(400, "invalid-request").fields == {"status"}
    assert till.attempts(state="nonsense").refused(400, "invalid-request").fields == {"state"}


def test_an_unknown_parameter_is_refused(till: TillClient, shop: Shop) -> None:
    customer = shop.customer()
    for path in (
        "/purchases",
        "/purchase-attempts",
        f"/customers/{customer}/credit",
        f"/customers/{customer}/credit/entries",
        f"/customers/{customer}/purchases",
        f"/purchases/{customer}",
        f"/purchases/{customer}/refunds",
        f"/purchase-attempts/{customer}",
    ):
        response = till.send("GET", path, params={"offset": 3})
        problem = Reply(response, 200, Row).refused(400, "invalid-request")
        assert problem.fields == {"offset"}
