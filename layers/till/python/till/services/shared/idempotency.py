"""Same key and same request: the same effect once, permanently. Another request: refused."""

from __future__ import annotations

import hashlib
import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from till.domain.errors import TillError
from till.services.ports.accounts import AccountStore, RememberedRequest, RememberRequest
from till.services.ports.store_errors import InconsistentReadError, ReadAgainError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from till.domain.account import AccountChange

S = TypeVar("S", bound=AccountStore)


class IdempotencyKeyReusedError(TillError):
    """The same Idempotency-Key came with another request."""


def fingerprint(operation: str, fields: Mapping[str, str | int | None]) -> str:
    """Hash an operation and its request: 128 bits of SHA-256, however the JSON was laid out."""
    text = json.dumps([operation, dict(fields)], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def remember(
    change: AccountChange, operation: str, asked: str, *, refund_number: int | None = None
) -> RememberRequest:
    """The write that keeps the request that made a change, to be committed with the change."""
    return RememberRequest(
        RememberedRequest(
            customer_id=change.account.customer_id,
            operation=operation,
            idempotency_key=change.cause.idempotency_key,
            fingerprint=asked,
            version=change.account.version,
            at=change.cause.at,
            refund_number=refund_number,
        )
    )


@contextmanager
def refused_only_if_new(store: S, look_up: Callable[[S], object | None]) -> Iterator[None]:
    """Let a refusal pass only after the key was looked up once more.

    The key and what a refusal rests on are separate reads. Between them the same request may have
    had its effect, sent twice or by a commit of this very run whose confirmation was lost. What
    looks like a refusal is then that effect. The second read is isolated: the effect may have been
    visible on the account before the key was.

    Raises:
        InconsistentReadError: the key has had its effect: read again.
    """
    try:
        yield
    except ReadAgainError:
        raise
    except TillError as refusal:
        if look_up(store.isolated()) is not None:
            raise InconsistentReadError("a refused request has had its effect") from refusal
        raise


def require_same_request(remembered: str, presented: str) -> None:
    """Compare two fingerprints.

    Raises:
        IdempotencyKeyReusedError: the key was used for another request.
    """
    if remembered != presented:
        raise IdempotencyKeyReusedError
