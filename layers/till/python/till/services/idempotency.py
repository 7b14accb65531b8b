"""Same key and same request: the same effect once, for ever. Another request: refused."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from till.domain.errors import IdempotencyKeyReusedError

if TYPE_CHECKING:
    from collections.abc import Mapping


def fingerprint(operation: str, fields: Mapping[str, str | int | None]) -> str:
    """128 bits of SHA-256 over an operation and what was asked, however its JSON was laid out."""
    text = json.dumps([operation, dict(fields)], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def require_same_request(remembered: str, presented: str) -> None:
    """Compare two fingerprints.

    Raises:
        IdempotencyKeyReusedError: the key was used for another request.
    """
    if remembered != presented:
        raise IdempotencyKeyReusedError
