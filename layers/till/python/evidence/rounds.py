"""The scheduled audit: a full round every week, a little in each run.

How far it is stands in the journal, so no one can hide that a round was not finished.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from evidence.audit import BEGINNING, Audit, Place
from evidence.items import integer, text

if TYPE_CHECKING:
    from collections.abc import Callable

    from evidence.findings import Finding
    from evidence.items import Plain

ROUND_EVERY: Final = timedelta(days=7)
"""From the beginning of a round to the beginning of the next one."""


class AuditMetric(StrEnum):
    """What is measured of each run."""

    ITEMS_AUDITED = "ItemsAudited"
    AUDIT_ROUND_SECONDS = "AuditRoundSeconds"
    """How long ago the round in progress began; 0 if none is in progress."""


@dataclass(frozen=True, slots=True)
class RunReport:
    """What one run did."""

    checked: int
    findings: tuple[Finding, ...]
    round_seconds: float


@dataclass(frozen=True, slots=True)
class Round:
    """A round of the audit, so far."""

    began: datetime
    items: int = 0
    findings: int = 0
    place: Place | None = BEGINNING
    """None: it has ended."""

    def stored(self) -> dict[str, Plain]:
        """The round as the journal keeps it."""
        return {
            "began": self.began.isoformat(),
            "items": self.items,
            "findings": self.findings,
            "place": self.place.stored() if self.place else {},
        }

    @classmethod
    def read(cls, stored: dict[str, Plain]) -> Round:
        """The round that ``stored`` made."""
        return cls(
            began=datetime.fromisoformat(text(stored, "began")),
            items=integer(stored, "items"),
            findings=integer(stored, "findings"),
            place=Place.read(stored["place"]),
        )


@dataclass(slots=True)
class AuditRun:
    """One run: it goes on where the last one stopped."""

    audit: Audit
    time_is_up: Callable[[], bool]
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    tell: Callable[[Finding], None] = lambda _: None
    """Tells those who look after the stage of a finding."""

    def __call__(self) -> RunReport:
        """Check items until the time is up, at least one, and write down how far this came.

        Raises:
            Exception: an outage. The next run goes on at the item that could not be checked.
        """
        journal, began = self.audit.journal, self.now()
        mark = journal.last_mark()
        last = Round.read(mark) if mark is not None else None
        if last is None or last.place is None:
            if last is not None and began < last.began + ROUND_EVERY:
                return RunReport(0, (), 0)
            last = Round(began)
        checked, place = 0, last.place
        findings: list[Finding] = []
        try:
            for progress in self.audit(last.place):
                for finding in progress.findings:
                    self.tell(finding)
                    journal.report(finding)
                findings += progress.findings
                place = progress.place
                checked += place is not None
                if self.time_is_up():
                    break
        finally:
            # Also if the run fails: what it has checked counts.
            so_far = Round(last.began, last.items + checked, last.findings + len(findings), place)
            journal.mark(self.now(), so_far.stored())
        age = (self.now() - last.began).total_seconds() if place is not None else 0
        return RunReport(checked, tuple(findings), age)
