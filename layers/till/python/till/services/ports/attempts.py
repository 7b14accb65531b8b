"""Purchase attempts in the store: what is written and read of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from till.domain.purchase import AttemptState, OrphanStatus, PurchaseAttempt, PurchaseStatus


@dataclass(frozen=True, slots=True)
class CreateAttempt:
    """Write a new purchase attempt. Refused if its id is taken."""

    attempt: PurchaseAttempt


@dataclass(frozen=True, slots=True)
class UpdateAttempt:
    """Write the changed parts of an attempt. Refused if its stored revision is another."""

    before: PurchaseAttempt
    after: PurchaseAttempt


@dataclass(frozen=True, slots=True)
class ClaimShipment:
    """Make a shipment id belong to a purchase. Refused if it belongs to one already."""

    shipment_id: str
    purchase_id: UUID


@dataclass(frozen=True, slots=True)
class AttemptPage:
    """Attempts, newest first; ``before`` is where to go on, None at the end."""

    attempts: tuple[PurchaseAttempt, ...]
    before: str | None


@dataclass(frozen=True, slots=True)
class WorkPage:
    """Attempts, oldest first; ``after`` is where to go on, None at the end.

    ``count`` is how many the page lists, ``oldest`` since when the first of them is listed; both
    include attempts that cannot be read.
    """

    attempts: tuple[PurchaseAttempt, ...]
    count: int
    oldest: datetime | None
    after: str | None


class AttemptReads(Protocol):
    """Reads of purchase attempts, and of the purchases they became."""

    def attempt(self, attempt_id: UUID) -> PurchaseAttempt | None:
        """An attempt, and the purchase it became."""
        ...

    def attempts(self, attempt_ids: tuple[UUID, ...]) -> tuple[PurchaseAttempt, ...]:
        """Those of the attempts that exist, in the order asked for."""
        ...

    def attempt_ids(self, short_id: str) -> tuple[UUID, ...]:
        """The ids that begin with these 8 characters. May lag the commits by a moment."""
        ...

    def list_attempts(
        self,
        listed_as: tuple[AttemptState | PurchaseStatus | OrphanStatus, ...],
        *,
        since: datetime | None,
        until: datetime | None,
        before: str | None,
        limit: int,
    ) -> AttemptPage:
        """Attempts by what they are listed as, newest first, entered in [since, until).

        This read may lag the commits by a moment.
        """
        ...

    def oldest_attempts(
        self,
        listed_as: AttemptState | OrphanStatus,
        *,
        after: str | None,
        limit: int,
    ) -> WorkPage:
        """Attempts by what they are listed as, oldest first: a work list.

        This read may lag the commits by a moment.
        """
        ...

    def count_attempts(
        self,
        listed_as: AttemptState | OrphanStatus,
        *,
        after: str | None,
        limit: int,
    ) -> WorkPage:
        """The same work list without its attempts: it reads nothing but the index."""
        ...

    def purchase_of_shipment(self, shipment_id: str) -> UUID | None:
        """The purchase that a shipment id belongs to."""
        ...
