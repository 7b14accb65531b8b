"""Changes in the purchases table: those that the protocol makes, and others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

import pytest

from evidence.findings import at_item
from evidence.purchases import faults_of_change, faults_of_item
from tests.unit.evidence.stored import StoredItems

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evidence.items import Item, Plain
    from evidence.tables import Tables


def without(item: Item, name: str) -> dict[str, Plain]:
    return {key: value for key, value in item.items() if key != name}


BOUGHT: Final[Item] = StoredItems().of("PURCHASE")
NEXT: Final = {"revision": 5}
SAID: Final = {"kind": "unknown", "detail": "", "at": "2026-11-27T12:00:05.000000Z"}
SINCE: Final[dict[str, Plain]] = {"since": "2026-11-27T12:00:05.000000Z"}
FOUND: Final[dict[str, Plain]] = {"reason": "found"}
CLOSED: Final[dict[str, Plain]] = {**SINCE, "closing": FOUND}
LATE: Final[dict[str, Plain]] = {**SINCE, "shipment_id": "s"}
SHIPPED: Final[dict[str, Plain]] = {**SAID, "kind": "shipped", "detail": "s"}
REFUSED: Final[dict[str, Plain]] = {**SAID, "kind": "not_shipped", "detail": "no"}
LATER: Final = {"at": "2026-11-27T12:00:09.000000Z"}
VOIDED: Final[Item] = {
    **{name: value for name, value in BOUGHT.items() if name not in {"refunded", "refund_count"}},
    "state": "VOIDED",
    "state_shard": str(BOUGHT["state_shard"]).replace("PARTIALLY_REFUNDED", "ORPHAN_OPEN"),
    "orphan": SINCE,
    "revision": 4,
}
OPEN: Final[Item] = {
    **{name: value for name, value in VOIDED.items() if name not in {"orphan", "settled_at"}},
    "state": "UNKNOWN",
    "state_shard": str(VOIDED["state_shard"]).replace("ORPHAN_OPEN", "UNKNOWN"),
    "state_at": str(BOUGHT["state_at"]).replace(
        str(BOUGHT["settled_at"]), str(BOUGHT["reserved_at"])
    ),
}
AGAIN: Final = {"shipped_again_at": "2026-11-27T12:01:00.000000Z"}
UNLISTED: Final = {"state_shard": str(VOIDED["state_shard"]).replace("ORPHAN_OPEN", "VOIDED")}
COUNT: Final[Item] = {"pk": "PROMO#TEN", "sk": "CUSTOMER#1", "redemptions": 1}
CODE: Final = {"pk": "PROMO#TEN", "sk": "PROMO", "version": 1, "redemptions": 3, "terms": "a"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (None, {**BOUGHT, "revision": 1}),
        ({**BOUGHT, "revision": 4}, {**BOUGHT, **NEXT}),
        (VOIDED, {**VOIDED, **NEXT, "carrier": SAID}),
        (VOIDED, {**VOIDED, **NEXT, **UNLISTED, "orphan": CLOSED}),
        (VOIDED, {**VOIDED, **NEXT, "carrier": SHIPPED, "orphan": LATE}),
        (
            {**VOIDED, "orphan": CLOSED},
            {
                **VOIDED,
                **NEXT,
                "carrier": SHIPPED,
                "orphan": {**LATE, "earlier_closings": [FOUND]},
            },
        ),
        (
            {**VOIDED, "orphan": {**CLOSED, "earlier_closings": [FOUND]}},
            {
                **VOIDED,
                **NEXT,
                "carrier": SHIPPED,
                "orphan": {**LATE, "earlier_closings": [FOUND, FOUND]},
            },
        ),
        (
            {**VOIDED, "carrier": SHIPPED, "orphan": LATE},
            {**VOIDED, **NEXT, **UNLISTED, "carrier": SHIPPED, "orphan": {**LATE, **CLOSED}},
        ),
        (OPEN, {**VOIDED, **NEXT}),
        (OPEN, {**OPEN, **NEXT, "carrier": SAID}),
        (OPEN, {**OPEN, **NEXT, "carrier": SHIPPED}),
        (OPEN, {**OPEN, **NEXT, **AGAIN}),
        ({**OPEN, **AGAIN}, {**OPEN, **NEXT, **AGAIN, "carrier": SAID}),
        ({**OPEN, "carrier": SAID}, {**OPEN, **NEXT, "carrier": REFUSED}),
        ({**OPEN, "carrier": SAID}, {**OPEN, **NEXT, "carrier": {**SAID, **LATER}}),
        ({**OPEN, "carrier": SHIPPED}, {**OPEN, **NEXT, "carrier": {**SAID, **LATER}}),
        (
            {**OPEN, "carrier": REFUSED},
            {**without(VOIDED, "orphan"), **NEXT, **UNLISTED, "carrier": {**REFUSED, **LATER}},
        ),
        (
            {**without(VOIDED, "orphan"), **UNLISTED, "carrier": REFUSED},
            {**VOIDED, **NEXT, "carrier": SHIPPED, "orphan": LATE},
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
        ({**OPEN, "carrier": SHIPPED}, {**OPEN, **NEXT}),
        ({**OPEN, "carrier": SHIPPED}, {**OPEN, **NEXT, "carrier": REFUSED}),
        ({**OPEN, "carrier": SHIPPED}, {**OPEN, **NEXT, "carrier": {**SHIPPED, "detail": "t"}}),
        ({**OPEN, "carrier": SHIPPED}, {**OPEN, **NEXT, "carrier": {**SHIPPED, **LATER}}),
        ({**OPEN, "carrier": SHIPPED}, {**VOIDED, **NEXT, "carrier": REFUSED}),
        ({**VOIDED, "carrier": SHIPPED}, {**VOIDED, **NEXT, "carrier": SAID}),
        ({**OPEN, "carrier": REFUSED}, {**OPEN, **NEXT, "carrier": SHIPPED}),
        ({**OPEN, "carrier": REFUSED}, {**OPEN, **NEXT, "carrier": SAID}),
        ({**OPEN, "carrier": REFUSED}, {**OPEN, **NEXT, "carrier": {**REFUSED, "detail": "eve"}}),
        ({**OPEN, **AGAIN}, {**OPEN, **NEXT, **AGAIN, "carrier": REFUSED}),
        ({**OPEN, **AGAIN}, {**OPEN, **NEXT}),
        (OPEN, {**OPEN, **NEXT, "carrier": "shipped"}),
        (OPEN, {**OPEN, **NEXT, "orphan": SINCE, "state_shard": VOIDED["state_shard"]}),
        (OPEN, {**VOIDED, **NEXT, **UNLISTED, "orphan": {"closing": FOUND}}),
        (VOIDED, {**VOIDED, **NEXT, "orphan": LATE}),
        (VOIDED, {**VOIDED, **NEXT, "carrier": SHIPPED, "orphan": {**LATE, "shipment_id": "t"}}),
        (
            {**VOIDED, "carrier": SHIPPED, "orphan": LATE},
            {**VOIDED, **NEXT, "carrier": SHIPPED, "orphan": {**LATE, "shipment_id": "t"}},
        ),
        (
            {**VOIDED, "carrier": SHIPPED, "orphan": LATE},
            {**VOIDED, **NEXT, "carrier": SHIPPED, "orphan": {**LATE, "since": "2099"}},
        ),
        (
            {**VOIDED, **UNLISTED, "carrier": SHIPPED, "orphan": {**LATE, **CLOSED}},
            {
                **VOIDED,
                **NEXT,
                "carrier": SHIPPED,
                "orphan": {**LATE, "earlier_closings": [FOUND]},
            },
        ),
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


@dataclass
class ManyPurchases:
    """The account of a customer who bought often, and how many reads were made."""

    purchases: int
    reads: int = 0

    def redemptions(self, _code: str, _customer_id: str) -> Item:
        return {"redemptions": 1}

    def account(self, _customer_id: str) -> Iterator[Item]:
        for number in range(1, self.purchases + 1):
            yield {"kind": "HOLD", "version": number, "attempt_id": str(number)}

    def attempt(self, _attempt_id: str) -> tuple[Item, list[Item]]:
        self.reads += 1
        return {"state": "COMPLETED", "promo": {"code": "TEN"}}, []


def test_redemptions_are_counted_with_a_bounded_number_of_reads() -> None:
    few, many = ManyPurchases(100), ManyPurchases(900)
    assert list(faults_of_item(cast("Tables", few), COUNT, longest=1_000))
    assert list(faults_of_item(cast("Tables", many), COUNT, longest=1_000)) == []
    assert many.reads <= 200
    assert list(faults_of_item(cast("Tables", many), COUNT, longest=None))
