"""What a refund would give back, and whether it would go through. Changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from till.domain.account import BalanceLimitError
from till.domain.actor import Actor
from till.domain.errors import TillError
from till.domain.ledger import Cause
from till.domain.purchase import RefundExceedsPurchaseError, RefundQuantityExceededError
from till.services.errors import PurchaseNotFoundError
from till.services.shared.amount_limit import AmountAboveLimitError, require_within

if TYPE_CHECKING:
    from till.domain.account import Account
    from till.domain.money import Money
    from till.domain.purchase import Purchase
    from till.services.ports.run import Clock
    from till.services.ports.store import Store

_NOBODY = UUID(int=0)
"""The refund that is only tried out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundIntent:
    """An amount, or so many units, or (both None) all that is left; as in a RefundRequest."""

    purchase_id: UUID
    amount: Money | None
    quantity: int | None
    limit: Money | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundQuote:
    """What a refund comes to, and the books after it.

    ``amount`` and ``account_after`` are None as far as the rules did not get: ``refusal`` is what
    the refund would be refused with, if anything.
    """

    intent: RefundIntent
    purchase: Purchase
    account: Account
    amount: Money | None
    account_after: Account | None
    refusal: TillError | None


class CreateRefundQuote:
    """Tries a refund out, by the same rules and the same code as a refund."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def __call__(self, intent: RefundIntent) -> RefundQuote:
        """Quote.

        Raises:
            PurchaseNotFoundError: no such purchase.
        """
        attempt = self._store.attempt(intent.purchase_id)
        if attempt is None or attempt.purchase is None:
            raise PurchaseNotFoundError
        purchase = attempt.purchase
        account = self._store.account(purchase.customer_id)
        amount: Money | None = None
        account_after: Account | None = None
        refusal: TillError | None = None
        try:
            amount = purchase.amount_to_refund(intent.amount, intent.quantity)
            require_within(amount, intent.limit)
            cause = Cause(actor=Actor(""), at=self._clock.now(), reason="", idempotency_key="")
            change = account.refund(amount, cause, purchase_id=purchase.id, refund_id=_NOBODY)
            account_after = change.account
        except (
            AmountAboveLimitError,
            BalanceLimitError,
            RefundExceedsPurchaseError,
            RefundQuantityExceededError,
        ) as error:
            refusal = error
        return RefundQuote(
            intent=intent,
            purchase=purchase,
            account=account,
            amount=amount,
            account_after=account_after,
            refusal=refusal,
        )
