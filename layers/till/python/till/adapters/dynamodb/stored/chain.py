"""What chains the versions of an account, and binds to them what is written with them.

docs/data-model.md, "The chain", specifies it for verifiers in other languages. ``evidence`` is one,
and imports nothing from here.
"""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

UPDATED_ALONE: Final = frozenset(
    {"carrier", "orphan", "revision", "shipped_again_at", "state_at", "state_shard"}
)
"""The attributes of an attempt that are updated without a new version of the account, too."""


@dataclass(frozen=True, slots=True)
class WrittenWith:
    """Hashes of what is written in the transaction of a version."""

    attempt_hash: str | None
    """Of the attempt, without ``UPDATED_ALONE``."""
    items_hash: str | None
    """Of the items that are put and never updated: request, refund and claim of a shipment id."""

    @classmethod
    def of(
        cls, attempt: Mapping[str, object] | None, items: Iterable[Mapping[str, object]]
    ) -> WrittenWith:
        """The hashes of these items."""
        ordered = sorted(items, key=lambda item: (item["pk"], item["sk"]))
        return cls(
            attempt_hash=_hash(_text(_lasting(attempt))) if attempt is not None else None,
            items_hash=_hash(_text(ordered)) if ordered else None,
        )


ALONE: Final = WrittenWith(None, None)
"""Nothing is written with the version."""


def version_hash(version: Mapping[str, object], *, previous: str) -> str:
    """The hash of a version, over all its attributes and the hash of the version before."""
    attributes = {name: value for name, value in version.items() if name != "hash"}
    return _hash(f"{previous}\n{_text(attributes)}")


def _lasting(attempt: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in attempt.items() if name not in UPDATED_ALONE}


def _text(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode("ascii")).digest()
    return urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")
