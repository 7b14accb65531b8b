"""Grant and deduct a customer's credit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from till.domain.ledger import Cause
from till.services.ports.accounts import AppendChange
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
    from collections.abc import Callable
    from uuid import UUID

    from till.domain.account import Account, AccountChange
    from till.domain.actor import Actor
    from till.domain.catalogue import CustomerDetails
    from till.domain.money import Money
    from till.services.ports.accounts import AccountStore, RememberedRequest
    from till.services.ports.customer_index import CustomerIndex
    from till.services.ports.run import Clock, Deadline
    from till.services.ports.upstream import Customers


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditAdjustment:
    """A request to grant or deduct a positive amount, of at most ``limit`` where there is one."""

    customer_id: UUID
    amount: Money
    limit: Money | None
    reason: str
    actor: Actor
    idempotency_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjusted:
    """The change that the request made, now or (``replayed``) when it first came."""

    change: AccountChange
    replayed: bool


class AdjustCredit:
    """Grant or deduct: one transaction of the account's next version and the request."""

    def __init__(
        self, store: AccountStore, customers: Customers, index: CustomerIndex, clock: Clock
    ) -> None:
        self._store = store
        self._customers = customers
        self._index = index
        self._clock = clock

    def grant(self, request: CreditAdjustment, deadline: Deadline) -> Adjusted:
        """Give credit.

        Raises:
            CustomerNotFoundError: no such customer.
            AmountAboveLimitError: more than the caller may grant.
            BalanceLimitError: the balance would grow too large.
            IdempotencyKeyReusedError: the key was used for another grant.
            BusyError: not confirmed in its time.
        """
        return self._adjust(
            "grant_credit", request, deadline, lambda a, c: a.grant(request.amount, c)
        )

    def deduct(self, request: CreditAdjustment, deadline: Deadline) -> Adjusted:
        """Take credit away, at most what is available.

        Raises:
            CustomerNotFoundError: no such customer.
            AmountAboveLimitError: more than the caller may deduct.
            InsufficientCreditError: less than the amount is available.
            IdempotencyKeyReusedError: the key was used for another deduction.
            BusyError: not confirmed in its time.
        """
        return self._adjust(
            "deduct_credit", request, deadline, lambda a, c: a.deduct(request.amount, c)
        )

    def _adjust(
        self,
        operation: str,
        request: CreditAdjustment,
        deadline: Deadline,
        change_account: Callable[[Account, Cause], AccountChange],
    ) -> Adjusted:
        customer_id, key = request.customer_id, request.idempotency_key
        asked = fingerprint(
            operation,
            {
                "customer_id": str(customer_id),
                "amount": request.amount.amount_minor,
                "currency": request.amount.currency,
                "reason": request.reason,
            },
        )

        deadline = at_most(deadline, NEW_REQUEST_SECONDS)
        store = self._store.within(deadline)

        def look_up(store: AccountStore) -> RememberedRequest | None:
            return store.remembered(customer_id, operation, key)

        def step() -> Adjusted:
            remembered, account = in_parallel(
                lambda: look_up(store), lambda: store.account(customer_id)
            )
            if remembered is not None:
                require_same_request(remembered.fingerprint, asked)
                change = store.change(customer_id, remembered.version)
                return Adjusted(change=change, replayed=True)
            opened_for: CustomerDetails | None = None
            with refused_only_if_new(store, look_up):
                require_within(request.amount, request.limit)
                if account.version == 0:
                    # A customer who has an account exists: only the first change asks.
                    opened_for = self._customers.details(customer_id)
                cause = Cause(
                    actor=request.actor,
                    at=self._clock.now(),
                    reason=request.reason,
                    idempotency_key=key,
                )
                change = change_account(account, cause)
            store.commit(AppendChange(change), remember(change, operation, asked))
            if opened_for is not None:
                # Once in a customer's life, and after the money: whatever comes of it.
                self._index.saw((opened_for,))
            return Adjusted(change=change, replayed=False)

        return until_confirmed(step, deadline)
