"""Holds answers against the OpenAPI document: status, headers and body have to be in it."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from jsonschema import Draft202012Validator

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
JsonObject: TypeAlias = "dict[str, Json]"

DOCUMENT: Final[JsonObject] = json.loads(
    (Path(__file__).parent.parent / "docs" / "openapi.json").read_text(encoding="utf-8")
)
OF_HTTP: Final = frozenset(
    {"content-type", "content-length", "content-encoding", "date", "server", "connection"}
    | {"transfer-encoding", "keep-alive", "via", "vary"}
)
"""Headers that no API documents."""
OF_GATEWAYS: Final = ("x-amz", "x-amzn", "x-localstack")
"""How the names of headers begin that API Gateway and its emulators add."""


class NotDocumentedError(AssertionError):
    """An answer is not as the document says."""


def check(
    method: str, path: str, status: int, headers: Mapping[str, str], body: bytes | str
) -> None:
    """Check an answer to a request for ``path``, below the server's address.

    A path that the document does not have is not checked.

    Raises:
        NotDocumentedError: the document does not have this answer.
    """
    operation_ = _operation_at(method, path)
    if operation_ is None:
        return
    name = f"{operation_['operationId']} {status}"
    response = _object(operation_["responses"]).get(str(status))
    if response is None:
        raise NotDocumentedError(f"{name} is not documented: {body!r}")
    response = _object(response)
    _check_headers(name, _object(response.get("headers") or {}), headers)
    if method == "HEAD":
        return
    _check_body(name, _object(response["content"]), headers, body)


def _check_headers(name: str, documented: JsonObject, headers: Mapping[str, str]) -> None:
    shared = _object(_object(DOCUMENT["components"])["headers"])
    schemas = {known.lower(): _object(shared[known]) for known in documented}
    for header, value in headers.items():
        lower = header.lower()
        if lower in OF_HTTP or lower.startswith(OF_GATEWAYS):
            continue
        if lower not in schemas:
            raise NotDocumentedError(f"{name}: the header {header} is not documented")
        schema = _object(schemas[lower]["schema"])
        typed: Json = int(value) if schema.get("type") == "integer" else value
        errors = [*Draft202012Validator(schema).iter_errors(typed)]
        if errors:
            raise NotDocumentedError(f"{name}: {header}: {errors[0].message}")


def _check_body(
    name: str, content: JsonObject, headers: Mapping[str, str], body: bytes | str
) -> None:
    sent = {header.lower(): value for header, value in headers.items()}["content-type"]
    if sent not in content:
        raise NotDocumentedError(f"{name}: {sent} is not documented")
    text = body if isinstance(body, str) else body.decode()
    value = json.loads(text) if sent.endswith("json") else text
    errors = [*_validator(json.dumps(_object(content[sent])["schema"])).iter_errors(value)]
    if errors:
        raise NotDocumentedError(f"{name}: {errors[0].json_path}: {errors[0].message}")


@cache
def _validator(schema: str) -> Draft202012Validator:
    return Draft202012Validator({**json.loads(schema), "components": DOCUMENT["components"]})


def _operation_at(method: str, path: str) -> JsonObject | None:
    for pattern, methods in _patterns():
        if pattern.fullmatch(path):
            found = methods.get(method.lower())
            return None if found is None else _object(found)
    return None


@cache
def _patterns() -> list[tuple[re.Pattern[str], JsonObject]]:
    return [
        (re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))), _object(methods))
        for path, methods in _object(DOCUMENT["paths"]).items()
    ]


def operation(method: str, path: str) -> JsonObject:
    """The operation of a path as the document writes it."""
    return _object(_object(_object(DOCUMENT["paths"])[path])[method.lower()])


def operations() -> Iterator[JsonObject]:
    """Every operation."""
    for methods in _object(DOCUMENT["paths"]).values():
        for one in _object(methods).values():
            yield _object(one)


def schemas() -> dict[str, JsonObject]:
    """Every named schema."""
    named = _object(_object(DOCUMENT["components"])["schemas"])
    return {name: _object(schema) for name, schema in named.items()}


def resolved(schema: JsonObject) -> JsonObject:
    """The schema, or the one that it refers to."""
    reference = schema.get("$ref")
    return schema if reference is None else schemas()[str(reference).rpartition("/")[2]]


def body_schema(one: JsonObject) -> JsonObject | None:
    """The schema of an operation's request body, if it has one."""
    body = one.get("requestBody")
    if body is None:
        return None
    (media_type,) = _object(_object(body)["content"]).values()
    return resolved(_object(_object(media_type)["schema"]))


def objects(value: Json) -> list[JsonObject]:
    """A list of objects; empty for no list."""
    return [_object(one) for one in value] if isinstance(value, list) else []


def _object(value: Json) -> JsonObject:
    assert isinstance(value, dict), value
    return value
