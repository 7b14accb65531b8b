"""Changes in the purchases table: those that the protocol makes, and others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from evidence.findings import at_item
from evidence.purchases import faults_of_change
from tests.unit.evidence.stored import StoredItems

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evidence.items import Item, Plain

BOUGHT: Final[Item] = StoredItems().of("PURCHASE")
NEXT: Final = {"revision": 5}
SAID: Final = {"kind": "unknown", "detail": "", "at": "2026-11-27T12:00:05.000000Z"}
SINCE: Final[dict[str, Plain]] = {"since": "2026-11-27T12:00:05.000000Z"}
FOUND: Final[dict[str, Plain]] = {"reason": "found"}
CLOSED: Final[dict[str, Plain]] = {**SINCE, "closing": FOUND}
LATE: Final[dict[str, Plain]] = {**SINCE, "shipment_id": "s"}
VOIDED: Final[Item] = {
    **{name: value for name, value in BOUGHT.items() if name not in {"refunded", "refund_count"}},
    "state": "VOIDED",
    "state_shard": str(BOUGHT["state_shard"]).replace("PARTIALLY_REFUNDED", "ORPHAN_OPEN"),
    "orphan": SINCE,
    "revision": 4,
}
UNLISTED: Final = {"state_shard": str(VOIDED["state_shard"]).replace("ORPHAN_OPEN", "VOIDED")}
COUNT: Final = {"pk": "PROMO#TEN", "sk": "CUSTOMER#1", "redemptions": 1}
CODE: Final = {"pk": "PROMO#TEN", "sk": "PROMO", "version": 1, "redemptions": 3, "terms": "a"}


def without(item: Item, name: str) -> dict[str, Plain]:
    return {key: value for key, value in item.items() if key != name}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (None, {**BOUGHT, "revision": 1}),
        ({**BOUGHT, "revision": 4}, {**BOUGHT, **NEXT}),
        (VOIDED, {**VOIDED, **NEXT, "carrier": SAID}),
        (VOIDED, {**VOIDED, **NEXT, **UNLISTED, "orphan": CLOSED}),
        (VOIDED, {**VOIDED, **NEXT, "orphan": LATE}),
        (
            {**VOIDED, "orphan": CLOSED},
            {**VOIDED, **NEXT, "orphan": {**LATE, "earlier_closings": [FOUND]}},
        ),
        (
            {**VOIDED, "orphan": {**CLOSED, "earlier_closings": [FOUND]}},
            {**VOIDED, **NEXT, "orphan": {**LATE, "earlier_closings": [FOUND, FOUND]}},
        ),
        (None, COUNT),
        (COUNT, {**COUNT, "redemptions": 2}),
        (COUNT, {**COUNT, "redemptions": 0}),
        (None, CODE),
        (CODE, {**CODE, "redemptions": 4}),
        (CODE, {**CODE, "version": 2, "terms": "b"}),
    ],
)
def test_what_the_protocol_does_is_no_fault(old: Item | None, new: Item) -> None:
    assert list(faults_of_change(old, new)) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (None, BOUGHT),
        (BOUGHT, {**BOUGHT, **NEXT, "state_shard": "VOIDED#0"}),
        (BOUGHT, {**BOUGHT, **NEXT, "state_at": "2099"}),
        ({**BOUGHT, "revision": 4}, {**BOUGHT, **NEXT, "carrier": SAID}),
        ({**VOIDED, "carrier": SAID}, {**VOIDED, **NEXT}),
        (VOIDED, {**without(VOIDED, "orphan"), **NEXT, **UNLISTED}),
        (VOIDED, {**VOIDED, **NEXT, "orphan": {"since": "2099"}}),
        (
            {**VOIDED, **UNLISTED, "orphan": CLOSED},
            {**VOIDED, **NEXT, **UNLISTED, "orphan": {**CLOSED, "closing": {"reason": "other"}}},
        ),
        ({**VOIDED, "orphan": CLOSED}, {**VOIDED, **NEXT, "orphan": LATE}),
        (COUNT, {**COUNT, "redemptions": 3}),
        ({**COUNT, "redemptions": 0}, {**COUNT, "redemptions": -1}),
        (CODE, {**CODE, "terms": "b"}),
        (CODE, {**CODE, "redemptions": 4, "terms": "b"}),
        (CODE, {**CODE, "version": 3}),
        (CODE, {**CODE, "version": 2, "redemptions": 4}),
        ({"pk": "PURCHASE#1", "sk": "REFUND#1"}, {"pk": "PURCHASE#1", "sk": "REFUND#1"}),
        ({"pk": "SHIPMENT#1", "sk": "SHIPMENT"}, {"pk": "SHIPMENT#1", "sk": "SHIPMENT"}),
        ({"pk": "PROMO#TEN", "sk": "VERSION#1"}, {"pk": "PROMO#TEN", "sk": "VERSION#1"}),
        (None, {"pk": "ANYTHING", "sk": "ELSE"}),
    ],
)
def test_anything_else_is_one(old: Item | None, new: Item) -> None:
    assert list(faults_of_change(old, new))


def test_a_check_that_fails_is_a_finding() -> None:
    """A forged item must not stop the check of those after it."""

    def check() -> Iterator[str]:
        yield "one"
        raise KeyError("x")

    found = [finding.fault for finding in at_item(VOIDED, check())]
    assert found == ["one", "it cannot be read (KeyError)"]
