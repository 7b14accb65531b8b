"""The one JSON reader for everything that others send: request bodies, and the external APIs.

Standard library only. It reads UTF-8 and nothing else, and refuses whatever two readers could
understand differently or what takes long to understand. Numbers are exact.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Final, NoReturn, TypeAlias

Json: TypeAlias = "bool | int | Decimal | str | list[Json] | dict[str, Json] | None"

MAX_DEPTH: Final = 64
"""Values inside each other, the document included."""

_MAX_NUMBER_CHARACTERS: Final = 100
_FLOAT: Final = re.compile(r"[^eE]+(?:[eE][+-]?[0-9]{1,3})?")
"""With an exponent of three digits, every calculation with it stays small."""


class JsonError(ValueError):
    """Bytes that are not JSON as Till reads it. The message completes "the body ..."."""


def read_json(data: bytes) -> Json:
    """Read one JSON document.

    Raises:
        JsonError: it is not UTF-8, not JSON, has anything after the document, a name twice in one
            object, NaN or Infinity, half of a surrogate pair, a number of more than 100 characters
            or with an exponent of more than three digits, or is nested deeper than 64.
    """
    try:
        document: Json = json.loads(
            data.decode(),
            object_pairs_hook=_unique_names,
            parse_int=_integer,
            parse_float=_decimal,
            parse_constant=_no_constant,
        )
    except JsonError:
        raise
    except UnicodeDecodeError:
        raise JsonError("must be UTF-8") from None
    except RecursionError:
        raise JsonError("must not be nested so deeply") from None
    except ValueError:
        # The cause would hold what was sent, which may be personal.
        raise JsonError("must be JSON") from None
    _check(document)
    return document


def _unique_names(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    names = dict(pairs)
    if len(names) != len(pairs):
        raise JsonError("must not name a field twice")
    return names


def _integer(text: str) -> int:
    if len(text) > _MAX_NUMBER_CHARACTERS:
        raise JsonError("must not have a number so long")
    return int(text)


def _decimal(text: str) -> Decimal:
    if len(text) > _MAX_NUMBER_CHARACTERS or _FLOAT.fullmatch(text) is None:
        raise JsonError("must not have a number so long")
    return Decimal(text)


def _no_constant(name: str) -> NoReturn:
    raise JsonError(f"must be JSON, which has no {name}")


def _check(document: Json) -> None:
    """Go through the document level by level, whatever its depth."""
    level = [document]
    for _ in range(MAX_DEPTH):
        level = [part for value in level for part in _parts(value)]
        if not level:
            return
    raise JsonError("must not be nested so deeply")


def _parts(value: Json) -> list[Json]:
    if isinstance(value, dict):
        return [*value, *value.values()]
    if isinstance(value, list):
        return value
    if isinstance(value, str) and not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            # JSON can spell half of a pair, which no database and no other API would take.
            raise JsonError("must not have half of a surrogate pair") from None
    return []
