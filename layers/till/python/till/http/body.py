"""What must be right about a request body before its fields are looked at."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Final

from till.http.content import is_json, is_plain
from till.http.events import header
from till.http.problem import (
    BODY_TOO_LARGE,
    UNSUPPORTED_CONTENT_ENCODING,
    UNSUPPORTED_MEDIA_TYPE,
    Problem,
    invalid_request,
)
from till.http.wire.problem import FieldErrorResponse
from till.strict_json import JsonError, read_json

if TYPE_CHECKING:
    from till.http.events import Event

MAX_BODY_BYTES: Final = 16 * 1024

_JSON: Final = "application/json"


class BodyRefusedError(Exception):
    """The body is refused as a whole."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.slug)
        self.problem = problem


def decode_body(event: Event) -> None:
    """Decode the body in its event, and check its size and that it is JSON (``read_json``).

    Raises:
        BodyRefusedError: it is too large, or not such JSON.
    """
    body = event.get("body")
    if not isinstance(body, str) or not body:
        return
    if not is_plain(header(event, "Content-Encoding") or ""):
        raise BodyRefusedError(UNSUPPORTED_CONTENT_ENCODING)
    try:
        raw = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()
        text = raw.decode()
    except (UnicodeError, binascii.Error) as error:
        raise _bad("must be UTF-8") from error
    if len(raw) > MAX_BODY_BYTES:
        raise BodyRefusedError(BODY_TOO_LARGE)
    if "\ufffd" in text:
        # API Gateway puts this character in the place of bytes that are not UTF-8.
        raise _bad("must be UTF-8")
    if not is_json(header(event, "Content-Type") or _JSON):
        raise BodyRefusedError(UNSUPPORTED_MEDIA_TYPE)
    try:
        document = read_json(raw)
    except JsonError as error:
        raise _bad(str(error)) from error
    if isinstance(document, list):
        # Powertools takes a list of one object for the object.
        raise _bad("must be a JSON object")
    event["body"], event["isBase64Encoded"] = text, False
    _set_content_type(event)


def _set_content_type(event: Event) -> None:
    """Write the media type as Powertools compares it: to the letter, at the beginning."""
    headers = event.get("headers")
    others = headers.items() if isinstance(headers, dict) else ()
    event["headers"] = {
        **{name: value for name, value in others if name.lower() != "content-type"},
        "Content-Type": _JSON,
    }


def _bad(message: str) -> BodyRefusedError:
    return BodyRefusedError(invalid_request([FieldErrorResponse(field="body", message=message)]))
