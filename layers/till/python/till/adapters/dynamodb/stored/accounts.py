"""Accounts as they are stored: their versions, and the requests that made them."""

from __future__ import annotations

from typing import Self
from uuid import UUID

from till.adapters.dynamodb.stored.chain import ALONE, WrittenWith, version_hash
from till.adapters.dynamodb.stored.item import StoredItem
from till.adapters.dynamodb.stored.keys import (
    account_key,
    opened_shard,
    owner_of,
    request_key,
    version_key,
)
from till.domain.account import Account, AccountChange, ChangeKind, OpenAttempt
from till.domain.actor import Actor
from till.domain.instant import format_instant, parse_instant
from till.domain.ledger import Cause, EntryKind, LedgerCorruptError, LedgerEntry, entry_id_for
from till.domain.money import Money
from till.services.ports.accounts import RememberedRequest


class StoredOpenAttempt(StoredItem):
    """An open attempt, within a version of an account."""

    attempt_id: UUID
    product_id: UUID
    quantity: int
    amount: int
    blocks_from: str


class StoredChange(StoredItem):
    """Ledger table: one version of an account, and the change that made it. Never updated.

    ``previous_hash`` is there if and only if the change posted money: then the item is the ledger
    entry, with ``posted`` its balance after and ``entry_hash`` its hash. ``hash`` chains every
    version to the one before, and covers what was written with it (see ``chain``).
    """

    pk: str
    sk: str
    version: int
    kind: ChangeKind
    amount: int
    currency: str
    posted: int
    held: int
    sequence: int
    purchases: int
    entry_hash: str
    open_attempts: list[StoredOpenAttempt] | None = None
    actor: str
    actor_name: str | None = None
    reason: str
    idempotency_key: str
    at: str
    attempt_id: UUID | None = None
    refund_id: UUID | None = None
    previous_hash: str | None = None
    opened_shard: str | None = None
    """With ``opened_at`` on the first version only: the keys of the index of accounts."""
    opened_at: str | None = None
    attempt_hash: str | None = None
    items_hash: str | None = None
    hash: str

    @property
    def customer_id(self) -> UUID:
        """Whose account it is."""
        return owner_of(self.pk)

    @classmethod
    def of(cls, change: AccountChange, with_it: WrittenWith = ALONE) -> Self:
        """A change as it is stored, with what is written in the same transaction."""
        account, cause, entry = change.account, change.cause, change.entry
        at = format_instant(cause.at)
        opens = account.version == 1
        open_attempts = [
            StoredOpenAttempt(
                attempt_id=attempt.attempt_id,
                product_id=attempt.product_id,
                quantity=attempt.quantity,
                amount=attempt.amount.amount_minor,
                blocks_from=format_instant(attempt.blocks_from),
            )
            for attempt in account.open_attempts
        ]
        unsealed = cls(
            pk=account_key(account.customer_id),
            sk=version_key(account.version),
            version=account.version,
            kind=change.kind,
            amount=change.amount.amount_minor,
            currency=account.posted.currency,
            posted=account.posted.amount_minor,
            held=account.held.amount_minor,
            sequence=account.sequence,
            purchases=account.purchases,
            entry_hash=account.entry_hash,
            open_attempts=open_attempts or None,
            actor=cause.actor.subject,
            actor_name=cause.actor.name,
            reason=cause.reason,
            idempotency_key=cause.idempotency_key,
            at=at,
            attempt_id=change.attempt_id,
            refund_id=entry.refund_id if entry else None,
            previous_hash=entry.previous_hash if entry else None,
            opened_shard=opened_shard(account.customer_id) if opens else None,
            opened_at=f"{at}#{account.customer_id}" if opens else None,
            attempt_hash=with_it.attempt_hash,
            items_hash=with_it.items_hash,
            hash="",
        )
        sealed = version_hash(unsealed.values(), previous=account.stored_hash)
        return unsealed.model_copy(update={"hash": sealed})

    def change(self) -> AccountChange:
        """The change as the domain knows it.

        Raises:
            LedgerCorruptError: what is held is not the sum of the open attempts.
        """
        at = parse_instant(self.at)
        account = Account(
            customer_id=self.customer_id,
            version=self.version,
            sequence=self.sequence,
            posted=Money(self.posted, self.currency),
            entry_hash=self.entry_hash,
            open_attempts=tuple(
                OpenAttempt(
                    attempt_id=attempt.attempt_id,
                    product_id=attempt.product_id,
                    quantity=attempt.quantity,
                    amount=Money(attempt.amount, self.currency),
                    blocks_from=parse_instant(attempt.blocks_from),
                )
                for attempt in self.open_attempts or ()
            ),
            purchases=self.purchases,
            updated_at=at,
            stored_hash=self.hash,
        )
        if account.held.amount_minor != self.held:
            raise LedgerCorruptError(
                sequence=self.sequence,
                detail=f"version {self.version} holds other than its open attempts",
            )
        return AccountChange(
            account=account,
            kind=self.kind,
            amount=Money(self.amount, self.currency),
            cause=Cause(
                actor=Actor(self.actor, self.actor_name),
                at=at,
                reason=self.reason,
                idempotency_key=self.idempotency_key,
            ),
            attempt_id=self.attempt_id,
            entry=self._entry(account),
        )

    def _entry(self, account: Account) -> LedgerEntry | None:
        if self.previous_hash is None or account.updated_at is None:
            return None
        return LedgerEntry(
            id=entry_id_for(account.customer_id, self.sequence),
            customer_id=account.customer_id,
            sequence=self.sequence,
            kind=EntryKind(self.kind.value),
            amount=Money(self.amount, self.currency),
            balance_after=account.posted,
            reason=self.reason,
            actor=Actor(self.actor, self.actor_name),
            idempotency_key=self.idempotency_key,
            purchase_id=self.attempt_id,
            refund_id=self.refund_id,
            created_at=account.updated_at,
            previous_hash=self.previous_hash,
            hash=self.entry_hash,
        )


class StoredRequest(StoredItem):
    """Ledger table: a request that had its effect. Never updated."""

    pk: str
    sk: str
    customer_id: UUID
    operation: str
    idempotency_key: str
    fingerprint: str
    version: int
    at: str
    refund_number: int | None = None

    @classmethod
    def of(cls, request: RememberedRequest) -> Self:
        """A request as it is stored."""
        return cls(
            pk=account_key(request.customer_id),
            sk=request_key(request.operation, request.idempotency_key),
            customer_id=request.customer_id,
            operation=request.operation,
            idempotency_key=request.idempotency_key,
            fingerprint=request.fingerprint,
            version=request.version,
            at=format_instant(request.at),
            refund_number=request.refund_number,
        )

    def request(self) -> RememberedRequest:
        """The request as the use cases know it."""
        return RememberedRequest(
            customer_id=self.customer_id,
            operation=self.operation,
            idempotency_key=self.idempotency_key,
            fingerprint=self.fingerprint,
            version=self.version,
            at=parse_instant(self.at),
            refund_number=self.refund_number,
        )
