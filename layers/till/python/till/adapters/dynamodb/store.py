"""The books in DynamoDB: every commit is one TransactWriteItems over both tables."""

from __future__ import annotations

import heapq
import itertools
import random
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar
from uuid import UUID

from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError, ParamValidationError

from till.adapters.dynamodb.client import deserialize, serialize
from till.adapters.dynamodb.stored.accounts import StoredChange, StoredRequest
from till.adapters.dynamodb.stored.attempts import (
    WRITTEN_ONCE,
    StoredAttempt,
    StoredRefund,
    StoredShipmentClaim,
)
from till.adapters.dynamodb.stored.item import UNREADABLE
from till.adapters.dynamodb.stored.keys import (
    OPENED_SHARDS,
    PROMO_SORT_KEY,
    PURCHASE_SORT_KEY,
    REFUND_PREFIX,
    SHIPMENT_SORT_KEY,
    VERSION_PREFIX,
    account_key,
    promo_key,
    promo_shards,
    purchase_key,
    redemptions_key,
    refund_key,
    request_key,
    shipment_key,
    state_shards,
    version_key,
)
from till.adapters.dynamodb.stored.promo_codes import StoredPromo, StoredPromoVersion
from till.domain.account import Account
from till.domain.instant import format_instant, parse_instant
from till.metrics import Metric, measure
from till.services.ports import (
    AccountPage,
    AddRefund,
    AppendChange,
    AttemptPage,
    ChangePage,
    ChangePromo,
    ClaimShipment,
    CreateAttempt,
    GiveRedemptionBack,
    InconsistentReadError,
    OpenedAccount,
    PromoPage,
    Redeem,
    RefundPage,
    RememberRequest,
    StoreUnreadableError,
    UnconfirmedCommitError,
    UpdateAttempt,
    WorkPage,
)
from till.services.shared.in_parallel import all_in_parallel, pause

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import (
        AttributeValueTypeDef,
        BatchGetItemOutputTypeDef,
        GetItemOutputTypeDef,
        QueryInputTypeDef,
        QueryOutputTypeDef,
        TransactGetItemsOutputTypeDef,
        TransactWriteItemTypeDef,
        UpdateTypeDef,
    )

    from till.domain.account import AccountChange
    from till.domain.ledger import EntryKind
    from till.domain.promo import PromoChange, PromoCode, PromoState
    from till.domain.purchase import (
        AttemptState,
        OrphanStatus,
        PurchaseAttempt,
        PurchaseStatus,
        Refund,
    )
    from till.services.ports import Deadline, RememberedRequest, Write

    Item = Mapping[str, AttributeValueTypeDef]

T = TypeVar("T")

logger = Logger(child=True)


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

_REASONS_TO_READ_AGAIN: Final = frozenset(
    {
        "None",
        "ConditionalCheckFailed",
        "TransactionConflict",
        "ThrottlingError",
        "ProvisionedThroughputExceeded",
    }
)
_FINAL_CODES: Final = frozenset(
    {
        "AccessDeniedException",
        "IdempotentParameterMismatchException",
        "ResourceNotFoundException",
        "ValidationException",
    }
)
"""The errors that prove that nothing was done, and that the same request would never work."""

_READ_TRIES: Final = 3
_READ_PAUSE_SECONDS: Final = 0.05
_BATCH_GET_LIMIT: Final = 100
_BATCH_GET_ROUNDS: Final = 8
"""DynamoDB may leave out keys of a batch while it is throttled; asked for again, with pauses."""


class DynamoStore:
    """``till.services.ports.Store`` over the ledger table and the purchases table."""

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

    def within(self, deadline: Deadline) -> DynamoStore:
        """The same tables, with calls that take no longer than the deadline leaves."""
        return self._like(deadline, isolated=self._isolated)

    def isolated(self) -> DynamoStore:
        """The same tables, with single reads that see whole transactions only; see the port."""
        return self._like(self._deadline, isolated=True)

    def _like(self, deadline: Deadline | None, *, isolated: bool) -> DynamoStore:
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

    # Writing

    def commit(self, *writes: Write) -> None:
        """All the writes in one transaction, each under its condition; see the port."""
        items = [item for write in writes for item in self._transact_items(write)]
        with _unless_final(UnconfirmedCommitError):
            answer = self._client().transact_write_items(
                TransactItems=items, ReturnConsumedCapacity="TOTAL"
            )
            _require_genuine(answer)

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
            case ClaimShipment(shipment_id=shipment_id, purchase_id=purchase_id):
                claim = StoredShipmentClaim.of(shipment_id, purchase_id)
                return [self._create(self._purchases, claim.values())]
            case Redeem(promo=promo, customer_id=customer_id):
                return self._redeem(promo, customer_id)
            case GiveRedemptionBack(code=code, customer_id=customer_id):
                return self._give_redemption_back(code, customer_id)
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

    def _redeem(self, promo: PromoCode, customer_id: UUID) -> list[TransactWriteItemTypeDef]:
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
        count_of_customer: UpdateTypeDef = {
            "TableName": self._purchases,
            "Key": self._redemptions_key(promo.code, customer_id),
            "UpdateExpression": "ADD redemptions :one",
            "ExpressionAttributeValues": serialize({":one": 1}),
        }
        if most_of_customer is not None:
            count_of_customer["ConditionExpression"] = (
                "attribute_not_exists(redemptions) OR redemptions < :most"
            )
            count_of_customer["ExpressionAttributeValues"] = serialize(
                {":one": 1, ":most": most_of_customer}
            )
        return [{"Update": count}, {"Update": count_of_customer}]

    def _give_redemption_back(self, code: str, customer_id: UUID) -> list[TransactWriteItemTypeDef]:
        keys = (
            serialize({"pk": promo_key(code), "sk": PROMO_SORT_KEY}),
            self._redemptions_key(code, customer_id),
        )
        return [
            {
                "Update": {
                    "TableName": self._purchases,
                    "Key": key,
                    "UpdateExpression": "SET redemptions = redemptions - :one",
                    "ConditionExpression": "redemptions >= :one",
                    "ExpressionAttributeValues": serialize({":one": 1}),
                }
            }
            for key in keys
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
        found = list(itertools.islice(_readable(self._query_all(query), _change), limit + 1))
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
        return AccountPage(tuple(_readable_places(page, _opened)), page[-1] if more else None)

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
            for attempt in _readable(self._batch_get(keys), _attempt):
                found[attempt.id] = attempt
        return tuple(found[attempt_id] for attempt_id in attempt_ids if attempt_id in found)

    def list_attempts(
        self,
        listed_as: tuple[AttemptState | PurchaseStatus | OrphanStatus, ...],
        *,
        since: datetime | None,
        until: datetime | None,
        before: str | None,
        limit: int,
    ) -> AttemptPage:
        """Attempts by what they are listed as, newest first; see the port."""
        shards = [shard for each in listed_as for shard in state_shards(each)]
        page, more = self._places(
            self._purchases, _STATES, shards, since=since, until=until, before=before, limit=limit
        )
        return AttemptPage(self._listed(page, listed_as), page[-1] if more else None)

    def oldest_attempts(
        self, listed_as: AttemptState | OrphanStatus, *, after: str | None, limit: int
    ) -> WorkPage:
        """Attempts by what they are listed as, oldest first; see the port."""
        page, more = self._places(
            self._purchases,
            _STATES,
            state_shards(listed_as),
            before=after,
            limit=limit,
            oldest_first=True,
        )
        since = list(_readable_places(page[:1], _entered_at))
        return WorkPage(
            self._listed(page, (listed_as,)),
            count=len(page),
            oldest=since[0] if since else None,
            after=page[-1] if more else None,
        )

    def _listed(
        self,
        places: list[str],
        listed_as: tuple[AttemptState | PurchaseStatus | OrphanStatus, ...],
    ) -> tuple[PurchaseAttempt, ...]:
        found = self.attempts(tuple(_readable_places(places, _attempt_id)))
        # The index may lag the items by a moment; the items are right.
        return tuple(attempt for attempt in found if attempt.listed_as in listed_as)

    def purchase_of_shipment(self, shipment_id: str) -> UUID | None:
        """The purchase that a shipment id belongs to; see the port."""
        item = self._get(self._purchases, shipment_key(shipment_id), SHIPMENT_SORT_KEY)
        return StoredShipmentClaim.model_validate(deserialize(item)).purchase_id if item else None

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
        oldest_first: bool = False,
    ) -> tuple[list[str], bool]:
        """Places in the index, merged over its partitions, and whether there are more.

        ``before`` is the last place of the page before this one, in whichever direction.
        """
        oldest = format_instant(since) if since else "0"
        newest = format_instant(until) if until else "9"
        if before is not None and oldest_first:
            oldest = max(oldest, before)
        elif before is not None:
            newest = min(newest, before)
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
                "ScanIndexForward": oldest_first,
                "Limit": limit + 2,
            }
            rows = (deserialize(item) for item in self._query_all(query))
            # The bound is the place of the last page's last row: not to be shown again.
            places = (str(row[index.place]) for row in rows)
            return list(itertools.islice((p for p in places if p != before), limit + 1))

        by_shard = all_in_parallel([partial(positions, shard) for shard in shards])
        merged = heapq.merge(*by_shard, reverse=not oldest_first)
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
        return tuple(_readable(self._query_all(query), _promo_change))

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
        found = {promo.code: promo for promo in _readable(self._batch_get(keys), _promo)}
        ordered = (found.get(place.partition("#")[2]) for place in page)
        current = tuple(promo for promo in ordered if promo is not None and promo.state in states)
        return PromoPage(current, page[-1] if more else None)

    def redemptions_of(self, code: str, customer_id: UUID) -> int:
        """How many purchases of a customer use a promo code; see the port."""
        item = self._get(self._purchases, promo_key(code), redemptions_key(customer_id))
        return int(str(deserialize(item)["redemptions"])) if item else 0

    # Refunds

    def refund(self, purchase_id: UUID, number: int) -> Refund:
        """A refund that is known to exist; see the port."""
        item = self._get(self._purchases, purchase_key(purchase_id), refund_key(number))
        if item is None:
            raise InconsistentReadError(f"purchase {purchase_id} has no refund {number}")
        return _refund(item)

    def refunds(self, purchase_id: UUID, *, before: int | None, limit: int) -> RefundPage:
        """The refunds of a purchase, newest first; see the port."""
        if before is not None and before <= 1:
            return RefundPage((), None)
        query: QueryInputTypeDef = {
            "TableName": self._purchases,
            "KeyConditionExpression": "pk = :pk AND sk BETWEEN :oldest AND :newest",
            "ExpressionAttributeValues": serialize(
                {
                    ":pk": purchase_key(purchase_id),
                    ":oldest": refund_key(1),
                    ":newest": f"{REFUND_PREFIX}9" if before is None else refund_key(before - 1),
                }
            ),
            "ScanIndexForward": False,
            "Limit": limit + 1,
            "ConsistentRead": True,
        }
        found = list(itertools.islice(_readable(self._query_all(query), _refund), limit + 1))
        page = tuple(found[:limit])
        return RefundPage(page, page[-1].number if len(found) > limit else None)

    # Reading

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

    def _batch_get(self, keys: list[dict[str, AttributeValueTypeDef]]) -> Iterable[Item]:
        wanted: list[Mapping[str, AttributeValueTypeDef]] = list(keys)
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

    def _batch_get_once(
        self, keys: list[Mapping[str, AttributeValueTypeDef]]
    ) -> BatchGetItemOutputTypeDef:
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
                with _unless_final(StoreUnreadableError):
                    answer = call()
                    _require_genuine(answer)
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
        if self._deadline is not None and self._deadline.remaining_seconds() <= seconds:
            raise StoreUnreadableError
        pause(seconds)


_ONLY_DYNAMODB_ANSWERS: Final = frozenset({"ConsumedCapacity", "Responses"})


class _NotDynamoDBError(Exception):
    """An answer with status 200 that is not DynamoDB's: something in between made it."""


def _require_genuine(answer: object) -> None:
    # Each call asks what it consumed, and only DynamoDB answers that. An emulator may not for a
    # batch, but that always has responses.
    if not isinstance(answer, dict) or not _ONLY_DYNAMODB_ANSWERS & answer.keys():
        raise _NotDynamoDBError


@contextmanager
def _unless_final(in_doubt: type[UnconfirmedCommitError | StoreUnreadableError]) -> Iterator[None]:
    """Raise ``in_doubt`` for every failure of a call that does not prove what happened."""
    try:
        yield
    except Exception as error:
        if _is_final(error):
            raise
        raise in_doubt from error


def _is_final(error: Exception) -> bool:
    """Whether a request was refused for good: it is our own mistake, and no repetition helps."""
    if isinstance(error, ParamValidationError):
        return True
    if not isinstance(error, ClientError):
        return False
    if error.response["Error"]["Code"] == "TransactionCanceledException":
        reasons = error.response.get("CancellationReasons", [])
        return not {reason.get("Code", "None") for reason in reasons} <= _REASONS_TO_READ_AGAIN
    return error.response["Error"]["Code"] in _FINAL_CODES


def _readable(items: Iterable[Item], parse: Callable[[Item], T]) -> Iterator[T]:
    """Parse items one by one. One that cannot be read is left out, counted and logged."""
    for item in items:
        try:
            yield parse(item)
        except UNREADABLE as error:
            keys = deserialize({name: item[name] for name in ("pk", "sk") if name in item})
            _tell_unreadable(error, keys)


def _readable_places(places: Iterable[str], parse: Callable[[str], T]) -> Iterator[T]:
    """The same for the places in an index."""
    for place in places:
        try:
            yield parse(place)
        except UNREADABLE as error:
            _tell_unreadable(error, {"place": place})


def _tell_unreadable(error: Exception, where: Mapping[str, object]) -> None:
    # See docs/runbooks/unreadable-items.md. What is in the item may be anybody's data.
    measure(Metric.UNREADABLE_ITEMS)
    logger.error("unreadable item", extra={**where, "error": type(error).__name__})


def _change(item: Item) -> AccountChange:
    return StoredChange.model_validate(deserialize(item)).change()


def _opened(place: str) -> OpenedAccount:
    at, customer_id = place.split("#")
    return OpenedAccount(customer_id=UUID(customer_id), opened_at=parse_instant(at), place=place)


def _attempt_id(place: str) -> UUID:
    return UUID(place.rpartition("#")[2])


def _entered_at(place: str) -> datetime:
    return parse_instant(place.partition("#")[0])


def _attempt(item: Item) -> PurchaseAttempt:
    return StoredAttempt.model_validate(deserialize(item)).attempt()


def _refund(item: Item) -> Refund:
    return StoredRefund.model_validate(deserialize(item)).refund()


def _promo(item: Item) -> PromoCode:
    stored = StoredPromo.model_validate(deserialize(item))
    return stored.promo(redemptions=stored.redemptions)


def _promo_change(item: Item) -> PromoChange:
    return StoredPromoVersion.model_validate(deserialize(item)).change()
