"""What the stand-in knows and remembers: its customers and products, and who asked for what."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from local.upstream.contract import Address, CreateShipmentRequest, Entity

Kept = TypeVar("Kept", bound=Entity)
Key = TypeVar("Key", bound=Hashable)


class Shelf(Generic[Kept]):
    """The customers, or the products. Safe between threads."""

    def __init__(self, entities: Iterable[Kept] = ()) -> None:
        self._lock = threading.Lock()
        self._entities: dict[UUID, Kept] = {entity.id: entity for entity in entities}

    def get(self, entity_id: UUID) -> Kept | None:
        """The one with this id, if there is one."""
        with self._lock:
            return self._entities.get(entity_id)

    def put(self, entity: Kept) -> None:
        """Add one, or replace it."""
        with self._lock:
            self._entities[entity.id] = entity

    def change(self, entity_id: UUID, change: Callable[[Kept], Kept]) -> Kept | None:
        """Replace the one with this id by a changed copy, and give it back, if there is one."""
        with self._lock:
            entity = self._entities.get(entity_id)
            if entity is None:
                return None
            changed = change(entity)
            self._entities[entity_id] = changed
            return changed

    def remove(self, entity_id: UUID) -> None:
        """Forget one; from now on it does not exist."""
        with self._lock:
            self._entities.pop(entity_id, None)


class Traffic(Generic[Key]):
    """How many requests about each customer, product or SKU came in, and how many still wait."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._started: Counter[Key] = Counter()
        self._finished: Counter[Key] = Counter()
        self._answers: Counter[tuple[Key, int]] = Counter()

    def start(self, key: Key) -> None:
        """A request came in."""
        with self._changed:
            self._started[key] += 1
            self._changed.notify_all()

    def finish(self, key: Key) -> None:
        """A request was answered, or never will be."""
        with self._changed:
            self._finished[key] += 1

    def answer(self, key: Key, status: int) -> None:
        """A request is answered as usual."""
        with self._changed:
            self._answers[key, status] += 1

    def answered(self, key: Key, status: int) -> int:
        """How many requests were answered as usual, with this status."""
        with self._changed:
            return self._answers[key, status]

    def started(self, key: Key) -> int:
        """How many requests came in so far."""
        with self._changed:
            return self._started[key]

    def waiting(self, key: Key) -> int:
        """How many requests are held or delayed at this moment."""
        with self._changed:
            return self._started[key] - self._finished[key]

    def wait_for(self, key: Key, count: int, timeout_seconds: float) -> bool:
        """Wait until so many requests came in; false when they did not in time."""
        with self._changed:
            return self._changed.wait_for(
                lambda: self._started[key] >= count, timeout=timeout_seconds
            )


class Report(BaseModel):
    """Something that the control interface tells."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class SeenShipmentRequest(Report):
    """A valid CreateShipment request, with the headers it came with (names in lower case)."""

    number: int
    received_at: int
    """Unix epoch, milliseconds."""
    headers: dict[str, str]
    shipping_address: Address
    products: dict[str, int]
    """Quantity by SKU."""
    planned_answer: str
    shipment_id: str | None = None
    """The parcel that was made for it, whether or not the caller was told."""


class ShipmentLog(Report):
    """The CreateShipment requests for one SKU, or for all."""

    requests: tuple[SeenShipmentRequest, ...]
    waiting: int = 0

    @property
    def shipment_ids(self) -> tuple[str, ...]:
        """The parcels that were made."""
        return tuple(seen.shipment_id for seen in self.requests if seen.shipment_id is not None)


@dataclass(frozen=True, slots=True)
class Arrival:
    """What is known of a CreateShipment request when it arrives."""

    received_at: int
    headers: dict[str, str]
    request: CreateShipmentRequest
    planned_answer: str
    shipment_id: str | None


class ShipmentBook:
    """Every CreateShipment request, in the order of arrival. Only ever added to."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: list[SeenShipmentRequest] = []

    def add(self, arrival: Arrival) -> None:
        """Write a request down."""
        products: Counter[str] = Counter()
        for line in arrival.request.products:
            products[line.sku] += line.quantity
        with self._lock:
            self._requests.append(
                SeenShipmentRequest(
                    number=len(self._requests) + 1,
                    received_at=arrival.received_at,
                    headers=arrival.headers,
                    shipping_address=arrival.request.shipping_address,
                    products=dict(products),
                    planned_answer=arrival.planned_answer,
                    shipment_id=arrival.shipment_id,
                )
            )

    def requests(self, sku: str | None = None) -> tuple[SeenShipmentRequest, ...]:
        """All requests, or those that ask for a SKU."""
        with self._lock:
            return tuple(seen for seen in self._requests if sku is None or sku in seen.products)
