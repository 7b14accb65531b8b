"""The OpenAPI document is sound, and is what the handlers say."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from infra import openapi
from tests import document
from till.http.routes import BASE_PATH, PUBLIC, ROUTES, Route

if TYPE_CHECKING:
    from tests.document import Json, JsonObject


def test_the_committed_document_has_not_drifted() -> None:
    assert openapi.DOCUMENT.read_text(encoding="utf-8") == openapi.generate(), (
        "run `make openapi` and commit what it writes"
    )


def test_the_document_is_valid_openapi_3_1() -> None:
    committed = json.loads(openapi.DOCUMENT.read_text(encoding="utf-8"))
    assert committed["openapi"].startswith("3.1")
    validate(committed)


def test_the_documentation_links_to_the_one_document() -> None:
    link = openapi.ROOT / "docs" / "openapi.json"
    assert link.resolve() == openapi.DOCUMENT.resolve()


def test_what_moves_money_takes_a_key_and_may_be_replayed() -> None:
    committed = json.loads(openapi.DOCUMENT.read_text(encoding="utf-8"))
    moving = {
        operation["operationId"]
        for methods in committed["paths"].values()
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
    committed = json.loads(openapi.DOCUMENT.read_text(encoding="utf-8"))
    for methods in committed["paths"].values():
        for method, operation in methods.items():
            for status, response in operation["responses"].items():
                kinds = set(response.get("content", ()))
                wanted = "application/json" if status[0] == "2" else "application/problem+json"
                expected = set() if method == "head" else {wanted}
                if (operation["operationId"], status) == ("get_statement", "200"):
                    expected.add("text/csv")
                assert kinds == expected, (operation["operationId"], status)


OPERATIONS = [*document.operations()]
SCHEMAS = document.schemas()


def named(operation: JsonObject) -> str:
    return str(operation["operationId"])


def test_clients_are_sent_to_the_stage() -> None:
    (server,) = document.objects(document.DOCUMENT["servers"])
    assert server["url"] == f"/{BASE_PATH}"


@pytest.mark.parametrize("operation", OPERATIONS, ids=named)
def test_every_operation_has_true_examples(operation: JsonObject) -> None:
    """A request that its schema takes, and an answer for each status that its schema takes."""
    body = document.body_schema(operation)
    if body is not None:
        examples = _media_type(operation["requestBody"])["examples"]
        assert isinstance(examples, dict)
        assert examples
        for example in examples.values():
            assert isinstance(example, dict)
            _validate(body, example["value"])
    responses = operation["responses"]
    assert isinstance(responses, dict)
    for status, response in responses.items():
        assert isinstance(response, dict)
        if "content" in response and operation["operationId"] != "get_openapi":
            media_type = _media_type(response)
            schema, example = media_type["schema"], media_type["example"]
            assert isinstance(schema, dict)
            _validate(schema, example)
            if status[0] != "2":
                assert isinstance(example, dict)
                assert example.get("status", int(status)) == int(status)


def _validate(schema: JsonObject, example: Json) -> None:
    components = document.DOCUMENT["components"]
    Draft202012Validator({**schema, "components": components}).validate(example)


def _media_type(message: Json) -> JsonObject:
    assert isinstance(message, dict)
    content = message["content"]
    assert isinstance(content, dict)
    (media_type,) = (one for kind, one in content.items() if kind.endswith("json"))
    assert isinstance(media_type, dict)
    return media_type


@pytest.mark.parametrize("operation", OPERATIONS, ids=named)
def test_a_stranger_is_told_what_an_operation_and_its_parameters_are(
    operation: JsonObject,
) -> None:
    assert len(str(operation["summary"])) >= 8
    assert str(operation["description"]).endswith(".")
    for parameter in document.objects(operation["parameters"]):
        assert len(str(parameter["description"])) >= 10, parameter["name"]
        assert '"null"' not in json.dumps(parameter["schema"]), parameter["name"]
        assert "title" not in str(parameter["schema"])


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_stranger_is_told_what_a_model_and_its_fields_are(name: str) -> None:
    schema = SCHEMAS[name]
    assert schema["description"]
    properties = schema.get("properties", {})
    assert isinstance(properties, dict)
    for field, described in properties.items():
        assert isinstance(described, dict)
        assert described["description"], field


ODD = ("nobody", "anew", "beside", "whoever", "for ever", "mend", "somebody")
"""Words that docs of this API do not use."""


def test_it_is_written_in_plain_english() -> None:
    text = json.dumps(document.DOCUMENT).lower()
    assert [word for word in ODD if re.search(rf"\b{word}\b", text)] == []


ALWAYS = {"400", "429", "500", "504"}


@pytest.mark.parametrize("operation", OPERATIONS, ids=named)
def test_what_every_operation_may_answer_is_documented(operation: JsonObject) -> None:
    responses = operation["responses"]
    assert isinstance(responses, dict)
    wanted = {*ALWAYS}
    if operation["security"]:
        wanted |= {"401", "403", "503"}
    if "requestBody" in operation:
        wanted |= {"413", "415"}
    assert responses.keys() >= wanted
    for status, response in responses.items():
        assert isinstance(response, dict)
        headers = response["headers"]
        assert isinstance(headers, dict)
        assert headers.keys() >= {"X-Correlation-Id", "Cache-Control"}, status
        if status in {"429", "503"}:
            assert "Retry-After" in headers, status
        if status == "401":
            assert "WWW-Authenticate" in headers


def test_if_match_is_required_where_it_is_read() -> None:
    found = [
        (operation["operationId"], parameter["required"])
        for operation in OPERATIONS
        for parameter in document.objects(operation["parameters"])
        if parameter["name"] == "If-Match"
    ]
    assert found == [("update_promo_code", True)]
    update = document.operation("PATCH", "/promo-codes/{code}")["responses"]
    assert isinstance(update, dict)
    assert update.keys() >= {"412", "428"}


def test_problems_are_open_and_nothing_else_is() -> None:
    is_open = {
        name
        for name, schema in SCHEMAS.items()
        if schema.get("type") == "object" and schema["additionalProperties"] is not False
    }
    assert is_open == {"ProblemResponse"}
    assert SCHEMAS["ProblemResponse"]["additionalProperties"] is True


@pytest.mark.parametrize(
    ("model", "body", "is_valid"),
    [
        ("UpdatePromoCodeRequest", {}, False),
        ("UpdatePromoCodeRequest", {"discount": None}, False),
        ("UpdatePromoCodeRequest", {"first_purchase_only": None}, False),
        ("UpdatePromoCodeRequest", {"valid_until": None}, True),
        ("CreateRefundRequest", {"reason": "r"}, True),
        ("CreateRefundRequest", {"reason": "r", "amount": 1}, True),
        ("CreateRefundRequest", {"reason": "r", "amount": None}, False),
        ("CreateRefundRequest", {"reason": "r", "amount": 1, "quantity": 1}, False),
        ("CreateRefundQuoteRequest", {"amount": 1, "quantity": 1}, False),
        ("ResolveAttemptRequest", {"outcome": "shipped", "reason": "r"}, False),
        ("ResolveAttemptRequest", {"outcome": "not_shipped", "reason": "r"}, True),
        (
            "ResolveAttemptRequest",
            {"outcome": "not_shipped", "reason": "r", "shipment_id": "s-1"},
            False,
        ),
        ("GrantCreditRequest", {"amount": 5, "reason": "a\u0000b"}, False),
        ("GrantCreditRequest", {"amount": 5, "reason": " "}, False),
        ("GrantCreditRequest", {"amount": 5, "reason": "two\nlines"}, True),
        (
            "CreatePurchaseRequest",
            {"product_id": "x", "quantity": 1, "expected_total": None},
            False,
        ),
    ],
    ids=str,
)
def test_rules_about_several_fields_are_in_the_schemas(
    model: str, body: JsonObject, *, is_valid: bool
) -> None:
    components = document.DOCUMENT["components"]
    validator = Draft202012Validator({**SCHEMAS[model], "components": components})
    assert validator.is_valid(body) == is_valid


def test_integers_are_written_as_integers() -> None:
    text = openapi.DOCUMENT.read_text(encoding="utf-8")
    assert re.findall(r": \d+\.0\b", text) == []


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.operation}-{route.method}")
def test_the_document_says_which_roles_may(route: Route) -> None:
    committed = json.loads(openapi.DOCUMENT.read_text(encoding="utf-8"))
    (scheme,) = committed["components"]["securitySchemes"]
    security = committed["paths"][route.path][route.method.lower()]["security"]
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
