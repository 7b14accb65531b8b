"""Buy a product with credit: read, reserve, ship, then post or void.

The protocol is drawn in docs/purchase-protocol.md; the steps below carry its numbers.
"""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from uuid import UUID

from till.domain.errors import (
    BusyError,
    RequestInFlightError,
    ShipmentFailedError,
    ShipmentOutcomeUnknownError,
)
from till.domain.ledger import Cause
from till.domain.purchase import (
    AttemptState,
    NotShipped,
    PurchaseAttempt,
    attempt_id_for,
    make_order,
)
from till.services.contention import until_confirmed
from till.services.idempotency import fingerprint, require_same_request
from till.services.ports import AppendChange, CreateAttempt
from till.services.settlement import describe
from till.services.side_by_side import side_by_side

if TYPE_CHECKING:
    from till.domain.account import Account
    from till.domain.money import Money
    from till.domain.purchase import Order, Purchase, ShipmentOutcome
    from till.services.policy import ShipmentPolicy
    from till.services.ports import Books, Carrier, Clock, Customers, Deadline, Products
    from till.services.settlement import SettleShipment

_RETRY_AFTER_SECONDS: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseRequest:
    """A request to buy: ``quantity`` of a product, for at most ``expected_total`` if given."""

    customer_id: UUID
    product_id: UUID
    quantity: int
    expected_total: Money | None
    actor: str
    idempotency_key: str

    def fingerprint(self) -> str:
        """What makes two requests the same."""
        expected = self.expected_total
        return fingerprint(
            "create_purchase",
            {
                "customer_id": str(self.customer_id),
                "product_id": str(self.product_id),
                "quantity": self.quantity,
                "expected_total": expected.amount_minor if expected is not None else None,
            },
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchased:
    """The purchase that the request made, now or (``replayed``) when it first came."""

    purchase: Purchase
    replayed: bool


def answer_for(attempt: PurchaseAttempt, *, replayed: bool) -> Purchased:
    """What the caller of an attempt's request is told.

    Raises:
        RequestInFlightError: it is still under way.
        ShipmentFailedError: it was voided.
        ShipmentOutcomeUnknownError: its outcome is not known yet.
    """
    if attempt.purchase is not None:
        return Purchased(purchase=attempt.purchase.as_sold(), replayed=replayed)
    if attempt.state is AttemptState.VOIDED:
        raise ShipmentFailedError(
            attempt_id=attempt.id, message=_why_voided(attempt), replayed=replayed
        )
    if attempt.state is AttemptState.UNKNOWN:
        raise ShipmentOutcomeUnknownError(attempt_id=attempt.id, replayed=replayed)
    raise RequestInFlightError(retry_after_seconds=_RETRY_AFTER_SECONDS)


def _why_voided(attempt: PurchaseAttempt) -> str:
    if isinstance(attempt.carrier_outcome, NotShipped):
        return attempt.carrier_outcome.message
    return "it was resolved as not shipped"


class CreatePurchase:
    """The purchase protocol."""

    def __init__(
        self,
        *,
        books: Books,
        customers: Customers,
        products: Products,
        carrier: Carrier,
        clock: Clock,
        policy: ShipmentPolicy,
        settle: SettleShipment,
    ) -> None:
        self._books = books
        self._customers = customers
        self._products = products
        self._carrier = carrier
        self._clock = clock
        self._policy = policy
        self._settle = settle

    def __call__(self, request: PurchaseRequest, deadline: Deadline) -> Purchased:
        """Buy.

        Raises:
            CustomerNotFoundError, ProductNotFoundError: no such customer or product.
            UpstreamUnavailableError, UpstreamContractError: they could not be read.
            AmountOutOfBoundsError: the total is too large.
            TotalChangedError: the total is above the expected one.
            InsufficientCreditError: less than the total is available.
            UnresolvedAttemptError: the same purchase was tried, and its outcome is unknown.
            IdempotencyKeyReusedError: the key was used for another purchase.
            RequestInFlightError: the same request is under way.
            ShipmentFailedError: not shipped; nothing was charged.
            ShipmentOutcomeUnknownError: nobody knows yet; the amount stays held.
            BusyError: too much contention; nothing was changed.
        """
        attempt_id = attempt_id_for(request.customer_id, request.idempotency_key)
        asked = request.fingerprint()

        # 1. Read: everything fresh, side by side.
        with ThreadPoolExecutor(max_workers=3) as pool:
            reading_customer = pool.submit(self._customers.get, request.customer_id)
            reading_product = pool.submit(self._products.get, request.product_id)
            reading_account = pool.submit(self._books.account, request.customer_id)
            existing = self._books.attempt(attempt_id)
        if existing is not None:
            require_same_request(existing.fingerprint, asked)
            return answer_for(existing, replayed=True)
        address = reading_customer.result().shipping_address
        order = make_order(
            reading_product.result(),
            request.quantity,
            address,
            expected_total=request.expected_total,
        )

        # 2. Reserve: hold the amount and write the attempt down, in one transaction.
        attempt, account = self._reserve(
            request,
            deadline,
            attempt_id=attempt_id,
            asked=asked,
            order=order,
            account=reading_account.result(),
        )
        if account is None:
            require_same_request(attempt.fingerprint, asked)
            return answer_for(attempt, replayed=True)

        # 3. Ship: one call, and only if there is time for it and for settling.
        timeout_seconds = self._policy.shipment_timeout_seconds
        outcome: ShipmentOutcome
        if deadline.remaining_seconds() < timeout_seconds + self._policy.settle_seconds:
            outcome = NotShipped(message="there was no time left to call the carrier")
        else:
            outcome = self._carrier.create_shipment(
                order, attempt_id=attempt_id, timeout_seconds=timeout_seconds
            )

        # 4. Resolve: post, void, or keep as unknown.
        try:
            settled = self._settle(attempt, outcome, deadline, account=account)
        except BusyError as error:
            # Whatever the carrier said: the caller is told that the outcome is open. It is
            # settled by the recovery, and the same key then answers with it.
            raise ShipmentOutcomeUnknownError(attempt_id=attempt_id, replayed=False) from error
        return answer_for(settled, replayed=False)

    def _reserve(
        self,
        request: PurchaseRequest,
        deadline: Deadline,
        *,
        attempt_id: UUID,
        asked: str,
        order: Order,
        account: Account,
    ) -> tuple[PurchaseAttempt, Account | None]:
        """Our own attempt with the account after it; or another run's attempt, without."""
        reservation_id = secrets.token_hex(8)
        known: tuple[PurchaseAttempt | None, Account] | None = (None, account)

        def step() -> tuple[PurchaseAttempt, Account | None]:
            nonlocal known
            existing, balance = known or side_by_side(
                lambda: self._books.attempt(attempt_id),
                lambda: self._books.account(request.customer_id),
            )
            known = None
            if existing is not None:
                # Ours if a commit was applied although its confirmation got lost. Only the run
                # that reserved may ship, and only while nobody has judged its attempt dead.
                ours = existing.reservation_id == reservation_id
                mine_to_ship = ours and existing.state is AttemptState.PENDING
                return existing, balance if mine_to_ship else None
            now = self._clock.now()
            attempt = PurchaseAttempt(
                id=attempt_id,
                customer_id=request.customer_id,
                order=order,
                actor=request.actor,
                idempotency_key=request.idempotency_key,
                fingerprint=asked,
                reservation_id=reservation_id,
                reserved_at=now,
                expires_at=now + self._policy.pending_expiry,
            )
            cause = Cause(
                actor=request.actor,
                at=now,
                reason=describe(attempt),
                idempotency_key=request.idempotency_key,
            )
            change = balance.hold(
                order.total,
                cause,
                attempt_id=attempt_id,
                product_id=order.product.id,
                quantity=order.quantity,
            )
            attempt = replace(attempt, reserved_at=change.cause.at)
            self._books.commit(AppendChange(change), CreateAttempt(attempt))
            return attempt, change.account

        time_to_ship = self._policy.shipment_timeout_seconds + self._policy.settle_seconds
        try:
            return until_confirmed(step, deadline, keep_seconds=time_to_ship)
        except BusyError:
            # The last commit may have been applied after all. If so nobody but us could ship
            # for it, and we will not: give the hold back now rather than leave it to recovery.
            left_behind = self._books.attempt(attempt_id)
            if left_behind is not None and left_behind.reservation_id == reservation_id:
                never_called = NotShipped(message="the carrier was not called")
                return self._settle(left_behind, never_called, deadline), None
            raise
