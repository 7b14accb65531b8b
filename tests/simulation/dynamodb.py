"""DynamoDB in memory: the two tables, and the calls that Till's adapter makes of them.

``Tables`` is what is stored. A transaction is decided at one instant; its items then become visible
one by one, as those of DynamoDB may, and are locked until all of them are. ``Client`` is what the
adapter calls: it takes virtual time, and goes wrong as the history says.
"""

from __future__ import annotations

import marshal
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, TypeAlias

from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from tests.simulation.expressions import (
    Item,
    Scope,
    ValidationError,
    Value,
    parse_condition,
    parse_update,
    require_all_used,
)

Key: TypeAlias = tuple[str, str, str]
"""Table, pk, sk."""

MAX_ITEM_BYTES: Final = 400 * 1024
MAX_TRANSACTION_ITEMS: Final = 100
MAX_TRANSACTION_BYTES: Final = 4 * 1024 * 1024
MAX_BATCH_KEYS: Final = 100
TOKEN_SECONDS: Final = 600.0

_PARTITION: Final = re.compile(r"(\w+) = (:\w+)(?: AND |$)")

INDEXES: Final = {
    "state-index": ("state_shard", "state_at"),
    "short-id-index": ("short_id", "pk"),
    "opened-index": ("opened_shard", "opened_at"),
}
"""Each with its partition key and its sort key. As on AWS, a page of one may lag."""


@dataclass(slots=True)
class Written:
    """One item of a transaction that took effect."""

    key: Key
    before: Item | None
    after: Item


class CancelledError(Exception):
    """A transaction that did not take effect, with a reason for each of its items."""

    def __init__(self, reasons: Sequence[str], items: Mapping[int, Item] | None = None) -> None:
        super().__init__(f"cancelled: {list(reasons)}")
        self.reasons = tuple(reasons)
        self.items = items or {}
        """The items as they were, by number, of those that asked for it if their condition fails"""


def item_bytes(item: Item) -> int:
    """What an item takes, as DynamoDB documents it."""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _value_bytes(value: Value) -> int:
    ((kind, content),) = value.items()
    if kind == "S":
        return len(str(content).encode())
    if kind == "N":
        digits = str(content).strip("-0.").replace(".", "")
        return (len(digits) + 1) // 2 + 1
    if kind == "M" and isinstance(content, Mapping):
        return 3 + sum(len(n.encode()) + _value_bytes(v) + 1 for n, v in content.items())
    if kind == "L" and isinstance(content, Sequence):
        return 3 + sum(_value_bytes(v) + 1 for v in content)
    return 1


@dataclass(slots=True)
class Tables:
    """What is stored, and every version that each item ever had."""

    now: Callable[[], float] = lambda: 0.0
    items: dict[Key, Item] = field(default_factory=dict)
    """What is true: all of each transaction that took effect."""
    hidden: dict[Key, tuple[Item | None, float]] = field(default_factory=dict)
    """Items in the middle of a transaction: what reads see of them, and until when."""
    locked_until: dict[Key, float] = field(default_factory=dict)
    changed: dict[Key, list[tuple[float, Item]]] = field(default_factory=dict)
    partitions: dict[tuple[str, str], list[Key]] = field(default_factory=dict)
    shards: dict[tuple[str, str, str], dict[Key, None]] = field(default_factory=dict)
    """The keys that ever were in a shard of an index, in order: by table, attribute and value."""
    tokens: dict[str, tuple[float, object]] = field(default_factory=dict)
    stuck: str | None = None
    """The pk of an item that is never updated: each try meets another transaction."""
    written: list[Callable[[list[Written]], None]] = field(default_factory=list)
    """Told of each transaction that took effect."""

    def copy(self, now: Callable[[], float]) -> Tables:
        """Tables with the same items and no past."""
        items = dict(self.items)
        changed = {key: [(-1e9, item)] for key, item in items.items()}
        partitions = {place: list(keys) for place, keys in self.partitions.items()}
        shards = {place: dict(keys) for place, keys in self.shards.items()}
        return Tables(now, items, changed=changed, partitions=partitions, shards=shards)

    def visible(self, key: Key) -> Item | None:
        """An item as a consistent read sees it at this moment."""
        if key in self.hidden:
            item, until = self.hidden[key]
            if self.now() < until:
                return item
            del self.hidden[key]
        return self.items.get(key)

    def transact(
        self,
        requests: Sequence[Mapping[str, Mapping[str, object]]],
        token: str | None = None,
        visible_after: Sequence[float] = (),
    ) -> list[Written]:
        """Decide a transaction, and apply it if every condition holds.

        Item number n becomes visible after ``visible_after[n]`` seconds; until the last has, all of
        them are locked.

        Raises:
            CancelledError: it did not take effect.
            ValidationError: it is no valid transaction.
        """
        if token is not None and token in self.tokens:
            at, seen = self.tokens[token]
            if self.now() - at < TOKEN_SECONDS:
                if seen != requests:
                    raise _client_error(
                        "IdempotentParameterMismatchException", "TransactWriteItems"
                    )
                return []
        if not 1 <= len(requests) <= MAX_TRANSACTION_ITEMS:
            raise ValidationError(f"{len(requests)} items in a transaction")
        writes = [_Request.of(request) for request in requests]
        if len({write.key for write in writes}) != len(writes):
            raise ValidationError("two operations on one item in a transaction")
        results = [self._decide(write) for write in writes]
        reasons = [result if isinstance(result, str) else "None" for result in results]
        if set(reasons) != {"None"}:
            raise CancelledError(reasons, self._as_they_were(requests, writes, reasons))
        done = [result for result in results if isinstance(result, Written)]
        # Fewer than eleven of them cannot be too large together.
        if len(done) > 10 and sum(item_bytes(each.after) for each in done) > MAX_TRANSACTION_BYTES:
            raise ValidationError("a transaction of more than 4 MB")
        self._apply(done, visible_after)
        if token is not None:
            self.tokens[token] = (self.now(), requests)
        for tell in self.written:
            tell(done)
        return done

    def _as_they_were(
        self,
        requests: Sequence[Mapping[str, Mapping[str, object]]],
        writes: Sequence[_Request],
        reasons: Sequence[str],
    ) -> dict[int, Item]:
        failed = (n for n, reason in enumerate(reasons) if reason == "ConditionalCheckFailed")
        return {
            number: self.items[writes[number].key]
            for number in failed
            if writes[number].key in self.items
            for fields in requests[number].values()
            if fields.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
        }

    def _decide(self, write: _Request) -> Written | str:
        if self.locked_until.get(write.key, 0.0) > self.now():
            return "TransactionConflict"
        before = self.items.get(write.key)
        if before is not None and self.stuck == write.key[1]:
            return "TransactionConflict"
        scope = Scope(before or {}, write.names, write.values)
        if write.condition is not None and not parse_condition(write.condition).condition(scope):
            return "ConditionalCheckFailed"
        if write.put is not None:
            after: Item = write.put
        else:
            assert write.update is not None
            try:
                changes = dict(each(scope) for each in parse_update(write.update).assignments)
            except ValidationError:
                return "ValidationError"
            _, pk, sk = write.key
            merged = {"pk": {"S": pk}, "sk": {"S": sk}, **(before or {}), **changes}
            after = {name: value for name, value in merged.items() if value is not None}
        # Most items are far too small for a closer look.
        size = len(marshal.dumps(after))  # type: ignore[arg-type]
        large = size > MAX_ITEM_BYTES // 4
        if large and item_bytes(after) > MAX_ITEM_BYTES:
            if write.put is not None:
                raise ValidationError("an item of more than 400 KB")
            return "ValidationError"
        return Written(write.key, before, after)

    def _apply(self, done: list[Written], visible_after: Sequence[float]) -> None:
        now = self.now()
        all_visible = now + max(visible_after, default=0.0)
        for number, each in enumerate(done):
            if each.key not in self.items:
                self.partitions.setdefault(each.key[:2], []).append(each.key)
            self.items[each.key] = each.after
            for shard_name, _ in INDEXES.values():
                if shard_name in each.after:
                    place = each.key[0], shard_name, str(each.after[shard_name]["S"])
                    self.shards.setdefault(place, {})[each.key] = None
            self.changed.setdefault(each.key, []).append((now, each.after))
            if all_visible > now:
                self.locked_until[each.key] = all_visible
                self.hidden[each.key] = (each.before, now + visible_after[number])

    def get(self, table: str, key: Mapping[str, Value]) -> Item | None:
        """One item, read consistently."""
        return self.visible(_key(table, key))

    def transact_get(self, keys: Sequence[tuple[str, Mapping[str, Value]]]) -> list[Item | None]:
        """Several items as they are together.

        Raises:
            CancelledError: a transaction is writing one of them.
        """
        wanted = [_key(table, key) for table, key in keys]
        locked = [self.locked_until.get(key, 0.0) > self.now() for key in wanted]
        if any(locked):
            raise CancelledError(["TransactionConflict" if each else "None" for each in locked])
        return [self.items.get(key) for key in wanted]

    def query(
        self, request: Mapping[str, object], *, lag_seconds: float = 0.0
    ) -> tuple[list[Item], dict[str, Value] | None]:
        """A page of a query, and where the next one starts.

        Raises:
            ValidationError: it is no valid query.
        """
        table = str(request["TableName"])
        index = request.get("IndexName")
        if index is not None and request.get("ConsistentRead"):
            raise ValidationError("an index cannot be read consistently")
        shard_name, sort_name = INDEXES[str(index)] if index is not None else ("pk", "sk")
        names = _strings(request.get("ExpressionAttributeNames"))
        values = _values(request.get("ExpressionAttributeValues"))
        keys = parse_condition(str(request["KeyConditionExpression"]))
        filter_text = request.get("FilterExpression")
        chosen = parse_condition(str(filter_text)) if filter_text is not None else None
        require_all_used((keys, chosen) if chosen else (keys,), names, values)
        shard = _equals(str(request["KeyConditionExpression"]), shard_name, values)
        here = (
            self._partition(table, str(shard["S"]))
            if index is None
            else self._indexed(table, shard_name, str(shard["S"]), lag_seconds)
        )
        found = [
            item
            for item in here
            if item.get(shard_name) == shard
            and sort_name in item
            and keys.condition(Scope(item, names, values))
        ]
        forward = bool(request.get("ScanIndexForward", True))
        if len(found) > 1:
            found.sort(key=lambda item: _place(item, sort_name), reverse=not forward)
        start = request.get("ExclusiveStartKey")
        if isinstance(start, dict):
            after = _place(start, sort_name)
            found = [
                item
                for item in found
                if (_place(item, sort_name) > after if forward else _place(item, sort_name) < after)
            ]
        limit = int(str(request.get("Limit", len(found) + 1)))
        page, more = found[:limit], len(found) >= limit
        last = {n: page[-1][n] for n in ("pk", "sk", shard_name, sort_name)} if more else None
        if chosen is not None:
            page = [item for item in page if chosen.condition(Scope(item, names, values))]
        return page, last

    def _partition(self, table: str, pk: str) -> Iterable[Item]:
        for key in self.partitions.get((table, pk), ()):
            item = self.visible(key)
            if item is not None:
                yield item

    def _indexed(
        self, table: str, shard_name: str, shard: str, lag_seconds: float
    ) -> Iterable[Item]:
        """Every item that ever was in a shard of an index, as it was so many seconds ago."""
        for key in self.shards.get((table, shard_name, shard), ()):
            item = self._at(key, lag_seconds)
            if item is not None:
                yield item

    def _at(self, key: Key, lag_seconds: float) -> Item | None:
        then = self.now() - lag_seconds
        for at, item in reversed(self.changed.get(key, ())):
            if at <= then:
                return item
        return None


def _equals(text: str, name: str, values: Mapping[str, Value]) -> Value:
    """The value that a key condition wants of the partition key, which it has to name first."""
    match = _PARTITION.match(text)
    if match is None or match[1] != name:
        raise ValidationError(f"a key condition begins with {name} = :value")
    return values[match[2]]


def _place(item: Item, sort_name: str) -> tuple[str, str, str]:
    # DynamoDB orders by bytes of UTF-8, which is the order of code points.
    return str(item[sort_name]["S"]), str(item["pk"]["S"]), str(item["sk"]["S"])


def _key(table: str, key: Mapping[str, Value]) -> Key:
    return table, str(key["pk"]["S"]), str(key["sk"]["S"])


def _strings(names: object) -> dict[str, str]:
    return names if isinstance(names, dict) else {}


def _values(values: object) -> Mapping[str, Value]:
    return values if isinstance(values, dict) else {}


@dataclass(slots=True)
class _Request:
    """One put or update of a transaction."""

    key: Key
    condition: str | None
    put: Item | None
    update: str | None
    names: Mapping[str, str]
    values: Mapping[str, Value]

    @classmethod
    def of(cls, request: Mapping[str, Mapping[str, object]]) -> _Request:
        ((kind, fields),) = request.items()
        table = str(fields["TableName"])
        names = _strings(fields.get("ExpressionAttributeNames"))
        values = _values(fields.get("ExpressionAttributeValues"))
        condition = fields.get("ConditionExpression")
        text = None if condition is None else str(condition)
        expressions = (parse_condition(text),) if text is not None else ()
        if kind == "Put":
            item = _values(fields["Item"])
            require_all_used(expressions, names, values)
            return cls(_key(table, item), text, item, None, names, values)
        if kind != "Update":
            raise ValidationError(f"{kind} is not what Till does")
        update = str(fields["UpdateExpression"])
        require_all_used((*expressions, parse_update(update)), names, values)
        return cls(_key(table, _values(fields["Key"])), text, None, update, names, values)


# The client


@dataclass(slots=True)
class Call:
    """How one call of DynamoDB goes.

    ``arrives`` and ``replies`` are seconds: until it is done, and then until its answer is back;
    NEVER for a request or an answer that is lost. ``fault`` is one of ``FAULTS``, or "".
    """

    arrives: float = 0.005
    replies: float = 0.005
    fault: str = ""
    visible_after: tuple[float, ...] = ()
    lag: float = 0.0
    breaks: float = float("inf")
    """After how many seconds the connection breaks. What was sent still arrives."""


REFUSALS: Final = (
    "throttled",
    "conflict",
    "unavailable",
    "internal",
    "proxy",
    "expired",
    "reset",
    "denied",
)
"""What comes back in the place of an answer; nothing was done. "proxy" is a 200 of another."""


TRANSACTIONS: Final = frozenset({"TransactWriteItems", "TransactGetItems"})


class Network(Protocol):
    """Decides how each call goes, and takes its time."""

    def next_call(self, operation: str, items: int) -> Call:
        """How the next call of the running function goes. It may end the function."""
        ...

    def sent(self, call: Call, effect: Callable[[], None], limit: float) -> None:
        """Have the effect when the call arrives, and wait for its answer, at most ``limit``.

        Raises:
            TimeoutError: there was no answer in time.
        """
        ...

    def saw(self, items: Iterable[Item]) -> None:
        """The running function has read these items."""
        ...


class Client:
    """What ``DynamoStore`` calls; the calls of one take at most ``limit_seconds``."""

    def __init__(self, tables: Tables, network: Network, limit_seconds: float) -> None:
        self._tables = tables
        self._network = network
        self._limit_seconds = limit_seconds

    def transact_write_items(
        self,
        *,
        TransactItems: Sequence[Mapping[str, Mapping[str, object]]],  # noqa: N803
        ClientRequestToken: str | None = None,  # noqa: N803
        ReturnConsumedCapacity: str = "NONE",  # noqa: N803
    ) -> dict[str, object]:
        """All the writes, or none of them."""
        count = len(TransactItems)

        def write(call: Call) -> dict[str, object]:
            if call.fault == "conflict":
                raise CancelledError(["TransactionConflict", *["None"] * (count - 1)])
            if call.fault == "throttled":
                raise CancelledError(["ThrottlingError"] + ["None"] * (count - 1))
            self._tables.transact(TransactItems, ClientRequestToken, call.visible_after)
            return _consumed(ReturnConsumedCapacity)

        return self._call("TransactWriteItems", write, count)

    def get_item(
        self,
        *,
        TableName: str,  # noqa: N803
        Key: Mapping[str, Value],  # noqa: N803
        ConsistentRead: bool = False,  # noqa: N803
        ReturnConsumedCapacity: str = "NONE",  # noqa: N803
    ) -> dict[str, object]:
        """One item."""
        if not ConsistentRead:
            raise ValidationError("Till reads single items consistently")

        def read(call: Call) -> dict[str, object]:
            del call
            item = self._tables.get(TableName, Key)
            answer = _consumed(ReturnConsumedCapacity)
            return answer if item is None else {**answer, "Item": item}

        answer = self._call("GetItem", read)
        self._network.saw((answer["Item"],) if "Item" in answer else ())  # type: ignore[arg-type]
        return answer

    def transact_get_items(
        self,
        *,
        TransactItems: Sequence[Mapping[str, Mapping[str, Any]]],  # noqa: N803
        ReturnConsumedCapacity: str = "NONE",  # noqa: N803
    ) -> dict[str, object]:
        """Several items, none of which a transaction is writing."""
        keys = [(get["Get"]["TableName"], get["Get"]["Key"]) for get in TransactItems]

        def read(call: Call) -> dict[str, object]:
            if call.fault in {"conflict", "throttled"}:
                reason = "TransactionConflict" if call.fault == "conflict" else "ThrottlingError"
                raise CancelledError([reason, *["None"] * (len(keys) - 1)])
            items = self._tables.transact_get(keys)
            return {
                **_consumed(ReturnConsumedCapacity),
                "Responses": [{} if item is None else {"Item": item} for item in items],
            }

        answer = self._call("TransactGetItems", read)
        found = answer.get("Responses", ())
        self._network.saw(each["Item"] for each in found if "Item" in each)  # type: ignore[attr-defined]
        return answer

    def query(self, **request: object) -> dict[str, object]:
        """A page of items."""

        def read(call: Call) -> dict[str, object]:
            items, last = self._tables.query(request, lag_seconds=call.lag)
            answer = {**_consumed(request.get("ReturnConsumedCapacity")), "Items": items}
            return answer if last is None else {**answer, "LastEvaluatedKey": last}

        answer = self._call("Query", read)
        self._network.saw(answer.get("Items", ()))  # type: ignore[arg-type]
        return answer

    def batch_get_item(
        self,
        *,
        RequestItems: Mapping[str, Mapping[str, object]],  # noqa: N803
        ReturnConsumedCapacity: str = "NONE",  # noqa: N803
    ) -> dict[str, object]:
        """Several items. A throttled one leaves the second half of them unprocessed."""
        ((table, fields),) = RequestItems.items()
        keys = fields["Keys"]
        assert isinstance(keys, Sequence)
        if not 1 <= len(keys) <= MAX_BATCH_KEYS:
            raise _client_error("ValidationException", "BatchGetItem")

        def read(call: Call) -> dict[str, object]:
            some = keys[: len(keys) // 2] if call.fault == "throttled" else keys
            found = [self._tables.get(table, key) for key in some]
            rest = keys[len(some) :]
            return {
                **_consumed(ReturnConsumedCapacity),
                "Responses": {table: [item for item in found if item is not None]},
                "UnprocessedKeys": {table: {**fields, "Keys": rest}} if rest else {},
            }

        return self._call("BatchGetItem", read)

    def _call(
        self, operation: str, work: Callable[[Call], dict[str, object]], items: int = 1
    ) -> dict[str, object]:
        call = self._network.next_call(operation, items)
        result: list[dict[str, object] | Exception] = []

        def effect() -> None:
            try:
                result.append(_refused(call.fault, operation) or work(call))
            except CancelledError as error:
                result.append(_cancelled(error))
            except ValidationError as error:
                result.append(_client_error("ValidationException", operation, str(error)))
            except (ClientError, ConnectionClosedError) as error:
                result.append(error)

        try:
            self._network.sent(call, effect, min(self._limit_seconds, call.breaks))
        except TimeoutError:
            if call.breaks <= self._limit_seconds:
                raise ConnectionClosedError(endpoint_url="simulated") from None
            raise ReadTimeoutError(endpoint_url="simulated") from None
        (answer,) = result
        if isinstance(answer, Exception):
            raise answer
        return answer


def _consumed(asked: object) -> dict[str, object]:
    return {} if asked in {None, "NONE"} else {"ConsumedCapacity": [{"CapacityUnits": 1.0}]}


def _refused(fault: str, operation: str) -> dict[str, object] | None:
    match fault:
        case "unavailable":
            # What botocore makes of a 503 without JSON.
            raise _client_error("503", operation, "Service Unavailable")
        case "internal":
            raise _client_error("InternalServerError", operation)
        case "throttled" if operation not in {*TRANSACTIONS, "BatchGetItem"}:
            raise _client_error("ThrottlingException", operation)
        case "conflict" if operation not in TRANSACTIONS:
            raise _client_error("ProvisionedThroughputExceededException", operation)
        case "expired":
            raise _client_error("ExpiredTokenException", operation)
        case "denied":
            raise _client_error("AccessDeniedException", operation)
        case "reset":
            raise ConnectionClosedError(endpoint_url="simulated")
        case "proxy":
            return {"ResponseMetadata": {"HTTPStatusCode": 200}}
    return None


def _client_error(code: str, operation: str, message: str = "") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


def _cancelled(error: CancelledError) -> ClientError:
    message = f"Transaction cancelled, please refer cancellation reasons {list(error.reasons)}"
    reasons: list[Any] = [
        {"Code": reason, **({"Item": error.items[n]} if n in error.items else {})}
        for n, reason in enumerate(error.reasons)
    ]
    return ClientError(
        {
            "Error": {"Code": "TransactionCanceledException", "Message": message},
            "CancellationReasons": reasons,
        },
        "TransactWriteItems",
    )
