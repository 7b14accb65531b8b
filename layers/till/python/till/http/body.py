"""What must be right about a request body before its fields are looked at."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Final

from till.http.events import header
from till.http.problems import (
    BODY_TOO_LARGE,
    UNSUPPORTED_MEDIA_TYPE,
    Problem,
    invalid_request,
)
from till.http.wire.problem import FieldErrorResponse
from till.strict_json import JsonError, read_json

if TYPE_CHECKING:
    from till.http.events import Event

MAX_BODY_BYTES: Final = 16 * 1024


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
    kind = (header(event, "Content-Type") or "application/json").partition(";")[0]
    if kind.strip().lower() != "application/json":
        raise BodyRefusedError(UNSUPPORTED_MEDIA_TYPE)
    try:
        document = read_json(raw)
    except JsonError as error:
        raise _bad(str(error)) from error
    if isinstance(document, list):
        # Powertools takes a list of one object for the object.
        raise _bad("must be a JSON object")
    event["body"], event["isBase64Encoded"] = text, False


def _bad(message: str) -> BodyRefusedError:
    return BodyRefusedError(invalid_request([FieldErrorResponse(field="body", message=message)]))
