"""The clients of the external APIs, told answers that were damaged by chance.

Whatever arrives, a client gives one of its documented results: nothing else may reach a use case.
``make fuzz`` tries many more.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.adapters.test_upstream import CUSTOMER, ID, PRODUCT, client, product, reader
from tests.unit.fakes import ADDRESS
from till.adapters.upstream.carrier import HttpCarrier
from till.adapters.upstream.catalogue import HttpCustomers
from till.domain.catalogue import Customer, Product
from till.domain.money import Money
from till.domain.purchase import NotShipped, OutcomeUnknown, Shipped, make_order
from till.services.ports.upstream import (
    CustomerNotFoundError,
    ProductNotFoundError,
    UpstreamContractError,
    UpstreamUnavailableError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MINUTES: Final = float(os.environ.get("TILL_FUZZ_MINUTES", "0"))
often: Final = settings(
    # 8 ms each.
    max_examples=int(1_000 * MINUTES) or 300,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
pytestmark = pytest.mark.timeout(600 + 60 * MINUTES)
SHIPMENT: Final = {"id": "shp_1"}
SECRETS: Final = ("Secret Name", "secret@example.com")
ODD: Final[st.SearchStrategy[object]] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(
        [
            10**30,
            -1,
            1e308,
            "",
            " ",
            "\u0000",
            "\ud800",
            "\u202e",
            "x" * 5_000,
            [],
            {},
            [[]],
            str(ID),
        ]
    ),
)


@dataclass(frozen=True)
class Damaged:
    """An answer on its way."""

    status: int
    headers: dict[str, str]
    content: bytes


def _places(value: object, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = [path] if path else []
    for name, inner in value.items() if isinstance(value, dict) else ():
        found += _places(inner, (*path, name))
    return found


@st.composite
def damaged(draw: st.DrawFn, good: Mapping[str, object]) -> Damaged:
    """A good answer after a few changes: of its values, its text, its bytes, its head."""
    document = json.loads(json.dumps(good))
    for path in draw(st.lists(st.sampled_from(_places(good)), max_size=3)):
        parent = document
        for name in path[:-1]:
            parent = parent.get(name) if isinstance(parent, dict) else None
        if isinstance(parent, dict):
            match draw(st.sampled_from(["replace", "remove", "rename", "add"])):
                case "replace":
                    parent[path[-1]] = draw(ODD)
                case "remove":
                    parent.pop(path[-1], None)
                case "rename":
                    parent[path[-1].upper()] = parent.pop(path[-1], None)
                case _:
                    parent[draw(st.text(max_size=8))] = draw(ODD)
    content = json.dumps(document).encode("utf-8", "surrogatepass")
    match draw(
        st.sampled_from(["as it is", "as it is", "cut", "bytes", "twice", "wrapped", "number"])
    ):
        case "cut":
            content = content[: draw(st.integers(0, len(content)))]
        case "bytes":
            place = draw(st.integers(0, len(content)))
            content = content[:place] + draw(st.binary(max_size=8)) + content[place + 1 :]
        case "twice":
            content += content
        case "wrapped":
            content = b"[" * draw(st.integers(1, 3_000)) + content
        case "number":
            digits = draw(
                st.sampled_from([b"1e99999999999999999999", b"NaN", b"-Infinity", b"1" * 5_000])
            )
            content = content.replace(b"1", digits, 1)
    status = draw(
        st.sampled_from([200, 200, 200, 201, 204, 206, 299, 304, 400, 404, 408, 500, 503])
    )
    headers = draw(
        st.dictionaries(
            st.sampled_from(
                ["Content-Type", "ETag", "Cache-Control", "Date", "Age", "Vary", "Expires"]
            ),
            st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20),
            max_size=3,
        )
    )
    return Damaged(status, headers, content)


def sends(answer: Damaged) -> Callable[[httpx.Request], httpx.Response]:
    return lambda _: httpx.Response(answer.status, headers=answer.headers, content=answer.content)


@often
@given(damaged(CUSTOMER))
def test_a_customer_or_a_documented_error(answer: Damaged) -> None:
    try:
        customer = HttpCustomers(reader(sends(answer))).get(ID)
    except (CustomerNotFoundError, UpstreamUnavailableError, UpstreamContractError) as error:
        said = str(error)
        if any(secret in said for secret in SECRETS):
            raise
        return
    assert isinstance(customer, Customer)
    assert customer.id == ID
    assert 200 <= answer.status < 300
    address = customer.shipping_address
    for text in (address.line1, address.city, address.postal_code, address.state, address.country):
        # It can be stored and sent on.
        assert isinstance(text, str)
        text.encode()


@often
@given(damaged(PRODUCT))
def test_a_product_or_a_documented_error(answer: Damaged) -> None:
    try:
        read = product(sends(answer))
    except (ProductNotFoundError, UpstreamUnavailableError, UpstreamContractError):
        return
    assert isinstance(read, Product)
    assert read.id == ID
    assert 200 <= answer.status < 300
    assert isinstance(read.unit_price.amount_minor, int)
    assert read.unit_price.amount_minor >= 0
    read.name.encode()


@often
@given(damaged(SHIPMENT))
def test_the_carrier_always_has_an_outcome(answer: Damaged) -> None:
    sold = Product(id=ID, sku="S", name="n", description="", unit_price=Money(100))
    order = make_order(sold, 1, ADDRESS, promo=None, expected_total=None)
    carrier = HttpCarrier(client(sends(answer)))
    outcome = carrier.create_shipment(order, attempt_id=ID, timeout_seconds=1)
    match outcome:
        case Shipped(shipment_id=shipment_id):
            assert 200 <= answer.status < 300
            assert isinstance(shipment_id, str)
            assert shipment_id.strip()
            shipment_id.encode()
        case NotShipped(message=message):
            # Only these say that there is no shipment; the body has no part in it.
            assert answer.status in {400, 404, 500, 503}
            assert message
        case OutcomeUnknown(message=message):
            assert answer.status not in {400, 404, 500, 503}
            assert message
