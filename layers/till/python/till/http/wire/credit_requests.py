"""Requests that move credit: apart from balances, which are read without what moves them."""

from __future__ import annotations

from uuid import UUID

from till.domain.actor import Actor
from till.domain.money import Money
from till.http.wire.text import Reason
from till.http.wire.types import Amount, WireRequest
from till.services.adjust_credit import CreditAdjustment


class _CreditRequest(WireRequest):
    amount: Amount
    reason: Reason

    def adjustment(
        self, *, customer_id: UUID, actor: Actor, limit: Money | None, idempotency_key: str
    ) -> CreditAdjustment:
        """The request as its use case knows it."""
        return CreditAdjustment(
            customer_id=customer_id,
            amount=Money(self.amount),
            limit=limit,
            reason=self.reason,
            actor=actor,
            idempotency_key=idempotency_key,
        )


class GrantCreditRequest(_CreditRequest):
    """Credit to give."""


class DeductCreditRequest(_CreditRequest):
    """Credit to take away."""
