"""Bad input gets a clear 4xx that names what is wrong, and changes nothing."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest

from local.upstream.behaviour import Behaviour, Refuse
from tests.integration.client import Problem, Reply, new_key, new_shipment_id

if TYPE_CHECKING:
    from collections.abc import Iterable

    from local.upstream.client import StandInControl
    from tests.integration.client import Balance, TillClient
    from tests.integration.invariants import Auditor
    from tests.integration.shop import Shop
    from tests.integration.tables import Tables


@dataclass(frozen=True)
class World:
    """A customer with everything that a POST can be about."""

    customer: UUID
    product: UUID
    purchase: UUID
    attempt: UUID


@dataclass(frozen=True)
class Operation:
    """A POST: its path, and a body that is good. Values are JSON text, so that any can be said."""

    path: str
    body: dict[str, str]
    optional: dict[str, str] = field(default_factory=dict)

    def with_field(self, name: str, value: str | None) -> str:
        """The good body with a field as it is given, or (None) without it."""
        fields = {**self.body, name: value}
        return _object(fields)

    @property
    def path_id(self) -> str:
        """The name of the id in the path."""
        return self.path.partition("{")[2].partition("}")[0]


def _object(fields: dict[str, str | None]) -> str:
    members = (f"{json.dumps(n)}: {value}" for n, value in fields.items() if value is not None)
    return "{" + ", ".join(members) + "}"


REASON = '"a reason"'

OPERATIONS: dict[str, Operation] = {
    "grant": Operation(
        "/customers/{customer_id}/credit/grants", {"amount": "100", "reason": REASON}
    ),
    "deduct": Operation(
        "/customers/{customer_id}/credit/deductions", {"amount": "100", "reason": REASON}
    ),
    "buy": Operation(
        "/customers/{customer_id}/purchases",
        {"product_id": '"{product}"', "quantity": "1"},
        {"expected_total": "1000"},
    ),
    "refund": Operation("/purchases/{purchase_id}/refunds", {"reason": REASON}, {"amount": "100"}),
    "resolve": Operation(
        "/purchase-attempts/{attempt_id}/resolution",
        {"outcome": '"shipped"', "shipment_id": f'"{new_shipment_id()}"', "reason": REASON},
    ),
    "close an orphan": Operation(
        "/purchase-attempts/{attempt_id}/orphan-closing",
        {"outcome": '"NOT_REAL"', "reason": REASON},
    ),
}


def json_text(good: bytes) -> bytes:
    """A JSON document as a text within a JSON document."""
    return json.dumps(good.decode()).encode()


NOT_JSON = (
    *("NaN", "Infinity", "-Infinity", "01", "+1", "1.", "0x10", "1_000", "nil"),
    *("1" * 5_000, "1" * 101, "1e9999", "1e99999999999999999999"),
    *('"half \\ud83d"', '"\\udc00"'),
)
"""These make the whole body something else than JSON."""

NOT_AN_INTEGER = (
    *("-1", "0", "1.5", "1.0", "100.00", "1e2", "1e400", "-0.0", str(10**30), str(2**63)),
    *('"100"', '""', '"NaN"', "true", "false", "[]", "[100]", "{}", '{"minor": 1}'),
)
NO_AMOUNT = (*NOT_AN_INTEGER, "null", str(10**11 + 1))
NO_QUANTITY = (*NOT_AN_INTEGER, "null", "1000001")
NO_EXPECTED_TOTAL = tuple({*NOT_AN_INTEGER} - {"0"})
NO_REASON = (
    *('""', '" "', '"\\u00a0\\u2003"', '"\\t"', '"tab\\tstop"', '"nul\\u0000"', '"bell\\u0007"'),
    *('"\\u001b[31mred"', '"\\u0085"', '"\\u2028"', '"\\ufffe"'),
    *(json.dumps("x" * 501), json.dumps("x" * 10_240), "5", "true", "null", "[]", '["x"]', "{}"),
)
NO_UUID = (
    *('"x"', '""', "5", "true", "null", "[]", "{}", json.dumps(uuid4().hex)),
    *(json.dumps(template.format(uuid4())) for template in ("{{{}}}", "urn:uuid:{}", " {}", "{}x")),
)
NO_OUTCOME = ('"maybe"', '""', '"SHIPPED"', '"shipped "', "null", "1", "true", "[]")
NO_SHIPMENT_ID = (
    *('""', '" "', '"with space"', '"caf\\u00e9"', '"tab\\t"', '"nul\\u0000"'),
    *(json.dumps("x" * 256), "5", "true", "[]"),
)

BAD_FIELDS: dict[str, dict[str, tuple[str, ...]]] = {
    "grant": {"amount": NO_AMOUNT, "reason": NO_REASON},
    "deduct": {"amount": NO_AMOUNT, "reason": NO_REASON},
    "buy": {
        "product_id": NO_UUID,
        "quantity": NO_QUANTITY,
        "expected_total": NO_EXPECTED_TOTAL,
    },
    "refund": {"amount": NOT_AN_INTEGER, "reason": NO_REASON},
    "resolve": {"outcome": NO_OUTCOME, "shipment_id": NO_SHIPMENT_ID, "reason": NO_REASON},
    "close an orphan": {"outcome": NO_OUTCOME, "reason": NO_REASON},
}


def _bad_fields() -> Iterable[object]:
    for operation, fields in BAD_FIELDS.items():
        for name, values in fields.items():
            for value in values:
                label = value if len(value) < 30 else f"{value[:12]}...({len(value)})"
                yield pytest.param(operation, name, value, id=f"{operation}-{name}={label}")
        for name in OPERATIONS[operation].body:
            yield pytest.param(operation, name, None, id=f"{operation}-without-{name}")
        for name in ("extra", "Amount", "reason ", "__proto__", "customer_id"):
            yield pytest.param(operation, name, "1", id=f"{operation}-unknown-{name}")


NOT_REPEATED = {"reason ", "__proto__"}
"""Unknown names that no field could have: an answer does not repeat them."""

BAD_BODIES: dict[str, tuple[Callable[[bytes], bytes], int]] = {
    "none": (lambda _: b"", 400),
    "blank": (lambda _: b"  \n", 400),
    "null": (lambda _: b"null", 400),
    "a number": (lambda _: b"17", 400),
    "a text": (json_text, 400),
    "an empty object": (lambda _: b"{}", 400),
    "an empty list": (lambda _: b"[]", 400),
    "the object in a list": (lambda good: b"[" + good + b"]", 400),
    "the object twice in a list": (lambda good: b"[" + good + b"," + good + b"]", 400),
    "the object in an object": (lambda good: b'{"body": ' + good + b"}", 400),
    "the object twice": (lambda good: good + good, 400),
    "cut short": (lambda good: good[:-1], 400),
    "a comma too many": (lambda good: good[:-1] + b",}", 400),
    "a comment": (lambda good: good + b" // granted", 400),
    "single quotes": (lambda good: good.replace(b'"', b"'"), 400),
    "a form": (lambda _: b"amount=100&reason=x", 400),
    "XML": (lambda _: b"<amount>100</amount>", 400),
    "a field twice": (lambda good: good[:-1] + b"," + good[1:], 400),
    "too deep": (lambda _: b"[" * 8_000, 400),
    "deep within": (lambda good: good[:-1] + b',"x":' + b"[" * 4_000 + b"]" * 4_000 + b"}", 400),
    "not UTF-8": (lambda good: good[:-1] + b',"x": "\xff\xfe"}', 400),
    "Latin-1": (lambda good: good[:-1] + b',"x": "caf\xe9"}', 400),
    "UTF-16": (lambda good: good.decode().encode("utf-16"), 400),
    "a byte order mark": (lambda good: b"\xef\xbb\xbf" + good, 400),
    "a raw control character": (lambda good: good[:-1] + b',"x": "a\x00b"}', 400),
    "a surrogate in UTF-8": (lambda good: good[:-1] + b',"x": "\xed\xa0\x80"}', 400),
    "gzip": (gzip.compress, 400),
    "20 kB of blanks": (lambda good: b" " * 20_000 + good, 413),
    "1 MB": (lambda _: b"x" * 1_000_000, 413),
}
"""What can be made of a good body, and the status that it gets."""

BAD_PATH_IDS = (
    "x",
    "0",
    "null",
    uuid4().hex,
    f"{uuid4()}x",
    f"{uuid4()}"[:-1],
    f"{{{uuid4()}}}",
    f"urn:uuid:{uuid4()}",
    "%20",
    "..%3b",
    "\u0661" * 36,
    "x" * 1_000,
)


@pytest.fixture(scope="module")
def world(
    till: TillClient, upstream: StandInControl, shop: Shop, audit: Auditor
) -> Iterable[World]:
    customer, product, lost = shop.customer(credit=9_000), shop.product("10.00"), shop.product()
    upstream.plan_shipments(lost.sku, Behaviour(answer=Refuse(status=504)))
    purchase = till.buy(customer, product.id).result()
    attempt = till.buy(customer, lost.id).refused(504, "shipment-outcome-unknown").attempt_id
    assert attempt is not None
    yield World(customer, product.id, purchase.id, attempt)
    assert len(audit(customer).carrier_calls) == 2


class Prober:
    """Sends what is bad, and looks at what became of the world."""

    def __init__(self, till: TillClient, tables: Tables, world: World) -> None:
        self._till = till
        self._tables = tables
        self._world = world
        self._before = self._picture()

    def good_body(self, operation: str) -> bytes:
        """A body that would be accepted."""
        body = _object({**OPERATIONS[operation].body})
        return body.replace("{product}", str(self._world.product)).encode()

    def refused(
        self,
        operation: str,
        body: bytes | str,
        *,
        path_id: str | None = None,
        content_type: str = "application/json",
    ) -> Problem:
        """The problem that it is; the world must be as it was."""
        path = OPERATIONS[operation].path
        ids = {
            "customer_id": self._world.customer,
            "purchase_id": self._world.purchase,
            "attempt_id": self._world.attempt,
        }
        if path_id is not None:
            path = path.replace(f"{{{OPERATIONS[operation].path_id}}}", path_id)
        else:
            path = path.format(**ids)
        if isinstance(body, str):
            body = body.replace("{product}", str(self._world.product)).encode()
        headers = {"Content-Type": content_type, "Idempotency-Key": new_key()}
        response = self._till.send("POST", path, content=body, headers=headers)
        assert self._unchanged()
        assert 400 <= response.status_code < 500, response.text
        return Reply(response, 201, Problem).problem()

    def _unchanged(self) -> bool:
        """Whether the account is as it was: every change of anything here is a version of it."""
        before, self._before = self._before, self._picture()
        return before == self._before

    def _picture(self) -> tuple[Balance, int]:
        customer = self._world.customer
        return self._till.credit(customer).result(), len(self._tables.requests(customer))


@pytest.fixture(scope="module")
def prober(till: TillClient, tables: Tables, world: World) -> Prober:
    return Prober(till, tables, world)


@pytest.mark.parametrize(("operation", "name", "value"), [*_bad_fields()])
def test_a_bad_field(prober: Prober, operation: str, name: str, value: str | None) -> None:
    problem = prober.refused(operation, OPERATIONS[operation].with_field(name, value))
    assert (problem.status, problem.slug) == (400, "invalid-request")
    # That a shipment id goes with the outcome shipped is a rule about two fields.
    fields = {name, "body"} if (operation, name) == ("resolve", "shipment_id") else {name}
    if name in NOT_REPEATED:
        fields = {"body"}
    assert problem.fields
    assert problem.fields <= fields
    assert all(error.message for error in problem.errors)


@pytest.mark.parametrize("value", NOT_JSON)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_value_that_is_not_json(prober: Prober, operation: str, value: str) -> None:
    name = "quantity" if operation == "buy" else "amount"
    problem = prober.refused(operation, OPERATIONS[operation].with_field(name, value))
    assert (problem.status, problem.slug) == (400, "invalid-request")
    assert problem.fields == {"body"}


def test_every_bad_field_is_named(prober: Prober) -> None:
    problem = prober.refused("buy", '{"quantity": 0, "expected_total": -1, "extra": 1}')
    assert problem.fields == {"product_id", "quantity", "expected_total", "extra"}


def test_not_shipped_has_no_shipment(prober: Prober) -> None:
    body = OPERATIONS["resolve"].with_field("outcome", '"not_shipped"')
    problem = prober.refused("resolve", body)
    assert (problem.status, problem.slug) == (400, "invalid-request")
    assert problem.fields <= {"body", "shipment_id"}


@pytest.mark.parametrize("name", BAD_BODIES)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_bad_body(prober: Prober, operation: str, name: str) -> None:
    make, status = BAD_BODIES[name]
    problem = prober.refused(operation, make(prober.good_body(operation)))
    assert problem.status == status
    if status == 413:
        assert problem.slug == "body-too-large"
        return
    assert problem.slug == "invalid-request"
    assert problem.fields
    assert all(error.message for error in problem.errors)


def _refuses_the_type(prober: Prober, operation: str, content_type: str) -> None:
    problem = prober.refused(operation, prober.good_body(operation), content_type=content_type)
    assert (problem.status, problem.slug) == (415, "unsupported-media-type")


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "application/xml"]
)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_body_of_another_type(prober: Prober, operation: str, content_type: str) -> None:
    _refuses_the_type(prober, operation, content_type)


@pytest.mark.usefixtures("forms_reach_functions")
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_form_with_parts(prober: Prober, operation: str) -> None:
    _refuses_the_type(prober, operation, "multipart/form-data")


@pytest.mark.parametrize("path_id", BAD_PATH_IDS)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_path_id_that_is_no_uuid(prober: Prober, operation: str, path_id: str) -> None:
    problem = prober.refused(operation, prober.good_body(operation), path_id=path_id)
    assert (problem.status, problem.slug) == (400, "invalid-request")
    assert problem.fields == {OPERATIONS[operation].path_id}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_path_id_that_does_not_exist(prober: Prober, operation: str) -> None:
    problem = prober.refused(operation, prober.good_body(operation), path_id=str(uuid4()))
    assert problem.status == 404
    assert problem.slug.endswith("-not-found")


READS = (
    "/customers/{customer_id}/credit",
    "/customers/{customer_id}/credit/entries",
    "/customers/{customer_id}/purchases",
    "/purchases/{purchase_id}",
    "/purchases/{purchase_id}/refunds",
    "/purchase-attempts/{attempt_id}",
)


@pytest.mark.parametrize("path_id", BAD_PATH_IDS)
@pytest.mark.parametrize("path", READS)
def test_reading_what_is_no_uuid(till: TillClient, path: str, path_id: str) -> None:
    name = path.partition("{")[2].partition("}")[0]
    response = till.send("GET", path.replace(f"{{{name}}}", path_id))
    problem = Reply(response, 200, Problem).refused(400, "invalid-request")
    assert problem.fields == {name}


def test_reading_what_are_no_uuids(till: TillClient) -> None:
    response = till.send("GET", "/customers/x/purchases/y")
    problem = Reply(response, 200, Problem).refused(400, "invalid-request")
    assert problem.fields == {"customer_id", "purchase_id"}


def test_a_total_that_overflows(prober: Prober, upstream: StandInControl, shop: Shop) -> None:
    dear = shop.product("1000000000.00")
    body = _object({"product_id": f'"{dear.id}"', "quantity": "1000000"})
    problem = prober.refused("buy", body)
    assert (problem.status, problem.slug) == (400, "invalid-request")
    assert problem.fields == {"quantity"}


def test_no_answer_says_more_than_it_should(prober: Prober) -> None:
    """Neither what was sent nor what is behind: no value, no path, no name of a class."""
    secret = "zebra-crossing-4711"
    body = json.dumps({"amount": secret, "reason": [secret], secret: 1})
    problem = prober.refused("grant", body)
    told = problem.model_dump_json().replace(json.dumps(secret), "")
    for word in ("zebra", "Traceback", "pydantic", "/layers", ".py", "ValidationError", "input"):
        assert word not in told
