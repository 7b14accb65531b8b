"""Step 5 of the purchase protocol: attempts whose run has ended without settling them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final

from till.domain.actor import Actor
from till.domain.ledger import Cause
from till.domain.purchase import (
    AttemptState,
    NotShipped,
    OrphanStatus,
    OutcomeUnknown,
    PurchaseAttempt,
    Resolution,
    Shipped,
)
from till.services.ports.attempts import UpdateAttempt
from till.services.ports.store_errors import BusyError, ReadAgainError
from till.services.shared.attempts import existing_attempt
from till.services.shared.contention import until_confirmed
from till.services.shared.deadline import at_most, keeping
from till.services.shared.in_parallel import in_parallel
from till.services.shared.settlement import void

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from uuid import UUID

    from till.services.ports.attempts import WorkPage
    from till.services.ports.run import Clock, Deadline
    from till.services.ports.store import Store
    from till.services.ports.upstream import Carrier
    from till.services.shared.policy import ShipmentPolicy
    from till.services.shared.settlement import SettleShipment

RECOVERY_ACTOR: Final = Actor("system:recovery")

_PAGE: Final = 100
_COUNTED_AT_ONCE: Final = 1_000
_COUNT_SECONDS: Final = 2.0
_ATTEMPT_SECONDS: Final = 4.0
_ATTEMPT_TRIES: Final = 3
"""What one attempt may take of a run, so that one that cannot be settled never stops the others."""
_UNKNOWN_SECONDS: Final = 8.0
"""What is kept of a run for the attempts that are UNKNOWN."""


@dataclass(slots=True)
class WorkList:
    """How many attempts wait in a state, and since when the first of them does."""

    count: int = 0
    oldest_since: datetime | None = None

    def add(self, page: WorkPage) -> None:
        """Count a page; pages come oldest first."""
        self.count += page.count
        self.oldest_since = self.oldest_since or page.oldest

    def oldest_seconds(self, now: datetime) -> float:
        """How long the first one has been waiting; 0 if none is."""
        return (now - self.oldest_since).total_seconds() if self.oldest_since else 0.0


@dataclass(slots=True)
class RecoveryReport:
    """What one run of the recovery did, by attempt id, and what is still open."""

    settled: list[UUID] = field(default_factory=list)
    made_unknown: list[UUID] = field(default_factory=list)
    voided_at_deadline: list[UUID] = field(default_factory=list)
    failed: dict[UUID, Exception] = field(default_factory=dict)
    unknown: WorkList = field(default_factory=WorkList)
    orphans: WorkList = field(default_factory=WorkList)
    finished: bool = True


class RecoverAttempts:
    """Makes dead PENDING attempts UNKNOWN, and voids UNKNOWN ones past their deadline.

    It ships again only where the carrier is configured as idempotent. Each attempt has a small
    budget of time and tries of its own; what fails is reported and tried again by the next run.
    """

    def __init__(
        self,
        *,
        store: Store,
        carrier: Carrier,
        clock: Clock,
        policy: ShipmentPolicy,
        settle: SettleShipment,
    ) -> None:
        self._store = store
        self._carrier = carrier
        self._clock = clock
        self._policy = policy
        self._settle = settle

    def __call__(self, deadline: Deadline) -> RecoveryReport:
        """One run over all open attempts, oldest first. It counts the open orphans last."""
        report = RecoveryReport()
        pending = WorkList()
        # However many dead attempts there are, some time is left for those of unknown outcome.
        for_dead = keeping(deadline, _UNKNOWN_SECONDS)
        for attempt in self._listed(AttemptState.PENDING, pending, for_dead, report):
            if attempt.expires_at <= self._clock.now():
                self._guarded(self._recover_dead, attempt, for_dead, report)
        for attempt in self._listed(AttemptState.UNKNOWN, report.unknown, deadline, report):
            if _is_answered(attempt):
                self._guarded(self._recover_dead, attempt, deadline, report)
            elif attempt.deadline_at is not None and attempt.deadline_at <= self._clock.now():
                self._guarded(self._void_in_favour, attempt, deadline, report)
        self._count_orphans(deadline, report)
        return report

    def _count_orphans(self, deadline: Deadline, report: RecoveryReport) -> None:
        """Count what people have to close: last, so that no attempt has to wait for it."""
        store = self._store.within(deadline)
        after: str | None = None
        while True:
            if deadline.remaining_seconds() < _COUNT_SECONDS:
                report.finished = False
                return
            try:
                page = store.count_attempts(OrphanStatus.OPEN, after=after, limit=_COUNTED_AT_ONCE)
            except ReadAgainError:
                report.finished = False
                return
            report.orphans.add(page)
            after = page.after
            if after is None:
                return

    def _listed(
        self,
        listed_as: AttemptState | OrphanStatus,
        work: WorkList,
        deadline: Deadline,
        report: RecoveryReport,
    ) -> Iterator[PurchaseAttempt]:
        store = self._store.within(deadline)
        after: str | None = None
        while True:
            try:
                page = store.oldest_attempts(listed_as, after=after, limit=_PAGE)
            except ReadAgainError:
                report.finished = False
                return
            work.add(page)
            for attempt in page.attempts:
                if deadline.remaining_seconds() < self._seconds_for(attempt):
                    report.finished = False
                    return
                yield attempt
            after = page.after
            if after is None:
                return

    def _seconds_for(self, attempt: PurchaseAttempt) -> float:
        """What it may take: only one that is PENDING may have the carrier called again."""
        if attempt.state is AttemptState.PENDING and self._ships_again:
            return self._policy.shipment_timeout_seconds + _ATTEMPT_SECONDS
        return _ATTEMPT_SECONDS

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
            recover(attempt, at_most(deadline, self._seconds_for(attempt)), report)
        except Exception as error:  # noqa: BLE001 - one bad attempt must not stop the others
            report.failed[attempt.id] = error

    def _recover_dead(
        self, attempt: PurchaseAttempt, deadline: Deadline, report: RecoveryReport
    ) -> None:
        if attempt.carrier_outcome is None and self._ships_again:
            attempt = self._marked(attempt, deadline)
        outcome = attempt.carrier_outcome
        if outcome is None and attempt.shipped_again_at is not None:
            if deadline.remaining_seconds() < self._policy.shipment_timeout_seconds:
                raise BusyError
            outcome = self._carrier.create_shipment(
                attempt.order,
                attempt_id=attempt.id,
                timeout_seconds=self._policy.shipment_timeout_seconds,
            )
        answered = outcome is not None
        if outcome is None:
            outcome = OutcomeUnknown(
                message="the run that was buying ended before it recorded an outcome"
            )
        settled = self._settle(
            attempt,
            outcome,
            deadline,
            actor=RECOVERY_ACTOR,
            answered=answered,
            tries=_ATTEMPT_TRIES,
        )
        if settled.state is AttemptState.UNKNOWN:
            report.made_unknown.append(attempt.id)
        elif not settled.is_open:
            report.settled.append(attempt.id)

    def _marked(self, attempt: PurchaseAttempt, deadline: Deadline) -> PurchaseAttempt:
        """The attempt as it now is, marked as shipped again if it still has no answer.

        Its run may not be dead after all, by a clock that is wrong. With the mark, that run knows
        that its own call is not the only one.
        """
        store = self._store.within(deadline)

        def step() -> PurchaseAttempt:
            current = existing_attempt(store, attempt.id)
            if not current.is_open or current.carrier_outcome or current.shipped_again_at:
                return current
            marked = current.shipping_again(self._clock.now())
            store.commit(UpdateAttempt(current, marked))
            return marked

        return until_confirmed(step, deadline, tries=_ATTEMPT_TRIES)

    def _void_in_favour(
        self, attempt: PurchaseAttempt, deadline: Deadline, report: RecoveryReport
    ) -> None:
        store = self._store.within(deadline)

        def step() -> bool:
            current, account = in_parallel(
                lambda: store.attempt(attempt.id), lambda: store.account(attempt.customer_id)
            )
            if current is None or current.state is not AttemptState.UNKNOWN:
                # Settled by another run, or by a commit of this one whose confirmation was lost.
                return current is not None and current.orphan is not None
            if _is_answered(current):
                # Noted since it was listed: the next run settles by it.
                return False
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
            store.commit(*settled.writes())
            return True

        if until_confirmed(step, deadline, tries=_ATTEMPT_TRIES):
            report.voided_at_deadline.append(attempt.id)


def _is_answered(attempt: PurchaseAttempt) -> bool:
    return isinstance(attempt.carrier_outcome, Shipped | NotShipped)
