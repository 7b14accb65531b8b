"""The contract's three operations, with the unusual answers that were planned for them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from typing import TypeVar
from uuid import UUID, uuid4

from pydantic import ValidationError

from local.upstream.behaviour import (
    Behaviour,
    Drop,
    Interim,
    Plans,
    Proceed,
    Raw,
    Refuse,
    Silent,
    Turn,
)
from local.upstream.caching import CachingRules, reply_with
from local.upstream.contract import CreateShipmentRequest, Customer, Entity, Product, Shipment
from local.upstream.credentials import Gate
from local.upstream.exchange import (
    InterimReplies,
    NoReply,
    Outcome,
    Reply,
    Request,
    error_reply,
    json_reply,
    wrong_method,
)
from local.upstream.records import Arrival, Shelf, ShipmentBook, Traffic

Kept = TypeVar("Kept", bound=Entity)


def now_in_milliseconds() -> int:
    """The contract's times: Unix epoch, milliseconds."""
    return time.time_ns() // 1_000_000


def new_shipment_id() -> str:
    """An id as this carrier makes them; the contract says no more than that it is text."""
    return f"shp_{uuid4().hex}"


class Api:
    """The external APIs: what they know, what is planned, and what they were asked."""

    def __init__(
        self,
        customers: Iterable[Customer] = (),
        products: Iterable[Product] = (),
        *,
        gate: Gate | None = None,
    ) -> None:
        self.gate = gate or Gate()
        self.customers: Shelf[Customer] = Shelf(customers)
        self.products: Shelf[Product] = Shelf(products)
        self.customer_plans: Plans[UUID] = Plans()
        self.product_plans: Plans[UUID] = Plans()
        self.shipment_plans: Plans[str] = Plans()
        self.customer_caching: CachingRules[UUID] = CachingRules()
        self.product_caching: CachingRules[UUID] = CachingRules()
        self.customer_reads: Traffic[UUID] = Traffic()
        self.product_reads: Traffic[UUID] = Traffic()
        self.shipment_requests: Traffic[str] = Traffic()
        self.shipments = ShipmentBook()
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Let every request that waits go on."""
        self._stopped.set()
        self.customer_plans.release_all()
        self.product_plans.release_all()
        self.shipment_plans.release_all()

    def pause(self, seconds: float) -> bool:
        """Wait, unless the stand-in stops; tells whether it goes on."""
        return not self._stopped.wait(seconds)

    def handle(self, request: Request) -> Outcome:
        """Answer a request under ``/api``."""
        refusal = self.gate.refusal(request.headers)
        if refusal is not None:
            return refusal
        match request.segments[1:]:
            case ("customers", customer_id):
                if request.method != "GET":
                    return wrong_method("GET")
                return self._read(
                    "customer",
                    customer_id,
                    request,
                    shelf=self.customers,
                    plans=self.customer_plans,
                    caching=self.customer_caching,
                    traffic=self.customer_reads,
                )
            case ("products", product_id):
                if request.method != "GET":
                    return wrong_method("GET")
                return self._read(
                    "product",
                    product_id,
                    request,
                    shelf=self.products,
                    plans=self.product_plans,
                    caching=self.product_caching,
                    traffic=self.product_reads,
                )
            case ("shipments",):
                if request.method != "POST":
                    return wrong_method("POST")
                return self._create_shipment(request)
            case _:
                return error_reply(404, "There is nothing at this path.")

    def _read(
        self,
        what: str,
        text: str,
        request: Request,
        *,
        shelf: Shelf[Kept],
        plans: Plans[UUID],
        caching: CachingRules[UUID],
        traffic: Traffic[UUID],
    ) -> Outcome:
        missing = error_reply(404, f"There is no {what} {text}.")
        try:
            entity_id = UUID(text)
        except ValueError:
            return missing
        turn = plans.take(entity_id)
        traffic.start(entity_id)
        try:
            turn.wait(self._stopped)
            # Read after the wait: a slow answer tells what is true when it is sent.
            entity = shelf.get(entity_id)
            usual = missing
            if entity is not None:
                rule = caching.of(entity_id)
                usual = reply_with(entity, rule, request.headers)
            if isinstance(turn.behaviour.answer, Proceed):
                traffic.answer(entity_id, usual.status)
            return _planned(turn.behaviour, usual)
        finally:
            traffic.finish(entity_id)

    def _create_shipment(self, request: Request) -> Outcome:
        try:
            wanted = CreateShipmentRequest.model_validate_json(request.body)
        except ValidationError as error:
            return error_reply(400, _first_fault(error))
        skus = tuple(dict.fromkeys(line.sku for line in wanted.products))
        turn = self._shipment_turn(skus)
        shipment = Shipment(id=new_shipment_id()) if turn.behaviour.makes_shipment else None
        self.shipments.add(
            Arrival(
                received_at=now_in_milliseconds(),
                headers=request.headers,
                request=wanted,
                planned_answer=turn.behaviour.answer.kind,
                shipment_id=shipment.id if shipment else None,
            )
        )
        for sku in skus:
            self.shipment_requests.start(sku)
        try:
            turn.wait(self._stopped)
            usual = json_reply(shipment or Shipment(id=new_shipment_id()))
            return _planned(turn.behaviour, usual)
        finally:
            for sku in skus:
                self.shipment_requests.finish(sku)

    def _shipment_turn(self, skus: tuple[str, ...]) -> Turn:
        """One request has one fate: that of its first product with a plan."""
        for sku in skus:
            if self.shipment_plans.planned(sku):
                return self.shipment_plans.take(sku)
        return Turn(Behaviour())


def _planned(behaviour: Behaviour, usual: Reply) -> Outcome:
    """The answer under a plan; ``usual`` is the contract's."""
    match behaviour.answer:
        case Proceed():
            return usual
        case Refuse(status=status, message=message):
            return error_reply(status, message)
        case Raw() as raw:
            return Reply(
                raw.status,
                raw.content,
                raw.content_type,
                raw.headers,
                raw.missing_bytes,
                raw.dribble,
            )
        case Interim(status=status, pause_seconds=pause_seconds):
            return InterimReplies(status, pause_seconds)
        case Drop(reset=reset):
            return NoReply(reset=reset)
        case Silent():
            return NoReply(after_client=True)


def _first_fault(error: ValidationError) -> str:
    """One sentence about the first thing that is wrong."""
    fault = error.errors(include_url=False, include_context=False)[0]
    where = ".".join(str(part) for part in fault["loc"])
    return f"{where}: {fault['msg']}" if where else fault["msg"]
