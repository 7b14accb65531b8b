"""A typed client of the stand-in's control interface, for tests and demos."""

from __future__ import annotations

from decimal import Decimal
from types import TracebackType
from typing import Literal, Self
from urllib.parse import quote
from uuid import UUID

import httpx

from local.upstream.behaviour import Behaviour
from local.upstream.caching import Caching
from local.upstream.contract import Address, Customer, Product
from local.upstream.control import CREDENTIALS, ReadReport
from local.upstream.credentials import Credential, GateReport
from local.upstream.records import ShipmentLog


class StandInControl:
    """Steers a running stand-in; safe between threads, as httpx is.

    Every method raises httpx.HTTPStatusError when the stand-in refuses.
    """

    def __init__(self, upstream_url: str) -> None:
        """Take the URL of the external APIs, which ends in ``/api``."""
        base_url = upstream_url.rstrip("/").removesuffix("/api") + "/_control"
        self._http = httpx.Client(base_url=base_url, timeout=70.0, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def put_customer(self, customer: Customer) -> None:
        """Create or replace a customer."""
        self._put(f"/customers/{customer.id}", customer.model_dump_json(by_alias=True))

    def put_product(self, product: Product) -> None:
        """Create or replace a product."""
        self._put(f"/products/{product.id}", product.model_dump_json(by_alias=True))

    def move_customer(self, customer_id: UUID, shipping_address: Address) -> None:
        """Give a customer another shipping address, as the other team may at any time."""
        address = shipping_address.model_dump_json(by_alias=True)
        self._patch(f"/customers/{customer_id}", f'{{"shippingAddress": {address}}}')

    def price_product(self, product_id: UUID, price: Decimal) -> None:
        """Change a product's price, as the other team may at any time."""
        self._patch(f"/products/{product_id}", f'{{"price": {price}}}')

    def remove_customer(self, customer_id: UUID) -> None:
        """Make a customer unknown."""
        self._delete(f"/customers/{customer_id}")

    def remove_product(self, product_id: UUID) -> None:
        """Make a product unknown."""
        self._delete(f"/products/{product_id}")

    def customer(self, customer_id: UUID) -> ReadReport[Customer]:
        """The customer, and how often it was read."""
        return ReadReport[Customer].model_validate_json(self._get(f"/customers/{customer_id}"))

    def product(self, product_id: UUID) -> ReadReport[Product]:
        """The product, and how often it was read."""
        return ReadReport[Product].model_validate_json(self._get(f"/products/{product_id}"))

    def plan_customer(self, customer_id: UUID, behaviour: Behaviour) -> None:
        """Answer reads of a customer by a plan."""
        self._put(f"/customers/{customer_id}/behaviour", behaviour.model_dump_json())

    def plan_product(self, product_id: UUID, behaviour: Behaviour) -> None:
        """Answer reads of a product by a plan."""
        self._put(f"/products/{product_id}/behaviour", behaviour.model_dump_json())

    def plan_shipments(self, sku: str, behaviour: Behaviour) -> None:
        """Answer CreateShipment requests for a SKU by a plan."""
        self._put(f"/shipments/{_segment(sku)}/behaviour", behaviour.model_dump_json())

    def cache_all(self, caching: Caching) -> None:
        """Send these header fields with all customers and products without a rule of their own."""
        self._put("/caching", caching.model_dump_json())

    def cache_customer(self, customer_id: UUID, caching: Caching) -> None:
        """Send these header fields with a customer."""
        self._put(f"/customers/{customer_id}/caching", caching.model_dump_json())

    def cache_product(self, product_id: UUID, caching: Caching) -> None:
        """Send these header fields with a product."""
        self._put(f"/products/{product_id}/caching", caching.model_dump_json())

    def accept(self, *credentials: Credential) -> None:
        """Accept requests with one of these only; none: accept all."""
        self._put("/credentials", CREDENTIALS.dump_json(credentials).decode())

    def gate(self) -> GateReport:
        """Which credentials are accepted, and how many requests had none of them."""
        return GateReport.model_validate_json(self._get("/credentials"))

    def clear(self, what: Literal["customers", "products", "shipments"], key: UUID | str) -> None:
        """Answer as usual again."""
        self._delete(f"/{what}/{_segment(str(key))}/behaviour")

    def release(self, what: Literal["customers", "products", "shipments"], key: UUID | str) -> None:
        """Let held requests go on."""
        self._http.post(f"/{what}/{_segment(str(key))}/release").raise_for_status()

    def shipments(self, sku: str) -> ShipmentLog:
        """The CreateShipment requests for a SKU so far, and how many of them wait."""
        return ShipmentLog.model_validate_json(self._get(f"/shipments/{_segment(sku)}"))

    def all_shipments(self) -> ShipmentLog:
        """Every CreateShipment request so far."""
        return ShipmentLog.model_validate_json(self._get("/shipments"))

    def await_shipments(
        self, sku: str, at_least: int, *, timeout_seconds: float = 30.0
    ) -> ShipmentLog:
        """Wait until so many CreateShipment requests for a SKU have come in."""
        path = f"/shipments/{_segment(sku)}?at_least={at_least}&timeout_seconds={timeout_seconds}"
        return ShipmentLog.model_validate_json(self._get(path))

    def _get(self, path: str) -> bytes:
        return self._http.get(path).raise_for_status().content

    def _put(self, path: str, body: str) -> None:
        self._http.put(path, content=body).raise_for_status()

    def _patch(self, path: str, body: str) -> None:
        self._http.patch(path, content=body).raise_for_status()

    def _delete(self, path: str) -> None:
        self._http.delete(path).raise_for_status()


def _segment(text: str) -> str:
    return quote(text, safe="")
