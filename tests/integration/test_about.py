"""What the API tells of itself."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.integration.client import Health, Reply
from tests.integration.waiting import until
from till.http.routes import ROUTES

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import BaseModel

    from tests.integration.client import TillClient
    from tests.integration.functions import Functions
    from tests.integration.shop import Shop

COMMITTED = Path(__file__).parents[2] / "docs" / "openapi.json"


def test_the_document_is_the_committed_one(visitor: TillClient) -> None:
    response = visitor.send("GET", "/openapi.json")
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json"
    assert response.json() == json.loads(COMMITTED.read_text())


def test_the_document_is_valid_and_complete(visitor: TillClient) -> None:
    document = visitor.send("GET", "/openapi.json").json()
    OpenAPIV31SpecValidator(document).validate()
    documented = {
        (method.upper(), path): operation["operationId"]
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }
    names = {(route.method, route.path): route.operation for route in ROUTES}
    assert documented == {**names, ("HEAD", "/health"): "head_health"}


def test_it_is_alive(visitor: TillClient) -> None:
    assert visitor.health().result() == Health(status="ok")
    head = visitor.send("HEAD", "/health")
    assert (head.status_code, head.content) == (200, b"")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/nothing"),
        ("PUT", "/customers"),
        ("DELETE", f"/customers/{uuid4()}"),
        ("GET", "/health/more"),
        ("DELETE", f"/purchases/{uuid4()}"),
        ("PUT", f"/purchases/{uuid4()}"),
        ("PATCH", f"/purchases/{uuid4()}"),
        ("DELETE", f"/customers/{uuid4()}/credit/entries"),
        ("POST", f"/customers/{uuid4()}/credit"),
        ("POST", "/health"),
    ],
)
def test_what_there_is_not_is_a_problem(
    visitor: TillClient, gateway_problems: None, method: str, path: str
) -> None:
    """Billing records are never edited or deleted: there is no such operation."""
    Reply(visitor.send(method, path), 200, Health).refused(404, "route-not-found")


def _logged(
    functions: Functions, operation: str, call: Callable[[], Reply[BaseModel]], correlation_id: str
) -> list[dict[str, object]]:
    """What a function logged about a request.

    The emulator picks a line up with the request that wrote it or, if it comes late, the next.
    """

    def look() -> list[dict[str, object]]:
        call()
        lines = (line for line in functions.log(operation) if correlation_id in line)
        return [json.loads(line) for line in lines if line.startswith("{")]

    return until(look, f"the log of {correlation_id}")


def test_a_request_is_found_in_the_log(till: TillClient, functions: Functions, shop: Shop) -> None:
    deduct = partial(till.deduct, shop.customer(), 1)
    reply = deduct()
    correlation_id = reply.refused(409, "insufficient-credit").correlation_id
    assert reply.response.headers["X-Correlation-Id"] == correlation_id
    (line,) = _logged(functions, "deduct_credit", deduct, correlation_id)
    assert (line["status"], line["outcome"]) == (409, "insufficient-credit")


def test_each_request_logs_one_line_of_its_own(
    till: TillClient, functions: Functions, shop: Shop
) -> None:
    read = partial(till.credit, shop.customer())
    correlation_id = read().response.headers["X-Correlation-Id"]
    (line,) = _logged(functions, "get_credit", read, correlation_id)
    assert line["message"] == "request"
    assert (line["method"], line["status"], line["outcome"]) == ("GET", 200, "done")
    assert "error" not in line
    assert line["resource"] == "/customers/{customer_id}/credit"
