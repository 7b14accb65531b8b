"""Opaque cursors: where a list goes on.

A cursor carries its position, and a checksum over that and the list it belongs to. The checksum
is no secret and need not be: a cursor can only say where to go on in a list that its bearer may
read anyway. It is there to tell a cursor of this list from anything else.

A list is named by its parts: the operation, the customer or purchase, and every filter. They are
kept apart, so that a search for "None" and no search are two lists.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from typing import TYPE_CHECKING, TypeAlias

from till.domain.errors import TillError

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

Part: TypeAlias = "str | UUID | datetime | None"
List: TypeAlias = tuple[Part, ...]

_CHECKSUM_CHARACTERS = 16


class InvalidCursorError(TillError):
    """A cursor that this list did not hand out."""


def encode_cursor(scope: List, position: int | str | None) -> str | None:
    """The cursor for a position in the list named by ``scope``; None at the end of the list."""
    if position is None:
        return None
    text = json.dumps([position, _checksum(scope, position)], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decode(scope: List, cursor: str | None) -> int | str | None:
    """The position in the list named ``scope``; None at its start.

    Raises:
        InvalidCursorError: this list did not hand it out.
    """
    if cursor is None:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        text = base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True)
        position, checksum = json.loads(text)
    except (ValueError, TypeError, binascii.Error, RecursionError) as error:
        raise InvalidCursorError from error
    known = isinstance(position, (int, str)) and isinstance(checksum, str)
    if not known or not hmac.compare_digest(checksum.encode(), _checksum(scope, position).encode()):
        raise InvalidCursorError
    if encode_cursor(scope, position) != cursor:
        raise InvalidCursorError
    return position if isinstance(position, (int, str)) else None


def decode_number(scope: List, cursor: str | None) -> int | None:
    """The position in a list that is numbered.

    Raises:
        InvalidCursorError: this list did not hand it out.
    """
    position = _decode(scope, cursor)
    if isinstance(position, str):
        raise InvalidCursorError
    return position


def decode_place(scope: List, cursor: str | None) -> str | None:
    """The position in a list that is ordered by text.

    Raises:
        InvalidCursorError: this list did not hand it out.
    """
    position = _decode(scope, cursor)
    if isinstance(position, int):
        raise InvalidCursorError
    return position


def _checksum(scope: List, position: int | str) -> str:
    parts = [None if part is None else str(part) for part in scope]
    text = json.dumps(["till/cursor/2", parts, position])
    return hashlib.sha256(text.encode()).hexdigest()[:_CHECKSUM_CHARACTERS]
