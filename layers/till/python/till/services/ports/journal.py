"""The journal of verified versions, which another function writes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from till.domain.errors import TillError

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID


class JournalUnavailableError(TillError):
    """The journal cannot be read at this moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """How far an account was verified, and how often something was wrong with it.

    ``version`` is the newest verified version, 0 if there is none yet; ``at`` is when it was.
    """

    version: int
    at: datetime | None
    findings: int


class JournalReads(Protocol):
    """What is read of the journal."""

    def verification(self, customer_id: UUID) -> Verification:
        """How far a customer's account was verified.

        Raises:
            JournalUnavailableError: try again later.
        """
        ...
