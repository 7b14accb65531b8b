"""A customer-service rep closes a possible orphan shipment: a parcel with no purchase."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from till.domain.purchase import OrphanClosing, OrphanOutcome, PurchaseAttempt
from till.services.ports.attempts import UpdateAttempt
from till.services.shared.attempts import existing_attempt
from till.services.shared.contention import until_confirmed
from till.services.shared.deadline import NEW_REQUEST_SECONDS, at_most
from till.services.shared.idempotency import fingerprint, require_same_request

if TYPE_CHECKING:
    from uuid import UUID

    from till.domain.actor import Actor
    from till.services.ports.run import Clock, Deadline
    from till.services.ports.store import Store

_OPERATION: Final = "close_orphan_shipment"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosingRequest:
    """What a rep found out about a possible orphan shipment, and why it can be closed."""

    attempt_id: UUID
    outcome: OrphanOutcome
    reason: str
    actor: Actor
    idempotency_key: str

    def fingerprint(self) -> str:
        """What makes two requests the same."""
        return fingerprint(
            _OPERATION,
            {
                "attempt_id": str(self.attempt_id),
                "outcome": self.outcome.value,
                "reason": self.reason,
            },
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """The attempt with its orphan closed; ``replayed``: the request had come before.

    An orphan whose parcel has turned up since then is open again.
    """

    attempt: PurchaseAttempt
    replayed: bool


class CloseOrphanShipment:
    """Take a possible orphan shipment off the work list. It moves no money.

    Each closing keeps the key of its request, so the attempt itself is what remembers it, even if
    a parcel that turned up has opened the orphan again: who sent the request did not know of that.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def __call__(self, request: ClosingRequest, deadline: Deadline) -> Closed:
        """Close.

        Raises:
            AttemptNotFoundError: no such attempt.
            NoOrphanShipmentError: it has no possible orphan shipment.
            OrphanAlreadyClosedError: another request has closed it.
            CarrierAnsweredOtherwiseError: there is no parcel, and the carrier has named one.
            IdempotencyKeyReusedError: the key was used to close it otherwise.
            BusyError: not confirmed in its time.
        """
        asked = request.fingerprint()
        deadline = at_most(deadline, NEW_REQUEST_SECONDS)
        store = self._store.within(deadline)

        def step() -> Closed:
            attempt = existing_attempt(store, request.attempt_id)
            for closing in attempt.orphan.closings if attempt.orphan else ():
                if closing.idempotency_key == request.idempotency_key:
                    require_same_request(closing.fingerprint, asked)
                    return Closed(attempt=attempt, replayed=True)
            closed = attempt.with_orphan_closed(
                OrphanClosing(
                    outcome=request.outcome,
                    reason=request.reason,
                    actor=request.actor,
                    at=self._clock.now(),
                    idempotency_key=request.idempotency_key,
                    fingerprint=asked,
                )
            )
            store.commit(UpdateAttempt(attempt, closed))
            return Closed(attempt=closed, replayed=False)

        return until_confirmed(step, deadline)
