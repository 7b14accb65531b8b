"""The watcher, on records that no stream of a sound ledger brings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from evidence.items import UnreadableItemError
from evidence.watch import Watch
from tests.unit.evidence.vectors import account
from till.adapters.dynamodb.client import serialize

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evidence.findings import Finding
    from evidence.items import Item
    from evidence.journal import Journal
    from evidence.tables import Tables


BROKEN = 2
"""A version that cannot be read."""


@dataclass
class StoredAccount:
    """The tables as the account of the vectors leaves them, but for one broken version."""

    def version(self, _customer_id: str, number: int) -> Item | None:
        if number == BROKEN:
            raise UnreadableItemError("it has a value that Till does not store")
        return cast("Item", list(account())[number - 1]["version"])

    def request(self, _customer_id: str, operation: str, key: str) -> Item | None:
        return self._written(f"REQUEST#{operation}#{key}")

    def claim(self, _shipment_id: str) -> Item | None:
        return self._written("SHIPMENT")

    def attempt(self, _attempt_id: str) -> tuple[Item | None, list[Item]]:
        *_, last = account()
        return cast("Item", last["attempt"]), [cast("Item", self._written("REFUND#00000001"))]

    def _written(self, sort_key: str) -> Item | None:
        items = [item for each in account() for item in cast("list[Item]", each["items"])]
        return next((item for item in items if item["sk"] == sort_key), None)


@dataclass
class KeptJournal:
    versions: list[Item] = field(default_factory=list)
    noted: list[Item] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def append(self, _customer_id: str, versions: Sequence[Item]) -> None:
        self.versions += versions

    def append_answers(self, attempt: Item) -> None:
        self.noted.append(attempt)

    def report(self, finding: Finding) -> None:
        self.findings.append(finding)


def record(version: object, name: str = "INSERT") -> dict[str, object]:
    image = serialize(cast("dict[str, object]", version))
    keys = {"pk": image["pk"], "sk": image["sk"]}
    return {"eventName": name, "dynamodb": {"Keys": keys, "NewImage": image}}


def watched(*records: object) -> KeptJournal:
    journal, pauses = KeptJournal(), list[float]()
    tables = cast("Tables", StoredAccount())
    Watch(tables, cast("Journal", journal), pauses.append)(records)
    assert sum(pauses) < 5
    return journal


def test_a_sound_account_is_journalled_without_a_finding() -> None:
    journal = watched(*(record(each["version"]) for each in account()))
    assert [version["version"] for version in journal.versions] == [1, 2, 3, 4]
    assert journal.findings == []


def test_a_broken_version_before_stops_nothing() -> None:
    _, _, third, fourth = account()
    journal = watched(record(third["version"]), record(fourth["version"]))
    assert [version["version"] for version in journal.versions] == [3, 4]
    assert [finding.where.split()[-1] for finding in journal.findings] == ["3"]


def test_a_broken_record_is_a_finding_and_the_others_go_on() -> None:
    first, second, *_ = account()
    broken = record(second["version"])
    cast("dict[str, dict[str, object]]", broken["dynamodb"])["NewImage"]["hash"] = {"B": b"?"}
    journal = watched(broken, record(first["version"]))
    assert [version["version"] for version in journal.versions] == [1]
    assert len(journal.findings) == 1


def test_a_change_and_a_removal_are_findings() -> None:
    first, *_ = account()
    journal = watched(record(first["version"], "MODIFY"), record(first["version"], "REMOVE"))
    assert [finding.fault.split()[-1] for finding in journal.findings] == ["changed", "removed"]
