"""Step 5 of the purchase protocol: attempts that nobody is working on any more."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final

from till.domain.ledger import Cause
from till.domain.purchase import (
    AttemptState,
    NotShipped,
    OutcomeUnknown,
    PurchaseAttempt,
    Resolution,
    Shipped,
)
from till.services.contention import until_confirmed
from till.services.settlement import void
from till.services.side_by_side import side_by_side

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from uuid import UUID

    from till.services.policy import ShipmentPolicy
    from till.services.ports import Books, Carrier, Clock, Deadline, Incidents
    from till.services.settlement import SettleShipment

RECOVERY_ACTOR: Final = "system:recovery"

_PAGE: Final = 100


@dataclass(slots=True)
class RecoveryReport:
    """What one run of the recovery did, by attempt id, and what is still open."""

    settled: list[UUID] = field(default_factory=list)
    made_unknown: list[UUID] = field(default_factory=list)
    voided_at_deadline: list[UUID] = field(default_factory=list)
    failed: dict[UUID, Exception] = field(default_factory=dict)
    unknown_count: int = 0
    oldest_unknown_since: datetime | None = None
    finished: bool = True


class RecoverAttempts:
    """Makes dead PENDING attempts UNKNOWN, and voids UNKNOWN ones past their deadline.

    It ships again only where the carrier is configured as idempotent.
    """

    def __init__(
        self,
        *,
        books: Books,
        carrier: Carrier,
        clock: Clock,
        policy: ShipmentPolicy,
        settle: SettleShipment,
        incidents: Incidents,
    ) -> None:
        self._books = books
        self._carrier = carrier
        self._clock = clock
        self._policy = policy
        self._settle = settle
        self._incidents = incidents

    def __call__(self, deadline: Deadline) -> RecoveryReport:
        """One run over all open attempts. What fails is reported and does not stop the rest."""
        report = RecoveryReport()
        for attempt in self._in_state(AttemptState.PENDING, deadline, report):
            if attempt.expires_at <= self._clock.now():
                self._guarded(self._recover_dead, attempt, deadline, report)
        for attempt in self._in_state(AttemptState.UNKNOWN, deadline, report):
            if isinstance(attempt.carrier_outcome, Shipped | NotShipped):
                # Noted by a run that was slower than the recovery that gave it up for dead.
                self._guarded(self._recover_dead, attempt, deadline, report)
            elif attempt.deadline_at is not None and attempt.deadline_at <= self._clock.now():
                self._guarded(self._void_in_favour, attempt, deadline, report)
            else:
                self._count_unknown(attempt, report)
        return report

    def _in_state(
        self, state: AttemptState, deadline: Deadline, report: RecoveryReport
    ) -> Iterator[PurchaseAttempt]:
        before: str | None = None
        while True:
            page = self._books.attempts_by_state(
                (state,), since=None, until=None, before=before, limit=_PAGE
            )
            for attempt in page.attempts:
                if deadline.remaining_seconds() < self._seconds_for_one():
                    report.finished = False
                    return
                yield attempt
            before = page.before
            if before is None:
                return

    def _seconds_for_one(self) -> float:
        carrier = self._policy.shipment_timeout_seconds if self._ships_again else 0.0
        return carrier + self._policy.settle_seconds

    @property
    def _ships_again(self) -> bool:
        return self._policy.shipments_idempotent

    def _guarded(
        self,
        recover: Callable[[PurchaseAttempt, Deadline, RecoveryReport], None],
        attempt: PurchaseAttempt,
        deadline: Deadline,
        report: RecoveryReport,
    ) -> None:
        try:
            recover(attempt, deadline, report)
        except Exception as error:  # noqa: BLE001 - one bad attempt must not stop the others
            report.failed[attempt.id] = error

    def _recover_dead(
        self, attempt: PurchaseAttempt, deadline: Deadline, report: RecoveryReport
    ) -> None:
        outcome = attempt.carrier_outcome
        if outcome is None and self._ships_again:
            outcome = self._carrier.create_shipment(
                attempt.order,
                attempt_id=attempt.id,
                timeout_seconds=self._policy.shipment_timeout_seconds,
            )
            if isinstance(outcome, NotShipped):
                # This call made nothing. What the dead run's own made, it does not say.
                outcome = OutcomeUnknown(message=outcome.message)
        if outcome is None:
            outcome = OutcomeUnknown(
                message="the run that was buying ended before it recorded an outcome"
            )
        settled = self._settle(attempt, outcome, deadline)
        if settled.state is AttemptState.UNKNOWN:
            report.made_unknown.append(attempt.id)
        else:
            report.settled.append(attempt.id)

    def _void_in_favour(
        self, attempt: PurchaseAttempt, deadline: Deadline, report: RecoveryReport
    ) -> None:
        def step() -> bool:
            current, account = side_by_side(
                lambda: self._books.attempt(attempt.id),
                lambda: self._books.account(attempt.customer_id),
            )
            if current is None or current.state is not AttemptState.UNKNOWN:
                # A void of ours whose confirmation got lost must be told of all the same.
                return current is not None and current.possible_orphan
            by = Cause(
                actor=RECOVERY_ACTOR,
                at=self._clock.now(),
                reason="No outcome was known by the deadline; voided in the customer's favour",
                idempotency_key=current.idempotency_key,
            )
            settled = void(
                current,
                account,
                by,
                resolution=Resolution(actor=by.actor, reason=by.reason),
                possible_orphan=True,
            )
            self._books.commit(*settled.writes())
            return True

        if until_confirmed(step, deadline):
            report.voided_at_deadline.append(attempt.id)
            self._incidents.possible_orphan(attempt.id)

    def _count_unknown(self, attempt: PurchaseAttempt, report: RecoveryReport) -> None:
        report.unknown_count += 1
        since = attempt.unknown_since
        oldest = report.oldest_unknown_since
        if since is not None and (oldest is None or since < oldest):
            report.oldest_unknown_since = since
