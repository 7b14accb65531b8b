"""Instants as text: what is written is read again, and nothing else is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from till.domain.instant import format_instant, parse_instant


@pytest.mark.parametrize("microsecond", [0, 1, 999_999])
def test_what_is_written_is_read_again(microsecond: int) -> None:
    instant = datetime(2026, 11, 22, 16, 25, 18, microsecond, tzinfo=UTC)
    assert parse_instant(format_instant(instant)) == instant


def test_it_is_written_in_utc_with_microseconds() -> None:
    east = datetime(2026, 11, 22, 18, 25, 18, tzinfo=timezone(timedelta(hours=2)))
    assert format_instant(east) == "2026-11-22T16:25:18.000000Z"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-11-22",
        "2026-11-22T16:25:18Z",
        "2026-11-22T16:25:18.000Z",
        "2026-11-22T16:25:18.000000",
        "2026-11-22T16:25:18.0+00:00",
        "2026-13-22T16:25:18.000000Z",
    ],
)
def test_another_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - of what is wrong with it
        parse_instant(text)
