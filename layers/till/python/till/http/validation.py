"""Refuse invalid requests: what Powertools lets pass, and its errors in our words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError

from till.http.problem import Problem, invalid_request
from till.http.wire.problem import FieldErrorResponse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
    from aws_lambda_powertools.event_handler.middlewares import NextMiddleware

    from till.http.events import Event


def refuse_unknown_query(app: APIGatewayRestResolver, next_: NextMiddleware) -> Response[str]:
    """A misspelt parameter must not be taken for an absent one, nor one of two be ignored."""
    known = {parameter.alias for parameter in app.context["_route"].dependant.query_params}
    given = app.current_event.resolved_query_string_parameters
    errors = [
        {"loc": ("query", name), "type": kind, "msg": ""}
        for name in sorted(given)
        for kind in (_query_error(name in known, len(given[name])),)
        if kind is not None
    ]
    if errors:
        raise RequestValidationError(errors)
    return next_(app)


def _query_error(known: bool, times: int) -> str | None:  # noqa: FBT001
    if not known:
        return "extra_forbidden"
    return "repeated" if times > 1 else None


def check_path(event: Event) -> None:
    """Refuse an id or code with a control character: Powertools would ignore a newline at its end.

    Raises:
        RequestValidationError: names the parameters.
    """
    # From the end: a path may begin with the base path, and the table of routes has none.
    names = reversed(str(event.get("resource") or "").split("/"))
    values = reversed(str(event.get("path") or "").split("/"))
    bad = [
        name.strip("{}")
        for name, value in zip(names, values, strict=False)
        if name.startswith("{") and any(c < " " or c == "\x7f" for c in value)
    ]
    if bad:
        raise RequestValidationError(
            [{"loc": ("path", name), "type": "control_character", "msg": ""} for name in bad]
        )


def invalid(error: RequestValidationError) -> Problem:
    """The problem that names each invalid field."""
    fields = [
        FieldErrorResponse(field=_field(e["loc"]), message=_message(e)) for e in error.errors()
    ]
    return invalid_request(fields)


_MESSAGES: Final = {
    "control_character": "must not contain control characters",
    "repeated": "is given more than once",
    "union_tag_invalid": "has an unknown type",
    "union_tag_not_found": "has no type",
    "extra_forbidden": "is not known here",
    "missing": "is missing",
    "json_invalid": "must be JSON",
    "int_type": "must be an integer, without quotes or a fraction",
    "model_attributes_type": "must be a JSON object",
    "string_type": "must be text",
    "string_unicode": "must be valid Unicode",
}


def _message(error: Mapping[str, object]) -> str:
    kind = str(error.get("type", ""))
    if kind in _MESSAGES:
        return _MESSAGES[kind]
    text = str(error.get("msg", "")).removeprefix("Value error, ")
    text = text.removeprefix("Input ").removeprefix("String ")
    return text or "is not valid"


_FIELD_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")


def _field(location: tuple[str | int, ...]) -> str:
    """A field by its path. What the caller sent is only repeated if it can be a field's name."""
    source, *path = location
    parts = [str(p) for p in path if isinstance(p, int) or _FIELD_NAME.fullmatch(p)]
    return ".".join(parts) or str(source)
