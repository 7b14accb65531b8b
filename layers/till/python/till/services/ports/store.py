"""The store: the ledger and purchases tables as one, and the promises that use cases rely on."""

from __future__ import annotations

from typing import Protocol

from till.domain.errors import TillError
from till.services.ports.accounts import AccountReads, AppendChange, RememberRequest
from till.services.ports.attempts import AttemptReads, ClaimShipment, CreateAttempt, UpdateAttempt
from till.services.ports.promo_codes import ChangePromo, GiveRedemptionBack, PromoReads, Redeem
from till.services.ports.refunds import AddRefund, RefundReads
from till.services.ports.run import Deadline

Write = (
    AppendChange
    | RememberRequest
    | CreateAttempt
    | UpdateAttempt
    | AddRefund
    | ClaimShipment
    | Redeem
    | GiveRedemptionBack
    | ChangePromo
)


class ReadAgainError(TillError):
    """What was read cannot be built on: read again, and decide by what is there then."""


class UnconfirmedCommitError(ReadAgainError):
    """A commit was refused because what it builds on has changed, or its effect is unknown.

    Both call for the same: read again.
    """


class StoreUnreadableError(ReadAgainError):
    """The tables could not be read at this moment."""


class InconsistentReadError(ReadAgainError):
    """What was read contradicts itself.

    The items of one transaction may become visible one after the other, and two reads may have seen
    different times. Only if it stays like this is something corrupt.
    """

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class Store(AccountReads, AttemptReads, RefundReads, PromoReads, Protocol):
    """The ledger and the purchases. Reads of single things see every commit before them.

    Every read may raise StoreUnreadableError. In lists, an item that cannot be read is left out,
    counted and logged: one broken item never hides the others.
    """

    def within(self, deadline: Deadline) -> Store:
        """The same tables, with calls that take no longer than the deadline leaves."""
        ...

    def isolated(self) -> Store:
        """The same tables, with reads of single things that see whole transactions only.

        Other reads may see one item of a transaction and not yet another. These cost twice as much.
        """
        ...

    def commit(self, *writes: Write) -> None:
        """All the writes, or none of them.

        Raises:
            UnconfirmedCommitError: refused, or of unknown effect: read again.
        """
        ...
