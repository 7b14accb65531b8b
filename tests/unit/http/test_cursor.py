from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from till.http.cursor import InvalidCursorError, decode_number, decode_place, encode_cursor


@given(st.integers(0, 2**53), st.text(max_size=50))
def test_a_number_comes_back(position: int, scope: str) -> None:
    assert decode_number((scope,), encode_cursor((scope,), position)) == position


@given(st.text(max_size=80).filter(lambda t: t.isprintable()), st.text(max_size=50))
def test_a_place_comes_back(position: str, scope: str) -> None:
    assert decode_place((scope,), encode_cursor((scope,), position)) == position


def test_the_end_has_no_cursor() -> None:
    assert encode_cursor(("s",), None) is None
    assert decode_number(("s",), None) is None


@given(st.text(max_size=100))
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(InvalidCursorError):
        decode_number(("s",), text)


def test_a_cursor_belongs_to_its_list_and_kind() -> None:
    cursor = encode_cursor(("entries", "a"), 5)
    with pytest.raises(InvalidCursorError):
        decode_number(("entries", "b"), cursor)
    with pytest.raises(InvalidCursorError):
        decode_place(("entries", "a"), cursor)


@given(st.data())
def test_a_cursor_with_one_character_changed_is_refused(data: st.DataObject) -> None:
    cursor = encode_cursor(("s",), 123456)
    assert cursor is not None
    index = data.draw(st.integers(0, len(cursor) - 1))
    other = data.draw(st.sampled_from("ABCXYZabcxyz0189-_=").filter(lambda c: c != cursor[index]))
    with pytest.raises(InvalidCursorError):
        decode_number(("s",), cursor[:index] + other + cursor[index + 1 :])
