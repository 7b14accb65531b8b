"""Accounts alone: their reads, and commits that write nothing else.

Granting and deducting need no more, and start faster without what purchases need.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from till.adapters.dynamodb.accounts import AccountTables
from till.adapters.dynamodb.answers import require_genuine, unless_final
from till.adapters.dynamodb.client import serialize
from till.adapters.dynamodb.stored.accounts import StoredChange, StoredRequest
from till.adapters.dynamodb.stored.chain import WrittenWith
from till.services.ports.accounts import AppendChange, RememberRequest
from till.services.ports.store_errors import UnansweredCommitError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

    from till.domain.account import Account
    from till.services.ports.accounts import AccountWrite


class AccountStore(AccountTables):
    """``till.services.ports.accounts.AccountStore``."""

    def commit(self, *writes: AccountWrite) -> Account | None:
        """All the writes in one transaction, each under its condition; see the port."""
        accounts = AccountItems(self._ledger, WrittenWith.of(None, requests_in(writes)))
        self._transact([accounts.of(write) for write in writes])
        return accounts.account

    def _transact(self, items: Sequence[TransactWriteItemTypeDef]) -> None:
        with unless_final(UnansweredCommitError):
            answer = self._client().transact_write_items(
                TransactItems=items, ReturnConsumedCapacity="TOTAL"
            )
            require_genuine(answer)


class AccountItems:
    """Turns writes of accounts into items of a transaction that also writes what is ``with_it``.

    ``account`` is the account that the transaction leaves, if it appends a version of one.
    """

    def __init__(self, table: str, with_it: WrittenWith) -> None:
        self._table = table
        self._with_it = with_it
        self.account: Account | None = None

    def of(self, write: AccountWrite) -> TransactWriteItemTypeDef:
        """The item of a write, under its condition."""
        match write:
            case AppendChange(change=change):
                version = StoredChange.of(change, self._with_it)
                self.account = replace(change.account, stored_hash=version.hash)
                return create(self._table, version.values())
            case RememberRequest(request=request):
                return create(self._table, StoredRequest.of(request).values())


def requests_in(writes: Sequence[object]) -> list[dict[str, object]]:
    """The requests that are remembered, as they are stored."""
    return [
        StoredRequest.of(write.request).values()
        for write in writes
        if isinstance(write, RememberRequest)
    ]


def create(table: str, values: Mapping[str, object]) -> TransactWriteItemTypeDef:
    """Put an item, unless there is one with its key."""
    return {
        "Put": {
            "TableName": table,
            "Item": serialize(values),
            "ConditionExpression": "attribute_not_exists(pk)",
        }
    }
