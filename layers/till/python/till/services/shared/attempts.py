"""Read an attempt that a request names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from till.services.errors import AttemptNotFoundError

if TYPE_CHECKING:
    from uuid import UUID

    from till.domain.purchase import PurchaseAttempt
    from till.services.ports.attempts import AttemptReads


def existing_attempt(store: AttemptReads, attempt_id: UUID) -> PurchaseAttempt:
    """The attempt of this id.

    Raises:
        AttemptNotFoundError: there is none.
    """
    attempt = store.attempt(attempt_id)
    if attempt is None:
        raise AttemptNotFoundError
    return attempt
