"""The store: the ledger and purchases tables as one, and the promises that use cases rely on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from till.services.ports.accounts import AccountReads, AppendChange, RememberRequest
from till.services.ports.attempts import AttemptReads, ClaimShipment, CreateAttempt, UpdateAttempt
from till.services.ports.promo_codes import ChangePromo, GiveRedemptionBack, PromoReads, Redeem
from till.services.ports.refunds import AddRefund, RefundReads
from till.services.ports.run import Deadline

if TYPE_CHECKING:
    from till.domain.account import Account

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

    def commit(self, *writes: Write) -> Account | None:
        """All the writes, or none of them.

        Returns:
            The account as it then is stored, if a version of one was appended.

        Raises:
            UnconfirmedCommitError: refused, or of unknown effect: read again.
        """
        ...
