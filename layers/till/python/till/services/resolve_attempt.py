"""A customer-service rep settles an attempt whose outcome nobody knew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from till.domain.errors import (
    AttemptAlreadyResolvedError,
    AttemptNotFoundError,
    AttemptStillPendingError,
)
from till.domain.ledger import Cause
from till.domain.purchase import AttemptState, NotShipped, PurchaseAttempt, Resolution, Shipped
from till.services.contention import until_confirmed
from till.services.idempotency import fingerprint, remember, require_same_request
from till.services.settlement import post, void
from till.services.side_by_side import side_by_side

if TYPE_CHECKING:
    from uuid import UUID

    from till.services.ports import Books, Clock, Deadline

_OPERATION: Final = "resolve_attempt"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolutionRequest:
    """What a rep found out: shipped, by the shipment's id, or not shipped."""

    attempt_id: UUID
    outcome: Shipped | NotShipped
    reason: str
    actor: str
    idempotency_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """The attempt with its final outcome; ``replayed``: the request had come before."""

    attempt: PurchaseAttempt
    replayed: bool


class ResolveAttempt:
    """Post or void an UNKNOWN attempt, with a reason."""

    def __init__(self, books: Books, clock: Clock) -> None:
        self._books = books
        self._clock = clock

    def __call__(self, request: ResolutionRequest, deadline: Deadline) -> Resolved:
        """Resolve.

        Raises:
            AttemptNotFoundError: no such attempt.
            AttemptStillPendingError: it is under way; the recovery makes it UNKNOWN if it died.
            AttemptAlreadyResolvedError: it has its final outcome.
            IdempotencyKeyReusedError: the key was used for another resolution.
            BusyError: too much contention; nothing was changed.
        """
        shipment_id = request.outcome.shipment_id if isinstance(request.outcome, Shipped) else None
        asked = fingerprint(
            _OPERATION,
            {
                "attempt_id": str(request.attempt_id),
                "shipment_id": shipment_id,
                "reason": request.reason,
            },
        )

        def step() -> Resolved:
            attempt = self._books.attempt(request.attempt_id)
            if attempt is None:
                raise AttemptNotFoundError
            customer_id, key = attempt.customer_id, request.idempotency_key
            remembered, account = side_by_side(
                lambda: self._books.remembered(customer_id, _OPERATION, key),
                lambda: self._books.account(customer_id),
            )
            if remembered is not None:
                require_same_request(remembered.fingerprint, asked)
                # Read anew: the attempt was read before the request was found to be remembered.
                resolved = self._books.attempt(request.attempt_id)
                if resolved is None:
                    raise AttemptNotFoundError
                return Resolved(attempt=resolved, replayed=True)
            if attempt.state is AttemptState.PENDING:
                raise AttemptStillPendingError
            if attempt.state is not AttemptState.UNKNOWN:
                raise AttemptAlreadyResolvedError(state=attempt.state.value)
            by = Cause(
                actor=request.actor,
                at=self._clock.now(),
                reason=request.reason,
                idempotency_key=key,
            )
            resolution = Resolution(actor=request.actor, reason=request.reason)
            settled = (
                post(attempt, account, request.outcome, by, resolution=resolution)
                if isinstance(request.outcome, Shipped)
                else void(attempt, account, by, resolution=resolution)
            )
            self._books.commit(
                *settled.writes(),
                remember(settled.change, _OPERATION, asked),
            )
            return Resolved(attempt=settled.after, replayed=False)

        return until_confirmed(step, deadline)
