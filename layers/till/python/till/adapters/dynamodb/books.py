"""The books in DynamoDB: every commit is one TransactWriteItems over both tables."""

from __future__ import annotations

import heapq
import itertools
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from uuid import UUID

from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    ReadTimeoutError,
)

from till.adapters.dynamodb.client import deserialize, serialize
from till.adapters.dynamodb.stored import (
    OPENED_SHARDS,
    PROMO_SORT_KEY,
    PURCHASE_SORT_KEY,
    REFUND_PREFIX,
    VERSION_PREFIX,
    WRITTEN_ONCE,
    StoredAttempt,
    StoredChange,
    StoredPromo,
    StoredPromoVersion,
    StoredRefund,
    StoredRequest,
    account_key,
    promo_key,
    promo_shards,
    purchase_key,
    redemptions_key,
    request_key,
    state_shards,
    version_key,
)
from till.domain.account import Account
from till.domain.instant import format_instant, parse_instant
from till.services.ports import (
    AccountPage,
    AddRefund,
    AppendChange,
    AttemptPage,
    BooksUnreadableError,
    ChangePage,
    ChangePromo,
    CreateAttempt,
    GiveRedemptionBack,
    OpenedAccount,
    PromoPage,
    Redeem,
    RememberRequest,
    UnconfirmedCommitError,
    UpdateAttempt,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import (
        AttributeValueTypeDef,
        QueryInputTypeDef,
        TransactWriteItemTypeDef,
        UpdateTypeDef,
    )

    from till.domain.account import AccountChange
    from till.domain.ledger import EntryKind
    from till.domain.promo import PromoChange, PromoCode, PromoState
    from till.domain.purchase import AttemptState, PurchaseAttempt, PurchaseStatus, Refund
    from till.services.ports import RememberedRequest, Write


@dataclass(frozen=True, slots=True)
class _Index:
    """An index whose sort key is a place: ``<instant>#<id>``, spread over partitions."""

    name: str
    shard: str
    place: str


_STATES: Final = _Index("state-index", "state_shard", "state_at")
"""Of the purchases table."""
_OPENED: Final = _Index("opened-index", "opened_shard", "opened_at")
"""Of the ledger table."""

_READ_AGAIN_REASONS: Final = frozenset(
    {
        "None",
        "ConditionalCheckFailed",
        "TransactionConflict",
        "ThrottlingError",
        "ProvisionedThroughputExceeded",
    }
)
_READ_AGAIN_CODES: Final = frozenset(
    {
        "TransactionInProgressException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ThrottlingException",
        "InternalServerError",
        "ServiceUnavailable",
    }
)
_NO_ANSWER: Final = (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    ReadTimeoutError,
)
_BATCH_GET_LIMIT: Final = 100


class DynamoBooks:
    """``till.services.ports.Books`` over the ledger table and the purchases table."""

    def __init__(self, client: DynamoDBClient, *, ledger_table: str, purchases_table: str) -> None:
        self._client = client
        self._ledger = ledger_table
        self._purchases = purchases_table

    # Writing

    def commit(self, *writes: Write) -> None:
        """All the writes in one transaction, each under its condition; see the port."""
        items = [item for write in writes for item in self._transact_items(write)]
        try:
            self._client.transact_write_items(TransactItems=items)
        except self._client.exceptions.TransactionCanceledException as error:
            reasons = {r.get("Code", "None") for r in error.response["CancellationReasons"]}
            if reasons <= _READ_AGAIN_REASONS:
                raise UnconfirmedCommitError from error
            raise
        except ClientError as error:
            if error.response["Error"]["Code"] in _READ_AGAIN_CODES:
                raise UnconfirmedCommitError from error
            raise
        except _NO_ANSWER as error:
            raise UnconfirmedCommitError from error

    def _transact_items(self, write: Write) -> list[TransactWriteItemTypeDef]:
        match write:
            case AppendChange(change=change):
                return [self._create(self._ledger, StoredChange.of(change).values())]
            case RememberRequest(request=request):
                return [self._create(self._ledger, StoredRequest.of(request).values())]
            case CreateAttempt(attempt=attempt):
                return [self._create(self._purchases, StoredAttempt.of(attempt).values())]
            case AddRefund(refund=refund):
                return [self._create(self._purchases, StoredRefund.of(refund).values())]
            case UpdateAttempt(before=before, after=after):
                return [self._update_attempt(before, after)]
            case Redeem(promo=promo, attempt=attempt):
                return self._redeem(promo, attempt)
            case GiveRedemptionBack(code=code, attempt=attempt):
                return self._give_redemption_back(code, attempt)
            case ChangePromo(change=promo_change):
                return self._change_promo(promo_change)

    @staticmethod
    def _create(table: str, values: Mapping[str, object]) -> TransactWriteItemTypeDef:
        return {
            "Put": {
                "TableName": table,
                "Item": serialize(values),
                "ConditionExpression": "attribute_not_exists(pk)",
            }
        }

    def _update_attempt(
        self, before: PurchaseAttempt, after: PurchaseAttempt
    ) -> TransactWriteItemTypeDef:
        old, new = StoredAttempt.of(before).values(), StoredAttempt.of(after).values()
        changed = {name: value for name, value in new.items() if old.get(name) != value}
        if forbidden := changed.keys() & WRITTEN_ONCE:
            raise ValueError(f"what was sold never changes: {sorted(forbidden)}")
        names = {f"#{name}": name for name in changed} | {"#revision": "revision"}
        assignments = ", ".join(f"#{name} = :{name}" for name in changed)
        return {
            "Update": {
                "TableName": self._purchases,
                "Key": serialize({"pk": old["pk"], "sk": old["sk"]}),
                "UpdateExpression": f"SET {assignments}",
                "ConditionExpression": "#revision = :revision_before",
                "ExpressionAttributeNames": names,
                "ExpressionAttributeValues": serialize(
                    {f":{name}": value for name, value in changed.items()}
                    | {":revision_before": before.revision}
                ),
            }
        }

    def _redeem(self, promo: PromoCode, attempt: PurchaseAttempt) -> list[TransactWriteItemTypeDef]:
        # The counts are checked where they are written: many customers may redeem at once.
        most, most_of_customer = (
            promo.terms.max_redemptions,
            promo.terms.max_redemptions_per_customer,
        )
        count_condition = "#version = :version"
        count_values: dict[str, object] = {":one": 1, ":version": promo.version}
        if most is not None:
            count_condition += " AND redemptions < :most"
            count_values[":most"] = most
        count: UpdateTypeDef = {
            "TableName": self._purchases,
            "Key": serialize({"pk": promo_key(promo.code), "sk": PROMO_SORT_KEY}),
            "UpdateExpression": "SET redemptions = redemptions + :one",
            "ConditionExpression": count_condition,
            "ExpressionAttributeNames": {"#version": "version"},
            "ExpressionAttributeValues": serialize(count_values),
        }
        mark: UpdateTypeDef = {
            "TableName": self._purchases,
            "Key": self._redemptions_key(promo.code, attempt.customer_id),
            "UpdateExpression": "ADD attempts :attempt",
            "ExpressionAttributeValues": serialize({":attempt": {str(attempt.id)}}),
        }
        if most_of_customer is not None:
            mark["ConditionExpression"] = "attribute_not_exists(attempts) OR size(attempts) < :most"
            mark["ExpressionAttributeValues"] = serialize(
                {":attempt": {str(attempt.id)}, ":most": most_of_customer}
            )
        return [{"Update": count}, {"Update": mark}]

    def _give_redemption_back(
        self, code: str, attempt: PurchaseAttempt
    ) -> list[TransactWriteItemTypeDef]:
        return [
            {
                "Update": {
                    "TableName": self._purchases,
                    "Key": serialize({"pk": promo_key(code), "sk": PROMO_SORT_KEY}),
                    "UpdateExpression": "SET redemptions = redemptions - :one",
                    "ConditionExpression": "redemptions >= :one",
                    "ExpressionAttributeValues": serialize({":one": 1}),
                }
            },
            {
                "Update": {
                    "TableName": self._purchases,
                    "Key": self._redemptions_key(code, attempt.customer_id),
                    "UpdateExpression": "DELETE attempts :attempt",
                    "ConditionExpression": "contains(attempts, :id)",
                    "ExpressionAttributeValues": serialize(
                        {":attempt": {str(attempt.id)}, ":id": str(attempt.id)}
                    ),
                }
            },
        ]

    def _change_promo(self, change: PromoChange) -> list[TransactWriteItemTypeDef]:
        history = self._create(self._purchases, StoredPromoVersion.of(change).values())
        head = StoredPromo.head(change).values()
        if change.promo.version == 1:
            return [history, self._create(self._purchases, head)]
        key = {"pk": head.pop("pk"), "sk": head.pop("sk")}
        # The use so far is not ours to write: purchases count it while terms are changed.
        del head["redemptions"]
        assignments = ", ".join(f"#{name} = :{name}" for name in head)
        update: TransactWriteItemTypeDef = {
            "Update": {
                "TableName": self._purchases,
                "Key": serialize(key),
                "UpdateExpression": f"SET {assignments}",
                "ConditionExpression": "#version = :version_before",
                "ExpressionAttributeNames": {f"#{name}": name for name in head},
                "ExpressionAttributeValues": serialize(
                    {f":{name}": value for name, value in head.items()}
                    | {":version_before": change.promo.version - 1}
                ),
            }
        }
        return [history, update]

    @staticmethod
    def _redemptions_key(code: str, customer_id: UUID) -> dict[str, AttributeValueTypeDef]:
        return serialize({"pk": promo_key(code), "sk": redemptions_key(customer_id)})

    # The ledger table

    def account(self, customer_id: UUID) -> Account:
        """The newest version of an account; see the port."""
        with _reading():
            answer = self._client.query(
                TableName=self._ledger,
                KeyConditionExpression="pk = :pk AND begins_with(sk, :version)",
                ExpressionAttributeValues=serialize(
                    {":pk": account_key(customer_id), ":version": VERSION_PREFIX}
                ),
                ScanIndexForward=False,
                Limit=1,
                ConsistentRead=True,
            )
        for item in answer["Items"]:
            return _change(item).account
        return Account.empty(customer_id)

    def change(self, customer_id: UUID, version: int) -> AccountChange:
        """A version of an account that is known to exist; see the port."""
        item = self._get(self._ledger, account_key(customer_id), version_key(version))
        if item is None:
            raise LookupError(f"account {customer_id} has no version {version}")
        return _change(item)

    def entries(
        self, customer_id: UUID, *, kind: EntryKind | None, before: int | None, limit: int
    ) -> ChangePage:
        """The versions that carry a ledger entry (of a kind), newest first; see the port."""
        newest = version_key(before - 1) if before is not None else f"{VERSION_PREFIX}9"
        values: dict[str, object] = {
            ":pk": account_key(customer_id),
            ":oldest": version_key(1),
            ":newest": newest,
        }
        query: QueryInputTypeDef = {
            "TableName": self._ledger,
            "KeyConditionExpression": "pk = :pk AND sk BETWEEN :oldest AND :newest",
            "FilterExpression": "attribute_exists(entry_id)",
            "ScanIndexForward": False,
            # Holds lie between the entries: about every second version is one.
            "Limit": 2 * limit + 2,
            "ConsistentRead": True,
        }
        if kind is not None:
            query["FilterExpression"] = "attribute_exists(entry_id) AND kind = :kind"
            values[":kind"] = kind.value
        query["ExpressionAttributeValues"] = serialize(values)
        if before is not None and before <= 1:
            return ChangePage((), None)
        found = [_change(i) for i in itertools.islice(self._query_all(query), limit + 1)]
        more = len(found) > limit
        changes = tuple(found[:limit])
        return ChangePage(changes, changes[-1].account.version if more else None)

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
        page, more = self._places(self._ledger, _OPENED, OPENED_SHARDS, before=before, limit=limit)
        return AccountPage(tuple(map(_opened, page)), page[-1] if more else None)

    # The purchases table

    def attempt(self, attempt_id: UUID) -> PurchaseAttempt | None:
        """An attempt, and the purchase it became; see the port."""
        item = self._get(self._purchases, purchase_key(attempt_id), PURCHASE_SORT_KEY)
        return _attempt(item) if item else None

    def attempts(self, attempt_ids: tuple[UUID, ...]) -> tuple[PurchaseAttempt, ...]:
        """Those of the attempts that exist, in the order asked for; see the port."""
        found: dict[UUID, PurchaseAttempt] = {}
        for start in range(0, len(attempt_ids), _BATCH_GET_LIMIT):
            wanted = dict.fromkeys(attempt_ids[start : start + _BATCH_GET_LIMIT])
            keys = [
                serialize({"pk": purchase_key(attempt_id), "sk": PURCHASE_SORT_KEY})
                for attempt_id in wanted
            ]
            for attempt in map(_attempt, self._batch_get(keys)):
                found[attempt.id] = attempt
        return tuple(found[attempt_id] for attempt_id in attempt_ids if attempt_id in found)

    def attempts_by_state(
        self,
        states: tuple[AttemptState | PurchaseStatus, ...],
        *,
        since: datetime | None,
        until: datetime | None,
        before: str | None,
        limit: int,
    ) -> AttemptPage:
        """Attempts in any of the states, newest first; see the port."""
        shards = [shard for state in states for shard in state_shards(state)]
        page, more = self._places(
            self._purchases, _STATES, shards, since=since, until=until, before=before, limit=limit
        )
        found = self.attempts(tuple(UUID(place.rpartition("#")[2]) for place in page))
        # The index may lag the items by a moment; the items are right.
        current = tuple(
            a for a in found if (a.purchase.status if a.purchase else a.state) in states
        )
        return AttemptPage(current, page[-1] if more else None)

    def _places(
        self,
        table: str,
        index: _Index,
        shards: Sequence[str],
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        before: str | None,
        limit: int,
    ) -> tuple[list[str], bool]:
        """Places in the index, newest first, merged over its partitions; and if there are more."""
        oldest = format_instant(since) if since else "0"
        newest = min(format_instant(until) if until else "9", before or "9")
        if oldest > newest:
            return [], False

        def positions(shard: str) -> list[str]:
            query: QueryInputTypeDef = {
                "TableName": table,
                "IndexName": index.name,
                "KeyConditionExpression": (
                    f"{index.shard} = :shard AND {index.place} BETWEEN :oldest AND :newest"
                ),
                "ExpressionAttributeValues": serialize(
                    {":shard": shard, ":oldest": oldest, ":newest": newest}
                ),
                "ScanIndexForward": False,
                "Limit": limit + 2,
            }
            rows = (deserialize(item) for item in self._query_all(query))
            # The upper bound is the place of the last page's last row: not to be shown again.
            places = (str(row[index.place]) for row in rows)
            return list(itertools.islice((p for p in places if p != before), limit + 1))

        with ThreadPoolExecutor(max_workers=len(shards)) as pool:
            by_shard = list(pool.map(positions, shards))
        merged = heapq.merge(*by_shard, reverse=True)
        page = [place for place, _ in itertools.islice(itertools.groupby(merged), limit + 1)]
        return page[:limit], len(page) > limit

    # Promo codes

    def promo(self, code: str) -> PromoCode | None:
        """A promo code as it now is; see the port."""
        item = self._get(self._purchases, promo_key(code), PROMO_SORT_KEY)
        return _promo(item) if item else None

    def promo_changes(self, code: str) -> tuple[PromoChange, ...]:
        """Every version of a promo code, oldest first; see the port."""
        query: QueryInputTypeDef = {
            "TableName": self._purchases,
            "KeyConditionExpression": "pk = :pk AND begins_with(sk, :version)",
            "ExpressionAttributeValues": serialize(
                {":pk": promo_key(code), ":version": VERSION_PREFIX}
            ),
            "ConsistentRead": True,
        }
        return tuple(
            StoredPromoVersion.model_validate(deserialize(item)).change()
            for item in self._query_all(query)
        )

    def promos(
        self, states: tuple[PromoState, ...], *, before: str | None, limit: int
    ) -> PromoPage:
        """Promo codes in any of the states, newest first; see the port."""
        shards = [shard for state in states for shard in promo_shards(state)]
        page, more = self._places(self._purchases, _STATES, shards, before=before, limit=limit)
        keys = [
            serialize({"pk": promo_key(place.partition("#")[2]), "sk": PROMO_SORT_KEY})
            for place in page
        ]
        found = {promo.code: promo for promo in map(_promo, self._batch_get(keys))}
        ordered = (found[place.partition("#")[2]] for place in page)
        current = tuple(promo for promo in ordered if promo.state in states)
        return PromoPage(current, page[-1] if more else None)

    def redemptions_of(self, code: str, customer_id: UUID) -> frozenset[UUID]:
        """The attempts by which a customer uses a promo code; see the port."""
        item = self._get(self._purchases, promo_key(code), redemptions_key(customer_id))
        attempts = deserialize(item).get("attempts") if item else None
        return frozenset(map(UUID, attempts)) if isinstance(attempts, set) else frozenset()

    # Refunds

    def refunds(self, purchase_id: UUID) -> tuple[Refund, ...]:
        """The refunds of a purchase, oldest first; see the port."""
        query: QueryInputTypeDef = {
            "TableName": self._purchases,
            "KeyConditionExpression": "pk = :pk AND begins_with(sk, :refund)",
            "ExpressionAttributeValues": serialize(
                {":pk": purchase_key(purchase_id), ":refund": REFUND_PREFIX}
            ),
            "ConsistentRead": True,
        }
        return tuple(
            StoredRefund.model_validate(deserialize(item)).refund()
            for item in self._query_all(query)
        )

    # Reading

    def _get(self, table: str, pk: str, sk: str) -> Mapping[str, AttributeValueTypeDef] | None:
        with _reading():
            answer = self._client.get_item(
                TableName=table, Key=serialize({"pk": pk, "sk": sk}), ConsistentRead=True
            )
        return answer.get("Item")

    def _query_all(self, query: QueryInputTypeDef) -> Iterator[Mapping[str, AttributeValueTypeDef]]:
        while True:
            with _reading():
                answer = self._client.query(**query)
            yield from answer["Items"]
            last = answer.get("LastEvaluatedKey")
            if not last:
                return
            query["ExclusiveStartKey"] = last

    def _batch_get(
        self, keys: list[dict[str, AttributeValueTypeDef]]
    ) -> Iterable[Mapping[str, AttributeValueTypeDef]]:
        wanted: list[Mapping[str, AttributeValueTypeDef]] = list(keys)
        while wanted:
            with _reading():
                answer = self._client.batch_get_item(
                    RequestItems={self._purchases: {"Keys": wanted, "ConsistentRead": True}}
                )
            yield from answer["Responses"].get(self._purchases, [])
            rest = answer.get("UnprocessedKeys", {}).get(self._purchases)
            wanted = list(rest["Keys"]) if rest else []


@contextmanager
def _reading() -> Iterator[None]:
    """Tell of a read that did not come about in the words of the port."""
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] in _READ_AGAIN_CODES:
            raise BooksUnreadableError from error
        raise
    except _NO_ANSWER as error:
        raise BooksUnreadableError from error


def _change(item: Mapping[str, AttributeValueTypeDef]) -> AccountChange:
    return StoredChange.model_validate(deserialize(item)).change()


def _opened(place: str) -> OpenedAccount:
    at, customer_id = place.split("#")
    return OpenedAccount(customer_id=UUID(customer_id), opened_at=parse_instant(at), place=place)


def _attempt(item: Mapping[str, AttributeValueTypeDef]) -> PurchaseAttempt:
    return StoredAttempt.model_validate(deserialize(item)).attempt()


def _promo(item: Mapping[str, AttributeValueTypeDef]) -> PromoCode:
    stored = StoredPromo.model_validate(deserialize(item))
    return stored.promo(redemptions=stored.redemptions)
