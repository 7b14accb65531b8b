"""What others are told about an account: six kinds of domain events, each made from one version.

An event contains nothing that its version of the account does not contain. It can be created again
at any time, with the same id, so that a consumer recognises a repeated event.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final
from uuid import NAMESPACE_URL, UUID, uuid5

from till.domain.account import ChangeKind
from till.domain.ledger import LedgerCorruptError
from till.domain.money import ZERO

if TYPE_CHECKING:
    from datetime import datetime

    from till.domain.account import AccountChange
    from till.domain.money import Money

_NAMESPACE: Final = uuid5(NAMESPACE_URL, "till/domain-event")


class EventName(StrEnum):
    """What happened."""

    CREDIT_GRANTED = "CreditGranted"
    CREDIT_DEDUCTED = "CreditDeducted"
    PURCHASE_COMPLETED = "PurchaseCompleted"
    PURCHASE_VOIDED = "PurchaseVoided"
    PURCHASE_UNKNOWN = "PurchaseUnknown"
    REFUND_ISSUED = "RefundIssued"


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainEvent:
    """Something that happened to a customer's account.

    ``amount`` is never negative: the name says in which direction it went. ``account_version``
    orders the events of a customer. ``entry_sequence`` is the number of the newest ledger entry at
    that version; those are counted without a gap, and every name but PurchaseVoided and
    PurchaseUnknown stands for one, so a consumer can tell that an event with money is missing.
    ``posted`` and ``held`` are the account's at that version. Who did it and why is not told:
    that is for those who may read the ledger.
    """

    id: UUID
    name: EventName
    occurred_at: datetime
    customer_id: UUID
    account_version: int
    entry_sequence: int
    amount: Money
    posted: Money
    held: Money
    attempt_id: UUID | None
    """The purchase attempt, which is the purchase if it completed."""
    refund_id: UUID | None

    @property
    def available(self) -> Money:
        """What the customer could spend then."""
        return self.posted - self.held


_NAMES: Final = {
    ChangeKind.GRANT: EventName.CREDIT_GRANTED,
    ChangeKind.DEDUCTION: EventName.CREDIT_DEDUCTED,
    ChangeKind.PURCHASE: EventName.PURCHASE_COMPLETED,
    ChangeKind.REFUND: EventName.REFUND_ISSUED,
    ChangeKind.VOID: EventName.PURCHASE_VOIDED,
    ChangeKind.UNKNOWN: EventName.PURCHASE_UNKNOWN,
}
"""Every kind but HOLD: a purchase is published when it has ended."""

_POSTING: Final = frozenset(
    {ChangeKind.GRANT, ChangeKind.DEDUCTION, ChangeKind.PURCHASE, ChangeKind.REFUND}
)
_OF_AN_ATTEMPT: Final = frozenset(
    {ChangeKind.PURCHASE, ChangeKind.REFUND, ChangeKind.VOID, ChangeKind.UNKNOWN}
)


def _require_sound(change: AccountChange, refund_id: UUID | None) -> None:
    account = change.account
    for is_wrong, what in (
        (account.version < 1 or account.sequence < 0, "is out of count"),
        (account.held < ZERO or account.available < ZERO, "has spent more than there was"),
        (change.kind in _POSTING and change.entry is None, "names no ledger entry"),
        (change.kind in _OF_AN_ATTEMPT and change.attempt_id is None, "names no attempt"),
        (change.kind is ChangeKind.REFUND and refund_id is None, "names no refund"),
    ):
        if is_wrong:
            raise LedgerCorruptError(
                sequence=account.sequence, detail=f"version {account.version} {what}"
            )


def event_of(change: AccountChange) -> DomainEvent | None:
    """The event that a version of an account stands for; None if it is not published.

    Raises:
        LedgerCorruptError: the version is none that the rules of an account could have made.
    """
    name = _NAMES.get(change.kind)
    if name is None:
        return None
    account, entry = change.account, change.entry
    refund_id = entry.refund_id if entry is not None else None
    _require_sound(change, refund_id)
    return DomainEvent(
        id=uuid5(_NAMESPACE, f"{account.customer_id}/{account.version}"),
        name=name,
        occurred_at=change.cause.at,
        customer_id=account.customer_id,
        account_version=account.version,
        entry_sequence=account.sequence,
        amount=-change.amount if change.amount < ZERO else change.amount,
        posted=account.posted,
        held=account.held,
        attempt_id=change.attempt_id,
        refund_id=refund_id,
    )
