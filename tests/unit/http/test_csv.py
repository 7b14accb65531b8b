"""CSV: read by a spreadsheet of whatever locale, and by nothing as a formula."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

import pytest

from till.http.content import prefers_csv
from till.http.csv import to_csv

BOM = "\ufeff"


def cells(text: str, separator: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.removeprefix(BOM)), delimiter=separator))


@pytest.mark.parametrize(
    ("languages", "separator", "amount"),
    [
        (None, ",", "-12.50"),
        ("en-GB,en;q=0.9,de;q=0.8", ",", "-12.50"),
        ("de-DE,de;q=0.9,en;q=0.8", ";", "-12,50"),
        ("fr", ";", "-12,50"),
        ("de-CH", ",", "-12.50"),
        ("es-MX,es", ",", "-12.50"),
        ("PT-br", ";", "-12,50"),
        ("*", ",", "-12.50"),
        ("", ",", "-12.50"),
        (";;;,,,", ",", "-12.50"),
    ],
)
def test_numbers_are_numbers_in_the_readers_locale(
    languages: str | None, separator: str, amount: str
) -> None:
    text = to_csv(("n", "amount"), [(1, Decimal("-12.50"))], languages=languages)
    assert text.startswith(BOM)
    assert text.endswith("\r\n")
    assert cells(text, separator) == [["n", "amount"], ["1", amount]]


@pytest.mark.parametrize(
    ("reason", "cell"),
    [
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        (" +1", "' +1"),
        ("-2", "'-2"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\uff1d1", "'\uff1d1"),
        ('one;"=2', "one;'\"=2"),
        ("a\n=b", "a\n'=b"),
        ("00123", "'00123"),
        ("1E5", "'1E5"),
        ("MAR-01", "'MAR-01"),
        ("12:30", "'12:30"),
        ("TRUE", "'TRUE"),
        ("", ""),
        ("Goodwill - order 7", "Goodwill - order 7"),
        ("c0000000-0000-4000-8000-000000000003", "c0000000-0000-4000-8000-000000000003"),
        ('He said "yes", twice', 'He said "yes", twice'),
    ],
)
@pytest.mark.parametrize(("languages", "separator"), [("en", ","), ("de", ";")])
def test_text_is_neither_run_nor_converted(
    reason: str, cell: str, languages: str, separator: str
) -> None:
    text = to_csv(("reason", "note"), [(reason, None)], languages=languages)
    assert cells(text, separator)[1] == [cell, ""]


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("text/csv", True),
        ("TEXT/CSV; charset=utf-8", True),
        ("text/csv, application/json", True),
        ("text/csv;q=0.9, */*;q=0.1", True),
        ("application/json, text/csv", False),
        ("text/csv;q=0, application/json", False),
        ("*/*", False),
        ("text/html", False),
        ("", False),
        (None, False),
    ],
)
def test_csv_is_for_those_who_ask_for_it(accept: str | None, expected: bool) -> None:
    assert prefers_csv(accept) is expected
