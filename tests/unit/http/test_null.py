"""An explicit null is refused wherever it could be taken for "everything" or "no limit"."""

from __future__ import annotations

import dataclasses
import json
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from uuid import uuid4

import pytest

from infra.openapi_examples import REQUESTS
from tests.document import body_schema, operation, resolved
from tests.unit.http.edge import call, event, fields
from till.domain.money import Money
from till.domain.promo import FixedDiscount, PercentageDiscount, PromoTerms
from till.http.routes import ROUTES, Route
from till.http.wire.promo_codes import UpdatePromoCodeRequest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.openapi_examples import Json, JsonObject

NULL_REMOVES: Final = {
    "update_promo_code": {
        "valid_from",
        "valid_until",
        "max_redemptions",
        "max_redemptions_per_customer",
        "minimum_subtotal",
        "product_ids",
        "customer_ids",
    }
}
"""The only fields of any request that take null: in a PATCH it removes a restriction."""


@dataclass(frozen=True)
class Field:
    """A property of a request body, ``path`` from its root."""

    route: Route
    path: tuple[str, ...]
    schema: JsonObject
    model: str

    @property
    def is_top_level_and_removable(self) -> bool:
        removable = NULL_REMOVES.get(self.route.operation, set())
        return len(self.path) == 1 and self.path[0] in removable

    def __str__(self) -> str:
        return f"{self.route.operation}-{self.model}-{'.'.join(self.path)}"


def alternatives(schema: JsonObject) -> Iterator[JsonObject]:
    """A schema, or those that it is one or any of."""
    schema = resolved(schema)
    listed = [*_list(schema.get("oneOf")), *_list(schema.get("anyOf"))]
    if not listed:
        yield schema
    for one in listed:
        assert isinstance(one, dict)
        yield from alternatives(one)


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def properties(route: Route, schema: JsonObject, path: tuple[str, ...] = ()) -> Iterator[Field]:
    for one in alternatives(schema):
        named = one.get("properties")
        for name, inner in named.items() if isinstance(named, dict) else ():
            assert isinstance(inner, dict)
            yield Field(route, (*path, name), inner, str(one["title"]))
            yield from properties(route, inner, (*path, name))


BODIES: Final = {r: schema for r in ROUTES if (schema := body_schema(operation(r.method, r.path)))}
FIELDS: Final = [f for route, schema in BODIES.items() for f in properties(route, schema)]


def with_null(field: Field) -> JsonObject:
    """An example that has the field's parent, with null for the field."""
    for example in REQUESTS[field.route.operation].values():
        body = deepcopy(example)
        parent = body
        for name in field.path[:-1]:
            inner = parent.get(name)
            if not isinstance(inner, dict):
                break
            parent = inner
        else:
            if len(field.path) == 1 or _has(parent, field):
                parent[field.path[-1]] = None
                return body
    raise AssertionError(f"no example has the parent of {field}")


def _has(parent: JsonObject, field: Field) -> bool:
    return field.path[-1] in parent


@pytest.mark.parametrize("field", FIELDS, ids=str)
def test_a_null_is_refused_unless_it_removes_a_restriction(field: Field) -> None:
    sent = event(field.route, body=json.dumps(with_null(field)), headers={"If-Match": '"1"'})
    status, problem = call(sent, field.route.operation)
    if field.is_top_level_and_removable:
        assert status == 500, "the use case was not reached"
        return
    assert status == 400, problem
    # A discount whose type is null is refused as a whole.
    wanted = field.path[0] if field.path[-1] == "type" else field.path[-1]
    assert any(name.endswith(wanted) for name in fields(problem)), problem


@pytest.mark.parametrize("field", FIELDS, ids=str)
def test_the_document_says_which_fields_take_null(field: Field) -> None:
    takes_null = {"type": "null"} in _list(field.schema.get("anyOf"))
    assert takes_null == field.is_top_level_and_removable
    if takes_null:
        assert "null removes" in str(field.schema.get("description"))


PATCHES: Final = [field for field in FIELDS if field.route.method == "PATCH"]


@pytest.mark.parametrize("field", FIELDS, ids=str)
def test_no_field_of_a_body_has_a_default(field: Field) -> None:
    """A generated client sends defaults, and a PATCH would take them for changes."""
    assert "default" not in field.schema


TERMS: Final = PromoTerms(
    discount=FixedDiscount(amount=Money(500)),
    valid_from=datetime(2026, 1, 1, tzinfo=UTC),
    valid_until=datetime(2027, 1, 1, tzinfo=UTC),
    max_redemptions=10,
    max_redemptions_per_customer=1,
    minimum_subtotal=Money(100),
    product_ids=frozenset({uuid4()}),
    customer_ids=frozenset({uuid4()}),
    first_purchase_only=True,
)


@pytest.mark.parametrize(
    ("body", "changed"),
    [
        ({"max_redemptions": 20}, {"max_redemptions": 20}),
        ({"first_purchase_only": False}, {"first_purchase_only": False}),
        (
            {"discount": {"type": "percentage", "percent": 5}},
            {"discount": PercentageDiscount(percent=5)},
        ),
        *(({name: None}, {name: None}) for name in NULL_REMOVES["update_promo_code"]),
    ],
    ids=str,
)
def test_a_patch_changes_what_it_names_and_nothing_else(
    body: dict[str, object], changed: dict[str, object]
) -> None:
    request = UpdatePromoCodeRequest.model_validate_json(json.dumps(body))
    after = request.change(TERMS)
    for term in dataclasses.fields(TERMS):
        wanted = changed[term.name] if term.name in changed else getattr(TERMS, term.name)
        assert getattr(after, term.name) == wanted, term.name


def test_the_walk_reaches_every_body() -> None:
    assert {route.operation for route in BODIES} == set(REQUESTS)
    assert len(PATCHES) >= 9
    assert any(len(field.path) == 2 for field in FIELDS)
