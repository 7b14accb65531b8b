"""Telling others what happened: the ledger's stream, the event bus, the dead letters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from till.domain.errors import TillError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from till.domain.account import AccountChange
    from till.domain.events import DomainEvent


class UnreadableRecordError(TillError):
    """What the ledger's stream brought is no version of an account as we know them.

    The message names what is wrong with it, and holds nothing of what was in it.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordLocation:
    """Where a record came from: enough to find it, and nothing of what is in it."""

    partition_key: str
    sort_key: str
    sequence_number: str


class LedgerRecord(Protocol):
    """One new item of the ledger, as its stream brings it."""

    @property
    def location(self) -> RecordLocation:
        """Where it came from."""
        ...

    def change(self) -> AccountChange:
        """The version of an account that it is.

        Raises:
            UnreadableRecordError: it is none.
        """
        ...


class AccountVersions(Protocol):
    """The versions of accounts."""

    def change(self, customer_id: UUID, version: int) -> AccountChange:
        """One version.

        Raises:
            InconsistentReadError: there is none.
        """
        ...


class EventBus(Protocol):
    """Where others hear of domain events."""

    @property
    def most_at_once(self) -> int:
        """How many events one call takes."""
        ...

    def publish(self, events: Sequence[DomainEvent]) -> frozenset[UUID]:
        """Put events on the bus; gives back the ids of those that are now there.

        The others may be there as well. Send them again.
        """
        ...


class DeadLetters(Protocol):
    """Where unreadable records wait until a person has looked at them."""

    def add(self, location: RecordLocation, error: TillError) -> None:
        """Keep the record's place and what is wrong with it. Whatever fails here is raised."""
        ...
