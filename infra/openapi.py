"""The OpenAPI document: made from all handlers, committed, and served by ``GET /openapi.json``.

``python -m infra.openapi`` writes it; with ``--check`` it only tells whether it has drifted.
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from aws_lambda_powertools.event_handler.openapi.merge import OpenAPIMerge

from till.http.problems import PROBLEM_CONTENT_TYPE
from till.http.routes import ROUTES, route_at

if TYPE_CHECKING:
    from collections.abc import Iterator

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
JsonObject: TypeAlias = "dict[str, Json]"

ROOT: Final = Path(__file__).resolve().parent.parent
DOCUMENT: Final = ROOT / "functions" / "get_openapi" / "openapi.json"

_DESCRIPTION: Final = (
    "Purchases paid from customer credit. Money is an integer of minor units beside a currency. "
    "Every POST takes an Idempotency-Key: the same key and body take effect once, for ever. "
    "The security of an operation lists the roles that may call it, each by itself; a customer may "
    "do so with their own customer_id only, and nobody else's is found."
)
_SCHEME: Final = "accessToken"
_POWERTOOLS_VALIDATION: Final = (
    "HTTPValidationError",
    "ResponseValidationError",
    "ValidationError",
)
_HEADERS: Final = {"idempotency-key": "Idempotency-Key", "if-match": "If-Match"}
_PROBLEM: Final[JsonObject] = {"$ref": "#/components/schemas/ProblemResponse"}


class OpenApiError(Exception):
    """The handlers do not make one sound document."""


def generate() -> str:
    """The document of all handlers, as the text that is committed.

    Raises:
        OpenApiError: an operation is missing or unknown, or two models share a name.
    """
    _check_model_names()
    document = _merge([str(ROOT / "functions")])
    _check_routes(document)
    for path, method, operation in _operations(document):
        _mend_operation(operation)
        operation["security"] = _security(method, path)
    components = _object(document["components"])
    components["securitySchemes"] = {
        _SCHEME: {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "An OAuth 2.0 access token of the stage's OpenID Connect issuer",
        }
    }
    schemas = _object(components["schemas"])
    for name in _POWERTOOLS_VALIDATION:
        schemas.pop(name, None)
    order = [f"{route.method} {route.path}" for route in ROUTES]
    paths = _object(document["paths"])
    document["paths"] = {
        path: paths[path] for path in dict.fromkeys(route.partition(" ")[2] for route in order)
    }
    return json.dumps(document, indent=2, sort_keys=False) + "\n"


def _merge(folders: list[str]) -> JsonObject:
    with warnings.catch_warnings():
        # A handler that cannot be imported only warns, and its operation would be missing.
        warnings.simplefilter("error")
        merge = OpenAPIMerge(
            title="Till", version="1", description=_DESCRIPTION, on_conflict="error"
        )
        for folder in folders:
            merge.discover(path=folder, pattern="handler.py", recursive=True)
        return _object(json.loads(merge.get_openapi_json_schema()))


def _check_routes(document: JsonObject) -> None:
    found = {(method.upper(), path) for path, method, _ in _operations(document)}
    wanted = {(route.method, route.path) for route in ROUTES}
    if found != wanted:
        raise OpenApiError(
            f"missing: {sorted(wanted - found)}; not in the table of routes: "
            f"{sorted(found - wanted)}"
        )


def _check_model_names() -> None:
    """Two models of one name would silently become one."""
    seen: JsonObject = {}
    for route in ROUTES:
        document = _merge([str(ROOT / "functions" / route.operation)])
        schemas = _object(_object(document.get("components") or {}).get("schemas") or {})
        for name, schema in schemas.items():
            if seen.setdefault(name, schema) != schema:
                raise OpenApiError(f"{route.operation} has another model named {name}")


def _operations(document: JsonObject) -> Iterator[tuple[str, str, JsonObject]]:
    for path, methods in _object(document["paths"]).items():
        for method, operation in _object(methods).items():
            yield path, method, _object(operation)


def _security(method: str, path: str) -> Json:
    """The roles of the route. OpenAPI's requirements are alternatives: one of them is enough."""
    route = route_at(method.upper(), path)
    if route is None:
        raise OpenApiError(f"{method} {path} is not in the table of routes")
    return [{_SCHEME: [role.value]} for role in sorted(route.roles)]


def _mend_operation(operation: JsonObject) -> None:
    responses = _object(operation["responses"])
    # Till answers bad input with 400 and a problem, not with what Powertools would.
    validation = str(HTTPStatus.UNPROCESSABLE_ENTITY.value)
    if PROBLEM_CONTENT_TYPE not in str(responses.get(validation)):
        responses.pop(validation, None)
    responses["500"] = {
        "description": "Something went wrong on our side",
        "content": {PROBLEM_CONTENT_TYPE: {"schema": _PROBLEM}},
    }
    for parameter in _objects(operation.get("parameters")):
        # Powertools writes header names in lower case.
        parameter["name"] = _HEADERS.get(str(parameter["name"]), parameter["name"])
    if "Idempotency-Key" in [p["name"] for p in _objects(operation.get("parameters"))]:
        replayed: JsonObject = {
            "description": "true: this answer was given before, nothing happened anew",
            "schema": {"type": "string", "enum": ["true"]},
        }
        for status, response in responses.items():
            if status in {"200", "201", "502", "504"}:
                _object(response)["headers"] = {"Idempotency-Replayed": replayed}
    operation["responses"] = dict(sorted(responses.items()))


def _object(value: Json) -> JsonObject:
    if not isinstance(value, dict):
        raise OpenApiError(f"an object was expected, not {value!r}")
    return value


def _objects(value: Json) -> list[JsonObject]:
    return [_object(item) for item in value] if isinstance(value, list) else []


def main() -> int:
    """Write the document, or check the committed one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only tell whether it has drifted")
    check = parser.parse_args().check
    text = generate()
    if not check:
        DOCUMENT.write_text(text, encoding="utf-8")
        return 0
    if not DOCUMENT.exists() or DOCUMENT.read_text(encoding="utf-8") != text:
        sys.stderr.write("openapi.json has drifted from the handlers: run `make openapi`\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
