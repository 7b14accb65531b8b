"""The store: the ledger and purchases tables as one, and the promises that use cases rely on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from till.services.ports.accounts import AccountStore, AccountWrite
from till.services.ports.attempts import AttemptReads, ClaimShipment, CreateAttempt, UpdateAttempt
from till.services.ports.promo_codes import ChangePromo, GiveRedemptionBack, PromoReads, Redeem
from till.services.ports.refunds import AddRefund, RefundReads

if TYPE_CHECKING:
    from till.domain.account import Account

Write = (
    AccountWrite
    | CreateAttempt
    | UpdateAttempt
    | AddRefund
    | ClaimShipment
    | Redeem
    | GiveRedemptionBack
    | ChangePromo
)


class Store(AccountStore, AttemptReads, RefundReads, PromoReads, Protocol):
    """The ledger and the purchases. Reads of single things see every commit before them.

    Every read may raise StoreUnreadableError. In lists, an item that cannot be read is left out,
    counted and logged: one broken item never hides the others.
    """

    def commit(self, *writes: Write) -> Account | None:
        """All the writes, or none of them; see ``AccountStore``."""
        ...
