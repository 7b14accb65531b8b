"""Read how far a customer's account was verified."""

from __future__ import annotations

from typing import TYPE_CHECKING

from till.services.ports.journal import JournalUnavailableError

if TYPE_CHECKING:
    from uuid import UUID

    from till.services.ports.journal import JournalReads, Verification


class ReadVerification:
    """What the watcher of the ledger has verified and found, by its journal."""

    def __init__(self, journal: JournalReads) -> None:
        self._journal = journal

    def __call__(self, customer_id: UUID) -> Verification | None:
        """How far an account was verified; None if that is not known at this moment."""
        try:
            return self._journal.verification(customer_id)
        except JournalUnavailableError:
            # It is shown next to a balance, which does not depend on it.
            return None
