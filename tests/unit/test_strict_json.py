"""The one JSON reader: any bytes give a value or its one error, and soon."""

from __future__ import annotations

import json
import random
import re
import time
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from till.strict_json import MAX_DEPTH, JsonError, read_json

GOOD = (
    b'{"id": "3fa85f64-5717-4562-b3fc-2c963f66afa6", "price": 1299.99, "tags": ["a", null, true],'
    b' "inner": {"n": -1, "e": 1.5e-3, "text": "caf\xc3\xa9 \\u00e9 \\ud83d\\ude00"}}'
)


def test_numbers_are_exact() -> None:
    assert read_json(b"[0.1, 1e2, 12.340, -0.0, 9007199254740993, -7]") == [
        *(Decimal("0.1"), Decimal("1E+2"), Decimal("12.340"), Decimal("-0.0")),
        *(9007199254740993, -7),
    ]
    assert read_json(b'"\\ud83d\\ude00"') == "\U0001f600"
    assert read_json(b" null\n") is None


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "must be JSON"),
        (b"\xff", "must be UTF-8"),
        (b'"\xed\xa0\x80"', "must be UTF-8"),
        (b"\xef\xbb\xbf{}", "must be JSON"),
        ("{}".encode("utf-16"), "must be UTF-8"),
        ("{}".encode("utf-16-le"), "must be JSON"),
        ("{}".encode("utf-32-le"), "must be JSON"),
        (b"{} {}", "must be JSON"),
        (b"{},", "must be JSON"),
        (b"{}//", "must be JSON"),
        (b"01", "must be JSON"),
        (b'"\x00"', "must be JSON"),
        (b"NaN", "has no NaN"),
        (b"[Infinity]", "has no Infinity"),
        (b"-Infinity", "has no -Infinity"),
        (b'{"a": 1, "a": 1}', "a field twice"),
        (b'[{"b": {"a": 1, "\\u0061": 1}}]', "a field twice"),
        (b'"\\ud800"', "surrogate"),
        (b'{"\\udc00": 1}', "surrogate"),
        (b"1e9999", "number"),
        (b"1e" + b"9" * 20, "number"),
        (b"[-1.5E-" + b"9" * 20 + b"]", "number"),
        (b"9" * 101, "number"),
        (b"9" * 100_000, "number"),
        (b"0." + b"0" * 100_000, "number"),
        (b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), "nested"),
        (b'{"a":' * (MAX_DEPTH + 1) + b"1" + b"}" * (MAX_DEPTH + 1), "nested"),
        (b"[" * 200_000 + b"]" * 200_000, "nested"),
    ],
    ids=lambda value: f"{len(value)} {value[:30]!r}",
)
def test_what_is_refused(data: bytes, message: str) -> None:
    began = time.monotonic()
    with pytest.raises(JsonError, match=message) as raised:
        read_json(data)
    assert time.monotonic() - began < 0.5
    assert raised.value.__cause__ is None, "the cause would hold what was sent"


def test_what_is_at_the_limits_is_read() -> None:
    read_json(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)
    assert read_json(b"9" * 100) == int("9" * 100)
    assert read_json(b"1e999") == Decimal("1e999")


def test_a_large_document_is_read_soon() -> None:
    began = time.monotonic()
    read_json(b"[" + b",".join([b'{"a": [1.5]}'] * 20_000) + b"]")
    assert time.monotonic() - began < 2


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**90), 10**90)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(VALUES, st.booleans())
def test_every_json_value_is_read_as_it_is(value: object, escaped: bool) -> None:
    assert read_json(json.dumps(value, ensure_ascii=escaped).encode()) == value


@settings(max_examples=500, deadline=None)
@given(
    st.binary(max_size=200) | st.text(alphabet='{}[]":,0123456789eE.+-\\u tfnNI').map(str.encode)
)
def test_any_bytes_give_a_value_or_the_one_error(data: bytes) -> None:
    _value_or_error(data)


def test_mutated_documents_give_a_value_or_the_one_error() -> None:
    chance = random.Random(10)
    read = 0
    for _ in range(3_000):
        read += _value_or_error(mutated(GOOD, chance))
    assert 0 < read < 3_000


ODD_VALUES = (
    *(b"1e99999999999999999999", b"-1E-99999999999999999999", b"1e400", b"1e-400", b"9" * 5_000),
    *(b"-0", b"-0.0", b"0", b"1.001", b"12.340", b"1e2", b"NaN", b"Infinity", b"true", b"null"),
    *(b'""', b'" "', b'"\\n"', b'"\\u0000"', b'"\\ud800"', b'"\xc3\xa9"', b'"' + b"x" * 300 + b'"'),
    *(b"[]", b"{}", b'{"a": 1, "a": 2}', b"[" * 5_000),
)


def mutated(document: bytes, chance: random.Random) -> bytes:
    """The document with a few bytes changed, removed, repeated or put in."""
    data = bytearray(document)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(data) + 1)
        end = min(len(data), at + chance.randint(0, 12))
        match chance.randrange(6):
            case 0:
                del data[at:end]
            case 1:
                data[at:at] = data[at:end] * chance.choice((1, 2, 300))
            case 2:
                data[at:end] = chance.randbytes(end - at)
            case 3 | 4:
                # A value in the place of another one.
                places = [*re.finditer(rb'"[^"]*"|[0-9][0-9.]*', data)]
                if places:
                    place = chance.choice(places)
                    data[place.start() : place.end()] = chance.choice(ODD_VALUES)
            case _:
                data[at:at] = chance.choice(
                    (
                        b"9" * 500,
                        b"e99999999999999999999",
                        b"NaN",
                        b'"',
                        b"\\ud800",
                        b"[" * 5_000,
                        b"\0",
                    )
                )
    return bytes(data)


def _value_or_error(data: bytes) -> bool:
    try:
        read_json(data)
    except JsonError:
        return False
    # What is read, other readers read as well: it is UTF-8, and JSON.
    json.loads(data.decode())
    return True
