"""Accounts in the store: what is written and read of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Self

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from till.domain.account import Account, AccountChange
    from till.domain.ledger import EntryKind
    from till.services.ports.run import Deadline


@dataclass(frozen=True, slots=True, kw_only=True)
class RememberedRequest:
    """A request that had its effect, kept permanently. A key belongs to a customer and operation.

    ``version`` is the version of the account that the request made, ``refund_number`` the number of
    the refund that it made, if it made one.
    """

    customer_id: UUID
    operation: str
    idempotency_key: str
    fingerprint: str
    version: int
    at: datetime
    refund_number: int | None = None


@dataclass(frozen=True, slots=True)
class AppendChange:
    """Write the next version of an account. Refused if that version exists."""

    change: AccountChange


@dataclass(frozen=True, slots=True)
class RememberRequest:
    """Write a request down. Refused if its key is taken."""

    request: RememberedRequest


AccountWrite = AppendChange | RememberRequest


@dataclass(frozen=True, slots=True)
class ChangePage:
    """Versions of an account, newest first; ``before`` is where to go on, None at the end."""

    changes: tuple[AccountChange, ...]
    before: int | None


@dataclass(frozen=True, slots=True)
class OlderFirstPage:
    """Versions of an account, oldest first; ``after`` is where to go on, None at the end."""

    changes: tuple[AccountChange, ...]
    after: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedAccount:
    """A customer who has an account, since when, and its cursor in the list of all."""

    customer_id: UUID
    opened_at: datetime
    cursor: str


@dataclass(frozen=True, slots=True)
class AccountPage:
    """Accounts, newest first; ``before`` is where to go on, None at the end."""

    accounts: tuple[OpenedAccount, ...]
    before: str | None


class AccountReads(Protocol):
    """Reads of accounts: balances, entries and remembered requests."""

    def account(self, customer_id: UUID) -> Account:
        """The newest version of an account; version 0 for a customer who has none."""
        ...

    def accounts(self, *, before: str | None, limit: int) -> AccountPage:
        """The accounts there are, newest first. May lag the commits by a moment."""
        ...

    def change(self, customer_id: UUID, version: int) -> AccountChange:
        """A version of an account that is known to exist.

        Raises:
            InconsistentReadError: it is not there, or not visible yet.
        """
        ...

    def entries(
        self, customer_id: UUID, *, kind: EntryKind | None, before: int | None, limit: int
    ) -> ChangePage:
        """The versions that carry a ledger entry (of a kind), newest first.

        When they are rare, a page may hold fewer than ``limit`` and yet not be the last: how many
        versions it looks at is bounded.
        """
        ...

    def entries_between(
        self, customer_id: UUID, *, after: int, last: int, limit: int
    ) -> OlderFirstPage:
        """The versions that carry a ledger entry, oldest first: those after one, up to another.

        A page may hold fewer than ``limit``, and yet not be the last. A version that cannot be read
        is not left out: it raises.
        """
        ...

    def remembered(
        self, customer_id: UUID, operation: str, idempotency_key: str
    ) -> RememberedRequest | None:
        """What is kept under a key."""
        ...


class AccountStore(AccountReads, Protocol):
    """The accounts alone, for operations that change nothing else; see ``store.Store``."""

    def within(self, deadline: Deadline) -> Self:
        """The same tables, with calls that take no longer than the deadline leaves."""
        ...

    def isolated(self) -> Self:
        """The same tables, with reads of single things that see whole transactions only.

        Other reads may see one item of a transaction and not yet another. These cost twice as much.
        """
        ...

    def commit(self, *writes: AccountWrite) -> Account | None:
        """All the writes, or none of them.

        Returns:
            The account as it then is stored, if a version of one was appended.

        Raises:
            UnconfirmedCommitError: refused, or of unknown effect: read again.
        """
        ...
