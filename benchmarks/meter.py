"""Counts what a piece of work costs: capacity units, calls, and how often it had to wait."""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mypy_boto3_dynamodb import DynamoDBClient

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

SLOWED_BY_SECONDS: Final = 0.05
"""Every call takes so much longer, so that those made side by side are sure to overlap."""

_WRITES = frozenset({"TransactWriteItems", "PutItem", "UpdateItem"})


@dataclass
class Cost:
    """What one operation cost."""

    write_units: float = 0.0
    read_units: float = 0.0
    items_read: int = 0
    """Also those that a filter left out."""
    calls: Counter[str] = field(default_factory=Counter)
    intervals: list[tuple[float, float]] = field(default_factory=list)

    def serial_waits(self) -> int:
        """How many waits one after the other: calls that overlap in time are one."""
        waits, busy_until = 0, 0.0
        for start, end in sorted(self.intervals):
            if start >= busy_until:
                waits += 1
            busy_until = max(busy_until, end)
        return waits


class Meter:
    """Watches a DynamoDB client, and the HTTP clients that use ``MeteredTransport``."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cost = Cost()
        self._started: dict[int, float] = {}
        self._per_unit: dict[int, float] = {}

    def watch(self, client: DynamoDBClient) -> None:
        """Count every call of a client from now on."""
        events = client.meta.events
        events.register("provide-client-params.dynamodb", self._ask_for_capacity)
        events.register("before-call.dynamodb", self._before)
        events.register("after-call.dynamodb", self._after)

    @contextmanager
    def measure(self) -> Iterator[Cost]:
        """The cost of what happens in the block."""
        cost = Cost()
        with self._lock:
            self._cost = cost
        try:
            yield cost
        finally:
            with self._lock:
                self._cost = Cost()

    def record(self, name: str, start: float, end: float) -> None:
        """Count one call."""
        with self._lock:
            self._cost.calls[name] += 1
            self._cost.intervals.append((start, end))

    def _ask_for_capacity(self, params: dict[str, object], **_: object) -> None:
        params["ReturnConsumedCapacity"] = "INDEXES"
        self._per_unit[threading.get_ident()] = 1.0 if params.get("ConsistentRead") else 0.5

    def _before(self, **_: object) -> None:
        self._started[threading.get_ident()] = time.perf_counter()
        time.sleep(SLOWED_BY_SECONDS)

    def _after(self, *, parsed: Mapping[str, Json], model: object, **_: object) -> None:
        name = str(getattr(model, "name", "?"))
        thread = threading.get_ident()
        self.record(name, self._started[thread], time.perf_counter())
        with self._lock:
            if name in _WRITES:
                self._cost.write_units += _write_units(parsed.get("ConsumedCapacity"))
            else:
                per_unit = 1.0 if name == "BatchGetItem" else self._per_unit[thread]
                self._cost.read_units += _read_units(parsed) * per_unit
                self._cost.items_read += _items_read(parsed)


def _write_units(consumed: Json) -> float:
    tables = consumed if isinstance(consumed, list) else [consumed]
    units = [table["CapacityUnits"] for table in tables if isinstance(table, dict)]
    return sum(float(unit) for unit in units if isinstance(unit, (int, float)))


def _read_units(answer: Mapping[str, Json]) -> float:
    """By DynamoDB's rule: one for each 4 KB begun, of all that was read.

    The emulator reports one unit for a query however much it reads, so this is counted here.
    """
    item, responses = answer.get("Item"), answer.get("Responses")
    if isinstance(responses, dict):
        items = [i for table in responses.values() if isinstance(table, list) for i in table]
        return float(sum(_units(_size(item)) for item in items))
    if "Items" not in answer:
        return float(_units(_size(item)))
    found, scanned, count = answer["Items"], answer["ScannedCount"], answer["Count"]
    size = _size(found)
    if isinstance(scanned, int) and isinstance(count, int) and count:
        # What a filter left out was read too.
        size = size * scanned // count
    return float(_units(size))


def _items_read(answer: Mapping[str, Json]) -> int:
    scanned, responses = answer.get("ScannedCount"), answer.get("Responses")
    if isinstance(scanned, int):
        return scanned
    if isinstance(responses, dict):
        return sum(len(table) for table in responses.values() if isinstance(table, list))
    return 1 if answer.get("Item") else 0


def _units(size_bytes: int) -> int:
    return max(1, math.ceil(size_bytes / 4096))


def _size(value: Json) -> int:
    if isinstance(value, dict):
        return sum(len(name.encode()) + _size(each) for name, each in value.items())
    if isinstance(value, list):
        return sum(_size(each) for each in value)
    return len(str(value).encode()) if value is not None else 0


class MeteredTransport(httpx.HTTPTransport):
    """Counts every exchange of a client, by what it is for."""

    def __init__(self, meter: Meter) -> None:
        super().__init__()
        self._meter = meter

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send, read the whole answer, and count."""
        start = time.perf_counter()
        time.sleep(SLOWED_BY_SECONDS)
        response = super().handle_request(request)
        response.read()
        what = request.url.path.rstrip("/").split("/")[2]
        self._meter.record(f"{request.method} {what}", start, time.perf_counter())
        return response
