"""Step 4 of the purchase protocol: post, void, or keep as unknown. Exactly once per attempt."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from till.domain.errors import AttemptNotFoundError, BusyError, LedgerCorruptError
from till.domain.ledger import Cause
from till.domain.purchase import AttemptState, NotShipped, OutcomeUnknown, Shipped
from till.services.contention import until_confirmed
from till.services.ports import (
    AppendChange,
    GiveRedemptionBack,
    ReadAgainError,
    UnconfirmedCommitError,
    UpdateAttempt,
)
from till.services.side_by_side import side_by_side

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta

    from till.domain.account import Account, AccountChange
    from till.domain.purchase import PurchaseAttempt, Resolution, ShipmentOutcome
    from till.services.policy import ShipmentPolicy
    from till.services.ports import Books, Clock, Deadline, Incidents, Write

NOTE_SECONDS: Final = 3.5
"""What is kept of the deadline to note the carrier's answer when settling came to nothing.

A last reading of throttled books may take three seconds of it, with the client's own retries.
"""


@dataclass(frozen=True, slots=True)
class Settled:
    """An attempt in its new state, and the change of the account that goes with it."""

    before: PurchaseAttempt
    after: PurchaseAttempt
    change: AccountChange

    def writes(self) -> list[Write]:
        """What to commit, together. A void gives the promo redemption back, too."""
        writes: list[Write] = [AppendChange(self.change), UpdateAttempt(self.before, self.after)]
        promo = self.after.order.promo
        if self.after.state is AttemptState.VOIDED and promo is not None:
            writes.append(GiveRedemptionBack(promo.code, self.after))
        return writes


@contextmanager
def _read_at_different_times() -> Iterator[None]:
    """An attempt and its account are two reads: between them somebody may have settled it.

    Then the account lacks the hold that the attempt still speaks of, and both are to be read
    again. If that does not help, the ledger is corrupt, and ``until_confirmed`` says so.
    """
    try:
        yield
    except LedgerCorruptError as error:
        raise UnconfirmedCommitError from error


def describe(attempt: PurchaseAttempt) -> str:
    """The reason that stands in the books when no person gave one."""
    return f"Purchase of {attempt.order.quantity} x {attempt.order.product.sku}"[:500]


def post(
    attempt: PurchaseAttempt,
    account: Account,
    shipped: Shipped,
    by: Cause,
    *,
    resolution: Resolution | None = None,
) -> Settled:
    """The parcel is on its way: the hold becomes a posted debit, the attempt a purchase."""
    with _read_at_different_times():
        change = account.post_hold(attempt.order.total, by, attempt_id=attempt.id)
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
    """No parcel: the hold is given back."""
    with _read_at_different_times():
        change = account.void_hold(attempt.order.total, by, attempt_id=attempt.id)
    return Settled(
        attempt,
        attempt.voided(change.cause.at, resolution=resolution, possible_orphan=possible_orphan),
        change,
    )


def keep_unknown(
    attempt: PurchaseAttempt, account: Account, by: Cause, *, deadline: timedelta
) -> Settled:
    """Nobody knows: the hold stays, and the account remembers what for."""
    with _read_at_different_times():
        change = account.mark_unknown(
            attempt.order.total,
            by,
            attempt_id=attempt.id,
            product_id=attempt.order.product.id,
            quantity=attempt.order.quantity,
        )
    after = attempt.unknown(change.cause.at, deadline_at=change.cause.at + deadline)
    return Settled(attempt, after, change)


class SettleShipment:
    """Brings what the carrier answered into the books."""

    def __init__(
        self, books: Books, clock: Clock, policy: ShipmentPolicy, incidents: Incidents
    ) -> None:
        self._books = books
        self._incidents = incidents
        self._clock = clock
        self._policy = policy

    def __call__(
        self,
        attempt: PurchaseAttempt,
        outcome: ShipmentOutcome,
        deadline: Deadline,
        *,
        account: Account | None = None,
    ) -> PurchaseAttempt:
        """Settle one attempt by the carrier's answer; gives back the attempt as it then stands.

        ``attempt`` and ``account`` are as last known; what has changed since is read again.
        If the attempt was settled meanwhile, it stays as it is; a parcel that turns up for a
        voided one is recorded as an orphan.

        Raises:
            BusyError: too much contention. The answer is noted at the attempt where that was
                still possible, and the scheduled recovery settles by it.
        """
        answered_at = self._clock.now()
        known: tuple[PurchaseAttempt, Account] | None = (attempt, account) if account else None

        def step() -> PurchaseAttempt:
            nonlocal known
            current, balance = known or side_by_side(
                lambda: self._read(attempt), lambda: self._books.account(attempt.customer_id)
            )
            known = None
            if not current.is_open:
                return self._after_the_fact(current, outcome)
            settled = self._decide(current, balance, outcome)
            if settled is None:
                return current
            if not isinstance(outcome, Shipped):
                noted = replace(
                    settled.after, carrier_outcome=outcome, carrier_answered_at=answered_at
                )
                settled = replace(settled, after=noted)
            self._books.commit(*settled.writes())
            return settled.after

        try:
            return until_confirmed(step, deadline, keep_seconds=NOTE_SECONDS)
        except BusyError:
            self._note(attempt, outcome)
            raise

    def _read(self, attempt: PurchaseAttempt) -> PurchaseAttempt:
        current = self._books.attempt(attempt.id)
        if current is None:
            raise AttemptNotFoundError
        return current

    def _decide(
        self, attempt: PurchaseAttempt, account: Account, outcome: ShipmentOutcome
    ) -> Settled | None:
        by = Cause(
            actor=attempt.actor,
            at=self._clock.now(),
            reason=describe(attempt),
            idempotency_key=attempt.idempotency_key,
        )
        match outcome:
            case Shipped():
                return post(attempt, account, outcome, by)
            case NotShipped(message=message):
                return void(attempt, account, replace(by, reason=f"Not shipped: {message}"[:500]))
            case OutcomeUnknown(message=message):
                if attempt.state is AttemptState.UNKNOWN:
                    return None
                by = replace(by, reason=f"Outcome unknown: {message}"[:500])
                return keep_unknown(attempt, account, by, deadline=self._policy.unknown_deadline)

    def _after_the_fact(
        self, attempt: PurchaseAttempt, outcome: ShipmentOutcome
    ) -> PurchaseAttempt:
        if attempt.state is not AttemptState.VOIDED or not isinstance(outcome, Shipped):
            return attempt
        if attempt.carrier_outcome == outcome:
            return attempt
        orphan = attempt.as_orphan(outcome, self._clock.now())
        self._books.commit(UpdateAttempt(attempt, orphan))
        self._incidents.possible_orphan(attempt.id)
        return orphan

    def _note(self, attempt: PurchaseAttempt, outcome: ShipmentOutcome) -> None:
        # First as it was last known: the books may be unreadable just now.
        for read_anew in (False, True):
            try:
                known = self._read(attempt) if read_anew else attempt
                if known.is_open:
                    noted = known.with_carrier_answer(outcome, self._clock.now())
                    self._books.commit(UpdateAttempt(known, noted))
            except ReadAgainError:
                # If neither works, the recovery finds the attempt without an answer, and makes
                # it UNKNOWN.
                continue
            return
