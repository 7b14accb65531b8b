"""What a reason and a search are after they were read."""

from __future__ import annotations

import re
from typing import Final

import pytest
from pydantic import TypeAdapter, ValidationError

from tests import document
from till.http.wire.text import Reason, SearchText

REASON: Final[TypeAdapter[str]] = TypeAdapter(Reason)
SEARCH: Final[TypeAdapter[str]] = TypeAdapter(SearchText)

KEPT: Final = (
    "Broken",
    "Two lines:\nthe box,\n\nand the lid",
    "שלום",
    "مرحبا",
    "中文",
    "👩‍👩‍👧 family",
    "soft\u00adhyphen",
    "zero\u200bwidth",
    "e\u0301",
    "\U0001fae8",
    "5",
    "!",
)


@pytest.mark.parametrize("text", KEPT, ids=ascii)
def test_a_reason_is_kept_as_it_is(text: str) -> None:
    assert REASON.validate_python(text) == text


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("  trimmed \n", "trimmed"),
        ("a\r\nb\rc\nd", "a\nb\nc\nd"),
        ("\u00a0x\u3000", "x"),
        (" " * 300 + "x" * 500 + " " * 300, "x" * 500),
    ],
    ids=ascii,
)
def test_blanks_around_it_and_kinds_of_line_breaks_do_not_count(sent: str, kept: str) -> None:
    assert REASON.validate_python(sent) == kept


@pytest.mark.parametrize("text", [" a ", "a", "  ", "a\nb", "\u3164\u3164", "x" * 101], ids=ascii)
def test_a_search_is_one_line_of_at_least_two_characters(text: str) -> None:
    with pytest.raises(ValidationError):
        SEARCH.validate_python(text)


def test_a_search_is_measured_without_the_blanks_around_it() -> None:
    assert SEARCH.validate_python("  ab  " + " " * 100) == "ab"


def test_every_reason_of_the_document_has_the_pattern() -> None:
    patterns = {
        str(schema["properties"]["reason"]["pattern"])  # type: ignore[index,call-overload]
        for name, schema in document.schemas().items()
        if name.endswith("Request") and "reason" in str(schema.get("required"))
    }
    (pattern,) = patterns
    for text in KEPT:
        assert re.search(pattern, text), ascii(text)
    for bad in ("", " ", "a\u0000b", "a\tb", "a\u2028b", "a\u202eb", "a\u2066b", "a\x7fb"):
        assert not re.search(pattern, bad), ascii(bad)
