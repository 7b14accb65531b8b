"""Verifies what the streams of both tables bring, and writes it to the journal.

The ledger is append-only: its stream may hold nothing but new items. Each new version is checked
against the version before it and against what was written with it. It goes to the journal in any
case: a forged version is evidence, too.

Items of the purchases table may change in a few ways, and none may be removed. An attempt is
checked against the version that it was written with. What is noted on one without a version goes
to the journal by itself.

A finding is told as soon as it is made, before anything is written: one bad item must not hide
another, nor may an outage of the journal.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Final, TypeAlias

from evidence.anchors import faults_of_anchors, faults_of_attempt, faults_of_request
from evidence.chain import faults_of
from evidence.findings import Finding, at_item, fault_of, where_of
from evidence.items import UnreadableItemError, integer, is_id, plain, text
from evidence.purchases import (
    Kind,
    answers_of,
    faults_of_change,
    faults_of_disproof,
    faults_of_terms,
    kind_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from evidence.items import Item
    from evidence.journal import Journal
    from evidence.tables import Tables

    Check: TypeAlias = Callable[[], Iterator[Finding]]

_PAUSES_SECONDS: Final = (0.0, 0.2, 0.5, 1.0)
"""Before the readings of what looks wrong.

The items of one transaction may become visible one by one.
"""
_VERSIONS_END: Final = 10**16
"""A version's number has at most 16 digits."""


class WatchMetric(StrEnum):
    """What is measured of each batch."""

    VERSIONS_VERIFIED = "VersionsVerified"
    TAMPERING_FOUND = "TamperingFound"


@dataclass(frozen=True, slots=True)
class WatchReport:
    """What one run did."""

    verified: int
    findings: tuple[Finding, ...]


@dataclass(slots=True)
class Watch:
    """One batch of the stream's records."""

    tables: Tables
    journal: Journal
    pause: Callable[[float], None] = time.sleep
    tell: Callable[[Finding], None] = lambda _: None
    """Tells those who look after the stage of a finding."""
    _seen: dict[str, list[Item]] = field(default_factory=lambda: defaultdict(list))
    """By partition, the versions of this batch, in their order."""
    _noted: list[Item] = field(default_factory=list)
    """The attempts on which something was noted, in their order."""
    _checks: list[Check] = field(default_factory=list)
    """What is read from the tables once the batch is known."""
    _findings: list[Finding] = field(default_factory=list)
    """What was told."""

    def __call__(self, records: Iterable[object]) -> WatchReport:
        """Verify records in their order, and write down what is to be kept and what was found.

        Raises:
            Exception: an outage. What was found until then was told.
        """
        for record in records:
            self._found(self._record(record))
        self._found(self._of_tables())
        for finding in self._findings.copy():
            self._keep(finding.where, partial(self.journal.report, finding))
        for pk, versions in self._seen.items():
            customer_id = pk.removeprefix("ACCOUNT#")
            self._keep(pk, partial(self.journal.append, customer_id, versions))
        for attempt in self._noted:
            self._keep(where_of(attempt), partial(self.journal.append_answers, attempt))
        return WatchReport(sum(map(len, self._seen.values())), tuple(self._findings))

    def _found(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            self.tell(finding)
            self._findings.append(finding)

    def _keep(self, where: str, write: Callable[[], None]) -> None:
        try:
            write()
        except Exception as error:  # noqa: BLE001 - what is no item's fault is raised again
            self._found([Finding(where, f"it is not in the journal: {fault_of(error)}")])

    def _record(self, record: object) -> Iterator[Finding]:
        where = "a record of a stream"
        try:
            of_ledger, event, keys, old, new = self._read(record)
            where = where_of(keys)
            before = plain(old) if old is not None else None
            if event == "REMOVE":
                yield Finding(where_of({**keys, **(before or {})}), "it was removed")
            elif of_ledger:
                yield from self._of_ledger(event, plain(new))
            else:
                yield from self._of_purchases(before, plain(new))
        except Exception as error:  # noqa: BLE001 - what is no item's fault is raised again
            yield Finding(where, fault_of(error))

    def _read(self, record: object) -> tuple[bool, object, Item, object, object]:
        """Whether it is the ledger's, its kind, the item's key, and the item before and after."""
        if isinstance(record, Mapping) and isinstance(content := record.get("dynamodb"), Mapping):
            # By the stream: anything can be put into the other table, under any key.
            stream = str(record.get("eventSourceARN"))
            of_ledger = f":table/{self.tables.ledger}/stream/" in stream
            old, new = content.get("OldImage"), content.get("NewImage")
            return of_ledger, record.get("eventName"), plain(content.get("Keys")), old, new
        raise UnreadableItemError("it is not a record of a stream")

    def _of_ledger(self, event: object, item: Item) -> Iterator[Finding]:
        if event != "INSERT":
            yield Finding(where_of(item), "an item of the ledger was changed")
        elif not _is_of_account(item):
            yield Finding(where_of(item), "Till writes no such item")
        elif text(item, "sk").startswith("REQUEST#"):
            self._checks.append(_check(item, faults_of_request, self.tables))
        else:
            text(item, "hash")
            yield from at_item(item, self._chain(item))
            self._seen[text(item, "pk")].append(item)
            self._checks.append(_check(item, faults_of_anchors, self.tables))

    def _chain(self, version: Item) -> Iterator[str]:
        yield from faults_of(version, self._before(version))

    def _of_purchases(self, before: Item | None, item: Item) -> Iterator[Finding]:
        findings = list(at_item(item, faults_of_change(before, item)))
        yield from findings
        match kind_of(item):
            case Kind.ATTEMPT:
                self._checks.append(_check(item, faults_of_attempt, self.tables))
                disproof = partial(faults_of_disproof, before=before)
                self._checks.append(_check(item, disproof, self.tables))
                # What Till did not note must not look as if it had been.
                if not findings and answers_of(item) != answers_of(before or {}):
                    self._noted.append(item)
            case Kind.PROMO:
                self._checks.append(_check(item, faults_of_terms, self.tables))
            case _:
                pass

    def _of_tables(self) -> list[Finding]:
        suspects = self._checks
        findings: list[Finding] = []
        for seconds in _PAUSES_SECONDS:
            self.pause(seconds)
            found = [(check, list(check())) for check in suspects]
            suspects = [check for check, of_check in found if of_check]
            findings = [finding for _, of_check in found for finding in of_check]
            if not findings:
                break
        return findings

    def _before(self, version: Item) -> Item | None:
        pk, number = text(version, "pk"), integer(version, "version") - 1
        for seen in reversed(self._seen.get(pk, [])):
            if seen["version"] == number:
                return seen
        return self.tables.version(pk.removeprefix("ACCOUNT#"), number) if number else None


def _check(item: Item, faults: Callable[[Tables, Item], Iterator[str]], tables: Tables) -> Check:
    return lambda: at_item(item, faults(tables, item))


def _is_of_account(item: Item) -> bool:
    """Whether an item of the ledger has the key of a request, or that of its own version."""
    owner, _, customer_id = text(item, "pk").partition("#")
    sk, number = text(item, "sk"), integer(item, "version")
    is_version = 0 < number < _VERSIONS_END and sk == f"VERSION#{number:016d}"
    return owner == "ACCOUNT" and is_id(customer_id) and (is_version or sk.startswith("REQUEST#"))
