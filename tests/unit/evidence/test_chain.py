"""What verifies, against what the adapter writes."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from evidence.chain import attempt_hash, faults_of, items_hash, version_hash
from evidence.items import UnreadableItemError, plain
from tests.unit.evidence.vectors import account

if TYPE_CHECKING:
    from evidence.items import Item, Plain

VECTORS = Path(__file__).parents[3] / "docs" / "vectors" / "chain.json"


def versions() -> list[dict[str, Plain]]:
    return [cast("dict[str, Plain]", each["version"]) for each in account()]


def rehashed(version: dict[str, Plain], before: Item | None) -> dict[str, Plain]:
    """The version as a forger writes it, who knows how hashes are made."""
    previous = str(before["hash"]) if before else ""
    return {**version, "hash": version_hash(version, previous=previous)}


def test_the_committed_vectors_are_what_the_adapter_writes() -> None:
    assert json.loads(VECTORS.read_text()) == list(account())


def test_what_was_written_has_no_fault() -> None:
    first, *_ = history = versions()
    assert list(faults_of(first, None)) == []
    for before, version in pairwise(history):
        assert list(faults_of(version, before)) == []


def test_a_version_anchors_what_was_written_with_it() -> None:
    for each in account():
        version = cast("Item", each["version"])
        attempt = cast("Item | None", each["attempt"])
        assert version.get("attempt_hash") == (attempt_hash(attempt) if attempt else None)
        assert version.get("items_hash") == items_hash(cast("list[Item]", each["items"]))


@pytest.mark.parametrize("number", range(4))
def test_each_attribute_of_a_version_is_covered(number: int) -> None:
    history = versions()
    version, before = history[number], history[number - 1] if number else None
    for name, value in version.items():
        changed: Plain = value + 1 if isinstance(value, int) else "other"
        try:
            faults = list(faults_of({**version, name: changed}, before))
        except UnreadableItemError:
            continue
        assert faults, name
        without = {key: kept for key, kept in version.items() if key != name}
        try:
            assert list(faults_of(without, before)), name
        except UnreadableItemError:
            continue


@pytest.mark.parametrize(
    ("number", "changed"),
    [
        (0, {"amount": 60_00, "posted": 60_00}),
        (0, {"amount": -50_00}),
        (1, {"held": 0}),
        (1, {"open_attempts": []}),
        (1, {"amount": 24_00}),
        (2, {"posted": 50_00}),
        (2, {"at": "2026-11-27T11:00:00.000000Z"}),
        (2, {"kind": "VOID"}),
        (2, {"sequence": 3}),
        (3, {"amount": 11_00, "posted": 36_00}),
        (3, {"actor": "eve"}),
        (3, {"version": 5}),
        (3, {"purchases": 0}),
    ],
)
def test_right_hashes_do_not_make_a_wrong_history_right(
    number: int, changed: dict[str, Plain]
) -> None:
    history = versions()
    before = history[number - 1] if number else None
    forged = rehashed({**history[number], **changed}, before)
    assert list(faults_of(forged, before))


def test_a_rewritten_version_breaks_the_one_after_it() -> None:
    first, second, *_ = versions()
    rewritten = rehashed({**first, "reason": "because"}, None)
    assert "its hash does not cover it and the version before it" in list(
        faults_of(second, rewritten)
    )


def test_what_till_does_not_store_is_not_read() -> None:
    with pytest.raises(UnreadableItemError):
        plain({"amount": {"B": b"1"}})
    with pytest.raises(UnreadableItemError):
        plain({"amount": {"N": "1.5"}})
