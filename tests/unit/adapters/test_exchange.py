"""One deadline for a whole exchange, and answers that are wrong as HTTP, over real sockets."""

from __future__ import annotations

import gzip
import json
import random
import re
import socket
import threading
import tracemalloc
import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from uuid import UUID

import httpcore
import httpx
import pytest

from tests.unit.adapters.raw_server import Connection, Stopwatch, serving
from tests.unit.fakes import ADDRESS
from tests.unit.test_strict_json import mutated
from till.adapters.upstream.carrier import HttpCarrier
from till.adapters.upstream.catalogue import HttpCatalogueView, HttpCustomers, HttpProducts
from till.adapters.upstream.connections import BoundedTransport, _BoundedBackend, _Exchange
from till.adapters.upstream.credential import Credentials, CredentialTransport, UpstreamCredential
from till.adapters.upstream.deadline import Deadline
from till.adapters.upstream.http import MAX_ANSWER_BYTES, exchange, make_http_client, make_transport
from till.adapters.upstream.reader import UpstreamReader
from till.domain.catalogue import Customer, Product
from till.domain.money import Money
from till.domain.purchase import (
    NotShipped,
    OutcomeUnknown,
    ShipmentOutcome,
    Shipped,
    is_shipment_id,
    make_order,
)
from till.services.ports.upstream import (
    CustomerNotFoundError,
    ProductNotFoundError,
    UpstreamContractError,
    UpstreamUnavailableError,
)
from till.services.shared.policy import DisplayPolicy
from till.strict_json import JsonError, read_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.unit.adapters.raw_server import Script

ID = UUID("3fa85f64-5717-4562-b3fc-2c963f66afa6")
TIMEOUT = 0.6
SPARE = 3.0
"""What a busy machine may add. What is sent slowly here takes 50 seconds, or never ends."""

PRODUCT = {
    "id": str(ID),
    "sku": "S",
    "name": "n",
    "description": "",
    "price": 5,
    "createdAt": 1,
    "lastModifiedAt": 2,
}
PLACE = {"line1": "1", "city": "c", "postalCode": "p", "state": "s", "country": "US"}
CUSTOMER = {
    "id": str(ID),
    "name": "n",
    "email": "e",
    "billingAddress": PLACE,
    "shippingAddress": PLACE,
    "createdAt": 1,
    "lastModifiedAt": 2,
}


def http(status: int, body: bytes, *fields: str, length: int | None = None) -> bytes:
    """An answer, whose Content-Length may be a lie."""
    lines = [f"HTTP/1.1 {status} x", *fields]
    if not any(field.lower().startswith("transfer-encoding") for field in fields):
        lines.append(f"Content-Length: {len(body) if length is None else length}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def sends(data: bytes, then: Script | None = None) -> Script:
    def script(connection: Connection) -> None:
        connection.send(data)
        if then is not None:
            then(connection)

    return script


def dribbles(data: bytes) -> Script:
    return lambda connection: connection.dribble(data)


def ship(
    url: str, *, timeout: float = TIMEOUT, transport: httpx.BaseTransport | None = None
) -> ShipmentOutcome:
    thing = Product(id=ID, sku="S", name="n", description="", unit_price=Money(5))
    order = make_order(thing, 3, ADDRESS, promo=None, expected_total=None)
    transport = transport or make_transport(url, keep_alive=False)
    with make_http_client(url, transport) as client:
        return HttpCarrier(client).create_shipment(order, attempt_id=ID, timeout_seconds=timeout)


def reader(url: str, transport: httpx.BaseTransport, *, timeout: float = TIMEOUT) -> UpstreamReader:
    return UpstreamReader(
        url,
        timeout_seconds=timeout,
        display=DisplayPolicy(max_age_seconds=5, stale_if_error_seconds=300),
        wire=transport,
    )


def product(url: str, *, timeout: float = TIMEOUT) -> Product:
    with make_transport(url, keep_alive=True) as transport:
        reading = reader(url, transport, timeout=timeout)
        return HttpProducts(reading, free_products=False).get(ID)


def interim(connection: Connection, *, pause: float) -> None:
    while not connection._stopped.wait(pause):
        connection.send(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 50)


def endless_chunks(connection: Connection, status: int) -> None:
    connection.send(http(status, b"", "Transfer-Encoding: chunked"))
    while not connection._stopped.wait(0.02):
        connection.send(b"1\r\n \r\n")


GOOD_ID = b'{"id": "S-1"}'
SLOW: dict[str, Script] = {
    "silent": Connection.wait,
    "status line byte by byte": dribbles(b"HTTP/1.1 200 " + b"x" * 1_000),
    "header bytes one by one": dribbles(http(200, GOOD_ID, "X-Note: " + "x" * 1_000)),
    "1xx now and then": lambda connection: interim(connection, pause=0.1),
    "1xx all the time": lambda connection: interim(connection, pause=0),
    "body bytes one by one": sends(http(200, b"", length=1_000), dribbles(b" " * 1_000)),
    "chunks without end": lambda connection: endless_chunks(connection, 200),
    "no end of the body": sends(http(200, GOOD_ID, length=99), Connection.wait),
}


@pytest.mark.parametrize("name", SLOW)
class TestTheDeadline:
    def test_bounds_the_carrier(self, name: str) -> None:
        with serving(SLOW[name]) as url, Stopwatch() as watch:
            assert isinstance(ship(url), OutcomeUnknown)
        assert watch.seconds < TIMEOUT + SPARE

    def test_bounds_a_read(self, name: str) -> None:
        with (
            serving(SLOW[name]) as url,
            Stopwatch() as watch,
            pytest.raises(UpstreamUnavailableError),
        ):
            product(url)
        assert watch.seconds < TIMEOUT + SPARE

    def test_leaves_no_connection_behind(self, name: str) -> None:
        with serving(SLOW[name]) as url:
            transport = make_transport(url, keep_alive=True)
            with pytest.raises(UpstreamUnavailableError):
                HttpCustomers(reader(url, transport, timeout=0.2)).get(ID)
            assert transport._pool.connections == []
            transport.close()


REFUSED_IN_PIECES: dict[str, Script] = {
    "body bytes one by one": sends(http(422, b"", length=1_000), dribbles(b" " * 1_000)),
    "chunks without end": lambda connection: endless_chunks(connection, 422),
    "no body": sends(http(422, b"", length=99), Connection.wait),
    "broken off": sends(http(422, b"{", length=99)),
    "too large": sends(http(422, b" " * (MAX_ANSWER_BYTES + 1))),
    "without end": sends(http(422, b" " * 10**7, length=10**12)),
    "encoded": sends(http(422, gzip.compress(b'{"Message": "no"}'), "Content-Encoding: gzip")),
    "not gzip": sends(http(422, b"{}", "Content-Encoding: gzip")),
    "encoded for transfer": sends(http(422, gzip.compress(b"{}"), "Transfer-Encoding: gzip")),
    "two lengths": sends(http(422, b"{}", "Content-Length: 3")),
    "a header field that is none": sends(http(422, b"{}", "no field")),
    "bad chunks": sends(http(422, b"zz\r\n", "Transfer-Encoding: chunked")),
    "not JSON": sends(http(422, b"<html>")),
    "not JSON as Till reads it": sends(http(422, b'{"Message": "a", "Message": "b"}')),
    "after a 1xx": sends(b"HTTP/1.1 103 x\r\nA: b\r\n\r\n" + http(422, b"", "bad", length=9)),
}


@pytest.mark.parametrize("name", REFUSED_IN_PIECES)
def test_a_refusal_is_judged_by_its_status_whatever_becomes_of_its_body(name: str) -> None:
    with serving(REFUSED_IN_PIECES[name]) as url, Stopwatch() as watch:
        outcome = ship(url)
    assert outcome == NotShipped(message="The Shipment API answered 422.")
    assert watch.seconds < TIMEOUT + SPARE


UNUSABLE: dict[str, bytes] = {
    "broken off": http(201, GOOD_ID, length=99),
    "too large": http(201, GOOD_ID + b" " * MAX_ANSWER_BYTES),
    "encoded": http(201, gzip.compress(GOOD_ID), "Content-Encoding: gzip"),
    "encoded twice": http(201, GOOD_ID, "Content-Encoding: identity", "Content-Encoding: br"),
    "unknown encoding": http(201, GOOD_ID, "Content-Encoding: x-rot13"),
    "encoded for transfer": http(201, gzip.compress(GOOD_ID), "Transfer-Encoding: gzip"),
    "a header field that is none": http(201, GOOD_ID, "no field"),
    "only a head": b"HTTP/1.1 422 x\r\nContent-Length: 0\r\n",
    "no HTTP": b"200 OK\r\n\r\n" + GOOD_ID,
    "101": http(101, b"", "Upgrade: x", "Connection: upgrade"),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_a_success_that_cannot_be_read_is_an_unknown_outcome(name: str) -> None:
    with serving(sends(UNUSABLE[name])) as url, Stopwatch() as watch:
        assert isinstance(ship(url), OutcomeUnknown)
    assert watch.seconds < TIMEOUT + SPARE


@pytest.mark.parametrize(
    "answer",
    [
        http(200, gzip.compress(json.dumps(PRODUCT).encode()), "Content-Encoding: gzip"),
        http(200, b"", "Content-Encoding: deflate, gzip"),
        http(200, json.dumps(PRODUCT).encode(), "Content-Encoding: compress"),
        http(200, b"", "Transfer-Encoding: gzip, chunked"),
        http(404, b"", "Content-Encoding: gzip"),
    ],
)
def test_an_encoded_answer_to_a_read_breaks_the_contract(answer: bytes) -> None:
    with serving(sends(answer)) as url, pytest.raises(UpstreamContractError):
        product(url)


@pytest.mark.parametrize("encoding", ["identity", "Identity", " identity "])
def test_identity_is_no_encoding(encoding: str) -> None:
    answer = http(200, json.dumps(PRODUCT).encode(), f"Content-Encoding: {encoding}")
    with serving(sends(answer)) as url:
        assert product(url, timeout=5).unit_price == Money(500)


def test_not_a_byte_is_decoded() -> None:
    """Nested gzip: a few kilobytes that would become 100 MB."""
    bomb = gzip.compress(gzip.compress(zlib.compress(b"\0" * 100_000_000), 9), 9)
    answer = http(200, bomb, "Content-Encoding: deflate, gzip, gzip")
    with serving(sends(answer)) as url:
        tracemalloc.start()
        try:
            with pytest.raises(UpstreamContractError):
                product(url, timeout=5)
            assert isinstance(ship(url, timeout=5), OutcomeUnknown)
            assert tracemalloc.get_traced_memory()[1] < 20_000_000
        finally:
            tracemalloc.stop()


def test_every_request_asks_for_no_encoding() -> None:
    requests: list[bytes] = []

    def script(connection: Connection) -> None:
        requests.append(connection.request)
        connection.send(http(200, GOOD_ID))

    with serving(script) as url:
        ship(url, timeout=5)
        with pytest.raises(UpstreamContractError):
            product(url, timeout=5)
    assert [b"accept-encoding: identity\r\n" in request.lower() for request in requests] == [
        True,
        True,
    ]


@pytest.mark.parametrize("value", [b"a=b; Path=/", b"a=caf\xc3\xa9; Path=/"])
def test_no_cookie_is_kept(value: bytes) -> None:
    requests: list[bytes] = []

    def script(connection: Connection) -> None:
        requests.append(connection.request)
        connection.send(
            http(200, GOOD_ID).replace(b"\r\n", b"\r\nSet-Cookie: " + value + b"\r\n", 1)
        )

    with (
        serving(script) as url,
        make_http_client(url, make_transport(url, keep_alive=False)) as client,
    ):
        for _ in range(2):
            assert exchange(client, "GET", "x", deadline=Deadline(5)).status == 200
    assert len(requests) == 2
    assert b"cookie" not in requests[1].lower()


class TestACompleteAnswer:
    def test_ends_with_its_last_byte_though_the_connection_stays_open(self) -> None:
        answers = (http(200, GOOD_ID), http(200, b"d\r\n" + GOOD_ID + b"\r\n0\r\n\r\n", CHUNKED))
        for answer in answers:

            def script(connection: Connection, answer: bytes = answer) -> None:
                connection.send(answer)
                connection.wait()

            with serving(script) as url, Stopwatch() as watch:
                assert ship(url, timeout=5) == Shipped(shipment_id="S-1")
            assert watch.seconds < 2

    def test_that_has_arrived_is_used_after_the_deadline(self) -> None:
        """The thread may come to look late, on a busy machine."""
        sent = threading.Event()

        def script(connection: Connection) -> None:
            connection.send(http(200, GOOD_ID))
            sent.set()
            connection.wait()

        with serving(script) as url:
            host, port = "127.0.0.1", httpx.URL(url).port
            assert port is not None
            stream = _BoundedBackend().connect_tcp(host, port, timeout=bounded(5))
            stream.write(b"GET / HTTP/1.1\r\n\r\n", timeout=bounded(5))
            assert sent.wait(5)
            late = bounded(0)
            assert stream.read(65_536, timeout=late) == http(200, GOOD_ID)
            with pytest.raises(httpcore.ReadTimeout):
                stream.read(65_536, timeout=late)
            with pytest.raises(httpcore.WriteTimeout):
                stream.write(b"x", timeout=late)
            stream.close()


CHUNKED = "Transfer-Encoding: chunked"


def bounded(seconds: float) -> float:
    """As the transport gives it to httpcore, in the place of a timeout."""
    made: object = _Exchange(Deadline(seconds))
    return made  # type: ignore[return-value]


class TestConnecting:
    def test_a_slow_look_up_sends_nothing_and_is_the_only_one(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        look_ups: list[str] = []
        go_on = threading.Event()

        def slow(host: str, port: int, **_: object) -> list[object]:
            look_ups.append(host)
            assert go_on.wait(10)
            raise socket.gaierror("no such host")

        monkeypatch.setattr(socket, "getaddrinfo", slow)
        url = "http://slow.test/api"
        transport = make_transport(url, keep_alive=False)
        try:
            with ThreadPoolExecutor(3) as pool, Stopwatch() as watch:
                outcomes = [*pool.map(lambda _: ship(url, transport=transport), range(3))]
        finally:
            go_on.set()
        assert {type(outcome) for outcome in outcomes} == {NotShipped}
        assert watch.seconds < TIMEOUT + SPARE
        assert look_ups == ["slow.test"]
        for thread in threading.enumerate():
            if thread.name == "look-up":
                thread.join(5)
                assert not thread.is_alive()

    @pytest.mark.parametrize("error", [socket.gaierror("none"), UnicodeError("label too long")])
    def test_a_host_that_is_not_found_sends_nothing(
        self, monkeypatch: pytest.MonkeyPatch, error: Exception
    ) -> None:
        def fail(*_: object, **__: object) -> list[object]:
            raise error

        monkeypatch.setattr(socket, "getaddrinfo", fail)
        assert isinstance(ship("http://nowhere.test/api"), NotShipped)

    def test_the_next_address_is_tried(self, monkeypatch: pytest.MonkeyPatch) -> None:
        look_up = socket.getaddrinfo

        def two_for_one(host: str, *args: int, **options: int) -> object:
            hosts = ("127.0.0.2", "127.0.0.1") if host == "two.test" else (host,)
            return [found for one in hosts for found in look_up(one, *args, **options)]

        monkeypatch.setattr(socket, "getaddrinfo", two_for_one)
        with serving(sends(http(200, GOOD_ID))) as url:
            assert ship(url.replace("127.0.0.1", "two.test"), timeout=5) == Shipped(
                shipment_id="S-1"
            )

    def test_a_handshake_without_an_answer_sends_nothing(self) -> None:
        # It is taken for the beginning of a request, and never answered.
        with serving(Connection.wait) as plain:
            url = plain.replace("http:", "https:")
            # Loading the trusted certificates takes as long again, once in a process.
            transport = make_transport(url, keep_alive=False)
            with Stopwatch() as watch:
                assert isinstance(ship(url, transport=transport), NotShipped)
        assert watch.seconds < TIMEOUT + SPARE

    def test_a_full_queue_sends_nothing(self) -> None:
        with socket.create_server(("127.0.0.1", 0), backlog=0) as server:
            address = server.getsockname()
            waiting = [socket.socket() for _ in range(4)]
            for each in waiting:
                each.setblocking(False)
                each.connect_ex(address)
            with Stopwatch() as watch:
                assert isinstance(ship(f"http://127.0.0.1:{address[1]}/api"), NotShipped)
            for each in waiting:
                each.close()
        assert watch.seconds < TIMEOUT + SPARE


class OneOfTwo:
    """A secret whose credential changes each time it is asked for again."""

    fetch_seconds = 0.05

    def __init__(self) -> None:
        self._number = 0

    def read(self, *, refresh: bool) -> UpstreamCredential:
        self._number += refresh
        return UpstreamCredential.model_validate({"header": "A", "value": f"v{self._number}"})


def test_the_second_try_with_another_credential_gets_what_is_left() -> None:
    requests: list[bytes] = []

    def script(connection: Connection) -> None:
        requests.append(connection.request)
        if len(requests) == 1:
            assert not connection._stopped.wait(TIMEOUT / 2)
            connection.send(http(401, b"{}", "Connection: close"))
        else:
            connection.dribble(http(200, json.dumps(PRODUCT).encode()))

    with serving(script) as url, Stopwatch() as watch:
        wire = CredentialTransport(make_transport(url, keep_alive=True), Credentials(OneOfTwo()))
        with wire, pytest.raises(UpstreamUnavailableError):
            HttpProducts(reader(url, wire), free_products=False).get(ID)
    assert len(requests) == 2
    assert watch.seconds < TIMEOUT + SPARE


class TestMutatedAnswers:
    """Whatever comes back, the outcome is one of those that the ports promise."""

    SEED, RUNS = 10, 400

    def test_of_the_carrier(self) -> None:
        chance = random.Random(self.SEED)
        shipped = 0
        for _ in range(self.RUNS):
            status = chance.choice((200, 201, 400, 408, 422, 500, 502, 503, 302))
            good = b'{"id": "shp-1", "weight": 1.5, "Message": "no"}'
            body = mutated(good, chance) if chance.random() < 0.9 else good
            outcome = ship("http://upstream/api", transport=_mock(status, body))
            if isinstance(outcome, Shipped):
                shipped += 1
                assert status in {200, 201}
                document = read_json(body)
                assert isinstance(document, dict)
                assert document["id"] == outcome.shipment_id
                assert is_shipment_id(outcome.shipment_id)
            elif status in {400, 422, 500, 503}:
                assert isinstance(outcome, NotShipped)
            else:
                assert isinstance(outcome, OutcomeUnknown)
        assert shipped > 0

    @pytest.mark.parametrize("what", ["customer", "product"])
    def test_of_reads(self, what: str) -> None:
        chance = random.Random(self.SEED)
        good = json.dumps(PRODUCT if what == "product" else CUSTOMER).encode()
        read = 0
        for _ in range(self.RUNS):
            body = mutated(good, chance) if chance.random() < 0.9 else good
            status = chance.choice((200, 200, 200, 404, 500))
            reading = reader("http://upstream/api", _mock(status, body))
            get: Callable[[UUID], Product | Customer] = (
                HttpProducts(reading, free_products=True).get
                if what == "product"
                else HttpCustomers(reading).get
            )
            try:
                assert get(ID).id == ID
                read += 1
                assert _is_json(body)
            except (ProductNotFoundError, CustomerNotFoundError):
                assert status == 404
            except UpstreamUnavailableError:
                assert status == 500 or len(body) > MAX_ANSWER_BYTES
            except UpstreamContractError:
                assert status == 200
        assert read > 0

    def test_of_the_carrier_as_bytes_on_the_wire(self) -> None:
        chance = random.Random(self.SEED)
        answers = [
            mutated(http(status, GOOD_ID, "Content-Type: application/json"), chance)
            for status in (200, 201, 422, 503)
            for _ in range(50)
        ]
        left = iter(answers)

        with serving(lambda connection: connection.send(next(left))) as url:
            transport = BoundedTransport(tls=False, keep_alive=False)
            outcomes = [ship(url, transport=transport) for _ in answers]
        for answer, outcome in zip(answers, outcomes, strict=True):
            if isinstance(outcome, Shipped):
                assert re.search(rb"^HTTP/1.[01] 2", answer, re.MULTILINE), answer
                assert is_shipment_id(outcome.shipment_id)
            if isinstance(outcome, NotShipped):
                assert re.search(rb"^HTTP/1.[01] [45]", answer, re.MULTILINE), answer
        assert len({type(outcome) for outcome in outcomes}) == 3

    def test_of_reads_as_bytes_on_the_wire(self) -> None:
        chance = random.Random(self.SEED)
        fields = (
            *("Cache-Control: max-age=60, private, stale-if-error=9", 'ETag: "1"', "Vary: Accept"),
            *(
                "Date: Thu, 26 Nov 2026 07:00:00 GMT",
                "Last-Modified: Thu, 26 Nov 2026 06:00:00 GMT",
            ),
            *("Age: 5", "Expires: 0", "Set-Cookie: a=b; Path=/; Max-Age=5", "Location: /x"),
        )
        good = json.dumps(PRODUCT).encode()
        answers: Iterator[bytes] = iter(())

        def script(connection: Connection) -> None:
            connection.send(next(answers, b""))

        endings: set[str] = set()
        with serving(script) as url, make_transport(url, keep_alive=True) as transport:
            for _ in range(150):
                status = chance.choice((200, 200, 200, 304, 302, 404, 500))
                whole = http(status, good, "Connection: close", *chance.sample(fields, 5))
                answers = iter([whole, mutated(whole, chance), mutated(whole, chance)])
                reading = reader(url, transport)
                products = HttpProducts(reading, free_products=True)
                shown = HttpCatalogueView(reading)
                for read in (shown.product, products.get, shown.product):
                    try:
                        read(ID)
                        endings.add("read")
                    except (UpstreamUnavailableError, UpstreamContractError) as error:
                        endings.add(type(error).__name__)
                    except ProductNotFoundError:
                        endings.add("none")
        assert len(endings) == 4


def _mock(status: int, body: bytes) -> httpx.MockTransport:
    return httpx.MockTransport(lambda _: httpx.Response(status, content=body))


def _is_json(body: bytes) -> bool:
    try:
        read_json(body)
    except JsonError:
        return False
    return True
