"""The audit, item by item, and its rounds."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from evidence.audit import Audit, Step
from evidence.items import UnreadableItemError
from evidence.rounds import AuditRun
from tests.unit.evidence.stored import StoredItems, kept_journal, refused
from tests.unit.evidence.vectors import CUSTOMER, NOON

if TYPE_CHECKING:
    from evidence.findings import Finding
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


# One item stops neither the others nor every later run


@dataclass(frozen=True)
class FailingItems(StoredItems):
    """Tables that answer with an error when the newest version is read, or any attempt."""

    error: Exception = field(default_factory=lambda: UnreadableItemError("it cannot be read"))

    def version(self, customer_id: str, number: int) -> Item | None:
        if number == 4:
            raise self.error
        return super().version(customer_id, number)

    def attempt(self, _attempt_id: str) -> tuple[Item | None, list[Item]]:
        raise self.error


@pytest.mark.parametrize(
    "error", [UnreadableItemError("it cannot be read"), refused("ValidationException")]
)
def test_what_the_journal_knows_and_no_one_can_read_is_found(error: Exception) -> None:
    tables = FailingItems(error=error)
    audit = audit_of(tables)
    audit.journal.append(str(CUSTOMER), [tables.of("VERSION#0000000000000004")])
    audit.journal.append_answers({**tables.of("PURCHASE"), "carrier": {"kind": "shipped"}})
    found = findings_of(audit)
    attempt = tables.of("PURCHASE")["pk"]
    assert any(finding.startswith(f"ACCOUNT#{CUSTOMER}: it cannot be read") for finding in found)
    assert any(finding.startswith(f"{attempt}: it cannot be read") for finding in found)


def test_an_object_of_the_journal_that_till_has_not_written_is_told_and_skipped() -> None:
    tables = StoredItems()
    account, attempt = f"accounts/{CUSTOMER}/", "attempts/00000000-0000-0000-0000-000000000001/"
    strangers = (
        f"{account}-90000000000000001-100000000000000000-x.jsonl",
        f"{account}0000000000000001-1-x.jsonl",
        f"{account}10000000000000004--5-{'h' * 43}.jsonl",
        f"{attempt}?.json",
        "accounts/x/y.jsonl",
    )
    objects = dict.fromkeys(strangers, b"")
    tables.put({**tables.of("PURCHASE"), "pk": attempt[:-1].replace("attempts/", "PURCHASE#")})
    audit = Audit(tables, kept_journal(objects), pause=lambda _: None, now=lambda: LATER)
    audit.journal.append(str(CUSTOMER), [tables.of("VERSION#0000000000000003")])
    newest = audit.journal.newest(str(CUSTOMER))
    assert newest is not None
    assert newest.version == 3
    found = findings_of(audit)
    for name in strangers:
        short = name.split("/")[-1]
        assert any(f"the journal has {short}" in finding for finding in found), name


def test_a_run_that_fails_keeps_its_progress_and_has_told_what_it_found() -> None:
    tables = FailingItems(error=refused("ThrottlingException"))
    # It is checked before the request that needs the newest version.
    tables.put({**tables.of("REQUEST#grant_credit"), "version": 2})
    audit = audit_of(tables)
    told: list[Finding] = []
    run = AuditRun(audit, lambda: False, tell=told.append)
    with pytest.raises(ClientError):
        run()
    assert told
    mark = audit.journal.last_mark()
    assert mark is not None
    assert mark["items"]
    # It goes on there when the outage is over.
    healthy = AuditRun(Audit(StoredItems(), audit.journal, now=lambda: LATER), lambda: False)()
    assert healthy.checked == 9 - int(str(mark["items"]))


def test_the_audit_compares_every_answer_that_is_in_the_journal() -> None:
    """The watcher may have taken a forged answer for a genuine one."""
    tables = StoredItems()
    said: dict[str, Plain] = {"kind": "shipped", "detail": "s", "at": "2026-11-27T12:00:05.000000Z"}
    attempt: Item = {**tables.of("PURCHASE"), "state": "VOIDED", "carrier": said}
    forged: Item = {**attempt, "carrier": {**said, "kind": "not_shipped"}, "revision": 5}
    tables.put(forged)
    audit = audit_of(tables)
    audit.journal.append_answers({**attempt, "revision": 4})
    audit.journal.append_answers(forged)
    assert any("what the carrier said has changed" in each for each in findings_of(audit))
