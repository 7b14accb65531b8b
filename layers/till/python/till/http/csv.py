"""CSV that a spreadsheet opens as it is meant, whatever its locale: docs/decisions/44."""

from __future__ import annotations

import csv
import io
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    Cell = str | int | Decimal | None

_BYTE_ORDER_MARK: Final = "\ufeff"
"""Without it, a spreadsheet program takes the file for its own old encoding."""

_DECIMAL_COMMA: Final = frozenset(
    (
        *("az", "be", "bg", "bs", "ca", "cs", "da", "de", "el", "es", "et", "eu", "fi", "fo"),
        *("fr", "gl", "hr", "hu", "hy", "id", "is", "it", "ka", "kk", "lt", "lv", "mk", "mn"),
        *("nb", "nl", "nn", "no", "pl", "pt", "ro", "ru", "sk", "sl", "sq", "sr", "sv", "tr"),
        *("uk", "uz", "vi"),
    )
)
"""Languages whose decimal sign is a comma. Their spreadsheets expect semicolons between fields."""

_DECIMAL_POINT: Final = frozenset({"de-ch", "de-li", "it-ch", "es-mx", "es-us", "es-pr", "es-gt"})
"""Locales of those languages that write a point."""

_FORMULA: Final = re.compile(r"(^|[;,\t\r\n|])(?=[\s\"']*[=+\-@\uff1d\uff0b\uff0d\uff20])")
"""Where a cell may begin with a formula, at whichever sign a program splits the line. The signs of
full width count, too."""

_MONTH: Final = "(?:jan|feb|mar|apr|may|mai|jun|jul|aug|sep|oct|okt|nov|dec|dez)[a-z]*"
_CONVERTED: Final = re.compile(
    r"\s*(?:"
    r"[(]?[$€£¥]?\s?\d[\d.,'\s]*(?:e[+-]?\d+)?\s?[%$€£¥]?[)]?"
    r"|\d{1,4}[-/.\s]\d{1,2}(?:[-/.\s]\d{1,4})?"
    rf"|\d{{1,4}}[-/.\s]?{_MONTH}(?:[-/.\s]?\d{{1,4}})?"
    rf"|{_MONTH}[-/.\s]?\d{{1,4}}(?:[-/.,\s]+\d{{1,4}})?"
    r"|\d{1,2}:\d{2}(?::\d{2})?(?:\s?[ap]m)?"
    r"|true|false|wahr|falsch|vrai|faux|verdadero|falso|vero"
    r")\s*",
    re.IGNORECASE,
)
"""Text that a spreadsheet would turn into a number, a date, a time or a truth value."""


def to_csv(header: Sequence[str], rows: Iterable[Sequence[Cell]], *, languages: str | None) -> str:
    """Rows by RFC 4180, with a header, CRLF and a byte order mark.

    ``languages`` is the reader's Accept-Language: it decides on the decimal sign and the separator.
    A text cell that a spreadsheet would run or convert gets an apostrophe before it.
    """
    comma = _has_decimal_comma(languages)
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";" if comma else ",", lineterminator="\r\n")
    writer.writerow(header)
    for row in rows:
        writer.writerow([_cell(cell, comma=comma) for cell in row])
    return _BYTE_ORDER_MARK + text.getvalue()


def _cell(cell: Cell, *, comma: bool) -> str:
    match cell:
        case None:
            return ""
        case str():
            return f"'{cell}" if _CONVERTED.fullmatch(cell) else _FORMULA.sub(r"\1'", cell)
        case _:
            return str(cell).replace(".", ",") if comma else str(cell)


def _has_decimal_comma(languages: str | None) -> bool:
    first = (languages or "").split(",")[0].split(";")[0].strip().lower()
    return first.split("-")[0] in _DECIMAL_COMMA and first not in _DECIMAL_POINT
