"""The account of one customer: posted, held and available credit, and every rule that moves them.

An account is immutable: each operation returns an ``AccountChange``, the next version of the
account together with what made it. The ledger keeps every version.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from till.domain.errors import TillError
from till.domain.ledger import (
    GENESIS_HASH,
    Cause,
    EntryKind,
    LedgerCorruptError,
    LedgerEntry,
    LedgerPosition,
    make_entry,
)
from till.domain.money import MAX_BALANCE_MINOR, ZERO, Money

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

MAX_REASON_CHARACTERS: Final = 500

MAX_OPEN_ATTEMPTS: Final = 50
"""Of one customer. Each version of an account lists them all, and no item may grow unbounded."""


class InsufficientCreditError(TillError):
    """The available credit does not cover the amount."""

    def __init__(self, *, needed: Money, available: Money) -> None:
        super().__init__("insufficient credit")
        self.needed = needed
        self.available = available


class BalanceLimitError(TillError):
    """The balance would grow past the largest that Till keeps."""


class UnresolvedAttemptError(TillError):
    """An earlier attempt at the same product and quantity has no known outcome yet."""

    def __init__(self, *, attempt_id: UUID) -> None:
        super().__init__("unresolved attempt")
        self.attempt_id = attempt_id


class TooManyOpenAttemptsError(TillError):
    """The customer has as many open purchase attempts as there may be."""

    def __init__(self, *, limit: int) -> None:
        super().__init__("too many open attempts")
        self.limit = limit


class ChangeKind(StrEnum):
    """What made a version of an account. The first four post money, the others move holds."""

    GRANT = "GRANT"
    DEDUCTION = "DEDUCTION"
    PURCHASE = "PURCHASE"
    REFUND = "REFUND"
    HOLD = "HOLD"
    VOID = "VOID"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAttempt:
    """A purchase attempt whose funds are held, as the account remembers it.

    From ``blocks_from`` on the same product and quantity cannot be bought again until the attempt
    is settled: its run has ended by then, or its outcome is known to be unknown.
    """

    attempt_id: UUID
    product_id: UUID
    quantity: int
    amount: Money
    blocks_from: datetime

    def is_same_order(self, other: OpenAttempt) -> bool:
        """Whether both are for the same product and quantity: perhaps one order, sent twice."""
        return (self.product_id, self.quantity) == (other.product_id, other.quantity)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One version of a customer's account.

    ``version`` counts every change (0: there is no account yet), ``sequence`` only the ledger
    entries; ``entry_hash`` is the hash of the newest entry; ``purchases`` counts completed and
    open ones. ``stored_hash`` is the hash of the newest stored version: of this one once it is
    stored, and before that of the one that it follows. Always: held = sum of the open attempts,
    available = posted - held >= 0.
    """

    customer_id: UUID
    version: int
    sequence: int
    posted: Money
    entry_hash: str
    open_attempts: tuple[OpenAttempt, ...]
    purchases: int
    updated_at: datetime | None
    stored_hash: str = ""

    @classmethod
    def empty(cls, customer_id: UUID) -> Account:
        """The account of a customer who never had credit."""
        return cls(
            customer_id=customer_id,
            version=0,
            sequence=0,
            posted=ZERO,
            entry_hash=GENESIS_HASH,
            open_attempts=(),
            purchases=0,
            updated_at=None,
        )

    @property
    def held(self) -> Money:
        """What is reserved for open attempts."""
        return sum((attempt.amount for attempt in self.open_attempts), start=ZERO)

    @property
    def available(self) -> Money:
        """What can be spent: posted less held."""
        return self.posted - self.held

    @property
    def ledger_position(self) -> LedgerPosition:
        """Where the ledger stands at this version."""
        return LedgerPosition(sequence=self.sequence, balance=self.posted, hash=self.entry_hash)

    def holds(self, attempt_id: UUID) -> bool:
        """Whether an attempt is among the open ones."""
        return any(attempt.attempt_id == attempt_id for attempt in self.open_attempts)

    def grant(self, amount: Money, cause: Cause) -> AccountChange:
        """Add credit.

        Raises:
            ValueError: the amount is not positive.
            BalanceLimitError: the balance would pass ``MAX_BALANCE_MINOR``.
        """
        amount.require_positive()
        return self._post(EntryKind.GRANT, amount, cause)

    def deduct(self, amount: Money, cause: Cause) -> AccountChange:
        """Take credit away, at most what is available.

        Raises:
            ValueError: the amount is not positive.
            InsufficientCreditError: less than the amount is available.
        """
        amount.require_positive()
        self._require_available(amount)
        return self._post(EntryKind.DEDUCTION, -amount, cause)

    def refund(
        self, amount: Money, cause: Cause, *, purchase_id: UUID, refund_id: UUID
    ) -> AccountChange:
        """Give back what a purchase cost, or a part of it. The purchase checks the cap.

        Raises:
            ValueError: the amount is not positive.
            BalanceLimitError: the balance would pass ``MAX_BALANCE_MINOR``.
        """
        amount.require_positive()
        return self._post(
            EntryKind.REFUND, amount, cause, attempt_id=purchase_id, refund_id=refund_id
        )

    def hold(self, attempt: OpenAttempt, cause: Cause) -> AccountChange:
        """Reserve funds for a purchase attempt (step 2 of the purchase protocol).

        Raises:
            ValueError: the amount is negative, or the attempt is open already.
            UnresolvedAttemptError: an open attempt at the same order blocks it; a second one might
                ship a second parcel.
            TooManyOpenAttemptsError: the customer has ``MAX_OPEN_ATTEMPTS``.
            InsufficientCreditError: less than the amount is available.
        """
        attempt.amount.require_not_negative()
        if self.holds(attempt.attempt_id):
            raise ValueError("this attempt is open already")
        # By the latest time that the account has seen: a clock that is behind makes no dead run
        # look alive.
        cause = self._in_order(cause)
        for other in self.open_attempts:
            if other.is_same_order(attempt) and other.blocks_from <= cause.at:
                raise UnresolvedAttemptError(attempt_id=other.attempt_id)
        if len(self.open_attempts) >= MAX_OPEN_ATTEMPTS:
            raise TooManyOpenAttemptsError(limit=MAX_OPEN_ATTEMPTS)
        self._require_available(attempt.amount)
        return self._move_hold(
            ChangeKind.HOLD,
            attempt.amount,
            cause,
            attempt.attempt_id,
            open_attempts=(*self.open_attempts, attempt),
            purchases=self.purchases + 1,
        )

    def post_hold(self, attempt_id: UUID, cause: Cause) -> AccountChange:
        """Turn an attempt's hold into a posted debit: the purchase is paid (step 4, shipped).

        Raises:
            LedgerCorruptError: the attempt holds nothing.
        """
        return self._post(
            EntryKind.PURCHASE,
            -self._open(attempt_id).amount,
            cause,
            attempt_id=attempt_id,
            open_attempts=self._open_without(attempt_id),
        )

    def void_hold(self, attempt_id: UUID, cause: Cause) -> AccountChange:
        """Release an attempt's hold: nothing was bought (step 4, not shipped).

        Raises:
            LedgerCorruptError: the attempt holds nothing.
        """
        return self._move_hold(
            ChangeKind.VOID,
            -self._open(attempt_id).amount,
            cause,
            attempt_id,
            open_attempts=self._open_without(attempt_id),
            purchases=self.purchases - 1,
        )

    def mark_unknown(self, attempt_id: UUID, cause: Cause) -> AccountChange:
        """Keep an attempt's hold and let it block the same order from now on (step 4, unknown).

        Raises:
            LedgerCorruptError: the attempt holds nothing.
        """
        attempt = self._open(attempt_id)
        cause = self._in_order(cause)
        blocking = replace(attempt, blocks_from=min(attempt.blocks_from, cause.at))
        return self._move_hold(
            ChangeKind.UNKNOWN,
            attempt.amount,
            cause,
            attempt_id,
            open_attempts=(*self._open_without(attempt_id), blocking),
            purchases=self.purchases,
        )

    def _require_available(self, amount: Money) -> None:
        if amount > self.available:
            raise InsufficientCreditError(needed=amount, available=self.available)

    def _open(self, attempt_id: UUID) -> OpenAttempt:
        for attempt in self.open_attempts:
            if attempt.attempt_id == attempt_id:
                return attempt
        raise LedgerCorruptError(
            sequence=self.sequence, detail=f"version {self.version} lacks a hold of an attempt"
        )

    def _open_without(self, attempt_id: UUID) -> tuple[OpenAttempt, ...]:
        return tuple(a for a in self.open_attempts if a.attempt_id != attempt_id)

    def _in_order(self, cause: Cause) -> Cause:
        # Clocks of two machines differ: the times of an account's history still never decrease.
        if self.updated_at is not None and cause.at < self.updated_at:
            return replace(cause, at=self.updated_at)
        return cause

    def _post(
        self,
        kind: EntryKind,
        amount: Money,
        cause: Cause,
        *,
        attempt_id: UUID | None = None,
        refund_id: UUID | None = None,
        open_attempts: tuple[OpenAttempt, ...] | None = None,
    ) -> AccountChange:
        if self.posted.amount_minor + amount.amount_minor > MAX_BALANCE_MINOR:
            raise BalanceLimitError
        cause = self._in_order(cause)
        posted = self.posted + amount
        entry = make_entry(
            customer_id=self.customer_id,
            sequence=self.sequence + 1,
            kind=kind,
            amount=amount,
            balance_after=posted,
            cause=cause,
            previous_hash=self.entry_hash,
            purchase_id=attempt_id,
            refund_id=refund_id,
        )
        account = replace(
            self,
            version=self.version + 1,
            sequence=entry.sequence,
            posted=posted,
            entry_hash=entry.hash,
            open_attempts=self.open_attempts if open_attempts is None else open_attempts,
            updated_at=cause.at,
        )
        return AccountChange(
            account=account,
            kind=ChangeKind(kind.value),
            amount=amount,
            cause=cause,
            attempt_id=attempt_id,
            entry=entry,
        )

    def _move_hold(
        self,
        kind: ChangeKind,
        amount: Money,
        cause: Cause,
        attempt_id: UUID,
        *,
        open_attempts: tuple[OpenAttempt, ...],
        purchases: int,
    ) -> AccountChange:
        cause = self._in_order(cause)
        account = replace(
            self,
            version=self.version + 1,
            open_attempts=open_attempts,
            purchases=purchases,
            updated_at=cause.at,
        )
        return AccountChange(
            account=account,
            kind=kind,
            amount=amount,
            cause=cause,
            attempt_id=attempt_id,
            entry=None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountChange:
    """One step of an account's history: the version it led to, and what it was.

    ``amount`` is the posted amount of an entry, or what the hold grew (HOLD) or shrank (VOID) by;
    for UNKNOWN it is the amount that stays held. ``entry`` is set if posted money moved.
    ``attempt_id`` is the purchase or purchase attempt that the change belongs to.
    """

    account: Account
    kind: ChangeKind
    amount: Money
    cause: Cause
    attempt_id: UUID | None
    entry: LedgerEntry | None
