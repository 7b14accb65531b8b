"""The cache before the Customer and Product APIs: never stale for money, seconds old for display.

The upstream is a function that sees each request; the clock is moved by hand.
"""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import httpx
import pytest

from till.adapters.upstream.cache_storage import CacheStorage
from till.adapters.upstream.catalogue import HttpCatalogueView, HttpCustomers, HttpProducts
from till.adapters.upstream.deadline import Deadline
from till.adapters.upstream.reader import UpstreamReader
from till.adapters.upstream.single_flight import SingleFlight
from till.services.ports.upstream import (
    CustomerNotFoundError,
    ProductNotFoundError,
    UpstreamContractError,
    UpstreamUnavailableError,
)
from till.services.shared.policy import DisplayPolicy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ID = UUID("3fa85f64-5717-4562-b3fc-2c963f66afa6")
ADDRESS = {"line1": "1", "city": "c", "postalCode": "p", "state": "s", "country": "US"}
START = 1_900_000_000.0


class Clock:
    """The time of day that everybody here sees."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("time.time", clock)
    return clock


@dataclass
class Upstream:
    """Both APIs, with one price for all products. Sends what it is told to about caching."""

    clock: Clock
    etag: bool = True
    last_modified: bool = False
    headers: dict[str, str] = field(default_factory=dict)
    price: str = "10.00"
    modified_at: float = START - 1_000
    skew: float = 0.0
    fails: Callable[[], httpx.Response] | None = None
    takes_seconds: float = 0.0
    seen: list[httpx.Request] = field(default_factory=list)
    full: int = 0
    not_modified: int = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        if self.fails is not None:
            return self.fails()
        kind, thing = request.url.path.split("/")[2:]
        headers = {"Date": formatdate(self.clock.now + self.skew, usegmt=True), **self.headers}
        tag = f'"{self.price}"'
        if self.etag:
            headers["ETag"] = tag
        if self.last_modified:
            headers["Last-Modified"] = formatdate(self.modified_at, usegmt=True)
        asked = request.headers
        if (self.etag and asked.get("If-None-Match") == tag) or (
            self.last_modified and asked.get("If-Modified-Since") == headers["Last-Modified"]
        ):
            self.not_modified += 1
            return httpx.Response(304, headers=headers)
        self.full += 1
        self.clock.now += self.takes_seconds
        body = self.product(thing) if kind == "products" else self.customer(thing)
        return httpx.Response(200, headers=headers, content=body)

    def product(self, product_id: str) -> str:
        body = {"id": product_id, "sku": "S", "name": "n", "description": ""}
        text = json.dumps({**body, "price": 0, "createdAt": 1, "lastModifiedAt": 2})
        return text.replace('"price": 0', f'"price": {self.price}')

    def customer(self, customer_id: str) -> str:
        body = {"id": customer_id, "name": f"name of {customer_id}", "email": "e"}
        body_addresses = {"billingAddress": ADDRESS, "shippingAddress": ADDRESS}
        return json.dumps({**body, **body_addresses, "createdAt": 1, "lastModifiedAt": 2})

    def change_price(self, price: str) -> None:
        self.price = price
        self.modified_at = self.clock.now

    @property
    def calls(self) -> tuple[int, int]:
        return self.full, self.not_modified


@pytest.fixture
def upstream(clock: Clock) -> Upstream:
    return Upstream(clock)


@pytest.fixture
def copies() -> CacheStorage:
    return CacheStorage(max_copies=3, max_bytes=20_000)


@pytest.fixture
def reader(upstream: Upstream, copies: CacheStorage) -> UpstreamReader:
    return UpstreamReader(
        "http://upstream/api",
        timeout_seconds=1,
        display=DisplayPolicy(max_age_seconds=5, stale_if_error_seconds=300),
        wire=httpx.MockTransport(upstream),
        copies=copies,
    )


@pytest.fixture
def products(reader: UpstreamReader) -> HttpProducts:
    return HttpProducts(reader, free_products=False)


@pytest.fixture
def catalogue_view(reader: UpstreamReader) -> HttpCatalogueView:
    return HttpCatalogueView(reader)


def shown(catalogue_view: HttpCatalogueView) -> tuple[int, int, bool]:
    """Price, age, and whether it is stale."""
    product = catalogue_view.product(ID)
    return product.value.product.unit_price.amount_minor, product.age_seconds, product.stale


def refuse() -> httpx.Response:
    raise httpx.ConnectError("refused")


def answers(status: int, headers: dict[str, str] | None = None) -> Callable[[], httpx.Response]:
    return lambda: httpx.Response(status, headers=headers, json={"Message": "no"})


OUTAGES = {
    "refused": refuse,
    **{str(status): answers(status) for status in (500, 502, 503, 504)},
    "500, to be kept": answers(500, {"Cache-Control": "max-age=60", "ETag": '"x"'}),
}


class TestMoney:
    """What is charged, and where parcels go."""

    def test_every_read_is_confirmed_and_costs_no_body(
        self, products: HttpProducts, upstream: Upstream
    ) -> None:
        prices = [products.get(ID).unit_price.amount_minor for _ in range(3)]

        assert prices == [1000, 1000, 1000]
        assert upstream.calls == (1, 2)
        assert all(request.headers["Cache-Control"] == "no-cache" for request in upstream.seen)

    @pytest.mark.parametrize("cache_control", [None, "max-age=3600", "public, immutable"])
    @pytest.mark.parametrize(("etag", "last_modified"), [(1, 0), (0, 1), (1, 1), (0, 0)])
    def test_a_change_is_never_missed(
        self,
        products: HttpProducts,
        upstream: Upstream,
        clock: Clock,
        *,
        etag: int,
        last_modified: int,
        cache_control: str | None,
    ) -> None:
        upstream.etag, upstream.last_modified = bool(etag), bool(last_modified)
        upstream.headers = {"Cache-Control": cache_control} if cache_control else {}
        for cents in range(1, 40):
            # Several changes within a second, and long pauses.
            clock.now += 0.3 if cents % 5 else 100
            upstream.change_price(f"{cents}.00")
            assert products.get(ID).unit_price.amount_minor == cents * 100
            assert products.get(ID).unit_price.amount_minor == cents * 100

    def test_last_modified_alone_saves_the_body_once_its_second_is_over(
        self, products: HttpProducts, upstream: Upstream, clock: Clock
    ) -> None:
        upstream.etag, upstream.last_modified = False, True
        upstream.modified_at = clock.now
        products.get(ID)
        products.get(ID)
        assert upstream.calls == (2, 0), "it may change again in this second"

        clock.now += 1
        products.get(ID)
        products.get(ID)
        assert upstream.calls == (3, 1)

    def test_without_validators_the_body_comes_each_time(
        self, products: HttpProducts, upstream: Upstream
    ) -> None:
        upstream.etag = False
        products.get(ID)
        products.get(ID)
        assert upstream.calls == (2, 0)

    @pytest.mark.parametrize("outage", OUTAGES)
    def test_an_outage_is_an_outage_however_good_the_copy(
        self,
        products: HttpProducts,
        catalogue_view: HttpCatalogueView,
        upstream: Upstream,
        outage: str,
    ) -> None:
        upstream.headers = {"Cache-Control": "max-age=3600, stale-if-error=3600"}
        products.get(ID)
        shown(catalogue_view)
        upstream.fails = OUTAGES[outage]
        with pytest.raises(UpstreamUnavailableError):
            products.get(ID)

        upstream.fails = None
        upstream.change_price("11.00")
        assert products.get(ID).unit_price.amount_minor == 1100

    def test_what_a_304_confirms_is_checked_like_any_answer(
        self, products: HttpProducts, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        upstream.price = "1.999"
        for _ in range(2):
            with pytest.raises(UpstreamContractError):
                products.get(ID)
        assert upstream.calls == (2, 0), "what breaks the contract is not kept"

    def test_a_304_to_a_question_never_asked_is_no_answer(
        self, products: HttpProducts, upstream: Upstream
    ) -> None:
        upstream.fails = answers(304, {"ETag": '"10.00"'})
        with pytest.raises(UpstreamUnavailableError):
            products.get(ID)

    def test_a_304_about_something_else_leads_to_a_full_read(
        self, products: HttpProducts, upstream: Upstream
    ) -> None:
        products.get(ID)
        upstream.fails = lambda: other_tag_first(upstream)
        assert products.get(ID).unit_price.amount_minor == 1000
        assert upstream.calls == (2, 0)


def other_tag_first(upstream: Upstream) -> httpx.Response:
    upstream.fails = None
    return httpx.Response(304, headers={"ETag": '"of another one"'})


class TestDisplay:
    """What people look at."""

    def test_a_view_within_the_time_asks_nobody_and_tells_its_age(
        self, catalogue_view: HttpCatalogueView, upstream: Upstream, clock: Clock
    ) -> None:
        assert shown(catalogue_view) == (1000, 0, False)
        upstream.change_price("11.00")
        clock.now += 4
        assert shown(catalogue_view) == (1000, 4, False)
        assert upstream.calls == (1, 0)

        clock.now += 1
        assert shown(catalogue_view) == (1100, 0, False)
        assert upstream.calls == (2, 0)

    def test_what_took_its_time_to_come_is_no_outage(
        self, catalogue_view: HttpCatalogueView, upstream: Upstream
    ) -> None:
        upstream.takes_seconds = 6.5
        assert shown(catalogue_view) == (1000, 6, False), "older than 5 s, but it was asked for"

    @pytest.mark.parametrize(("etag", "last_modified"), [(True, False), (False, True)])
    def test_after_that_it_is_revalidated_and_young_again(
        self,
        catalogue_view: HttpCatalogueView,
        upstream: Upstream,
        clock: Clock,
        etag: bool,
        last_modified: bool,
    ) -> None:
        upstream.etag, upstream.last_modified = etag, last_modified
        ages = []
        for _ in range(4):
            ages.append(shown(catalogue_view)[1])
            clock.now += 3
        assert ages == [0, 3, 0, 3]
        assert upstream.calls == (1, 1)

    def test_without_validators_it_is_fetched_again(
        self, catalogue_view: HttpCatalogueView, upstream: Upstream, clock: Clock
    ) -> None:
        upstream.etag = False
        for _ in range(3):
            shown(catalogue_view)
            clock.now += 5
        assert upstream.calls == (3, 0)

    @pytest.mark.parametrize(
        ("headers", "fresh_for"),
        [
            ({"Cache-Control": "max-age=2"}, 2),
            ({"Cache-Control": "max-age=0"}, 0),
            ({"Cache-Control": "s-maxage=1, max-age=4"}, 1),
            ({"Cache-Control": "max-age=3600"}, 5),
            ({"Cache-Control": "s-maxage=3600, max-age=1"}, 5),
            ({"Cache-Control": "public, max-age=9999999999999"}, 5),
            ({"Cache-Control": "max-age=soon"}, 0),
            ({"Cache-Control": "no-cache"}, 0),
            ({"Cache-Control": "no-cache, max-age=60"}, 0),
            ({"Cache-Control": "no-store"}, 0),
            ({"Cache-Control": "private, max-age=60"}, 0),
            ({"Cache-Control": 'Private="Set-Cookie", max-age=3'}, 3),
            ({"Cache-Control": "MAX-AGE=2"}, 2),
            ({"Expires": formatdate(START + 3, usegmt=True)}, 3),
            ({"Expires": formatdate(START + 3_600, usegmt=True)}, 5),
            ({"Expires": "0"}, 0),
            ({"Cache-Control": "max-age=4", "Age": "3"}, 1),
            ({"Age": "4"}, 1),
            ({"Vary": "*"}, 0),
            ({"Vary": "Accept"}, 5),
        ],
    )
    @pytest.mark.parametrize("skew", [0, -10_000, 10_000])
    def test_the_upstreams_word_counts_where_it_is_shorter(
        self,
        catalogue_view: HttpCatalogueView,
        upstream: Upstream,
        clock: Clock,
        *,
        headers: dict[str, str],
        fresh_for: int,
        skew: int,
    ) -> None:
        """Whatever the upstream's clock shows: by it, Expires is relative to Date."""
        upstream.headers, upstream.skew = dict(headers), skew
        if headers.get("Expires", "0") != "0":
            lifetime = 3 if fresh_for == 3 else 3_600
            upstream.headers["Expires"] = formatdate(START + skew + lifetime, usegmt=True)
        shown(catalogue_view)
        for second in range(fresh_for):
            clock.now = START + second + 0.9
            shown(catalogue_view)
            assert len(upstream.seen) == 1, f"asked again after {second} s"
        clock.now = START + fresh_for
        shown(catalogue_view)
        assert len(upstream.seen) == 2

    def test_the_age_that_an_answer_came_with_counts(
        self, catalogue_view: HttpCatalogueView, upstream: Upstream, clock: Clock
    ) -> None:
        upstream.headers = {"Age": "3"}
        assert shown(catalogue_view) == (1000, 3, False)
        clock.now += 1
        assert shown(catalogue_view) == (1000, 4, False)
        upstream.headers = {"Age": "100"}
        clock.now += 1
        assert shown(catalogue_view) == (1000, 100, True), "older than we promise"

    def test_a_304_may_shorten_what_was_said_before(
        self, catalogue_view: HttpCatalogueView, upstream: Upstream, clock: Clock
    ) -> None:
        shown(catalogue_view)
        clock.now += 5
        upstream.headers = {"Cache-Control": "max-age=1"}
        shown(catalogue_view)
        upstream.headers = {}
        clock.now += 1
        shown(catalogue_view)
        clock.now += 1
        shown(catalogue_view)
        assert upstream.calls == (1, 3), "a 304 that says nothing leaves what was said"

    @pytest.mark.parametrize("said", ["no-store", "private"])
    def test_what_may_not_be_kept_any_more_is_gone(
        self,
        catalogue_view: HttpCatalogueView,
        upstream: Upstream,
        clock: Clock,
        copies: CacheStorage,
        said: str,
    ) -> None:
        shown(catalogue_view)
        assert copies.count == 1
        clock.now += 5
        upstream.headers = {"Cache-Control": said}
        assert shown(catalogue_view) == (1000, 0, False)
        assert upstream.calls == (1, 1)
        assert copies.count == 0
        shown(catalogue_view)
        assert upstream.calls == (2, 1)
        assert copies.count == 0

    def test_what_money_read_last_is_what_is_shown(
        self,
        catalogue_view: HttpCatalogueView,
        products: HttpProducts,
        upstream: Upstream,
        clock: Clock,
    ) -> None:
        shown(catalogue_view)
        upstream.change_price("11.00")
        products.get(ID)
        assert shown(catalogue_view) == (1100, 0, False)
        assert upstream.calls == (2, 0)


class TestOutage:
    """Stale-if-error (RFC 5861)."""

    @pytest.mark.parametrize("outage", OUTAGES)
    def test_the_copy_is_shown_and_marked(
        self, catalogue_view: HttpCatalogueView, upstream: Upstream, clock: Clock, outage: str
    ) -> None:
        shown(catalogue_view)
        upstream.fails = OUTAGES[outage]
        clock.now += 4
        assert shown(catalogue_view) == (1000, 4, False), "no request was needed"
        for age in (5, 100, 305):
            clock.now = START + age
            assert shown(catalogue_view) == (1000, age, True)
        clock.now = START + 306
        with pytest.raises(UpstreamUnavailableError):
            shown(catalogue_view)

        upstream.fails = None
        assert shown(catalogue_view) == (1000, 0, False)
        assert upstream.not_modified == 1, "the copy was still there to be revalidated"

    @pytest.mark.parametrize("outage", OUTAGES)
    def test_without_a_copy_it_is_a_problem_and_the_error_is_not_kept(
        self,
        catalogue_view: HttpCatalogueView,
        upstream: Upstream,
        copies: CacheStorage,
        outage: str,
    ) -> None:
        upstream.fails = OUTAGES[outage]
        with pytest.raises(UpstreamUnavailableError):
            shown(catalogue_view)
        assert copies.count == 0
        upstream.fails = None
        assert shown(catalogue_view) == (1000, 0, False)

    @pytest.mark.parametrize("status", [400, 401, 403, 408, 410, 429, 301])
    def test_what_is_no_outage_is_not_covered_up(
        self, catalogue_view: HttpCatalogueView, upstream: Upstream, clock: Clock, status: int
    ) -> None:
        shown(catalogue_view)
        clock.now += 5
        upstream.fails = answers(status, {"Cache-Control": "max-age=60"})
        with pytest.raises(UpstreamUnavailableError):
            shown(catalogue_view)
        with pytest.raises(UpstreamUnavailableError):
            shown(catalogue_view)

    @pytest.mark.parametrize(
        "said", ["must-revalidate", "proxy-revalidate", "s-maxage=5", "no-cache", "no-store"]
    )
    def test_the_upstream_may_forbid_it(
        self, catalogue_view: HttpCatalogueView, upstream: Upstream, clock: Clock, said: str
    ) -> None:
        upstream.headers = {"Cache-Control": said}
        shown(catalogue_view)
        upstream.fails = refuse
        clock.now += 5
        with pytest.raises(UpstreamUnavailableError):
            shown(catalogue_view)

    def test_the_upstream_may_shorten_it(
        self, catalogue_view: HttpCatalogueView, upstream: Upstream, clock: Clock
    ) -> None:
        upstream.headers = {"Cache-Control": "max-age=2, stale-if-error=10"}
        shown(catalogue_view)
        upstream.fails = refuse
        clock.now += 12
        assert shown(catalogue_view) == (1000, 12, True)
        clock.now += 1
        with pytest.raises(UpstreamUnavailableError):
            shown(catalogue_view)


class TestNotFound:
    @pytest.mark.parametrize("headers", [{}, {"Cache-Control": "max-age=60", "ETag": '"x"'}])
    def test_a_404_is_not_kept(
        self,
        products: HttpProducts,
        catalogue_view: HttpCatalogueView,
        upstream: Upstream,
        copies: CacheStorage,
        headers: dict[str, str],
    ) -> None:
        upstream.fails = answers(404, headers)
        for read in (products.get, catalogue_view.product):
            with pytest.raises(ProductNotFoundError):
                read(ID)
        assert copies.count == 0
        upstream.fails = None
        assert shown(catalogue_view) == (1000, 0, False)
        assert products.get(ID).unit_price.amount_minor == 1000

    def test_what_was_removed_is_not_shown_again(
        self,
        products: HttpProducts,
        catalogue_view: HttpCatalogueView,
        upstream: Upstream,
    ) -> None:
        shown(catalogue_view)
        upstream.fails = answers(404)
        with pytest.raises(ProductNotFoundError):
            products.get(ID)
        upstream.fails = refuse
        with pytest.raises(UpstreamUnavailableError):
            shown(catalogue_view)


class TestWhoseItIs:
    def test_each_has_a_copy_of_their_own(
        self, reader: UpstreamReader, catalogue_view: HttpCatalogueView, upstream: Upstream
    ) -> None:
        ids = [uuid4() for _ in range(3)]
        for _ in range(2):
            for one in ids:
                assert catalogue_view.customer(one).value.name == f"name of {one}"
        assert upstream.calls == (3, 0)
        assert HttpCustomers(reader).get(ids[0]).id == ids[0]

    def test_a_customer_and_a_product_of_the_same_id(
        self, catalogue_view: HttpCatalogueView, upstream: Upstream
    ) -> None:
        catalogue_view.customer(ID)
        catalogue_view.product(ID)
        assert upstream.calls == (2, 0)

    def test_an_answer_about_somebody_else_is_refused_and_not_kept(
        self,
        reader: UpstreamReader,
        catalogue_view: HttpCatalogueView,
        upstream: Upstream,
        copies: CacheStorage,
    ) -> None:
        other = json.loads(upstream.customer(str(uuid4())))
        upstream.fails = lambda: httpx.Response(200, json=other, headers={"ETag": '"10.00"'})
        for read in (catalogue_view.customer, HttpCustomers(reader).get):
            with pytest.raises(UpstreamContractError, match="another customer"):
                read(ID)
        assert copies.count == 0
        upstream.fails = None
        assert catalogue_view.customer(ID).value.id == ID
        upstream.fails = answers(404)
        with pytest.raises(CustomerNotFoundError):
            HttpCustomers(reader).get(ID)

    @pytest.mark.parametrize("time", [10**18, -(10**18)])
    def test_a_time_that_no_calendar_has(
        self, catalogue_view: HttpCatalogueView, upstream: Upstream, time: int
    ) -> None:
        body = json.loads(upstream.customer(str(ID))) | {"createdAt": time}
        upstream.fails = lambda: httpx.Response(200, json=body)
        with pytest.raises(UpstreamContractError):
            catalogue_view.customer(ID)


class TestBounds:
    def test_the_copies_are_bounded_in_number_and_the_least_used_go(
        self, catalogue_view: HttpCatalogueView, upstream: Upstream, copies: CacheStorage
    ) -> None:
        first, second, third, fourth = (uuid4() for _ in range(4))
        for one in (first, second, third, first, fourth, first):
            catalogue_view.product(one)
        assert copies.count == 3
        assert upstream.full == 4
        catalogue_view.product(second)
        assert upstream.full == 5, "the second was the least recently used"

    def test_the_copies_are_bounded_in_bytes(self, clock: Clock, upstream: Upstream) -> None:
        copies = CacheStorage(max_copies=1_000, max_bytes=10_000)
        catalogue_view = HttpCatalogueView(a_reader(upstream, copies))
        for _ in range(100):
            catalogue_view.customer(uuid4())
            assert 0 < copies.size_bytes <= 10_000
        assert 5 < copies.count < 50

    def test_what_is_larger_than_all_of_it_is_read_but_not_kept(
        self, clock: Clock, upstream: Upstream
    ) -> None:
        copies = CacheStorage(max_copies=1_000, max_bytes=2_000)
        catalogue_view = HttpCatalogueView(a_reader(upstream, copies))
        catalogue_view.product(ID)
        large = json.loads(upstream.customer(str(ID))) | {"name": "x" * 2_000}
        upstream.fails = lambda: httpx.Response(200, json=large)
        assert catalogue_view.customer(ID).value.name.startswith("x" * 400)
        assert copies.count == 1, "nor does it push others out"

    def test_an_answer_that_broke_off_is_not_kept_and_leaves_the_copy(
        self, catalogue_view: HttpCatalogueView, upstream: Upstream, clock: Clock
    ) -> None:
        shown(catalogue_view)
        clock.now += 5
        upstream.fails = lambda: httpx.Response(200, stream=BreaksOff())
        assert shown(catalogue_view) == (1000, 5, True)
        upstream.fails = lambda: httpx.Response(200, content=b" " * 300_000)
        assert shown(catalogue_view) == (1000, 5, True)

    def test_nothing_is_written_to_a_disk(
        self, catalogue_view: HttpCatalogueView, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Left without a storage, or with a false one, hishel makes a file where it stands."""
        monkeypatch.chdir(tmp_path)
        shown(catalogue_view)
        assert list(tmp_path.iterdir()) == []


class BreaksOff(httpx.SyncByteStream):
    def __iter__(self) -> Iterator[bytes]:
        yield b'{"id": '
        raise httpx.ReadError("gone")


def a_reader(upstream: Upstream, copies: CacheStorage) -> UpstreamReader:
    return UpstreamReader(
        "http://upstream/api",
        timeout_seconds=1,
        display=DisplayPolicy(max_age_seconds=5, stale_if_error_seconds=300),
        wire=httpx.MockTransport(upstream),
        copies=copies,
    )


class TestAtTheSameTime:
    """Many threads, one upstream."""

    def test_many_who_look_at_once_cost_one_read(
        self, catalogue_view: HttpCatalogueView, upstream: Upstream, gate: Gate
    ) -> None:
        upstream.fails = gate.wait_then(upstream)
        with ThreadPoolExecutor(20) as pool:
            looks = [pool.submit(shown, catalogue_view) for _ in range(20)]
            gate.open_when_reached()
            assert {look.result() for look in looks} == {(1000, 0, False)}
        assert len(upstream.seen) == 1

    def test_who_asks_for_money_never_gets_an_answer_from_before(
        self, products: HttpProducts, upstream: Upstream, gate: Gate
    ) -> None:
        """The price changes while a read is under way; those who come then get the new one."""

        def price() -> int:
            return products.get(ID).unit_price.amount_minor

        old = httpx.Response(200, content=upstream.product(str(ID)))
        upstream.fails = gate.wait_then(upstream, old)
        with ThreadPoolExecutor(20) as pool:
            first = pool.submit(price)
            gate.reached.wait(5)
            upstream.change_price("11.00")
            later = [pool.submit(price) for _ in range(19)]
            gate.open()
            assert first.result() == 1000
            assert {one.result() for one in later} == {1100}
        assert 2 <= len(upstream.seen) < 20

    def test_an_error_is_told_to_all_and_kept_for_nobody(
        self, products: HttpProducts, upstream: Upstream, gate: Gate
    ) -> None:
        upstream.fails = gate.wait_then(upstream, answers(503)())
        with ThreadPoolExecutor(2) as pool:
            failing = pool.submit(products.get, ID)
            gate.open_when_reached()
            with pytest.raises(UpstreamUnavailableError):
                failing.result()
        assert products.get(ID).unit_price.amount_minor == 1000


class Gate:
    """Holds the first request at the upstream until it is told to go on."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self._opened = threading.Event()

    def wait_then(
        self, upstream: Upstream, answer: httpx.Response | None = None
    ) -> Callable[[], httpx.Response]:
        def held() -> httpx.Response:
            upstream.fails = None
            self.reached.set()
            assert self._opened.wait(5)
            return answer or httpx.Response(200, content=upstream.product(str(ID)))

        return held

    def open(self) -> None:
        self._opened.set()

    def open_when_reached(self) -> None:
        assert self.reached.wait(5)
        self._opened.set()


@pytest.fixture
def gate() -> Gate:
    return Gate()


class TestSharing:
    def test_all_who_wait_share_the_next_run(self) -> None:
        shared: SingleFlight[int] = SingleFlight()
        runs: list[int] = []
        started, go_on, waiting = threading.Event(), threading.Event(), threading.Barrier(10)

        def work() -> int:
            runs.append(len(runs))
            number = runs[-1]
            started.set()
            assert go_on.wait(5)
            return number

        def later() -> int:
            waiting.wait(5)
            return shared.run("key", work, Deadline(5))

        with ThreadPoolExecutor(11) as pool:
            first = pool.submit(shared.run, "key", work, Deadline(5))
            assert started.wait(5)
            others = [pool.submit(later) for _ in range(9)]
            waiting.wait(5)
            while len(shared._waiting) == 0:
                assert not first.done()
            other = pool.submit(shared.run, "another key", lambda: 77, Deadline(5))
            assert other.result() == 77, "other things do not wait"
            go_on.set()
            assert first.result() == 0
            # One of them may have come after the second run had begun.
            assert {one.result() for one in others} <= {1, 2}
        assert len(runs) <= 3
        assert not shared._waiting
        assert not shared._running

    def test_nobody_waits_for_another_run_past_their_own_deadline(self) -> None:
        shared: SingleFlight[int] = SingleFlight()
        started, go_on = threading.Event(), threading.Event()

        def slow() -> int:
            started.set()
            assert go_on.wait(5)
            return 1

        with ThreadPoolExecutor(3) as pool:
            running = pool.submit(shared.run, "key", slow, Deadline(5))
            assert started.wait(5)
            first_to_wait = pool.submit(shared.run, "key", lambda: 2, Deadline(0.4))
            while len(shared._waiting) == 0:
                assert not first_to_wait.done()
            second_to_wait = pool.submit(shared.run, "key", lambda: 3, Deadline(0.1))
            for waiting in (second_to_wait, first_to_wait):
                assert isinstance(waiting.exception(2), httpx.ReadTimeout)
            assert not running.done()
            go_on.set()
            assert running.result(5) == 1
        assert not shared._waiting
        assert not shared._running
        assert shared.run("key", lambda: 4, Deadline(5)) == 4

    def test_an_exception_is_everybodys(self) -> None:
        shared: SingleFlight[int] = SingleFlight()

        def fail() -> int:
            raise ValueError("no")

        with pytest.raises(ValueError, match="no"):
            shared.run("key", fail, Deadline(5))
        assert shared.run("key", lambda: 1, Deadline(5)) == 1
