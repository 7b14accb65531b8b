"""Step 4 of the purchase protocol: post, void, or keep as unknown. Exactly once per attempt."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from till.domain.account import MAX_REASON_CHARACTERS
from till.domain.ledger import Cause, LedgerCorruptError
from till.domain.purchase import AttemptState, NotShipped, OutcomeUnknown, Shipped
from till.services.ports.accounts import AppendChange
from till.services.ports.attempts import ClaimShipment, UpdateAttempt
from till.services.ports.promo_codes import GiveRedemptionBack
from till.services.ports.store_errors import InconsistentReadError, ReadAgainError
from till.services.shared.attempts import existing_attempt
from till.services.shared.contention import until_confirmed
from till.services.shared.deadline import keeping
from till.services.shared.in_parallel import in_parallel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime, timedelta
    from uuid import UUID

    from till.domain.account import Account, AccountChange
    from till.domain.actor import Actor
    from till.domain.purchase import PurchaseAttempt, Resolution, ShipmentOutcome
    from till.services.ports.incidents import Incidents
    from till.services.ports.run import Clock, Deadline
    from till.services.ports.store import Store, Write
    from till.services.shared.policy import ShipmentPolicy

_NOTE_SECONDS: Final = 2.0
"""The part of the time for settling that is kept to note the carrier's answer if all else fails."""
_REPORT_SECONDS: Final = 0.5
"""The part of that which is kept to report the answer if it cannot be noted either."""


@dataclass(frozen=True, slots=True)
class Settled:
    """An attempt in its new state, and the change of the account that goes with it."""

    before: PurchaseAttempt
    after: PurchaseAttempt
    change: AccountChange

    def writes(self) -> list[Write]:
        """What to commit, together: a purchase claims its shipment id, a void its promo code."""
        writes: list[Write] = [AppendChange(self.change), UpdateAttempt(self.before, self.after)]
        purchase, promo = self.after.purchase, self.after.order.promo
        if purchase is not None:
            writes.append(ClaimShipment(purchase.shipment_id, purchase.id))
        elif self.after.state is AttemptState.VOIDED and promo is not None:
            writes.append(GiveRedemptionBack(promo.code, self.after.customer_id))
        return writes


@contextmanager
def _read_at_different_times() -> Iterator[None]:
    """An attempt and its account are two reads: between them another run may have settled it.

    The account then lacks the hold that the attempt still names, and both are to be read again.
    """
    try:
        yield
    except LedgerCorruptError as error:
        raise InconsistentReadError(str(error)) from error


def describe(attempt: PurchaseAttempt) -> str:
    """The reason that the ledger gives if no person gave one."""
    order = attempt.order
    return f"Purchase of {order.quantity} x {order.product.sku}"[:MAX_REASON_CHARACTERS]


def post(
    attempt: PurchaseAttempt,
    account: Account,
    shipped: Shipped,
    by: Cause,
    *,
    resolution: Resolution | None = None,
) -> Settled:
    """Shipped: the hold becomes a posted debit, the attempt a purchase."""
    with _read_at_different_times():
        change = account.post_hold(attempt.id, by)
    return Settled(
        attempt, attempt.completed(shipped, change.cause.at, resolution=resolution), change
    )


def void(
    attempt: PurchaseAttempt,
    account: Account,
    by: Cause,
    *,
    resolution: Resolution | None = None,
    possible_orphan: bool = False,
) -> Settled:
    """Not shipped: the hold is released."""
    with _read_at_different_times():
        change = account.void_hold(attempt.id, by)
    # By our own clock: the account's time may be that of a clock that was ahead.
    after = attempt.voided(by.at, resolution=resolution, possible_orphan=possible_orphan)
    return Settled(attempt, after, change)


def keep_unknown(
    attempt: PurchaseAttempt, account: Account, by: Cause, *, deadline: timedelta
) -> Settled:
    """Outcome unknown: the hold stays, and blocks the same order."""
    with _read_at_different_times():
        change = account.mark_unknown(attempt.id, by)
    # By our own clock, as above.
    after = attempt.unknown(by.at, deadline_at=by.at + deadline)
    return Settled(attempt, after, change)


class SettleShipment:
    """Brings what the carrier answered into the tables."""

    def __init__(
        self, store: Store, clock: Clock, policy: ShipmentPolicy, incidents: Incidents
    ) -> None:
        self._store = store
        self._incidents = incidents
        self._clock = clock
        self._policy = policy

    def __call__(
        self,
        attempt: PurchaseAttempt,
        outcome: ShipmentOutcome,
        deadline: Deadline,
        *,
        actor: Actor,
        account: Account | None = None,
        answered: bool = True,
        tries: int | None = None,
    ) -> PurchaseAttempt:
        """Settle one attempt by the carrier's answer; returns the attempt as it then is.

        ``attempt`` and ``account`` are as last known; what has changed since is read again.
        ``actor`` is who does this, and ``answered`` whether the outcome is that of a call. If the
        attempt was settled meanwhile, it stays as it is; a parcel that turns up for a voided one is
        recorded as an orphan shipment.

        Raises:
            Exception: it did not work. The carrier's answer is then noted on the attempt, and the
                scheduled recovery settles by it; or, if that did not work either, it was reported.
                ``BusyError`` if only the time or the tries were not enough.
        """
        answered_at = self._clock.now()
        in_time = keeping(deadline, _NOTE_SECONDS)
        store = self._store.within(in_time)
        run = _Settling(
            store, self._clock, self._policy, self._incidents, actor, answered_at, answered
        )
        known = (attempt, account) if account is not None else None

        def step() -> PurchaseAttempt:
            nonlocal known
            current, balance, believed = (
                (*known, outcome) if known else run.read(attempt.id, attempt.customer_id, outcome)
            )
            known = None
            return run.settle(current, balance, believed, answered=outcome)

        try:
            return until_confirmed(step, in_time, tries=tries)
        except Exception:
            if answered:
                self._note(attempt, outcome, answered_at, deadline)
            raise

    def _note(
        self,
        attempt: PurchaseAttempt,
        outcome: ShipmentOutcome,
        answered_at: datetime,
        deadline: Deadline,
    ) -> None:
        """Write the carrier's answer on the attempt alone, which hardly any other run updates."""
        store = self._store.within(keeping(deadline, _REPORT_SECONDS))

        def write(current: PurchaseAttempt) -> None:
            believed = current.believed(outcome)
            if not current.is_open:
                _record_late_answer(store, self._incidents, current, believed, answered_at)
            elif current.has_another_shipment_than(believed):
                self._incidents.answer_not_recorded(current.id, believed)
            elif current.carrier_outcome != believed and not current.knows_more_than(believed):
                noted = current.with_carrier_answer(believed, answered_at)
                store.commit(UpdateAttempt(current, noted))

        try:
            try:
                # As it was last known: the tables may not be readable just now.
                write(attempt)
            except ReadAgainError:
                write(existing_attempt(store, attempt.id))
        except Exception:  # noqa: BLE001 - the caller raises why settling failed
            self._incidents.answer_not_recorded(attempt.id, outcome)


@dataclass(frozen=True, slots=True)
class _Settling:
    """One run of ``SettleShipment``."""

    store: Store
    clock: Clock
    policy: ShipmentPolicy
    incidents: Incidents
    actor: Actor
    answered_at: datetime
    is_answer: bool

    def read(
        self, attempt_id: UUID, customer_id: UUID, outcome: ShipmentOutcome
    ) -> tuple[PurchaseAttempt, Account, ShipmentOutcome]:
        """The attempt, the account, and what of the carrier's answer can be believed."""
        attempt, account, believed = in_parallel(
            lambda: existing_attempt(self.store, attempt_id),
            lambda: self.store.account(customer_id),
            lambda: self._believed(attempt_id, outcome),
        )
        return attempt, account, believed

    def _believed(self, attempt_id: UUID, outcome: ShipmentOutcome) -> ShipmentOutcome:
        """A shipment id belongs to one purchase: another's proves nothing about this one."""
        if not isinstance(outcome, Shipped):
            return outcome
        owner = self.store.purchase_of_shipment(outcome.shipment_id)
        if owner is None or owner == attempt_id:
            return outcome
        self.incidents.shipment_id_taken(attempt_id, outcome.shipment_id, owner)
        return OutcomeUnknown(
            message=f"The Shipment API answered with the shipment id of purchase {owner}."
        )

    def settle(
        self,
        attempt: PurchaseAttempt,
        account: Account,
        outcome: ShipmentOutcome,
        *,
        answered: ShipmentOutcome,
    ) -> PurchaseAttempt:
        """Decide and commit. ``outcome`` is what of the carrier's answer can be believed."""
        outcome = attempt.believed(outcome)
        if not attempt.is_open:
            if not self.is_answer:
                return attempt
            return _record_late_answer(
                self.store, self.incidents, attempt, outcome, self.answered_at
            )
        if attempt.has_another_shipment_than(outcome):
            # The one that is noted stays, and the next recovery settles by it.
            self.incidents.answer_not_recorded(attempt.id, outcome)
            return attempt
        if attempt.knows_more_than(outcome) and attempt.carrier_outcome != answered:
            # Another run noted it meanwhile: the next recovery settles by it.
            return attempt
        settled = self._decide(attempt, account, outcome)
        if settled is None:
            return self._believe_no_longer(attempt, outcome)
        if not isinstance(outcome, Shipped):
            noted = replace(
                settled.after, carrier_outcome=outcome, carrier_answered_at=self.answered_at
            )
            settled = replace(settled, after=noted)
        self.store.commit(*settled.writes())
        return settled.after

    def _decide(
        self, attempt: PurchaseAttempt, account: Account, outcome: ShipmentOutcome
    ) -> Settled | None:
        match outcome:
            case Shipped():
                return post(attempt, account, outcome, self._cause(attempt, describe(attempt)))
            case NotShipped(message=message):
                return void(attempt, account, self._cause(attempt, f"Not shipped: {message}"))
            case OutcomeUnknown(message=message):
                if attempt.state is AttemptState.UNKNOWN:
                    return None
                by = self._cause(attempt, f"Outcome unknown: {message}")
                return keep_unknown(attempt, account, by, deadline=self.policy.unknown_deadline)

    def _believe_no_longer(
        self, attempt: PurchaseAttempt, outcome: ShipmentOutcome
    ) -> PurchaseAttempt:
        """Replace a noted answer that turned out to prove nothing: a person has to decide."""
        if not isinstance(attempt.carrier_outcome, Shipped):
            return attempt
        noted = attempt.with_carrier_answer(outcome, self.answered_at)
        self.store.commit(UpdateAttempt(attempt, noted))
        return noted

    def _cause(self, attempt: PurchaseAttempt, reason: str) -> Cause:
        return Cause(
            actor=self.actor,
            at=self.clock.now(),
            reason=reason[:MAX_REASON_CHARACTERS],
            idempotency_key=attempt.idempotency_key,
        )


def _record_late_answer(
    store: Store,
    incidents: Incidents,
    attempt: PurchaseAttempt,
    outcome: ShipmentOutcome,
    at: datetime,
) -> PurchaseAttempt:
    """Write down what the carrier answered for an attempt that was resolved meanwhile."""
    if attempt.carrier_outcome == outcome:
        return attempt
    if attempt.has_another_shipment_than(outcome):
        # It keeps the shipment that it has: a second parcel can only be reported.
        incidents.answer_not_recorded(attempt.id, outcome)
        return attempt
    if attempt.state is not AttemptState.VOIDED or attempt.knows_more_than(outcome):
        return attempt
    answered = attempt.with_late_answer(outcome, at)
    store.commit(UpdateAttempt(attempt, answered))
    return answered
