"""Buy a product with credit: read, reserve, ship, then post or void.

The protocol is drawn in docs/purchase-protocol.md; the steps below carry its numbers.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from till.domain.account import OpenAttempt, UnresolvedAttemptError
from till.domain.ledger import Cause
from till.domain.purchase import (
    AttemptState,
    NotShipped,
    OutcomeUnknown,
    PurchaseAttempt,
    Shipped,
    attempt_id_for,
)
from till.services.errors import (
    RequestInFlightError,
    ShipmentFailedError,
    ShipmentOutcomeUnknownError,
)
from till.services.ports.accounts import AppendChange
from till.services.ports.attempts import CreateAttempt
from till.services.ports.promo_codes import Redeem
from till.services.ports.store_errors import InconsistentReadError
from till.services.shared.contention import until_confirmed
from till.services.shared.deadline import NEW_REQUEST_SECONDS, at_most, keeping
from till.services.shared.idempotency import fingerprint, refused_only_if_new, require_same_request
from till.services.shared.in_parallel import deferred, in_parallel
from till.services.shared.policy import SETTLE_SECONDS
from till.services.shared.pricing import price, read_store
from till.services.shared.settlement import describe

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from uuid import UUID

    from till.domain.account import Account, AccountChange
    from till.domain.actor import Actor
    from till.domain.catalogue import Customer, Product
    from till.domain.purchase import Purchase, ShipmentOutcome
    from till.services.ports.run import Clock, Deadline
    from till.services.ports.store import Store, Write
    from till.services.ports.upstream import Carrier, Customers, Products
    from till.services.shared.policy import ShipmentPolicy
    from till.services.shared.pricing import PurchaseIntent, StoreReading
    from till.services.shared.settlement import SettleShipment

_RETRY_AFTER_SECONDS: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseRequest:
    """A request to buy."""

    intent: PurchaseIntent
    actor: Actor
    idempotency_key: str

    def fingerprint(self) -> str:
        """What makes two requests the same."""
        intent = self.intent
        expected = intent.expected_total
        return fingerprint(
            "create_purchase",
            {
                "customer_id": str(intent.customer_id),
                "product_id": str(intent.product_id),
                "quantity": intent.quantity,
                "expected_total": expected.amount_minor if expected is not None else None,
                "promo_code": intent.promo_code,
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
            attempt_id=attempt.id,
            message=_why_voided(attempt),
            parcel_possible=attempt.orphan is not None,
            replayed=replayed,
        )
    if attempt.state is AttemptState.UNKNOWN:
        raise ShipmentOutcomeUnknownError(attempt_id=attempt.id, replayed=replayed)
    raise RequestInFlightError(retry_after_seconds=_RETRY_AFTER_SECONDS)


def _why_voided(attempt: PurchaseAttempt) -> str:
    if isinstance(attempt.carrier_outcome, NotShipped):
        return attempt.carrier_outcome.message
    if attempt.orphan is not None:
        return "The outcome of the shipment was not known in time."
    return "It was resolved as not shipped."


class CreatePurchase:
    """The purchase protocol."""

    def __init__(
        self,
        *,
        store: Store,
        customers: Customers,
        products: Products,
        carrier: Carrier,
        clock: Clock,
        policy: ShipmentPolicy,
        settle: SettleShipment,
    ) -> None:
        self._store = store
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
            UnresolvedAttemptError: the same order was tried, and its first attempt is still open.
            TooManyOpenAttemptsError: the customer has too many open attempts.
            IdempotencyKeyReusedError: the key was used for another purchase.
            RequestInFlightError: the same request is under way.
            ShipmentFailedError: not shipped; nothing was charged.
            ShipmentOutcomeUnknownError: the outcome is unknown; the amount stays held.
            BusyError: not confirmed in its time; the carrier was not called.
        """
        intent = request.intent
        attempt_id = attempt_id_for(intent.customer_id, request.idempotency_key)
        asked = request.fingerprint()
        shipping_seconds = self._policy.shipment_timeout_seconds + SETTLE_SECONDS
        time_to_reserve = keeping(deadline, shipping_seconds)

        # 1. Read: everything fresh, in parallel. What cannot be read matters only if the key is
        # new.
        store = self._store.within(time_to_reserve)
        existing, customer, product, reading = in_parallel(
            lambda: store.attempt(attempt_id),
            lambda: deferred(lambda: self._customers.get(intent.customer_id)),
            lambda: deferred(lambda: self._products.get(intent.product_id)),
            lambda: deferred(lambda: read_store(store, intent)),
        )
        if existing is not None:
            require_same_request(existing.fingerprint, asked)
            return answer_for(existing, replayed=True)

        # 2. Reserve: hold the amount, count the promo code as used, and create the attempt, in one
        # transaction.
        longest_run = timedelta(seconds=deadline.remaining_seconds())
        reservation = _Reservation(
            request=request,
            attempt_id=attempt_id,
            asked=asked,
            reservation_id=secrets.token_hex(8),
            customer=customer,
            product=product,
            run_ends_at=self._clock.now() + longest_run,
            longest_run=longest_run,
            expires_after=self._policy.pending_expiry,
        )
        attempt, account = self._reserve(reservation, reading, time_to_reserve, deadline)
        if account is None:
            require_same_request(attempt.fingerprint, asked)
            return answer_for(attempt, replayed=True)

        # 3. Ship: one call, and only if there is time for it and for settling.
        outcome: ShipmentOutcome
        if deadline.remaining_seconds() < shipping_seconds:
            outcome = NotShipped(message="There was no time left to call the carrier.")
        else:
            outcome = self._carrier.create_shipment(
                attempt.order,
                attempt_id=attempt_id,
                timeout_seconds=self._policy.shipment_timeout_seconds,
            )

        # 4. Resolve: post, void, or keep as unknown.
        try:
            settled = self._settle(attempt, outcome, deadline, actor=request.actor, account=account)
        except Exception as error:
            # The carrier's answer is noted or reported. The recovery settles the attempt, and the
            # same key then returns the result.
            raise ShipmentOutcomeUnknownError(attempt_id=attempt_id, replayed=False) from error
        return answer_for(settled, replayed=False)

    def _reserve(
        self,
        reservation: _Reservation,
        first_reading: Callable[[], StoreReading],
        time_to_reserve: Deadline,
        deadline: Deadline,
    ) -> tuple[PurchaseAttempt, Account | None]:
        """Our own attempt with the account after it; or another run's attempt, without."""
        time_to_reserve = at_most(time_to_reserve, NEW_REQUEST_SECONDS)
        store = self._store.within(time_to_reserve)
        attempt_id, intent = reservation.attempt_id, reservation.request.intent
        known: tuple[PurchaseAttempt | None, Callable[[], StoreReading]] | None = (
            None,
            first_reading,
        )

        def step() -> tuple[PurchaseAttempt, Account | None]:
            nonlocal known
            existing, reading = known or in_parallel(
                lambda: store.attempt(attempt_id),
                lambda: deferred(lambda: read_store(store, intent)),
            )
            known = None
            if existing is not None:
                # Ours if a commit was applied although its confirmation was lost. Only the run
                # that reserved may ship, and only while its attempt is still PENDING.
                ours = existing.reservation_id == reservation.reservation_id
                mine_to_ship = ours and existing.state is AttemptState.PENDING
                return existing, reading().account if mine_to_ship else None
            with refused_only_if_new(store, lambda store: store.attempt(attempt_id)):
                state = reading()
                if state.account.holds(attempt_id):
                    raise InconsistentReadError("an account holds an attempt that is not there")
                now = self._clock.now()
                attempt, change = reservation.decide(state, now)
                for other in _equal_open_attempts(store, state.account, change):
                    if not reservation.may_go_with(other, now):
                        raise UnresolvedAttemptError(attempt_id=other.id)
            writes: list[Write] = [AppendChange(change), CreateAttempt(attempt)]
            if state.promo is not None:
                writes.append(Redeem(state.promo, intent.customer_id))
            return attempt, store.commit(*writes)

        try:
            return until_confirmed(step, time_to_reserve)
        except Exception:
            # The last commit may have been applied after all. If so only this run could ship for
            # it, and it will not: release the hold now rather than leave it to the recovery.
            left_behind = self._store.within(deadline).attempt(attempt_id)
            if left_behind is None or left_behind.reservation_id != reservation.reservation_id:
                raise
            never_called = NotShipped(message="The carrier was not called.")
            actor = reservation.request.actor
            return self._settle(left_behind, never_called, deadline, actor=actor), None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reservation:
    """What one run wants to reserve. ``reservation_id`` is this run's alone."""

    request: PurchaseRequest
    attempt_id: UUID
    asked: str
    reservation_id: str
    customer: Callable[[], Customer]
    product: Callable[[], Product]
    run_ends_at: datetime
    longest_run: timedelta
    expires_after: timedelta

    def decide(self, state: StoreReading, now: datetime) -> tuple[PurchaseAttempt, AccountChange]:
        """The attempt, and the account that holds its amount; or why it is refused."""
        request, intent = self.request, self.request.intent
        customer, product = self.customer(), self.product()
        attempt = PurchaseAttempt(
            id=self.attempt_id,
            customer_id=intent.customer_id,
            order=price(intent, product, customer.shipping_address, state, now),
            actor=request.actor,
            idempotency_key=request.idempotency_key,
            fingerprint=self.asked,
            reservation_id=self.reservation_id,
            reserved_at=now,
            expires_at=now + self.expires_after,
        )
        cause = Cause(
            actor=request.actor,
            at=now,
            reason=describe(attempt),
            idempotency_key=request.idempotency_key,
        )
        # By the account's time, which may be that of a clock that was ahead.
        begins_at = max(now, state.account.updated_at or now)
        change = state.account.hold(
            OpenAttempt(
                attempt_id=self.attempt_id,
                product_id=product.id,
                quantity=intent.quantity,
                amount=attempt.order.total,
                blocks_from=begins_at + (self.run_ends_at - now),
            ),
            cause,
        )
        return replace(attempt, reserved_at=change.cause.at), change

    def may_go_with(self, other: PurchaseAttempt, now: datetime) -> bool:
        """Whether an equal order that is open is surely under way, and not perhaps shipped.

        The account knows when it blocks, but not what was noted on the attempt alone; and its time
        may stand still, at that of a clock that was ahead. So the clocks of both runs decide as
        well: when the other one reserved follows from when its attempt expires.
        """
        began_at = other.expires_at - self.expires_after
        is_running = abs(now - began_at) < self.longest_run
        return is_running and not isinstance(other.carrier_outcome, Shipped | OutcomeUnknown)


def _equal_open_attempts(
    store: Store, account: Account, change: AccountChange
) -> tuple[PurchaseAttempt, ...]:
    """The open attempts at the order that the change is to hold the amount of."""
    new = change.account.open_attempts[-1]
    return store.attempts(
        tuple(a.attempt_id for a in account.open_attempts if a.is_same_order(new))
    )
