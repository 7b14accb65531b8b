"""Text that people write and read: what a reason or a search may consist of."""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator, Field

from till.domain.account import MAX_REASON_CHARACTERS

# C0 without line breaks, DEL, C1, the line and paragraph separators, and Unicode's Bidi_Control,
# which can make a text look like another. As ranges of a character class in any regex dialect.
_REFUSED: Final = (
    r"\u0000-\u0009\u000b\u000c\u000e-\u001f\u007f-\u009f"
    r"\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"
)
_REFUSED_IN_LINES: Final = re.compile(f"[{_REFUSED}]")
_REFUSED_IN_A_LINE: Final = re.compile(rf"[\r\n{_REFUSED}]")
_BLANK: Final = frozenset("\u115f\u1160\u3164\uffa0\u2800\U0001d159")
"""Letters and symbols by their category that have no ink: Hangul fillers, an empty Braille cell."""


def _trimmed(value: object) -> object:
    """Without blanks around it, so that lengths count what is kept; line breaks as LF."""
    if not isinstance(value, str):
        return value
    return value.replace("\r\n", "\n").replace("\r", "\n").strip()


def _lines(text: str) -> str:
    if _REFUSED_IN_LINES.search(text):
        raise ValueError("must not contain control characters other than line breaks")
    return _visible(text)


def _line(text: str) -> str:
    if _REFUSED_IN_A_LINE.search(text):
        raise ValueError("must not contain control characters or line breaks")
    return _visible(text)


def _visible(text: str) -> str:
    if not any(map(_is_visible, text)):
        raise ValueError("must contain visible text")
    return text


def _is_visible(character: str) -> bool:
    if unicodedata.category(character)[0] in "LNPS":
        return character not in _BLANK
    # Emoji that are newer than this Python's tables.
    return unicodedata.category(character) == "Cn" and "\U0001f000" <= character <= "\U0001faff"


Reason = Annotated[
    str,
    Field(
        min_length=1,
        max_length=MAX_REASON_CHARACTERS,
        description="Why, as people read it later. Visible text: it may have line breaks, and no "
        "other control characters or bidirectional controls. Blanks around it are removed before "
        "its length is checked.",
        json_schema_extra={"pattern": rf"^[^{_REFUSED}]*[^\s{_REFUSED}][^{_REFUSED}]*$"},
    ),
    AfterValidator(_lines),
    BeforeValidator(_trimmed),
]
"""Why: shown to people, kept in the ledger."""

SearchText = Annotated[
    str,
    Field(
        min_length=2,
        max_length=100,
        json_schema_extra={
            "pattern": rf"^[^\r\n{_REFUSED}]*[^\s{_REFUSED}][^\r\n{_REFUSED}]*$",
        },
    ),
    AfterValidator(_line),
    BeforeValidator(_trimmed),
]
"""One line that a person types to find something."""
