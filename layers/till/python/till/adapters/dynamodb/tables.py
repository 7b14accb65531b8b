"""Calls of DynamoDB, and how they are tried again."""

from __future__ import annotations

import heapq
import itertools
import random
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, Self, TypeVar

from till.adapters.dynamodb.answers import require_genuine, unless_final
from till.adapters.dynamodb.client import CALL_SECONDS, deserialize, serialize
from till.domain.instant import format_instant
from till.services.ports.store_errors import StoreUnreadableError
from till.services.shared.in_parallel import all_in_parallel, pause

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import (
        BatchGetItemOutputTypeDef,
        GetItemOutputTypeDef,
        QueryInputTypeDef,
        QueryOutputTypeDef,
        TransactGetItemsOutputTypeDef,
    )

    from till.adapters.dynamodb.client import Item
    from till.services.ports.run import Deadline

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Index:
    """An index whose sort key is a cursor: ``<instant>#<id>``, spread over partitions."""

    name: str
    shard: str
    cursor: str


_READ_TRIES: Final = 3
_READ_PAUSE_SECONDS: Final = 0.05
_BATCH_GET_LIMIT: Final = 100
_BATCH_GET_ROUNDS: Final = 8
"""DynamoDB may leave out keys of a batch while it is throttled; asked for again, with pauses."""


STATES: Final = Index("state-index", "state_shard", "state_at")
"""Of the purchases table."""


class Tables:
    """The ledger and purchases tables: calls within a deadline, and reads that are tried again."""

    def __init__(
        self,
        client_for: Callable[[float], DynamoDBClient],
        *,
        ledger_table: str,
        purchases_table: str,
        deadline: Deadline | None = None,
        isolated: bool = False,
    ) -> None:
        self._client_for = client_for
        self._ledger = ledger_table
        self._purchases = purchases_table
        self._deadline = deadline
        self._isolated = isolated

    def within(self, deadline: Deadline) -> Self:
        """The same tables, with calls that take no longer than the deadline leaves."""
        return self._like(deadline, isolated=self._isolated)

    def isolated(self) -> Self:
        """The same tables, with single reads that see whole transactions only; see the port."""
        return self._like(self._deadline, isolated=True)

    def _like(self, deadline: Deadline | None, *, isolated: bool) -> Self:
        return type(self)(
            self._client_for,
            ledger_table=self._ledger,
            purchases_table=self._purchases,
            deadline=deadline,
            isolated=isolated,
        )

    def _client(self) -> DynamoDBClient:
        left = self._deadline.remaining_seconds() if self._deadline else float("inf")
        return self._client_for(left)

    def _cursors(
        self,
        table: str,
        index: Index,
        shards: Sequence[str],
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        before: str | None,
        limit: int,
        oldest_first: bool = False,
    ) -> tuple[list[str], bool]:
        """Cursors in the index, merged over its partitions, and whether there are more.

        ``before`` is the last cursor of the page before this one, in whichever direction.
        """
        oldest = format_instant(since) if since else "0"
        newest = format_instant(until) if until else "9"
        if before is not None and oldest_first:
            oldest = max(oldest, before)
        elif before is not None:
            newest = min(newest, before)
        if oldest > newest:
            return [], False

        def cursors_of(shard: str) -> list[str]:
            query: QueryInputTypeDef = {
                "TableName": table,
                "IndexName": index.name,
                "KeyConditionExpression": (
                    f"{index.shard} = :shard AND {index.cursor} BETWEEN :oldest AND :newest"
                ),
                "ExpressionAttributeValues": serialize(
                    {":shard": shard, ":oldest": oldest, ":newest": newest}
                ),
                "ScanIndexForward": oldest_first,
                "Limit": limit + 2,
            }
            rows = (deserialize(item) for item in self._query_all(query))
            # The bound is the cursor of the last page's last row: not to be shown again.
            cursors = (str(row[index.cursor]) for row in rows)
            return list(itertools.islice((c for c in cursors if c != before), limit + 1))

        by_shard = all_in_parallel([partial(cursors_of, shard) for shard in shards])
        merged = heapq.merge(*by_shard, reverse=not oldest_first)
        page = [cursor for cursor, _ in itertools.islice(itertools.groupby(merged), limit + 1)]
        return page[:limit], len(page) > limit

    def _get(self, table: str, pk: str, sk: str) -> Item | None:
        key = serialize({"pk": pk, "sk": sk})
        if self._isolated:
            # Refused while a transaction writes the item: then it is read again.
            found: TransactGetItemsOutputTypeDef = self._read(
                lambda: self._client().transact_get_items(
                    TransactItems=[{"Get": {"TableName": table, "Key": key}}],
                    ReturnConsumedCapacity="TOTAL",
                )
            )
            return found["Responses"][0].get("Item")
        answer: GetItemOutputTypeDef = self._read(
            lambda: self._client().get_item(
                TableName=table,
                Key=key,
                ConsistentRead=True,
                ReturnConsumedCapacity="TOTAL",
            )
        )
        return answer.get("Item")

    def _query(self, query: QueryInputTypeDef) -> QueryOutputTypeDef:
        query["ReturnConsumedCapacity"] = "TOTAL"
        return self._read(lambda: self._client().query(**query))

    def _query_all(self, query: QueryInputTypeDef) -> Iterator[Item]:
        while True:
            answer = self._query(query)
            yield from answer["Items"]
            last = answer.get("LastEvaluatedKey")
            if not last:
                return
            query["ExclusiveStartKey"] = last

    def _batch_get(self, keys: Sequence[Item]) -> Iterator[Item]:
        """The items of the purchases table that have these keys, in no order."""
        for start in range(0, len(keys), _BATCH_GET_LIMIT):
            yield from self._batch_get_some(keys[start : start + _BATCH_GET_LIMIT])

    def _batch_get_some(self, keys: Sequence[Item]) -> Iterator[Item]:
        wanted = list(keys)
        for number in range(_BATCH_GET_ROUNDS):
            if not wanted:
                return
            if number:
                self._pause(number)
            answer = self._batch_get_once(wanted)
            yield from answer["Responses"].get(self._purchases, [])
            rest = answer.get("UnprocessedKeys", {}).get(self._purchases)
            wanted = list(rest["Keys"]) if rest else []
        if wanted:
            raise StoreUnreadableError

    def _batch_get_once(self, keys: list[Item]) -> BatchGetItemOutputTypeDef:
        return self._read(
            lambda: self._client().batch_get_item(
                RequestItems={self._purchases: {"Keys": keys, "ConsistentRead": True}},
                ReturnConsumedCapacity="TOTAL",
            )
        )

    def _read(self, call: Callable[[], T]) -> T:
        """Make a call that reads, a few times if it fails.

        Raises:
            StoreUnreadableError: it failed each time, or there is no time left.
        """
        for number in range(1, _READ_TRIES + 1):
            try:
                with unless_final(StoreUnreadableError):
                    answer = call()
                    require_genuine(answer)
                    return answer
            except StoreUnreadableError:
                if number == _READ_TRIES:
                    raise
            self._pause(number)
        raise AssertionError("unreachable")  # pragma: no cover

    def _pause(self, number: int) -> None:
        """Wait before the next try of a read.

        Raises:
            StoreUnreadableError: there is no time left for another.
        """
        seconds = random.uniform(0, _READ_PAUSE_SECONDS * 2**number)  # noqa: S311 - jitter
        needed = seconds + CALL_SECONDS[-1]
        if self._deadline is not None and self._deadline.remaining_seconds() < needed:
            raise StoreUnreadableError
        pause(seconds)
