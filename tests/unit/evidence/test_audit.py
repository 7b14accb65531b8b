"""The audit, item by item, and its rounds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from evidence.audit import Audit, Step
from evidence.rounds import AuditRun
from tests.unit.evidence.stored import StoredItems, kept_journal
from tests.unit.evidence.vectors import CUSTOMER, NOON

if TYPE_CHECKING:
    from evidence.items import Item, Plain

LATER = NOON + timedelta(hours=2)


def audit_of(tables: StoredItems) -> Audit:
    return Audit(tables, kept_journal(), pause=lambda _: None, now=lambda: LATER)


def findings_of(audit: Audit) -> list[str]:
    return [str(finding) for progress in audit() for finding in progress.findings]


def test_a_sound_account_has_no_finding() -> None:
    tables = StoredItems()
    audit = audit_of(tables)
    assert findings_of(audit) == []
    assert audit.account(str(CUSTOMER)) == []


@pytest.mark.parametrize(
    ("sort_key", "change"),
    [
        ("VERSION#0000000000000002", {"actor": "eve"}),
        ("REQUEST#grant_credit", {"version": 2}),
        ("PURCHASE", {"total": 1}),
        ("PURCHASE", {"account_version": 2}),
        ("PURCHASE", {"state_shard": "VOIDED#0"}),
        ("PURCHASE", {"orphan": {"since": "2026-11-27T12:00:00.000000Z"}}),
        ("REFUND", {"amount": 1}),
        ("SHIPMENT", {"purchase_id": "00000000-0000-0000-0000-000000000000"}),
    ],
)
def test_a_changed_item_is_found(sort_key: str, change: dict[str, Plain]) -> None:
    tables = StoredItems()
    tables.put({**tables.of(sort_key), **change})
    assert findings_of(audit_of(tables))


@pytest.mark.parametrize("key", sorted(StoredItems().items))
def test_an_item_that_is_gone_is_found(key: tuple[str, str]) -> None:
    tables = StoredItems()
    del tables.items[key]
    newest = "VERSION#0000000000000004"
    if key[1] == newest:
        # The refund and its request are left, and the purchase names the version.
        assert len(findings_of(audit_of(tables))) >= 3
    assert findings_of(audit_of(tables))


def test_what_till_does_not_write_is_found_and_the_others_are_checked() -> None:
    tables = StoredItems()
    tables.put({"pk": "ACCOUNT#0", "sk": "VERSION#1", "version": "one"})
    tables.put({"pk": "PURCHASE#0", "sk": "PURCHASE"})
    tables.put({"pk": "SOMETHING#0", "sk": "ELSE"})
    tables.put({**tables.of("REFUND"), "amount": 1})
    found = findings_of(audit_of(tables))
    for name in ("ACCOUNT#0", "PURCHASE#0", "SOMETHING#0", "REFUND#00000001"):
        assert any(name in finding for finding in found)


def test_the_terms_of_a_code_are_checked_however_many_customers_have_used_it() -> None:
    tables = StoredItems()
    tables.put(
        {"pk": "PROMO#TEN", "sk": "PROMO", "code": "TEN", "version": 1, "redemptions": 9},
        {"pk": "PROMO#TEN", "sk": "CUSTOMER#1", "redemptions": 1},
        {"pk": "PROMO#TEN", "sk": "CUSTOMER#2", "redemptions": 1},
        {"pk": "PROMO#TEN", "sk": "VERSION#0000000000000001", "version": 1, "terms": {}},
    )
    audit = audit_of(tables)
    audit.longest = 1
    findings = [finding for finding in findings_of(audit) if "PROMO#TEN PROMO" in finding]
    assert len(findings) == 1
    assert "as its version 1 says" in findings[0]


def test_what_the_journal_knows_and_the_tables_do_not_is_found() -> None:
    tables = StoredItems()
    audit = audit_of(tables)
    audit.journal.append(str(CUSTOMER), list(tables.account(str(CUSTOMER)))[-1:])
    noted: Item = {**tables.of("PURCHASE"), "carrier": {"kind": "shipped", "at": "2026"}}
    audit.journal.append_answers(noted)
    assert len(findings_of(audit)) == 1
    tables.items.clear()
    assert len(findings_of(audit)) == 2


def test_what_was_noted_a_moment_ago_may_not_be_in_the_journal_yet() -> None:
    tables = StoredItems()
    at = "2026-11-27T12:00:05.000000Z"
    tables.put({**tables.of("PURCHASE"), "carrier": {"kind": "shipped", "at": at}})
    audit = audit_of(tables)
    assert len(findings_of(audit)) == 1
    audit.now = lambda: NOON + timedelta(minutes=1)
    assert findings_of(audit) == []


def test_an_audit_goes_on_after_any_item() -> None:
    audit = audit_of(StoredItems())
    audit.journal.append(str(CUSTOMER), [audit_item(audit)])
    places = [progress.place for progress in audit()]
    assert [place.step for place in places if place] == [
        *[Step.LEDGER] * 6,
        *[Step.PURCHASES] * 3,
        Step.ACCOUNTS,
    ]
    for number, place in enumerate(places[:-1], start=1):
        assert [progress.place for progress in audit(place)] == places[number:]


def audit_item(audit: Audit) -> Item:
    version = audit.tables.version(str(CUSTOMER), 4)
    assert version is not None
    return version


def test_a_round_is_finished_in_runs_and_begins_again_after_a_week() -> None:
    tables = StoredItems()
    tables.put({**tables.of("REFUND"), "amount": 1})
    audit = audit_of(tables)
    now = [datetime(2026, 11, 27, tzinfo=UTC)]

    def run() -> tuple[int, float]:
        now[0] += timedelta(minutes=1)
        report = AuditRun(audit, lambda: True, lambda: now[0])()
        return report.checked, report.round_seconds

    runs = [run() for _ in range(10)]
    # One item each. The first begins the round, the last one ends it.
    assert runs == [*((1, 60.0 * number) for number in range(9)), (0, 0)]
    mark = audit.journal.last_mark()
    assert mark is not None
    assert (mark["items"], mark["place"]) == (9, {})
    assert mark["findings"]
    assert run() == (0, 0)
    now[0] += timedelta(days=7)
    assert run() == (1, 0)
