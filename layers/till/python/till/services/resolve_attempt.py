"""A customer-service rep settles an attempt of unknown outcome."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from till.domain.ledger import Cause
from till.domain.purchase import (
    AttemptAlreadyResolvedError,
    AttemptState,
    AttemptStillPendingError,
    NotShipped,
    PurchaseAttempt,
    Resolution,
    ShipmentIdTakenError,
    Shipped,
)
from till.services.ports.store_errors import InconsistentReadError
from till.services.shared.amount_limit import require_within
from till.services.shared.attempts import existing_attempt
from till.services.shared.contention import until_confirmed
from till.services.shared.deadline import NEW_REQUEST_SECONDS, at_most
from till.services.shared.idempotency import (
    fingerprint,
    refused_only_if_new,
    remember,
    require_same_request,
)
from till.services.shared.in_parallel import in_parallel
from till.services.shared.settlement import post, void

if TYPE_CHECKING:
    from uuid import UUID

    from till.domain.account import Account
    from till.domain.actor import Actor
    from till.domain.money import Money
    from till.services.ports.accounts import RememberedRequest
    from till.services.ports.run import Clock, Deadline
    from till.services.ports.store import Store
    from till.services.shared.policy import ShipmentPolicy
    from till.services.shared.settlement import Settled

_OPERATION: Final = "resolve_attempt"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolutionRequest:
    """What a rep found out: shipped, by the shipment's id, or not shipped.

    The attempt's total may be at most ``limit`` where there is one: either outcome moves it.
    """

    attempt_id: UUID
    outcome: Shipped | NotShipped
    limit: Money | None
    reason: str
    actor: Actor
    idempotency_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """The attempt with its final outcome; ``replayed``: the request had come before."""

    attempt: PurchaseAttempt
    replayed: bool


class ResolveAttempt:
    """Post or void an UNKNOWN attempt, with a reason."""

    def __init__(self, store: Store, clock: Clock, policy: ShipmentPolicy) -> None:
        self._store = store
        self._clock = clock
        self._policy = policy

    def __call__(self, request: ResolutionRequest, deadline: Deadline) -> Resolved:
        """Resolve.

        Raises:
            AttemptNotFoundError: no such attempt.
            AttemptStillPendingError: it is or may be under way. The recovery makes it UNKNOWN if
                its run died.
            AttemptAlreadyResolvedError: it has its final outcome.
            AmountAboveLimitError: its total is more than the caller may move.
            CarrierAnsweredOtherwiseError: the carrier's noted answer contradicts the request.
            ShipmentIdTakenError: the shipment id belongs to another purchase.
            IdempotencyKeyReusedError: the key was used for another resolution.
            BusyError: not confirmed in its time.
        """
        outcome = request.outcome
        shipment_id = outcome.shipment_id if isinstance(outcome, Shipped) else None
        asked = fingerprint(
            _OPERATION,
            {
                "attempt_id": str(request.attempt_id),
                "shipment_id": shipment_id,
                "reason": request.reason,
            },
        )
        deadline = at_most(deadline, NEW_REQUEST_SECONDS)
        store = self._store.within(deadline)

        def step() -> Resolved:
            attempt = existing_attempt(store, request.attempt_id)

            def look_up(store: Store) -> RememberedRequest | None:
                return store.remembered(attempt.customer_id, _OPERATION, request.idempotency_key)

            remembered, account, owner = in_parallel(
                lambda: look_up(store),
                lambda: store.account(attempt.customer_id),
                lambda: store.purchase_of_shipment(shipment_id) if shipment_id else None,
            )
            if remembered is not None:
                require_same_request(remembered.fingerprint, asked)
                # The attempt was read before its resolution was found to be remembered.
                resolved = existing_attempt(store, request.attempt_id)
                if resolved.is_open:
                    raise InconsistentReadError("a resolved attempt is still open")
                return Resolved(attempt=resolved, replayed=True)
            with refused_only_if_new(store, look_up):
                settled = self._decide(request, attempt, account, owner)
            store.commit(*settled.writes(), remember(settled.change, _OPERATION, asked))
            return Resolved(attempt=settled.after, replayed=False)

        return until_confirmed(step, deadline)

    def _decide(
        self,
        request: ResolutionRequest,
        attempt: PurchaseAttempt,
        account: Account,
        owner: UUID | None,
    ) -> Settled:
        if attempt.state is AttemptState.PENDING:
            raise AttemptStillPendingError(state=attempt.state.value)
        if attempt.state is not AttemptState.UNKNOWN:
            raise AttemptAlreadyResolvedError(state=attempt.state.value)
        now = self._clock.now()
        if attempt.may_be_under_way(now, longest_run=self._policy.pending_expiry):
            raise AttemptStillPendingError(state=attempt.state.value)
        require_within(attempt.order.total, request.limit)
        attempt.require_not_answered_otherwise(request.outcome)
        if owner == attempt.id:
            raise InconsistentReadError("an open attempt owns a shipment id")
        if owner is not None:
            raise ShipmentIdTakenError(purchase_id=owner)
        by = Cause(
            actor=request.actor,
            at=now,
            reason=request.reason,
            idempotency_key=request.idempotency_key,
        )
        resolution = Resolution(actor=request.actor, reason=request.reason)
        if isinstance(request.outcome, Shipped):
            return post(attempt, account, request.outcome, by, resolution=resolution)
        return void(attempt, account, by, resolution=resolution)
