"""Buy a product with credit: read, reserve, ship, then post or void.

The protocol is drawn in docs/purchase-protocol.md; the steps below carry its numbers.
"""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

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
)
from till.services.contention import until_confirmed
from till.services.idempotency import fingerprint, require_same_request
from till.services.ports import AppendChange, CreateAttempt, Redeem
from till.services.pricing import price, read_books
from till.services.settlement import describe
from till.services.side_by_side import side_by_side

if TYPE_CHECKING:
    from uuid import UUID

    from till.domain.account import Account
    from till.domain.catalogue import Address, Product
    from till.domain.purchase import Purchase, ShipmentOutcome
    from till.services.policy import ShipmentPolicy
    from till.services.ports import (
        Books,
        Carrier,
        Clock,
        Customers,
        Deadline,
        Products,
        Write,
    )
    from till.services.pricing import BooksReading, Wish
    from till.services.settlement import SettleShipment

_RETRY_AFTER_SECONDS: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseRequest:
    """A request to buy."""

    wish: Wish
    actor: str
    idempotency_key: str

    def fingerprint(self) -> str:
        """What makes two requests the same."""
        wish = self.wish
        expected = wish.expected_total
        return fingerprint(
            "create_purchase",
            {
                "customer_id": str(wish.customer_id),
                "product_id": str(wish.product_id),
                "quantity": wish.quantity,
                "expected_total": expected.amount_minor if expected is not None else None,
                "promo_code": wish.promo_code,
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
            PromoCodeRefusedError: the promo code cannot be used; the restriction tells why.
            TotalChangedError: the total is above the expected one.
            InsufficientCreditError: less than the total is available.
            UnresolvedAttemptError: the same purchase was tried, and its outcome is unknown.
            IdempotencyKeyReusedError: the key was used for another purchase.
            RequestInFlightError: the same request is under way.
            ShipmentFailedError: not shipped; nothing was charged.
            ShipmentOutcomeUnknownError: nobody knows yet; the amount stays held.
            BusyError: too much contention; nothing was changed.
        """
        wish = request.wish
        attempt_id = attempt_id_for(wish.customer_id, request.idempotency_key)
        asked = request.fingerprint()

        # 1. Read: everything fresh, side by side.
        with ThreadPoolExecutor(max_workers=3) as pool:
            reading_customer = pool.submit(self._customers.get, wish.customer_id)
            reading_product = pool.submit(self._products.get, wish.product_id)
            reading_books = pool.submit(read_books, self._books, wish)
            existing = self._books.attempt(attempt_id)
        if existing is not None:
            require_same_request(existing.fingerprint, asked)
            return answer_for(existing, replayed=True)
        customer, product = reading_customer.result(), reading_product.result()

        # 2. Reserve: hold the amount, count the promo code as used, and write the attempt down,
        # in one transaction.
        attempt, account = self._reserve(
            request,
            deadline,
            attempt_id=attempt_id,
            asked=asked,
            product=product,
            shipping_address=customer.shipping_address,
            first_reading=reading_books.result(),
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
                attempt.order, attempt_id=attempt_id, timeout_seconds=timeout_seconds
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
        product: Product,
        shipping_address: Address,
        first_reading: BooksReading,
    ) -> tuple[PurchaseAttempt, Account | None]:
        """Our own attempt with the account after it; or another run's attempt, without."""
        wish = request.wish
        reservation_id = secrets.token_hex(8)
        known: tuple[PurchaseAttempt | None, BooksReading] | None = (None, first_reading)

        def step() -> tuple[PurchaseAttempt, Account | None]:
            nonlocal known
            existing, reading = known or side_by_side(
                lambda: self._books.attempt(attempt_id), lambda: read_books(self._books, wish)
            )
            known = None
            if existing is not None:
                # Ours if a commit was applied although its confirmation got lost. Only the run
                # that reserved may ship, and only while nobody has judged its attempt dead.
                ours = existing.reservation_id == reservation_id
                mine_to_ship = ours and existing.state is AttemptState.PENDING
                return existing, reading.account if mine_to_ship else None
            now = self._clock.now()
            attempt = PurchaseAttempt(
                id=attempt_id,
                customer_id=wish.customer_id,
                order=price(wish, product, shipping_address, reading, now),
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
            change = reading.account.hold(
                attempt.order.total,
                cause,
                attempt_id=attempt_id,
                product_id=product.id,
                quantity=wish.quantity,
            )
            attempt = replace(attempt, reserved_at=change.cause.at)
            writes: list[Write] = [AppendChange(change), CreateAttempt(attempt)]
            if reading.promo is not None:
                writes.append(Redeem(reading.promo, attempt))
            self._books.commit(*writes)
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
