"""The audit: every item of both tables, and everything that the journal knows of.

Each item is checked by itself, so an audit can stop after any of them and go on there later.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

from evidence.anchors import faults_of_anchors, faults_of_request
from evidence.chain import faults_of
from evidence.findings import Finding, at, at_item, fault_of, is_version, where_of
from evidence.items import Item, UnreadableItemError, integer, plain, text
from evidence.purchases import (
    answers_of,
    faults_of_answers,
    faults_of_disproof,
    faults_of_item,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from evidence.items import Plain
    from evidence.journal import Journal
    from evidence.tables import Tables

    Check: TypeAlias = Callable[[], Iterator[Finding]]

_PAUSES_SECONDS: Final = (0.3, 1.0)
"""Between the readings of what looks wrong.

The tables are in use meanwhile: a finding counts if it is there each time of three.
"""
_JOURNALLED_WITHIN: Final = timedelta(hours=1)
"""How late the watcher may be with what was noted on an attempt."""


class Names(Protocol):
    """Names in the journal, in their order; none: there are no more."""

    def __call__(self, *, after: str) -> list[str]:
        """The next ones."""


class Step(StrEnum):
    """What an audit goes through, in this order."""

    LEDGER = "ledger"
    PURCHASES = "purchases"
    ACCOUNTS = "accounts"
    """The accounts that the journal knows."""
    ATTEMPTS = "attempts"
    """The attempts that the journal knows."""


@dataclass(frozen=True, slots=True)
class Place:
    """How far an audit has come."""

    step: Step
    after: Item | None = None
    """The key of the item that was checked last; None: it begins."""

    def stored(self) -> dict[str, Plain]:
        """The place as the journal keeps it."""
        return {"step": self.step.value, "after": dict(self.after or {})}

    @classmethod
    def read(cls, stored: Plain) -> Place | None:
        """The place that ``stored`` made; None: the audit has ended."""
        if not isinstance(stored, dict) or not stored:
            return None
        after = stored["after"]
        return cls(Step(text(stored, "step")), after if isinstance(after, dict) and after else None)


BEGINNING: Final = Place(Step.LEDGER)


@dataclass(frozen=True, slots=True)
class Progress:
    """One more item was checked."""

    place: Place | None
    """Where to go on; None: this was the last one."""
    findings: tuple[Finding, ...]


@dataclass(slots=True)
class Audit:
    """Checks items one after the other."""

    tables: Tables
    journal: Journal
    longest: int | None = None
    """Redemptions are not counted if more items are to be read for it."""
    pause: Callable[[float], None] = time.sleep
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))

    def __call__(self, place: Place | None = BEGINNING) -> Iterator[Progress]:
        """Go on from a place, item by item, to the end."""
        while place is not None:
            checked, following = self._page(place)
            for after, look in checked:
                yield Progress(Place(place.step, after), self._lasting(look))
            place = following
        yield Progress(None, ())

    def account(self, customer_id: str) -> list[Finding]:
        """What is wrong with one account, and with the attempts that its versions name."""
        items = list(self.tables.account(customer_id))
        named = dict.fromkeys(str(item["attempt_id"]) for item in items if "attempt_id" in item)
        attempts = (self.tables.attempt(attempt_id)[0] for attempt_id in named)
        checks = [
            *(partial(self._of_ledger, item) for item in items),
            *(partial(self._of_purchases, attempt) for attempt in attempts if attempt is not None),
            partial(self._of_journalled_account, customer_id),
        ]
        return [finding for check in checks for finding in self._lasting(check)]

    def _page(self, place: Place) -> tuple[Iterable[tuple[Item, Check]], Place | None]:
        match place.step:
            case Step.LEDGER:
                sent, last = self.tables.ledger_page(place.after)
                return _each(sent, self._of_ledger), _following(place, last)
            case Step.PURCHASES:
                sent, last = self.tables.purchases_page(place.after)
                return _each(sent, self._of_purchases), _following(place, last)
            case Step.ACCOUNTS:
                return _named(place, self.journal.customers, self._of_journalled_account)
            case Step.ATTEMPTS:
                return _named(place, self.journal.attempts, self._of_journalled_attempt)

    def _of_ledger(self, item: Item) -> Iterator[Finding]:
        return at_item(item, self._faults_of_ledger(item))

    def _faults_of_ledger(self, item: Item) -> Iterator[str]:
        customer_id = text(item, "pk").removeprefix("ACCOUNT#")
        number = integer(item, "version")
        if is_version(item):
            before = self.tables.version(customer_id, number - 1) if number > 1 else None
            if number > 1 and before is None:
                yield "the version before it is gone"
                return
            yield from faults_of(item, before)
            yield from faults_of_anchors(self.tables, item)
            return
        yield from faults_of_request(self.tables, item)

    def _of_purchases(self, item: Item) -> Iterator[Finding]:
        faults = faults_of_item(self.tables, item, longest=self.longest)
        yield from at_item(item, faults)
        if answers_of(item):
            yield from self._of_journalled_attempt(text(item, "pk").removeprefix("PURCHASE#"))

    def _of_journalled_account(self, customer_id: str) -> Iterator[Finding]:
        return at(f"ACCOUNT#{customer_id}", self._faults_of_journalled_account(customer_id))

    def _faults_of_journalled_account(self, customer_id: str) -> Iterator[str]:
        journalled, others = self.journal.versions(customer_id)
        yield from map(_no_name_of_till, others)
        if journalled is None:
            return
        version = self.tables.version(customer_id, journalled.version)
        if version is None:
            yield f"the journal has a version {journalled.version}, which is gone"
        elif version.get("hash") != journalled.hash:
            yield f"the journal has another version {journalled.version}"

    def _of_journalled_attempt(self, attempt_id: str) -> Iterator[Finding]:
        where = f"PURCHASE#{attempt_id}"
        try:
            attempt, _ = self.tables.attempt(attempt_id)
        except Exception as error:  # noqa: BLE001 - what is no item's fault is raised again
            yield Finding(where, fault_of(error))
            return
        if attempt is None:
            yield Finding(where, "the journal knows it, and it is gone")
            return
        yield from at_item(attempt, self._faults_of_answers(attempt, attempt_id))

    def _faults_of_answers(self, attempt: Item, attempt_id: str) -> Iterator[str]:
        journalled, others = self.journal.answers(attempt_id)
        yield from map(_no_name_of_till, others)
        for after, before in pairwise(journalled):
            yield from faults_of_answers(before, after)
            yield from faults_of_disproof(self.tables, after, before=before)
        answers = answers_of(attempt)
        if journalled and answers_of(journalled[0]) == answers:
            return
        noted_at = max(_times_in(answers), default="")
        now = self.now()
        # The watcher may not have come to it yet.
        if not (now - _JOURNALLED_WITHIN).isoformat() < noted_at < now.isoformat():
            yield "what the carrier said, or its orphan shipment, is not as the journal has it"

    def _lasting(self, look: Check) -> tuple[Finding, ...]:
        found = set(look())
        for seconds in _PAUSES_SECONDS:
            if not found:
                break
            self.pause(seconds)
            found &= set(look())
        return tuple(sorted(found))


def _each(
    sent: Iterable[object], check: Callable[[Item], Iterator[Finding]]
) -> Iterator[tuple[Item, Check]]:
    """A check of each item as DynamoDB sends it, with the item's key."""
    for each in sent:
        key = _key_of(each)
        try:
            yield key, partial(check, plain(each))
        except UnreadableItemError as error:
            yield key, partial(iter, [Finding(where_of(key), str(error))])


def _named(
    place: Place, names: Names, check: Callable[[str], Iterator[Finding]]
) -> tuple[Iterable[tuple[Item, Check]], Place | None]:
    """A check of each name after a place, with a key to go on from."""
    found = names(after=str((place.after or {}).get("id", "")))
    keys: list[Item] = [{"id": name} for name in found]
    checks = [partial(check, name) for name in found]
    return zip(keys, checks, strict=True), _following(place, keys[-1] if keys else None)


def _no_name_of_till(name: str) -> str:
    return f"the journal has {name}, which Till has not written"


def _key_of(sent: object) -> Item:
    item = sent if isinstance(sent, Mapping) else {}
    return plain({name: item.get(name) for name in ("pk", "sk")})


def _following(place: Place, last: Item | None) -> Place | None:
    if last is not None:
        return Place(place.step, last)
    later = list(Step)[list(Step).index(place.step) + 1 :]
    return Place(later[0]) if later else None


def _times_in(answers: object) -> Iterator[str]:
    if isinstance(answers, Mapping):
        for name, value in answers.items():
            if name in {"at", "since"}:
                yield str(value)
            yield from _times_in(value)
