"""Refund a purchase, fully or partly, never beyond what was paid for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from till.domain.ledger import Cause
from till.domain.purchase import Refund, RefundAmountChangedError, refund_id_for
from till.services.errors import PurchaseNotFoundError
from till.services.ports.accounts import AppendChange
from till.services.ports.attempts import UpdateAttempt
from till.services.ports.refunds import AddRefund
from till.services.ports.store_errors import InconsistentReadError
from till.services.shared.amount_limit import require_within
from till.services.shared.contention import until_confirmed
from till.services.shared.deadline import NEW_REQUEST_SECONDS, at_most
from till.services.shared.idempotency import (
    fingerprint,
    refused_only_if_new,
    remember,
    require_same_request,
)
from till.services.shared.in_parallel import in_parallel

if TYPE_CHECKING:
    from uuid import UUID

    from till.domain.account import Account, AccountChange
    from till.domain.actor import Actor
    from till.domain.money import Money
    from till.domain.purchase import Purchase
    from till.services.ports.accounts import RememberedRequest
    from till.services.ports.run import Clock, Deadline
    from till.services.ports.store import Store

_OPERATION: Final = "refund_purchase"


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundRequest:
    """A request to refund an amount, or so many units, or (both None) all that is left.

    What it comes to may be at most ``limit``, and must be ``expected_amount``, where there is one.
    """

    purchase_id: UUID
    amount: Money | None
    quantity: int | None
    limit: Money | None
    reason: str
    actor: Actor
    idempotency_key: str
    expected_amount: Money | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refunded:
    """The refund that the request made, now or (``replayed``) when it first came."""

    refund: Refund
    replayed: bool


class RefundPurchase:
    """One transaction: the credit, its entry, the refund, and the purchase's cap."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def __call__(self, request: RefundRequest, deadline: Deadline) -> Refunded:
        """Refund.

        Raises:
            PurchaseNotFoundError: no such purchase.
            RefundExceedsPurchaseError: more than what is left to refund.
            RefundQuantityExceededError: more units than are left to refund.
            RefundAmountChangedError: it comes to another amount than the expected one.
            AmountAboveLimitError: more than the caller may refund.
            BalanceLimitError: the balance would grow too large.
            IdempotencyKeyReusedError: the key was used for another refund of this customer.
            BusyError: not confirmed in its time.
        """
        expected = request.expected_amount
        asked = fingerprint(
            _OPERATION,
            {
                "purchase_id": str(request.purchase_id),
                "amount": request.amount.amount_minor if request.amount is not None else None,
                "quantity": request.quantity,
                "expected_amount": expected.amount_minor if expected is not None else None,
                "reason": request.reason,
            },
        )

        deadline = at_most(deadline, NEW_REQUEST_SECONDS)
        store = self._store.within(deadline)

        def step() -> Refunded:
            attempt = store.attempt(request.purchase_id)
            if attempt is None or attempt.purchase is None:
                raise PurchaseNotFoundError
            customer_id = attempt.customer_id

            def look_up(store: Store) -> RememberedRequest | None:
                return store.remembered(customer_id, _OPERATION, request.idempotency_key)

            remembered, account = in_parallel(
                lambda: look_up(store), lambda: store.account(customer_id)
            )
            if remembered is not None:
                require_same_request(remembered.fingerprint, asked)
                return Refunded(refund=_refund_of(store, attempt.id, remembered), replayed=True)
            with refused_only_if_new(store, look_up):
                refund, change = self._decide(request, attempt.purchase, account)
            store.commit(
                AppendChange(change),
                remember(change, _OPERATION, asked, refund_number=refund.number),
                UpdateAttempt(attempt, attempt.with_refund(refund)),
                AddRefund(refund),
            )
            return Refunded(refund=refund, replayed=False)

        return until_confirmed(step, deadline)

    def _decide(
        self, request: RefundRequest, purchase: Purchase, account: Account
    ) -> tuple[Refund, AccountChange]:
        amount = purchase.amount_to_refund(request.amount, request.quantity)
        if request.expected_amount is not None and amount != request.expected_amount:
            raise RefundAmountChangedError(expected=request.expected_amount, amount=amount)
        require_within(amount, request.limit)
        refund_id = refund_id_for(purchase.customer_id, request.idempotency_key)
        cause = Cause(
            actor=request.actor,
            at=self._clock.now(),
            reason=request.reason,
            idempotency_key=request.idempotency_key,
        )
        change = account.refund(amount, cause, purchase_id=purchase.id, refund_id=refund_id)
        refund = Refund(
            id=refund_id,
            purchase_id=purchase.id,
            customer_id=purchase.customer_id,
            number=purchase.refund_count + 1,
            quantity=request.quantity,
            amount=amount,
            refunded_after=purchase.refunded + amount,
            refundable_after=purchase.refundable - amount,
            reason=request.reason,
            actor=request.actor,
            idempotency_key=request.idempotency_key,
            created_at=change.cause.at,
            balance_after=change.account.posted,
            entry_sequence=change.account.sequence,
        )
        return refund, change


def _refund_of(store: Store, purchase_id: UUID, remembered: RememberedRequest) -> Refund:
    if remembered.refund_number is None:
        raise InconsistentReadError("a remembered refund has no number")
    return store.refund(purchase_id, remembered.refund_number)
