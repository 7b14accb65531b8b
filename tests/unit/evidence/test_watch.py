"""The watcher, on records that no stream of a sound ledger brings."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final, cast

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from evidence.items import UnreadableItemError
from evidence.watch import Watch
from tests.unit.evidence.stored import StoredItems, kept_journal, refused
from tests.unit.evidence.vectors import CUSTOMER, account
from till.adapters.dynamodb.client import serialize

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evidence.findings import Finding
    from evidence.items import Item, Plain
    from evidence.journal import Journal
    from evidence.tables import Tables


BROKEN = 2
"""A version that cannot be read."""


@dataclass
class StoredAccount:
    """The tables as the account of the vectors leaves them, but for one broken version."""

    ledger: str = "ledger"

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


def record(
    version: object, name: str = "INSERT", *, table: str = "ledger", before: Item | None = None
) -> dict[str, object]:
    image = serialize(cast("dict[str, object]", version))
    keys = {"pk": image["pk"], "sk": image["sk"]}
    content: dict[str, object] = {"Keys": keys, "NewImage": image}
    if before is not None:
        content["OldImage"] = serialize(before)
    stream = f"arn:aws:dynamodb:eu-west-1:000000000000:table/{table}/stream/2026-11-27"
    return {"eventName": name, "eventSourceARN": stream, "dynamodb": content}


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


# One item stops no other

ACCOUNT: Final = f"ACCOUNT#{CUSTOMER}"
SAID: Final[dict[str, Plain]] = {
    "kind": "shipped",
    "detail": "shp_9",
    "at": "2026-11-27T12:00:05.000000Z",
}
LONG: Final = {"pk": "X#" + "y" * 1_500, "sk": "Z"}


def sound(number: int) -> Item:
    return cast("Item", list(account())[number - 1]["version"])


def told_of(
    records: Sequence[object], *, tables: Tables | None = None, objects: dict[str, bytes]
) -> list[str]:
    """What is told of records, and the objects of the journal."""
    told: list[Finding] = []
    journal = kept_journal(objects)
    Watch(tables or StoredItems(), journal, lambda _: None, told.append)(records)
    return [str(finding) for finding in told]


def names_in(objects: dict[str, bytes], prefix: str) -> list[str]:
    return [name for name in objects if name.startswith(prefix)]


@pytest.mark.parametrize(
    "forged",
    [
        LONG,
        {"pk": "PURCHASE#../../..", "sk": "PURCHASE"},
        {"pk": "PURCHASE#\u00e9\n", "sk": "PURCHASE", "customer_id": "c" * 2_000},
    ],
)
def test_an_item_whose_name_is_no_name_of_an_object_is_told_and_kept(forged: Item) -> None:
    objects: dict[str, bytes] = {}
    told = told_of([record(forged, table="purchases"), record(sound(1))], objects=objects)
    assert told
    assert len(names_in(objects, "findings/")) == len(told)
    assert all(name.isascii() and "/.." not in name for name in objects)
    assert len(names_in(objects, "accounts/")) == 1


def test_a_hash_that_is_too_long_for_a_name_is_told_and_kept() -> None:
    objects: dict[str, bytes] = {}
    assert told_of([record({**sound(1), "hash": "h" * 1_500})], objects=objects)
    assert len(names_in(objects, f"accounts/{CUSTOMER}/")) == 1
    assert names_in(objects, f"findings/{ACCOUNT}/")


def test_a_finding_of_a_well_formed_item_is_kept_under_its_name() -> None:
    objects: dict[str, bytes] = {}
    told_of([record(sound(1), "REMOVE")], objects=objects)
    (name,) = objects
    assert name.startswith(f"findings/{ACCOUNT}/")


@dataclass
class BrokenJournal(KeptJournal):
    """Takes no findings, and no versions."""

    error: Exception = field(default_factory=lambda: refused("SlowDown"))

    def append(self, _customer_id: str, _versions: Sequence[Item]) -> None:
        raise self.error

    def report(self, _finding: Finding) -> None:
        raise self.error


def test_what_is_found_is_told_though_the_journal_fails() -> None:
    told: list[Finding] = []
    watch = Watch(
        cast("Tables", StoredAccount()),
        cast("Journal", BrokenJournal()),
        lambda _: None,
        told.append,
    )
    with pytest.raises(ClientError):
        watch([record(sound(1), "REMOVE")])
    assert [finding.fault for finding in told] == ["it was removed"]


def test_what_cannot_be_journalled_is_told_and_the_others_are() -> None:
    told: list[Finding] = []
    journal = BrokenJournal(error=refused("KeyTooLongError"))
    watch = Watch(
        cast("Tables", StoredAccount()), cast("Journal", journal), lambda _: None, told.append
    )
    watch([record(sound(1))])
    assert [finding.fault for finding in told] == [
        "it is not in the journal: it cannot be read (ClientError)"
    ]


@dataclass(frozen=True)
class FailingItems(StoredItems):
    """Tables that answer with an error to each read of a version."""

    error: Exception = field(default_factory=lambda: refused("ValidationException"))

    def version(self, _customer_id: str, _number: int) -> Item | None:
        raise self.error


def test_an_item_that_cannot_be_read_by_its_key_is_a_finding() -> None:
    told = told_of(
        [record(sound(2)), record(LONG, table="purchases")], tables=FailingItems(), objects={}
    )
    assert told[0] == f"{ACCOUNT} version 2: it cannot be read (ClientError)"
    assert any("X#" in finding for finding in told)


@pytest.mark.parametrize(
    "error",
    [
        refused("ThrottlingException"),
        refused("AccessDeniedException"),
        refused("InternalServerError"),
        EndpointConnectionError(endpoint_url="https://dynamodb"),
    ],
)
def test_an_outage_fails_the_run_and_what_was_found_before_is_told(error: Exception) -> None:
    told: list[Finding] = []
    watch = Watch(FailingItems(error=error), kept_journal(), lambda _: None, told.append)
    with pytest.raises(type(error)):
        watch([record(sound(1), "REMOVE"), record(sound(2))])
    assert [finding.fault for finding in told] == ["it was removed"]


# The ledger's stream


@pytest.mark.parametrize(
    "forge",
    [
        partial(record, sound(4), table="purchases"),
        partial(record, {**sound(4), "version": 10**17, "sk": "VERSION#z"}, table="purchases"),
        partial(record, {**sound(4), "version": 10**17, "sk": "VERSION#z"}),
        partial(record, {**sound(4), "version": 10**16, "sk": f"VERSION#{10**16}"}),
        partial(record, {**sound(4), "version": 0, "sk": "VERSION#0000000000000000"}),
        partial(record, {**sound(4), "version": -1, "sk": "VERSION#-000000000000001"}),
        partial(record, {**sound(4), "version": 5}),
        partial(record, {**sound(4), "pk": "ACCOUNT#"}),
        partial(record, {**sound(4), "pk": "ACCOUNT#../x"}),
        partial(record, {**sound(4), "pk": ACCOUNT.upper()}),
        partial(record, {**sound(4), "pk": str(CUSTOMER)}),
        partial(record, {**sound(4), "sk": "SOMETHING"}),
        partial(record, {"pk": "PURCHASE#1", "sk": "PURCHASE"}),
    ],
)
def test_what_is_no_version_of_the_ledger_is_a_finding_and_no_object_of_an_account(
    forge: partial[dict[str, object]],
) -> None:
    objects: dict[str, bytes] = {}
    assert told_of([forge()], objects=objects)
    assert names_in(objects, "findings/")
    assert names_in(objects, "accounts/") == []


def test_a_sound_request_is_no_finding_and_a_forged_one_is() -> None:
    tables = StoredItems()
    request = tables.of("REQUEST#grant_credit")
    assert told_of([record(request)], tables=tables, objects={}) == []
    for forged in (
        {**request, "sk": "REQUEST#grant_credit#forged", "idempotency_key": "forged"},
        {**request, "version": 9},
        {"pk": ACCOUNT, "sk": "REQUEST#grant_credit#x"},
    ):
        assert told_of([record(forged)], tables=tables, objects={})


# The noted answer


def test_a_changed_answer_is_told_and_not_journalled() -> None:
    tables = StoredItems()
    bought = tables.of("PURCHASE")
    voided: Item = {**bought, "state": "VOIDED", "state_shard": "", "carrier": SAID, "revision": 4}
    for says in ({**SAID, "kind": "not_shipped"}, {**SAID, "detail": "shp_eve"}):
        objects: dict[str, bytes] = {}
        forged: Item = {**voided, "carrier": says, "revision": 5}
        event = record(forged, "MODIFY", table="purchases", before=voided)
        told = told_of([event], tables=tables, objects=objects)
        assert any("what the carrier said has changed" in finding for finding in told)
        assert names_in(objects, "attempts/") == []


def test_a_noted_shipment_is_given_up_only_for_another_purchase_that_has_it() -> None:
    tables = StoredItems()
    unknown: Item = {**tables.of("PURCHASE"), "state": "UNKNOWN", "carrier": SAID, "revision": 4}
    after = {**unknown, "carrier": {**SAID, "kind": "unknown"}, "revision": 5}
    event = record(after, "MODIFY", table="purchases", before=unknown)
    fault = "the shipment that the carrier named is no other purchase's"
    assert any(fault in each for each in told_of([event], tables=tables, objects={}))
    tables.put({"pk": "SHIPMENT#shp_9", "sk": "SHIPMENT", "purchase_id": str(CUSTOMER)})
    assert not any(fault in each for each in told_of([event], tables=tables, objects={}))
