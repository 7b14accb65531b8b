"""Functions that are killed at a known point, and the attempts that they leave behind."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from local.upstream.behaviour import Behaviour
from tests.integration.client import new_key
from tests.integration.fault_proxy import HoldReply, changes
from tests.integration.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from pydantic import BaseModel

    from local.upstream.client import StandInControl
    from local.upstream.contract import Product
    from tests.integration.client import Attempt, Reply, TillClient
    from tests.integration.fault_proxy import FaultProxy
    from tests.integration.functions import Functions
    from tests.integration.shop import Shop

CREDIT = 5_000
PRICE = 1_000
APPLIED_WITHIN_SECONDS = 30.0


@dataclass(frozen=True)
class Dead:
    """A purchase whose function was killed."""

    customer: UUID
    product: Product
    key: str
    attempt: UUID


class Crashes:
    """Kills functions, and looks at what they left."""

    def __init__(
        self,
        till: TillClient,
        upstream: StandInControl,
        shop: Shop,
        functions: Functions,
        proxy: FaultProxy,
    ) -> None:
        self._till = till
        self._upstream = upstream
        self._shop = shop
        self._functions = functions
        self._proxy = proxy

    def kill(
        self, operation: str, call: Callable[[], Reply[BaseModel]], happened: Callable[[], object]
    ) -> None:
        """Make a call, and kill its function as soon as something has happened."""
        with ThreadPoolExecutor(max_workers=1) as pool:
            calling = pool.submit(call)
            assert happened()
            assert self._functions.kill(operation) > 0
            # The function never answered: this is the gateway's word.
            assert calling.result().status == 502

    def kill_after_commit(
        self, operation: str, kind: str, customer: UUID, call: Callable[[], Reply[BaseModel]]
    ) -> None:
        """Make a call, and kill its function when its transaction has just been applied."""
        reply = HoldReply()
        with self._proxy.fault(reply, changes(kind, customer)):
            self.kill(operation, call, lambda: reply.applied.wait(APPLIED_WITHIN_SECONDS))

    def between_reserve_and_ship(self) -> Dead:
        """The carrier has heard of nothing."""
        customer, product, key = self.order()
        self.kill_after_commit(
            "create_purchase",
            "HOLD",
            customer,
            lambda: self._till.buy(customer, product.id, key=key),
        )
        return self._left_behind(customer, product, key)

    def between_ship_and_resolve(self) -> Dead:
        """The carrier has made the parcel, and its answer is on the way."""
        customer, product, key = self.order()
        self._upstream.plan_shipments(product.sku, Behaviour(hold=True, times=1))
        self.kill(
            "create_purchase",
            lambda: self._till.buy(customer, product.id, key=key),
            lambda: self._upstream.await_shipments(product.sku, 1),
        )
        self._upstream.release("shipments", product.sku)
        return self._left_behind(customer, product, key)

    def until_state(self, dead: Dead, state: str) -> Attempt:
        """Run the recovery until the attempt is in a state."""

        def look() -> Attempt | None:
            self._functions.recover()
            attempt = self._till.attempt(dead.attempt).result()
            return attempt if attempt.state == state else None

        return until(look, f"the recovery makes it {state}")

    def order(self) -> tuple[UUID, Product, str]:
        """A customer with credit, a product, and a key to buy it with."""
        return self._shop.customer(credit=CREDIT), self._shop.product("10.00"), new_key()

    def _left_behind(self, customer: UUID, product: Product, key: str) -> Dead:
        pending = self._till.attempts(state="PENDING", limit=100).result().items
        (attempt,) = (a for a in pending if a.customer_id == customer)
        return Dead(customer, product, key, attempt.id)
