"""The account of one customer: posted, held and available credit, and every rule that moves them.

An account is never changed: each operation answers with an ``AccountChange``, the next version
of the account together with what made it. The ledger keeps every version.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from till.domain.errors import (
    BalanceLimitError,
    InsufficientCreditError,
    LedgerCorruptError,
    UnresolvedAttemptError,
)
from till.domain.ledger import GENESIS_HASH, Cause, EntryKind, LedgerEntry, make_entry
from till.domain.money import MAX_BALANCE_MINOR, ZERO, Money

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

MAX_REASON_CHARACTERS: Final = 500


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
class UnresolvedPurchase:
    """A purchase attempt of unknown outcome, as the account remembers it."""

    attempt_id: UUID
    product_id: UUID
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One version of a customer's account.

    ``version`` counts every change (0: there never was one), ``sequence`` only the ledger
    entries; ``entry_hash`` is the hash of the newest entry; ``purchases`` counts those made and
    those under way. Always: available = posted - held, and available >= 0.
    """

    customer_id: UUID
    version: int
    sequence: int
    posted: Money
    held: Money
    entry_hash: str
    unresolved: tuple[UnresolvedPurchase, ...]
    purchases: int
    updated_at: datetime | None

    @classmethod
    def empty(cls, customer_id: UUID) -> Account:
        """The account of a customer who never had credit."""
        return cls(
            customer_id=customer_id,
            version=0,
            sequence=0,
            posted=ZERO,
            held=ZERO,
            entry_hash=GENESIS_HASH,
            unresolved=(),
            purchases=0,
            updated_at=None,
        )

    @property
    def available(self) -> Money:
        """What can be spent: posted less held."""
        return self.posted - self.held

    def grant(self, amount: Money, cause: Cause) -> AccountChange:
        """Give credit.

        Raises:
            BalanceLimitError: the balance would pass ``MAX_BALANCE_MINOR``.
        """
        return self._post(EntryKind.GRANT, amount, cause)

    def deduct(self, amount: Money, cause: Cause) -> AccountChange:
        """Take credit away, at most what is available.

        Raises:
            InsufficientCreditError: less than the amount is available.
        """
        self._require_available(amount)
        return self._post(EntryKind.DEDUCTION, -amount, cause)

    def refund(
        self, amount: Money, cause: Cause, *, purchase_id: UUID, refund_id: UUID
    ) -> AccountChange:
        """Give back what a purchase cost, or a part of it. The cap is the purchase's to check.

        Raises:
            BalanceLimitError: the balance would pass ``MAX_BALANCE_MINOR``.
        """
        return self._post(
            EntryKind.REFUND, amount, cause, purchase_id=purchase_id, refund_id=refund_id
        )

    def hold(
        self, amount: Money, cause: Cause, *, attempt_id: UUID, product_id: UUID, quantity: int
    ) -> AccountChange:
        """Set funds aside for a purchase attempt (step 2 of the purchase protocol).

        Raises:
            UnresolvedAttemptError: an attempt at the same product and quantity has no known
                outcome yet; a second one might ship a second parcel.
            InsufficientCreditError: less than the amount is available.
        """
        for unresolved in self.unresolved:
            if (unresolved.product_id, unresolved.quantity) == (product_id, quantity):
                raise UnresolvedAttemptError(attempt_id=unresolved.attempt_id)
        self._require_available(amount)
        return self._move_hold(ChangeKind.HOLD, amount, cause, attempt_id, more_purchases=1)

    def post_hold(self, amount: Money, cause: Cause, *, attempt_id: UUID) -> AccountChange:
        """Turn an attempt's hold into a posted debit: the purchase is paid (step 4, shipped).

        Raises:
            LedgerCorruptError: nothing like it is held.
        """
        self._require_held(amount)
        return self._post(
            EntryKind.PURCHASE,
            -amount,
            cause,
            purchase_id=attempt_id,
            released=amount,
            unresolved=self._unresolved_without(attempt_id),
        )

    def void_hold(self, amount: Money, cause: Cause, *, attempt_id: UUID) -> AccountChange:
        """Give an attempt's hold back: nothing was bought (step 4, not shipped).

        Raises:
            LedgerCorruptError: nothing like it is held.
        """
        self._require_held(amount)
        return self._move_hold(
            ChangeKind.VOID,
            -amount,
            cause,
            attempt_id,
            more_purchases=-1,
            unresolved=self._unresolved_without(attempt_id),
        )

    def mark_unknown(
        self, amount: Money, cause: Cause, *, attempt_id: UUID, product_id: UUID, quantity: int
    ) -> AccountChange:
        """Keep an attempt's hold and remember that its outcome is unknown (step 4, unknown).

        Raises:
            LedgerCorruptError: nothing like it is held.
        """
        self._require_held(amount)
        unresolved = UnresolvedPurchase(
            attempt_id=attempt_id, product_id=product_id, quantity=quantity
        )
        change = self._move_hold(
            ChangeKind.UNKNOWN,
            ZERO,
            cause,
            attempt_id,
            unresolved=(*self.unresolved, unresolved),
        )
        return replace(change, amount=amount)

    def _require_available(self, amount: Money) -> None:
        if amount > self.available:
            raise InsufficientCreditError(needed=amount, available=self.available)

    def _require_held(self, amount: Money) -> None:
        if amount > self.held:
            raise LedgerCorruptError(
                sequence=self.sequence, detail=f"version {self.version} lacks a hold of an attempt"
            )

    def _unresolved_without(self, attempt_id: UUID) -> tuple[UnresolvedPurchase, ...]:
        return tuple(u for u in self.unresolved if u.attempt_id != attempt_id)

    def _in_order(self, cause: Cause) -> Cause:
        # Clocks of two machines differ: an account's history never runs backwards for it.
        if self.updated_at is not None and cause.at < self.updated_at:
            return replace(cause, at=self.updated_at)
        return cause

    def _post(
        self,
        kind: EntryKind,
        amount: Money,
        cause: Cause,
        *,
        purchase_id: UUID | None = None,
        refund_id: UUID | None = None,
        released: Money = ZERO,
        unresolved: tuple[UnresolvedPurchase, ...] | None = None,
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
            purchase_id=purchase_id,
            refund_id=refund_id,
        )
        account = replace(
            self,
            version=self.version + 1,
            sequence=entry.sequence,
            posted=posted,
            held=self.held - released,
            entry_hash=entry.hash,
            unresolved=self.unresolved if unresolved is None else unresolved,
            updated_at=cause.at,
        )
        return AccountChange(
            account=account,
            kind=ChangeKind(kind.value),
            amount=amount,
            cause=cause,
            attempt_id=purchase_id,
            entry=entry,
        )

    def _move_hold(
        self,
        kind: ChangeKind,
        amount: Money,
        cause: Cause,
        attempt_id: UUID,
        *,
        more_purchases: int = 0,
        unresolved: tuple[UnresolvedPurchase, ...] | None = None,
    ) -> AccountChange:
        cause = self._in_order(cause)
        account = replace(
            self,
            version=self.version + 1,
            held=self.held + amount,
            purchases=self.purchases + more_purchases,
            unresolved=self.unresolved if unresolved is None else unresolved,
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

    ``amount`` is what moved: the posted amount of an entry, or what the hold grew (HOLD) or
    shrank (VOID) by; for UNKNOWN the amount that stays held. ``entry`` is there when posted
    money moved. ``attempt_id`` is the purchase or purchase attempt that it belongs to.
    """

    account: Account
    kind: ChangeKind
    amount: Money
    cause: Cause
    attempt_id: UUID | None
    entry: LedgerEntry | None
