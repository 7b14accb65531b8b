"""The external APIs at the level of HTTP: the catalogue, and a carrier that may answer anything."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, Protocol, TypeAlias
from uuid import UUID

import httpx

BASE_URL: Final = "http://upstream.test/"

CatalogueAnswer: TypeAlias = tuple[int, dict[str, str], bytes]
"""Status, headers and body."""

_JSON: Final = {"Content-Type": "application/json"}


@dataclass(slots=True)
class Reply:
    """How one call of an external API goes; see ``Call`` for the times."""

    arrives: float = 0.02
    replies: float = 0.02
    kind: str = ""


CATALOGUE_FAULTS: Final = ("500", "reset", "nonsense", "encoded", "huge-price", "lost")
NOT_SHIPPED: Final = ("400", "422", "429", "500", "501", "503", "503-no-body", "connect")
"""The carrier made no parcel, and says so or was not reached."""
SHIPPED: Final = ("201", "200", "201-slow", "201-more-fields")
UNCLEAR: Final = (
    "408",
    "502",
    "504",
    "302",
    "reset",
    "lost",
    "cut-off",
    "encoded",
    "no-id",
    "bad-id",
    "huge-number",
    "not-json",
    "dribbled",
    "taken-id",
    "protocol",
)
"""Whether there is a parcel, these answers do not say. Each comes with one and without."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """A shipment that the carrier really made."""

    attempt_id: str
    shipment_id: str
    made_at: float


@dataclass(slots=True)
class Shelf:
    """What the catalogue says at this moment, and what the carrier has done."""

    prices: dict[UUID, int]
    customers: list[UUID]
    streets: int = 1
    calls: list[str] = field(default_factory=list)
    """The attempts that CreateShipment was called for."""
    parcels: list[Parcel] = field(default_factory=list)
    told: dict[str, str] = field(default_factory=dict)
    """The shipment id that a complete 2xx answer told, by attempt."""

    def parcel_of(self, attempt_id: str) -> Parcel | None:
        """The parcel of an attempt."""
        return next((p for p in self.parcels if p.attempt_id == attempt_id), None)


class Wire(Protocol):
    """Decides how each exchange goes, and takes its time."""

    def next_reply(self, api: str) -> Reply:
        """How the next exchange of the running function goes. It may end the function."""
        ...

    def exchanged(self, reply: Reply, effect: Callable[[], None], limit: float) -> None:
        """Have the effect when the request arrives, and wait for the answer.

        Raises:
            TimeoutError: there was none in time.
        """
        ...

    def answered(self, *, shipment_id: str | None) -> None:
        """A definite answer of the carrier has come back: an id, or None for not shipped."""
        ...

    @property
    def now(self) -> float:
        """The virtual time."""
        ...


class Transport(httpx.BaseTransport):
    """Below the real HTTP clients of Till: their requests come here."""

    def __init__(
        self, shelf: Shelf, wire: Wire, *, read_seconds: float, ship_seconds: float, once: bool
    ) -> None:
        self._shelf = shelf
        self._wire = wire
        self._read_seconds = read_seconds
        self._ship_seconds = ship_seconds
        self._once = once
        """Whether the carrier makes one parcel per Idempotency-Key."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer as the history says."""
        if request.method == "POST":
            return self._ship(request)
        status, headers, content = self.look_up(request.url.path)
        return httpx.Response(status, headers=headers, content=content)

    def look_up(self, path: str) -> CatalogueAnswer:
        """What the catalogue answers to a GET.

        Raises:
            httpx.TransportError: nothing.
        """
        reply = self._wire.next_reply("catalogue")
        answers: list[CatalogueAnswer] = []
        try:
            self._wire.exchanged(
                reply,
                lambda: answers.append(self._look_up(path, reply.kind)),
                self._read_seconds,
            )
        except TimeoutError as error:
            raise httpx.ReadTimeout("simulated") from error
        if reply.kind == "reset":
            raise httpx.RemoteProtocolError("simulated")
        return answers[0]

    def _look_up(self, path: str, kind: str) -> CatalogueAnswer:
        collection, _, wanted = path.strip("/").partition("/")
        if kind == "500":
            return 500, _JSON, b'{"Message": "out of order"}'
        if kind == "nonsense":
            return 200, {}, b'{"id": 1, "id": 2}'
        if kind == "encoded":
            return 200, {"Content-Encoding": "br"}, b"\x01"
        shelf, item_id = self._shelf, _uuid(wanted)
        if collection == "products" and item_id in shelf.prices:
            body = _product(wanted, shelf.prices[item_id])
        elif collection == "customers" and item_id in shelf.customers:
            body = _customer(wanted, shelf.streets)
        else:
            return 404, _JSON, b'{"Message": "not found"}'
        if kind == "huge-price":
            body = body.replace(b'"price": ', b'"price": 1e99999999999999999999, "was": ')
        return 200, {}, body

    # The carrier

    def _ship(self, request: httpx.Request) -> httpx.Response:
        reply = self._wire.next_reply("carrier")
        kind, _, parcel = reply.kind.partition("+")
        attempt_id = request.headers["Idempotency-Key"]
        if kind == "connect":
            self._shelf.calls.append(attempt_id)
            self._wire.answered(shipment_id=None)
            raise httpx.ConnectError("simulated")
        made: list[Parcel] = []

        def arrive() -> None:
            if kind in SHIPPED or parcel:
                made.append(self._make(attempt_id))

        self._shelf.calls.append(attempt_id)
        try:
            self._wire.exchanged(reply, arrive, self._ship_seconds)
        except TimeoutError as error:
            raise httpx.ReadTimeout("simulated") from error
        if kind in NOT_SHIPPED:
            self._wire.answered(shipment_id=None)
        return self._answer(kind, made[0].shipment_id if made else "shp-none", attempt_id)

    def _make(self, attempt_id: str) -> Parcel:
        before = self._shelf.parcel_of(attempt_id)
        if before is not None and self._once:
            return before
        number = len(self._shelf.parcels) + 1
        parcel = Parcel(attempt_id, f"shp-{number}", self._wire.now)
        self._shelf.parcels.append(parcel)
        return parcel

    def _answer(self, kind: str, shipment_id: str, attempt_id: str) -> httpx.Response:
        match kind:
            case "reset" | "lost":
                raise httpx.ReadError("simulated")
            case "protocol":
                raise httpx.RemoteProtocolError("simulated")
            case "dribbled":
                raise httpx.ReadTimeout("simulated")
            case "cut-off":
                return httpx.Response(201, stream=_CutOff())
            case "encoded":
                headers = {"Content-Encoding": "gzip"}
                return httpx.Response(201, headers=headers, content=b"\x1f\x8b")
            case "no-id":
                return httpx.Response(201, json={})
            case "bad-id":
                return httpx.Response(201, json={"id": "two words"})
            case "huge-number":
                return httpx.Response(201, content=b'{"id": "x", "n": 1e99999999999999999999}')
            case "not-json":
                return httpx.Response(200, content=b"<html>")
            case "taken-id":
                others = [p for p in self._shelf.parcels if p.attempt_id != attempt_id]
                shipment_id = others[0].shipment_id if others else shipment_id
                self._told(attempt_id, shipment_id)
                return httpx.Response(201, json={"id": shipment_id})
            case "503-no-body":
                return httpx.Response(503)
        if kind in SHIPPED:
            self._told(attempt_id, shipment_id)
            body = (
                {"id": shipment_id, "more": 1} if kind == "201-more-fields" else {"id": shipment_id}
            )
            return httpx.Response(int(kind[:3]), json=body)
        return httpx.Response(int(kind[:3]), json={"Message": "no"})

    def _told(self, attempt_id: str, shipment_id: str) -> None:
        self._shelf.told[attempt_id] = shipment_id
        self._wire.answered(shipment_id=shipment_id)


_uuid: Final = lru_cache(maxsize=64)(UUID)


@lru_cache(maxsize=256)
def _product(product_id: str, price: int) -> bytes:
    body = {
        "id": product_id,
        "sku": f"SKU-{product_id[:4]}",
        "name": "A thing",
        "description": "",
        "price": price / 100,
        "createdAt": 0,
        "lastModifiedAt": 0,
    }
    return json.dumps(body).encode()


@lru_cache(maxsize=256)
def _customer(customer_id: str, streets: int) -> bytes:
    address = {
        "line1": f"{streets} Test Street",
        "city": "Testville",
        "postalCode": "12345",
        "state": "TS",
        "country": "US",
    }
    body = {
        "id": customer_id,
        "name": "N",
        "email": "n@example.com",
        "billingAddress": address,
        "shippingAddress": address,
        "createdAt": 0,
        "lastModifiedAt": 0,
    }
    return json.dumps(body).encode()


class _CutOff(httpx.SyncByteStream):
    def __iter__(self) -> Iterator[bytes]:
        yield b'{"id'
        raise httpx.ReadError("simulated")
