"""What a schema cannot say: these requests fit the schemas, and Till refuses them with 400.

Schemathesis expects a request that fits to be accepted, so it is made not to send them where it
means to send what fits. That they are refused by name is tested elsewhere.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

import schemathesis

if TYPE_CHECKING:
    from schemathesis import Case, HookContext
    from schemathesis.core.jsonschema.types import JsonValue
    from schemathesis.specs.openapi.schemas import OpenApiOperation


GATEWAY_READS_FORMS: Final = bool(os.environ.get("TILL_GATEWAY_READS_FORMS"))
"""Whether multipart bodies end at the gateway, as on LocalStack (docs/localstack.md)."""


_PAST: Final = "2026-01-01T00:00:00Z"


@schemathesis.hook
def filter_case(_: HookContext, case: Case[OpenApiOperation]) -> bool:
    """Leave out the requests that the API never sees."""
    return not (GATEWAY_READS_FORMS and "multipart/" in f"{case.media_type} {case.headers}")


@schemathesis.hook
def before_call(context: HookContext, case: Case[OpenApiOperation], **_: object) -> None:
    """Make a request that is meant to be right right."""
    if case.meta is not None and case.meta.generation.mode.is_negative:
        return
    if isinstance(case.query, dict):
        # A cursor is opaque: any text fits its schema, and only those of the list are read.
        case.query.pop("cursor", None)
        # A balance and a statement are of the past, and a period ends after it begins.
        case.query |= {name: _PAST for name in ("at", "from", "to") if name in case.query}
        if "from" in case.query:
            case.query.pop("to", None)
        if isinstance(case.query.get("query"), str):
            # A search is visible text of at least two characters.
            case.query["query"] = f"an{case.query['query']}"[:100]
    if not isinstance(case.body, dict):
        return
    _write_integers_plainly(case.body)
    if isinstance(case.body.get("reason"), str):
        # A reason has a visible character, which no portable pattern can say.
        case.body["reason"] = f"a{case.body['reason']}"[:500]
    if "valid_from" in case.body and "valid_until" in case.body:
        # The end comes after the beginning.
        del case.body["valid_until"]


def _write_integers_plainly(fields: dict[str, JsonValue]) -> None:
    """5.0 is an integer for JSON Schema, and refused by Till: amounts are written as integers."""
    for name, value in fields.items():
        if isinstance(value, float) and value.is_integer():
            fields[name] = int(value)
        elif isinstance(value, dict):
            _write_integers_plainly(value)
