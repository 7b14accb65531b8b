"""Same key and same request: the same effect once, for ever. Another request: refused."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from till.domain.errors import IdempotencyKeyReusedError
from till.services.ports import RememberedRequest, RememberRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from till.domain.account import AccountChange


def fingerprint(operation: str, fields: Mapping[str, str | int | None]) -> str:
    """128 bits of SHA-256 over an operation and what was asked, however its JSON was laid out."""
    text = json.dumps([operation, dict(fields)], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def remember(change: AccountChange, operation: str, asked: str) -> RememberRequest:
    """What keeps the request that made a change, to be committed with it."""
    return RememberRequest(
        RememberedRequest(
            customer_id=change.account.customer_id,
            operation=operation,
            idempotency_key=change.cause.idempotency_key,
            fingerprint=asked,
            version=change.account.version,
            at=change.cause.at,
        )
    )


def require_same_request(remembered: str, presented: str) -> None:
    """Compare two fingerprints.

    Raises:
        IdempotencyKeyReusedError: the key was used for another request.
    """
    if remembered != presented:
        raise IdempotencyKeyReusedError
