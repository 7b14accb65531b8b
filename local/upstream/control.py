r"""The control interface: how tests and demos steer the stand-in. No part of the contract.

Everything is JSON; ``local.upstream.client`` is a typed client for it. Entities look as they do in
the contract (camelCase), plans and reports as their models say (snake_case).

Customers, and products likewise:

- ``GET    /_control/customers/{id}``            the customer, how often it was read, who waits
- ``PUT    /_control/customers/{id}``            create or replace it
- ``PATCH  /_control/customers/{id}``            change the given fields, as the other team would
- ``DELETE /_control/customers/{id}``            from now on it does not exist
- ``PUT    /_control/customers/{id}/behaviour``  answer reads by a plan (``Behaviour``)
- ``DELETE /_control/customers/{id}/behaviour``  answer as usual again
- ``POST   /_control/customers/{id}/release``    let held reads go on
- ``PUT    /_control/customers/{id}/caching``    which header fields go with it (``Caching``)
- ``DELETE /_control/customers/{id}/caching``    the same as with all others again

``PUT /_control/caching`` says which header fields go with all customers and products that have
no rule of their own: ``{"etag": true, "last_modified": true, "cache_control": "max-age=60"}``, or
none ``{"etag": false}``.

``PUT /_control/credentials`` says which credentials are accepted from now on, and no others:
``[{"header": "X-Api-Key", "value": "old"}, {"header": "X-Api-Key", "value": "new"}]``, or ``[]`` to
accept all requests. ``GET`` returns them, and how many requests were refused. The control interface
itself needs no credential.

Shipments, by SKU, so that tests side by side do not disturb each other:

- ``GET    /_control/shipments``                 every CreateShipment request so far
- ``GET    /_control/shipments/{sku}``           those for one SKU, and how many wait; with
  ``?at_least=3&timeout_seconds=10`` only once so many came in (408 if they do not)
- ``PUT    /_control/shipments/{sku}/behaviour`` answer by a plan
- ``DELETE /_control/shipments/{sku}/behaviour`` answer as usual again
- ``POST   /_control/shipments/{sku}/release``   let held requests go on

``GET /_control/ready`` answers 200, and the id of the process, as soon as the server runs.

Plans, for example: the carrier takes the parcel and never answers
``{"answer": {"kind": "silent"}, "record": true}``; it drops the next two connections
``{"answer": {"kind": "drop"}, "times": 2}``; it is out of order
``{"answer": {"kind": "refuse", "status": 503, "message": "closed"}}``; it is slow
``{"delay_seconds": 5}`` (longer than the caller waits: an answer that comes too late); it answers
200 without an id ``{"answer": {"kind": "raw", "body": "{}"}, "record": true}``; it waits for a word
``{"hold": true}``.

Answers that are wrong as HTTP, each with ``"kind": "raw"`` unless another one is named: any bytes
``"body_base64": "/w=="``, with any ``"status"``, ``"headers"`` and ``"content_type"``; encoded
``"headers": {"Content-Encoding": "gzip"}, "body_base64": "H4sI..."``; broken off inside the body
``"body": "{\"id\"", "missing_bytes": 9``; header bytes one by one
``"dribble": {"part": "head", "pause_seconds": 0.9}``, or body bytes ``"part": "body"``; one 1xx
after another and no answer ``{"kind": "interim", "status": 103, "pause_seconds": 0.5}``.
"""

from __future__ import annotations

import os
from typing import Generic, TypeVar
from uuid import UUID

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import from_json

from local.upstream.api import Api, now_in_milliseconds
from local.upstream.behaviour import Behaviour, Plans
from local.upstream.caching import Caching, CachingRules
from local.upstream.contract import Customer, Entity, Product
from local.upstream.credentials import Credential
from local.upstream.exchange import Outcome, Reply, Request, error_reply, json_reply, wrong_method
from local.upstream.records import Report, Shelf, ShipmentLog, Traffic

Kept = TypeVar("Kept", bound=Entity)
Key = TypeVar("Key", UUID, str)

MAX_WAIT_SECONDS = 60.0

CREDENTIALS: TypeAdapter[tuple[Credential, ...]] = TypeAdapter(tuple[Credential, ...])


class ReadReport(Report, Generic[Kept]):
    """A customer or product (none when it does not exist), and who asked for it.

    Of the ``reads``, ``full`` got it, and ``not_modified`` were told that they have it already.
    """

    entity: Kept | None = None
    reads: int
    full: int
    not_modified: int
    waiting: int


class Done(BaseModel):
    """The control interface did what it was asked."""

    done: bool = True


class Ready(BaseModel):
    """The server answers, and it is this process."""

    pid: int


class Control:
    """Requests under ``/_control``."""

    def __init__(self, api: Api) -> None:
        self._customers = EntityControl(
            Customer,
            ReadReport[Customer],
            api.customers,
            plans=api.customer_plans,
            caching=api.customer_caching,
            traffic=api.customer_reads,
        )
        self._products = EntityControl(
            Product,
            ReadReport[Product],
            api.products,
            plans=api.product_plans,
            caching=api.product_caching,
            traffic=api.product_reads,
        )
        self._api = api

    def handle(self, request: Request) -> Outcome:
        """Answer a request; bad input is a 400 that says what is wrong."""
        try:
            return self._route(request)
        except ValidationError as error:
            return Reply(400, error.json(include_url=False).encode())
        except ValueError as error:
            return error_reply(400, str(error))

    def _route(self, request: Request) -> Outcome:
        match request.segments[1:]:
            case ("ready",):
                return json_reply(Ready(pid=os.getpid()))
            case ("caching",):
                return self._caching_for_all(request)
            case ("credentials",):
                return self._credentials(request)
            case ("customers", text, *rest):
                return self._customers.handle(request, UUID(text), tuple(rest))
            case ("products", text, *rest):
                return self._products.handle(request, UUID(text), tuple(rest))
            case ("shipments",):
                return json_reply(ShipmentLog(requests=self._api.shipments.requests()))
            case ("shipments", sku):
                return self._shipment_log(request, sku)
            case ("shipments", sku, action):
                return plan(request, action, self._api.shipment_plans, sku)
            case _:
                return error_reply(404, "There is nothing at this path.")

    def _caching_for_all(self, request: Request) -> Outcome:
        if request.method != "PUT":
            return wrong_method("PUT")
        caching = Caching.model_validate_json(request.body)
        self._api.customer_caching.set_for_all(caching)
        self._api.product_caching.set_for_all(caching)
        return json_reply(Done())

    def _credentials(self, request: Request) -> Outcome:
        match request.method:
            case "GET":
                return json_reply(self._api.gate.report())
            case "PUT":
                self._api.gate.accept(CREDENTIALS.validate_json(request.body))
                return json_reply(Done())
            case _:
                return wrong_method("GET", "PUT")

    def _shipment_log(self, request: Request, sku: str) -> Outcome:
        if request.method != "GET":
            return wrong_method("GET")
        traffic = self._api.shipment_requests
        at_least = int(request.query.get("at_least", "0"))
        timeout = min(float(request.query.get("timeout_seconds", "0")), MAX_WAIT_SECONDS)
        if at_least and not traffic.wait_for(sku, at_least, timeout):
            return error_reply(
                408, f"{traffic.started(sku)} of {at_least} requests came within {timeout} s."
            )
        return json_reply(
            ShipmentLog(requests=self._api.shipments.requests(sku), waiting=traffic.waiting(sku))
        )


class EntityControl(Generic[Kept]):
    """The control interface of the customers, or of the products."""

    def __init__(
        self,
        model: type[Kept],
        report: type[ReadReport[Kept]],
        shelf: Shelf[Kept],
        *,
        plans: Plans[UUID],
        caching: CachingRules[UUID],
        traffic: Traffic[UUID],
    ) -> None:
        self._model = model
        self._report = report
        self._shelf = shelf
        self._plans = plans
        self._caching = caching
        self._traffic = traffic

    def handle(self, request: Request, entity_id: UUID, rest: tuple[str, ...]) -> Outcome:
        """Answer a request about one customer or product."""
        if rest == ("caching",):
            return self._set_caching(request, entity_id)
        if len(rest) == 1:
            return plan(request, rest[0], self._plans, entity_id)
        if rest:
            return error_reply(404, "There is nothing at this path.")
        match request.method:
            case "GET":
                return json_reply(
                    self._report(
                        entity=self._shelf.get(entity_id),
                        reads=self._traffic.started(entity_id),
                        full=self._traffic.answered(entity_id, 200),
                        not_modified=self._traffic.answered(entity_id, 304),
                        waiting=self._traffic.waiting(entity_id),
                    )
                )
            case "PUT":
                entity = self._model.model_validate_json(request.body)
                if entity.id != entity_id:
                    return error_reply(400, "The id in the body is not the one in the path.")
                self._shelf.put(entity)
                return json_reply(entity)
            case "PATCH":
                return self._change(entity_id, request.body)
            case "DELETE":
                self._shelf.remove(entity_id)
                return json_reply(Done())
            case _:
                return wrong_method("GET", "PUT", "PATCH", "DELETE")

    def _set_caching(self, request: Request, entity_id: UUID) -> Outcome:
        match request.method:
            case "PUT":
                self._caching.set(entity_id, Caching.model_validate_json(request.body))
            case "DELETE":
                self._caching.clear(entity_id)
            case _:
                return wrong_method("PUT", "DELETE")
        return json_reply(Done())

    def _change(self, entity_id: UUID, body: bytes) -> Outcome:
        fields = from_json(body)
        if not isinstance(fields, dict):
            return error_reply(400, "The fields to change are to be an object.")
        now = now_in_milliseconds()

        def changed(entity: Kept) -> Kept:
            before = entity.model_dump(mode="json", by_alias=True)
            after = {**before, "lastModifiedAt": now, **fields, "id": str(entity_id)}
            return self._model.model_validate(after)

        entity = self._shelf.change(entity_id, changed)
        return (
            error_reply(404, "There is none with this id.")
            if entity is None
            else json_reply(entity)
        )


def plan(request: Request, action: str, plans: Plans[Key], key: Key) -> Outcome:
    """Set, clear or release the plan for a key."""
    match action, request.method:
        case "behaviour", "PUT":
            plans.set(key, Behaviour.model_validate_json(request.body))
        case "behaviour", "DELETE":
            plans.clear(key)
        case "release", "POST":
            plans.release(key)
        case "behaviour", _:
            return wrong_method("PUT", "DELETE")
        case "release", _:
            return wrong_method("POST")
        case _:
            return error_reply(404, "There is nothing at this path.")
    return json_reply(Done())
