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
from typing import TYPE_CHECKING, Final, TypeVar

from aws_lambda_powertools.event_handler.openapi.merge import OpenAPIMerge

from infra import openapi_text
from infra.openapi_examples import REQUESTS, RESPONSES
from infra.openapi_problems import problem_example
from till.http.app import CORRELATION_HEADER
from till.http.problem import PROBLEM_CONTENT_TYPE
from till.http.routes import BASE_PATH, ROUTES, Route, route_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from infra.openapi_examples import Json, JsonObject

ROOT: Final = Path(__file__).resolve().parent.parent
DOCUMENT: Final = ROOT / "functions" / "get_openapi" / "openapi.json"

_SCHEME: Final = "accessToken"
_POWERTOOLS_VALIDATION: Final = (
    "HTTPValidationError",
    "ResponseValidationError",
    "ValidationError",
)
_HEADERS: Final = {"idempotency-key": "Idempotency-Key", "if-match": "If-Match"}
_NULL: Final[JsonObject] = {"type": "null"}
_ENTITY_TAG: Final = r'(W/)?"[\x21\x23-\x7e]*"'
_IF_MATCH: Final = rf"^(\*|{_ENTITY_TAG}( *, *{_ENTITY_TAG})*)$"
_ALWAYS: Final = (
    HTTPStatus.BAD_REQUEST,
    # Of API Gateway, which stands before every operation.
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.INTERNAL_SERVER_ERROR,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.GATEWAY_TIMEOUT,
)
_OF_A_BODY: Final = (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
_REPLAYED: Final = frozenset({HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT})
"""The answers of a key whose shipment failed, or is of unknown outcome: they have had an effect."""
_HEADER_SCHEMAS: Final[Mapping[str, JsonObject]] = {
    "Age": {"type": "integer", "minimum": 0},
    "Retry-After": {"type": "integer", "minimum": 0},
    "Idempotency-Replayed": {"type": "string", "enum": ["true"]},
    "ETag": {"type": "string", "pattern": '^"[1-9][0-9]*"$'},
    "Cache-Control": {"type": "string", "enum": ["no-store", "no-cache"]},
}
T = TypeVar("T")


class OpenApiError(Exception):
    """The handlers do not make one sound document."""


def generate() -> str:
    """The document of all handlers, as the text that is committed.

    Raises:
        OpenApiError: an operation is missing or unknown, two models share a name, or something
            has no example or description.
    """
    _check_model_names()
    document = _merge([str(ROOT / "functions")])
    _check_routes(document)
    document["servers"] = [{"url": f"/{BASE_PATH}", "description": openapi_text.SERVER}]
    document["tags"] = [{"name": n, "description": d} for n, d in openapi_text.TAGS.items()]
    for path, method, operation in _operations(document):
        route = _route(method, path)
        _complete(operation, route)
        operation["security"] = [{_SCHEME: [role.value]} for role in sorted(route.roles)]
    components = _object(document["components"])
    components["securitySchemes"] = {
        _SCHEME: {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "An OAuth 2.0 access token of the stage's OpenID Connect issuer",
        }
    }
    components["headers"] = {name: _header(name) for name in openapi_text.HEADERS}
    schemas = _object(components["schemas"])
    for name in _POWERTOOLS_VALIDATION:
        schemas.pop(name, None)
    for name, schema in schemas.items():
        _describe(name, _object(schema))
    paths = _object(document["paths"])
    document["paths"] = {path: paths[path] for path in dict.fromkeys(r.path for r in ROUTES)}
    return json.dumps(_plain_numbers(document), indent=2, sort_keys=False) + "\n"


def _merge(folders: list[str]) -> JsonObject:
    with warnings.catch_warnings():
        # A handler that cannot be imported only warns, and its operation would be missing.
        warnings.simplefilter("error")
        merge = OpenAPIMerge(
            title="Till",
            version="1",
            description=openapi_text.DESCRIPTION,
            on_conflict="error",
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


def _route(method: str, path: str) -> Route:
    route = route_at(method.upper(), path)
    if route is None:
        raise OpenApiError(f"{method} {path} is not in the table of routes")
    return route


def _complete(operation: JsonObject, route: Route) -> None:
    """Write down what Powertools does not know of an operation, or writes in another way."""
    for parameter in _objects(operation.get("parameters")):
        _complete_parameter(parameter)
    operation["parameters"] = [*_objects(operation.get("parameters")), _correlation_id()]
    if "requestBody" in operation:
        body = _object(operation["requestBody"])
        body["required"] = True
        _media_type(body)["examples"] = _examples(REQUESTS, route)
    _complete_responses(operation, route)


def _complete_parameter(parameter: JsonObject) -> None:
    name = str(parameter["name"])
    # Powertools writes header names in lower case.
    parameter["name"] = name = _HEADERS.get(name, name)
    schema = _object(parameter["schema"])
    alternatives = [one for one in _objects(schema.pop("anyOf", None)) if one != _NULL]
    if alternatives:
        # A parameter is left out or has a value: there is no null in a query or a header.
        (only,) = alternatives
        schema.update(only)
    schema.pop("title", None)
    described = schema.pop("description", None)
    parameter.setdefault("description", openapi_text.PARAMETERS.get(name, described))
    if name == "If-Match":
        parameter["required"] = True
        schema["pattern"] = _IF_MATCH
        parameter["example"] = '"1"'
    if name == "Idempotency-Key":
        parameter["example"] = "3f1c8a52-6c1e-4a3e-9c0b-2a7d6f5e4b31"


def _correlation_id() -> JsonObject:
    return {
        "name": CORRELATION_HEADER,
        "in": "header",
        "required": False,
        "description": "A name for this request in Till's log: 8 to 100 letters, digits, '.', '_' "
        "and '-', beginning with a letter or digit. Any other text is ignored",
        "schema": {"type": "string"},
        "example": "order-1001-try-1",
    }


def _complete_responses(operation: JsonObject, route: Route) -> None:
    responses = _object(operation["responses"])
    # Till answers bad input with 400 and a problem, not with what Powertools would.
    validation = str(HTTPStatus.UNPROCESSABLE_ENTITY.value)
    if PROBLEM_CONTENT_TYPE not in str(responses.get(validation)):
        responses.pop(validation, None)
    declared = frozenset(responses)
    for status in (*_ALWAYS, *(_OF_A_BODY if route.method in {"POST", "PATCH"} else ())):
        responses.setdefault(str(status.value), {"content": {PROBLEM_CONTENT_TYPE: {}}})
    for code, response in responses.items():
        by_function = code in declared
        _complete_response(
            _object(response), HTTPStatus(int(code)), operation, route, by_function=by_function
        )
    operation["responses"] = dict(sorted(responses.items()))


def _complete_response(
    response: JsonObject,
    status: HTTPStatus,
    operation: JsonObject,
    route: Route,
    *,
    by_function: bool,
) -> None:
    response["headers"] = {
        name: {"$ref": f"#/components/headers/{name}"}
        for name in _headers(status, operation, route)
    }
    if status in openapi_text.SUCCESS:
        response["description"] = openapi_text.SUCCESS[status]
        if route.method == "HEAD":
            response.pop("content", None)
        elif "$ref" in str(response["content"]):
            _media_type(response)["example"] = _example(RESPONSES, route.operation)
        return
    response["description"] = openapi_text.PROBLEMS[status]
    if route.method == "HEAD":
        response.pop("content", None)
        return
    response["content"] = {
        PROBLEM_CONTENT_TYPE: {
            "schema": {"$ref": "#/components/schemas/ProblemResponse"},
            "example": problem_example(route, status, by_function=by_function),
        }
    }


def _headers(status: HTTPStatus, operation: JsonObject, route: Route) -> Iterator[str]:
    """The headers that a response of an operation can have, besides those of HTTP itself."""
    keyed = "Idempotency-Key" in [p["name"] for p in _objects(operation.get("parameters"))]
    yield CORRELATION_HEADER
    yield "Cache-Control"
    if (
        status in openapi_text.SUCCESS
        and route.path.startswith("/promo-codes")
        and "list" not in (route.operation)
    ):
        yield "ETag"
    if status in openapi_text.SUCCESS and route.operation in {"get_customer", "get_product"}:
        yield "Age"
    if status in openapi_text.SUCCESS and route.operation == "get_statement":
        yield "Link"
    if keyed and (status in openapi_text.SUCCESS or status in _REPLAYED):
        yield "Idempotency-Replayed"
    if status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
        yield "Retry-After"
    if keyed and status is HTTPStatus.CONFLICT:
        yield "Retry-After"
    if status is HTTPStatus.UNAUTHORIZED:
        yield "WWW-Authenticate"
    if status is HTTPStatus.UNSUPPORTED_MEDIA_TYPE:
        yield "Accept"
        yield "Accept-Encoding"


def _header(name: str) -> Json:
    return {
        "description": openapi_text.HEADERS[name],
        "schema": _HEADER_SCHEMAS.get(name, {"type": "string"}),
    }


def _media_type(message: JsonObject) -> JsonObject:
    """The JSON of a request or response: the one of its media types that has a model."""
    (media_type,) = (
        media_type
        for media_type in map(_object, _object(message["content"]).values())
        if "$ref" in str(media_type)
    )
    return media_type


def _examples(of: Mapping[str, Mapping[str, JsonObject]], route: Route) -> Json:
    return {title: {"value": value} for title, value in _example(of, route.operation).items()}


def _example(of: Mapping[str, T], operation: str) -> T:
    if operation not in of:
        raise OpenApiError(f"{operation} has no example in infra/openapi_examples.py")
    return of[operation]


def _describe(name: str, schema: JsonObject) -> None:
    """Give each property its description, and take away what says nothing."""
    for field, value in _object(schema.get("properties") or {}).items():
        described = _object(value)
        described.pop("title", None)
        text = openapi_text.OF_A_MODEL.get((name, field)) or described.get("description")
        text = text or openapi_text.PROPERTIES.get(field)
        if text is None:
            raise OpenApiError(f"{name}.{field} has no description in infra/openapi_text.py")
        # An enumeration describes itself, but not what the property is.
        described["description"] = text


def _plain_numbers(value: Json) -> Json:
    """The value with integers as integers: Powertools writes limits as 100.0."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_plain_numbers(item) for item in value]
    if isinstance(value, dict):
        return {name: _plain_numbers(item) for name, item in value.items()}
    return value


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
