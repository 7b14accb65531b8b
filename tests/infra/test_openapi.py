"""The OpenAPI document is sound, and is what the handlers say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from openapi_spec_validator import validate

from infra import openapi
from till.http.routes import PUBLIC, ROUTES, Route


def test_the_committed_document_has_not_drifted() -> None:
    assert openapi.DOCUMENT.read_text(encoding="utf-8") == openapi.generate(), (
        "run `make openapi` and commit what it writes"
    )


def test_the_document_is_valid_openapi_3_1() -> None:
    document = json.loads(openapi.DOCUMENT.read_text(encoding="utf-8"))
    assert document["openapi"].startswith("3.1")
    validate(document)


def test_the_documentation_links_to_the_one_document() -> None:
    link = openapi.ROOT / "docs" / "openapi.json"
    assert link.resolve() == openapi.DOCUMENT.resolve()


def test_what_moves_money_takes_a_key_and_may_be_replayed() -> None:
    document = json.loads(openapi.DOCUMENT.read_text(encoding="utf-8"))
    moving = {
        operation["operationId"]
        for methods in document["paths"].values()
        for operation in methods.values()
        if any(p["name"] == "Idempotency-Key" for p in operation.get("parameters", []))
    }
    assert moving == {
        "grant_credit",
        "deduct_credit",
        "create_purchase",
        "refund_purchase",
        "resolve_attempt",
        "close_orphan_shipment",
    }


def test_every_refusal_is_a_problem() -> None:
    document = json.loads(openapi.DOCUMENT.read_text(encoding="utf-8"))
    for methods in document["paths"].values():
        for operation in methods.values():
            for status, response in operation["responses"].items():
                kinds = set(response["content"])
                wanted = "application/json" if status[0] == "2" else "application/problem+json"
                assert kinds == {wanted}, (operation["operationId"], status)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.operation)
def test_the_document_says_which_roles_may(route: Route) -> None:
    document = json.loads(openapi.DOCUMENT.read_text(encoding="utf-8"))
    (scheme,) = document["components"]["securitySchemes"]
    security = document["paths"][route.path][route.method.lower()]["security"]
    # Alternatives, each of one role: any of them is enough.
    assert all(list(requirement) == [scheme] for requirement in security)
    assert [requirement[scheme] for requirement in security] == [[r] for r in sorted(route.roles)]


def test_a_missing_operation_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    unknown = Route("get_health", "GET", "/nowhere", PUBLIC)
    monkeypatch.setattr(openapi, "ROUTES", (*ROUTES, unknown))
    with pytest.raises(openapi.OpenApiError, match="/nowhere"):
        openapi.generate()


HANDLER = """
from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from pydantic import BaseModel

app = APIGatewayRestResolver(enable_validation=True)


class Twin(BaseModel):
    {field}: int


@app.get("/{field}")
def read() -> Twin:
    return Twin({field}=1)
"""


def test_two_models_of_one_name_are_noticed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for field in ("one", "other"):
        folder = tmp_path / "functions" / field
        folder.mkdir(parents=True)
        (folder / "handler.py").write_text(HANDLER.format(field=field))
    monkeypatch.setattr(openapi, "ROOT", tmp_path)
    monkeypatch.setattr(
        openapi,
        "ROUTES",
        (Route("one", "GET", "/one", PUBLIC), Route("other", "GET", "/other", PUBLIC)),
    )
    with pytest.raises(openapi.OpenApiError, match="Twin"):
        openapi.generate()
