"""Reads of accounts."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final
from uuid import UUID

from till.adapters.dynamodb.client import deserialize, serialize
from till.adapters.dynamodb.stored.accounts import StoredChange, StoredRequest
from till.adapters.dynamodb.stored.keys import (
    OPENED_SHARDS,
    VERSION_PREFIX,
    account_key,
    request_key,
    version_key,
    version_of,
)
from till.adapters.dynamodb.tables import Index, Tables
from till.adapters.dynamodb.unreadable import readable, readable_cursors
from till.domain.account import Account
from till.domain.instant import parse_instant
from till.services.ports.accounts import AccountPage, ChangePage, OlderFirstPage, OpenedAccount
from till.services.ports.store_errors import InconsistentReadError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from mypy_boto3_dynamodb.type_defs import QueryInputTypeDef

    from till.adapters.dynamodb.client import Item
    from till.domain.account import AccountChange
    from till.domain.ledger import EntryKind
    from till.services.ports.accounts import RememberedRequest

LOOKED_AT_MOST: Final = 1_000
"""How many versions of an account one page looks at for those that belong on it."""

_OPENED: Final = Index("opened-index", "opened_shard", "opened_at")


class AccountTables(Tables):
    """``till.services.ports.accounts.AccountReads``."""

    def account(self, customer_id: UUID) -> Account:
        """The newest version of an account; see the port."""
        query: QueryInputTypeDef = {
            "TableName": self._ledger,
            "KeyConditionExpression": "pk = :pk AND begins_with(sk, :version)",
            "ExpressionAttributeValues": serialize(
                {":pk": account_key(customer_id), ":version": VERSION_PREFIX}
            ),
            "ScanIndexForward": False,
            "Limit": 1,
            "ConsistentRead": True,
        }
        for item in self._query(query)["Items"]:
            return _change(item).account
        return Account.empty(customer_id)

    def change(self, customer_id: UUID, version: int) -> AccountChange:
        """A version of an account that is known to exist; see the port."""
        item = self._get(self._ledger, account_key(customer_id), version_key(version))
        if item is None:
            raise InconsistentReadError(f"account {customer_id} has no version {version}")
        return _change(item)

    def entries(
        self, customer_id: UUID, *, kind: EntryKind | None, before: int | None, limit: int
    ) -> ChangePage:
        """The versions that carry a ledger entry (of a kind), newest first; see the port."""
        if before is not None and before <= 1:
            return ChangePage((), None)
        newest = version_key(before - 1) if before is not None else f"{VERSION_PREFIX}9"
        query = self._entries_query(customer_id, version_key(1), newest, kind)
        query["ScanIndexForward"] = False
        return ChangePage(*self._entries(query, limit, lambda items: readable(items, _change)))

    def entries_between(
        self, customer_id: UUID, *, after: int, last: int, limit: int
    ) -> OlderFirstPage:
        """The versions that carry a ledger entry, oldest first; see the port."""
        if after >= last:
            return OlderFirstPage((), None)
        query = self._entries_query(customer_id, version_key(after + 1), version_key(last))
        changes, go_on = self._entries(query, limit, lambda items: map(_change, items))
        # DynamoDB gives a place to go on even after the very last item, if the limit was met by it.
        return OlderFirstPage(changes, None if go_on == last else go_on)

    def _entries_query(
        self, customer_id: UUID, oldest: str, newest: str, kind: EntryKind | None = None
    ) -> QueryInputTypeDef:
        values: dict[str, object] = {
            ":pk": account_key(customer_id),
            ":oldest": oldest,
            ":newest": newest,
        }
        condition = "attribute_exists(previous_hash)"
        if kind is not None:
            condition += " AND kind = :kind"
            values[":kind"] = kind.value
        return {
            "TableName": self._ledger,
            "KeyConditionExpression": "pk = :pk AND sk BETWEEN :oldest AND :newest",
            "FilterExpression": condition,
            "ExpressionAttributeValues": serialize(values),
            "ConsistentRead": True,
        }

    def _entries(
        self,
        query: QueryInputTypeDef,
        limit: int,
        parse: Callable[[Iterable[Item]], Iterator[AccountChange]],
    ) -> tuple[tuple[AccountChange, ...], int | None]:
        """Versions with an entry, and the last version that was looked at; None: there are no more.

        At most ``LOOKED_AT_MOST`` versions are looked at.
        """
        # Holds lie between the entries: about every second version is one.
        query["Limit"] = min(2 * limit + 2, LOOKED_AT_MOST)
        changes: list[AccountChange] = []
        looked_at = 0
        while True:
            answer = self._query(query)
            changes += itertools.islice(parse(answer["Items"]), limit + 1 - len(changes))
            looked_at += answer["ScannedCount"]
            last = answer.get("LastEvaluatedKey")
            if len(changes) > limit:
                return tuple(changes[:limit]), changes[limit - 1].account.version
            if not last:
                return tuple(changes), None
            if looked_at >= LOOKED_AT_MOST:
                return tuple(changes), version_of(str(deserialize(last)["sk"]))
            query["ExclusiveStartKey"] = last
            # A rare kind: fewer and larger steps.
            query["Limit"] = min(2 * query["Limit"], LOOKED_AT_MOST - looked_at)

    def remembered(
        self, customer_id: UUID, operation: str, idempotency_key: str
    ) -> RememberedRequest | None:
        """What is kept under a key; see the port."""
        item = self._get(
            self._ledger, account_key(customer_id), request_key(operation, idempotency_key)
        )
        return StoredRequest.model_validate(deserialize(item)).request() if item else None

    def accounts(self, *, before: str | None, limit: int) -> AccountPage:
        """The accounts there are, newest first; see the port."""
        page, more = self._cursors(self._ledger, _OPENED, OPENED_SHARDS, before=before, limit=limit)
        return AccountPage(tuple(readable_cursors(page, _opened)), page[-1] if more else None)


def _change(item: Item) -> AccountChange:
    return StoredChange.model_validate(deserialize(item)).change()


def _opened(cursor: str) -> OpenedAccount:
    at, customer_id = cursor.split("#")
    return OpenedAccount(customer_id=UUID(customer_id), opened_at=parse_instant(at), cursor=cursor)
