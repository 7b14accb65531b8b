"""Opaque cursors: where a list goes on.

A cursor carries its position, the list it belongs to, and a checksum over both. The checksum
is no secret and need not be: a cursor can only say where to go on in a list that its bearer may
read anyway. It is there to tell a cursor of ours from anything else.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json

from till.domain.errors import InvalidCursorError

_CHECKSUM_CHARACTERS = 16


def encode_cursor(scope: str, position: int | str | None) -> str | None:
    """The cursor for a position in the list named ``scope``; None at the end of the list."""
    if position is None:
        return None
    text = json.dumps([position, _checksum(scope, position)], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decode(scope: str, cursor: str | None) -> int | str | None:
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


def decode_number(scope: str, cursor: str | None) -> int | None:
    """The position in a list that is numbered.

    Raises:
        InvalidCursorError: this list did not hand it out.
    """
    position = _decode(scope, cursor)
    if isinstance(position, str):
        raise InvalidCursorError
    return position


def decode_place(scope: str, cursor: str | None) -> str | None:
    """The position in a list that is ordered by text.

    Raises:
        InvalidCursorError: this list did not hand it out.
    """
    position = _decode(scope, cursor)
    if isinstance(position, int):
        raise InvalidCursorError
    return position


def _checksum(scope: str, position: int | str) -> str:
    text = json.dumps(["till/cursor/1", scope, position])
    return hashlib.sha256(text.encode()).hexdigest()[:_CHECKSUM_CHARACTERS]
