"""What answers of the external APIs mean, and what is made of those that break the contract."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from uuid import UUID, uuid4

import httpx
import pytest

from tests.unit.fakes import ADDRESS
from till.adapters.upstream.carrier import HttpCarrier
from till.adapters.upstream.catalogue import HttpCustomers, HttpProducts
from till.adapters.upstream.http import MAX_ANSWER_BYTES, make_transport
from till.adapters.upstream.reader import UpstreamReader
from till.domain.catalogue import Product
from till.domain.money import Money
from till.domain.purchase import NotShipped, OutcomeUnknown, Shipped, make_order
from till.services.ports.upstream import (
    CustomerNotFoundError,
    ProductNotFoundError,
    UpstreamContractError,
    UpstreamUnavailableError,
)
from till.services.shared.policy import DisplayPolicy

ID = UUID("3fa85f64-5717-4562-b3fc-2c963f66afa6")
PRODUCT = {
    "id": str(ID),
    "sku": "S",
    "name": "n",
    "description": "",
    "price": 1299.99,
    "createdAt": 1,
    "lastModifiedAt": 2,
}
SHIPPING = {"line1": "1", "city": "c", "postalCode": "p", "state": "s", "country": "US"}
CUSTOMER = {
    "id": str(ID),
    "name": "Secret Name",
    "email": "secret@example.com",
    "billingAddress": SHIPPING,
    "shippingAddress": SHIPPING,
    "createdAt": 1,
    "lastModifiedAt": 2,
}

Answer = Callable[[httpx.Request], httpx.Response]


def client(answer: Answer) -> httpx.Client:
    return httpx.Client(base_url="http://upstream/api", transport=httpx.MockTransport(answer))


def reader(answer: Answer) -> UpstreamReader:
    return UpstreamReader(
        "http://upstream/api",
        timeout_seconds=1,
        display=DisplayPolicy(max_age_seconds=5, stale_if_error_seconds=300),
        wire=httpx.MockTransport(answer),
    )


def says(body: object, status: int = 200) -> Answer:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return lambda _: httpx.Response(status, content=content)


def product(answer: Answer, *, free_products: bool = False) -> Product:
    return HttpProducts(reader(answer), free_products=free_products).get(ID)


def test_a_product_is_read_exactly() -> None:
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.path)
        return says(PRODUCT)(request)

    assert product(answer).unit_price == Money(129_999)
    assert seen == [f"/api/products/{ID}"]


@pytest.mark.parametrize(
    ("price", "minor"),
    [("19.9", 1990), ("0.07", 7), ("1e2", 10_000), ("8.10", 810), ("12.340", 1234), ("5E-2", 5)],
)
def test_prices_are_decimal_text_not_floats(price: str, minor: int) -> None:
    body = json.dumps(PRODUCT).replace("1299.99", price).encode()
    assert product(says(body)).unit_price == Money(minor)


@pytest.mark.parametrize("price", ["0", "0.00", "-0", "-0.0", "0e5"])
def test_a_price_of_0_is_a_price_only_where_products_may_be_free(price: str) -> None:
    body = json.dumps(PRODUCT).replace("1299.99", price).encode()
    with pytest.raises(UpstreamContractError, match="price is 0"):
        product(says(body))
    assert product(says(body), free_products=True).unit_price == Money(0)


BAD_PRICES = [
    *(
        "19.999",
        "1.001",
        "1e-3",
        "-1",
        "-0.01",
        "1e400",
        "1e30",
        "1e-999",
        "9" * 100,
        "9" * 100_000,
    ),
    *("1e" + "9" * 20, "1e-" + "9" * 20, "0." + "0" * 99_000 + "1", "10000000000.01", "01", "1."),
    *("NaN", "Infinity", '"12.00"', "true", "null", "[]", "{}"),
]


@pytest.mark.parametrize("price", BAD_PRICES)
def test_a_price_that_breaks_the_contract(price: str) -> None:
    body = json.dumps(PRODUCT).replace("1299.99", price).encode()
    with pytest.raises(UpstreamContractError):
        product(says(body))


@pytest.mark.parametrize("field", ["createdAt", "lastModifiedAt"])
@pytest.mark.parametrize(
    "time",
    ["9" * 15, "-" + "9" * 15, "9" * 99, "9" * 5_000, "1.5", "1e3", "1e99", "true", '"1"', "null"],
)
def test_a_time_that_breaks_the_contract(field: str, time: str) -> None:
    body = json.dumps({**PRODUCT, field: "TIME"}).replace('"TIME"', time).encode()
    with pytest.raises(UpstreamContractError):
        product(says(body))


def test_what_is_only_shown_is_cut_and_what_is_used_is_refused() -> None:
    """A page of 100 purchases has to fit into an answer."""
    cut = product(says({**PRODUCT, "name": "n" * 10_000, "description": "d" * 200_000}))
    assert (len(cut.name), len(cut.description)) == (500, 4_000)
    assert cut.description.endswith("d…")
    with pytest.raises(UpstreamContractError):
        product(says({**PRODUCT, "sku": "s" * 10_000}))
    address = {**SHIPPING, "line1": "1" * 10_000}
    with pytest.raises(UpstreamContractError):
        HttpCustomers(reader(says({**CUSTOMER, "shippingAddress": address}))).get(ID)


@pytest.mark.parametrize("field", sorted(PRODUCT))
def test_a_product_that_lacks_a_field(field: str) -> None:
    with pytest.raises(UpstreamContractError):
        product(says({name: value for name, value in PRODUCT.items() if name != field}))


@pytest.mark.parametrize("field", sorted(CUSTOMER))
def test_a_customer_that_lacks_a_field(field: str) -> None:
    lacking = {name: value for name, value in CUSTOMER.items() if name != field}
    with pytest.raises(UpstreamContractError) as raised:
        HttpCustomers(reader(says(lacking))).get(ID)
    assert "Secret" not in str(raised.value)
    assert raised.value.__cause__ is None, "the cause would hold the customer's data"


@pytest.mark.parametrize("field", sorted(SHIPPING))
def test_an_address_that_lacks_a_field(field: str) -> None:
    lacking = {name: value for name, value in SHIPPING.items() if name != field}
    with pytest.raises(UpstreamContractError):
        HttpCustomers(reader(says(CUSTOMER | {"shippingAddress": lacking}))).get(ID)


@pytest.mark.parametrize(
    "body",
    [
        b"<html></html>",
        b"",
        b"[]",
        b"null",
        b"\xff",
        b"[" * 100_000,
        PRODUCT | {"id": str(uuid4())},
        PRODUCT | {"sku": ""},
        PRODUCT | {"sku": 5},
        PRODUCT | {"name": "\ud800"},
    ],
)
def test_an_answer_that_makes_no_sense(body: object) -> None:
    with pytest.raises(UpstreamContractError):
        product(says(body))


def test_what_does_not_exist() -> None:
    with pytest.raises(ProductNotFoundError):
        product(says({"Message": "no"}, 404))
    with pytest.raises(CustomerNotFoundError):
        HttpCustomers(reader(says({}, 404))).get(ID)


@pytest.mark.parametrize("status", [201, 204, 301, 304, 400, 401, 403, 429, 500, 502, 503])
def test_an_answer_without_the_thing(status: int) -> None:
    with pytest.raises(UpstreamUnavailableError):
        product(says(PRODUCT, status))


def test_an_endless_answer_is_cut_off() -> None:
    with pytest.raises(UpstreamUnavailableError):
        product(says(b" " * (MAX_ANSWER_BYTES + 1)))


def raises(error: Exception) -> Answer:
    def answer(_: httpx.Request) -> httpx.Response:
        raise error

    return answer


def ship(answer: Answer) -> Shipped | NotShipped | OutcomeUnknown:
    thing = Product(id=ID, sku="S", name="n", description="", unit_price=Money(5))
    order = make_order(thing, 3, ADDRESS, promo=None, expected_total=None)
    return HttpCarrier(client(answer)).create_shipment(order, attempt_id=ID, timeout_seconds=1)


def test_a_shipment_is_asked_for_as_the_contract_says() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"id": "S-1"})

    assert ship(answer) == Shipped(shipment_id="S-1")
    (request,) = seen
    assert (request.method, request.url.path) == ("POST", "/api/shipments")
    assert request.headers["Idempotency-Key"] == str(ID)
    assert json.loads(request.content) == {
        "shippingAddress": {
            "line1": "1 Test Street",
            "city": "Testville",
            "postalCode": "12345",
            "state": "TS",
            "country": "US",
        },
        "products": [{"sku": "S", "quantity": 3}],
    }


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 425, 429, 451, 500, 501, 503])
def test_definitely_not_shipped(status: int) -> None:
    assert ship(says({"Message": "Out of\nstock"}, status)) == NotShipped(message="Out of stock")
    outcome = ship(says(b"<html>", status))
    assert outcome == NotShipped(message=f"The Shipment API answered {status}.")


@pytest.mark.parametrize("status", [301, 302, 307, 408, 502, 504, 505, 520, 599])
def test_nobody_knows_by_the_status(status: int) -> None:
    assert isinstance(ship(says({"id": "S-1"}, status)), OutcomeUnknown)


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"<html>", b"\xff", b"[" * 100_000, [], {}, {"ID": "S-1"}, {"id": ["S-1"]}),
        *(
            {"id": value}
            for value in ("", None, 5, True, " ", "S 1", "S-1\n", "\0", "\x7f", "\u00e9")
        ),
        *({"id": "x" * 256}, {"id": "S-1", "note": "\ud800"}),
        *(b'{"id": "S-1", "id": "S-2"}', b'{"id": "S-1", "id": "S-1"}', b'{"id": "S-1"} {}'),
        *(b'{"id": "S-1", "a": NaN}', b'{"id": "S-1", "a": {"b": 1, "b": 2}}'),
        b'{"id": "S-1", "a": 1e' + b"9" * 20 + b"}",
        b'{"id": "S-1", "a": ' + b"9" * 100_000 + b"}",
        *('{"id": "S-1"}'.encode(name) for name in ("utf-16", "utf-32", "utf-8-sig")),
    ],
)
def test_a_success_without_one_usable_id_is_unknown(body: object) -> None:
    assert isinstance(ship(says(body)), OutcomeUnknown)


@pytest.mark.parametrize("shipment_id", ["x", "~!", "x" * 255])
def test_an_id_by_the_rule_that_a_rep_s_input_has(shipment_id: str) -> None:
    assert ship(says({"id": shipment_id})) == Shipped(shipment_id=shipment_id)


@pytest.mark.parametrize("body", [b"1e" + b"9" * 20, b'{"Message": "a", "Message": "b"}', b"\xff"])
def test_a_refusal_is_judged_by_its_status_alone(body: bytes) -> None:
    assert ship(says(body, 422)) == NotShipped(message="The Shipment API answered 422.")


@pytest.mark.parametrize(
    "error",
    [
        httpx.ConnectError("refused"),
        httpx.ConnectTimeout("slow"),
        httpx.PoolTimeout("full"),
        httpx.UnsupportedProtocol("ftp"),
    ],
)
def test_without_a_connection_nothing_is_shipped(error: Exception) -> None:
    assert isinstance(ship(raises(error)), NotShipped)


@pytest.mark.parametrize(
    "error",
    [
        httpx.ReadTimeout("slow"),
        httpx.WriteTimeout("slow"),
        httpx.ReadError("reset"),
        httpx.WriteError("broken pipe"),
        httpx.RemoteProtocolError("disconnected"),
        httpx.DecodingError("gzip"),
        httpx.LocalProtocolError("state"),
        httpx.InvalidURL("Location"),
        *(
            ValueError("x"),
            ArithmeticError("x"),
            RecursionError("x"),
            MemoryError("x"),
            OSError("x"),
        ),
    ],
)
def test_once_the_request_may_have_gone_out_the_outcome_is_unknown(error: Exception) -> None:
    assert isinstance(ship(raises(error)), OutcomeUnknown)


def test_the_log_says_what_was_shipped_before_and_after_the_call(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO):
        ship(says({"id": "S-1"}))
    before, after = (record for record in caplog.records if "attempt_id" in record.__dict__)
    assert (before.getMessage(), before.__dict__["attempt_id"]) == (
        "calling CreateShipment",
        str(ID),
    )
    told = [after.__dict__[name] for name in ("attempt_id", "outcome", "shipment_id")]
    assert (after.getMessage(), told) == ("called CreateShipment", [str(ID), "Shipped", "S-1"])


def test_an_unexpected_error_is_logged_once_without_its_message(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING):
        ship(raises(ArithmeticError("1 Test Street")))
    (record,) = caplog.records
    assert (record.levelname, record.__dict__["error"]) == ("ERROR", "ArithmeticError")
    assert "Test Street" not in str(record.__dict__)


def test_the_carriers_client_keeps_no_connection() -> None:
    """A kept connection may be closing just when it is used: an unknown outcome for nothing."""
    pool = make_transport("http://127.0.0.1:1/api", keep_alive=False)._pool
    assert pool._max_keepalive_connections == 0
    assert pool._retries == 0
