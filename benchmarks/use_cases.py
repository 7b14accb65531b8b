"""The use cases in this process, over a DynamoDB client that counts what they cost.

They are wired as ``till.bootstrap`` wires them, against an emulator's tables and the stand-in.
"""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from uuid import uuid4

import httpx

from benchmarks.meter import Meter, MeteredTransport
from local.upstream.demo_data import CUSTOMERS, PRODUCTS
from till.adapters.aws import session
from till.adapters.dynamodb.client import CALL_SECONDS, make_client
from till.adapters.dynamodb.customer_index import DynamoCustomerIndex
from till.adapters.dynamodb.store import DynamoStore
from till.adapters.incidents import LoggedIncidents
from till.adapters.upstream.carrier import HttpCarrier
from till.adapters.upstream.catalogue import HttpCustomers, HttpProducts
from till.adapters.upstream.credential import Credentials, CredentialTransport
from till.adapters.upstream.reader import UpstreamReader
from till.adapters.upstream.secret import UpstreamSecret
from till.bootstrap import SystemClock
from till.domain.actor import Actor
from till.domain.money import Money
from till.domain.promo import PercentageDiscount, PromoTerms
from till.services.adjust_credit import AdjustCredit, CreditAdjustment
from till.services.create_purchase import CreatePurchase, PurchaseRequest
from till.services.promo_codes import PromoCodes
from till.services.read_credit import ReadCredit
from till.services.read_purchases import ReadPurchases
from till.services.refund_purchase import RefundPurchase, RefundRequest
from till.services.shared.policy import DisplayPolicy, ShipmentPolicy
from till.services.shared.pricing import PurchaseIntent
from till.services.shared.settlement import SettleShipment

if TYPE_CHECKING:
    from uuid import UUID

    from local.endpoints import Endpoints


_STAFF: Final = Actor("7a1e1c3c-5f0e-4d53-9a2b-0c8f2f1d6e4a", "Maximilian Featherstone")
_BUYER: Final = Actor("c0000000-0000-4000-8000-000000000001")
"""Subjects as long as most issuers' are."""


class Far:
    """A deadline that does not come."""

    def remaining_seconds(self) -> float:
        """Always half a minute."""
        return 30.0


class UseCases:
    """The use cases over a metered client."""

    def __init__(self, endpoints: Endpoints, *, index_table: str | None = None) -> None:
        os.environ.update(
            AWS_ENDPOINT_URL=endpoints.aws_endpoint_url,
            AWS_DEFAULT_REGION=endpoints.region,
            AWS_ACCESS_KEY_ID="test",
            AWS_SECRET_ACCESS_KEY="test",  # noqa: S106 - the emulator takes any
        )
        self.meter = Meter()
        # Clients of before may be of another system, and are watched by another meter.
        session.cache_clear()
        make_client.cache_clear()
        client = make_client(CALL_SECONDS[0])
        self.meter.watch(client)
        self.store = DynamoStore(
            lambda _: client,
            ledger_table=endpoints.ledger_table,
            purchases_table=endpoints.purchases_table,
        )
        secret = UpstreamSecret(
            f"{endpoints.function_prefix}upstream", max_age_seconds=300, fetch_seconds=1
        )
        self.credentials = Credentials(secret)
        wire = CredentialTransport(MeteredTransport(self.meter), self.credentials)
        upstream = httpx.Client(base_url=endpoints.upstream_url, transport=wire)
        reader = UpstreamReader(
            endpoints.upstream_url,
            timeout_seconds=3,
            display=DisplayPolicy(max_age_seconds=5, stale_if_error_seconds=300),
            wire=wire,
        )
        self.customers = HttpCustomers(reader)
        self.clock = SystemClock()
        policy = ShipmentPolicy(
            shipment_timeout_seconds=10,
            pending_expiry=timedelta(seconds=60),
            unknown_deadline=timedelta(hours=24),
            shipments_idempotent=False,
        )
        self.index = DynamoCustomerIndex(
            client, table=index_table or f"{endpoints.function_prefix}customer-index"
        )
        self.adjust = AdjustCredit(self.store, self.customers, self.index, self.clock)
        self.credit = ReadCredit(self.store, self.customers, self.clock)
        self.purchases = ReadPurchases(self.store, self.customers)
        self.refund = RefundPurchase(self.store, self.clock)
        self.buy = CreatePurchase(
            store=self.store,
            customers=self.customers,
            products=HttpProducts(reader, free_products=False),
            carrier=HttpCarrier(upstream),
            clock=self.clock,
            policy=policy,
            settle=SettleShipment(self.store, self.clock, policy, LoggedIncidents()),
        )
        self.customer_id = CUSTOMERS[0].id
        self.product_id = PRODUCTS[0].id

    def offer(self, code: str) -> None:
        """Make a promo code with a cap."""
        terms = PromoTerms(discount=PercentageDiscount(percent=10), max_redemptions=1000)
        PromoCodes(self.store, SystemClock()).create(code, terms, actor=_STAFF, deadline=Far())

    def grant(self, amount_minor: int = 100_000) -> None:
        """Grant credit under a new key."""
        self.adjust.grant(self._adjustment(amount_minor), Far())

    def deduct(self) -> None:
        """Deduct credit under a new key."""
        self.adjust.deduct(self._adjustment(100), Far())

    def purchase(
        self, key: str, *, product_id: UUID | None = None, promo_code: str | None = None
    ) -> UUID:
        """Buy one."""
        intent = PurchaseIntent(
            customer_id=self.customer_id,
            product_id=product_id or self.product_id,
            quantity=1,
            promo_code=promo_code,
            expected_total=None,
        )
        request = PurchaseRequest(intent=intent, actor=_BUYER, idempotency_key=key)
        return self.buy(request, Far()).purchase.id

    def give_back(self, purchase_id: UUID) -> None:
        """Refund one cent under a new key."""
        self.refund(
            RefundRequest(
                purchase_id=purchase_id,
                amount=Money(1),
                quantity=None,
                reason="Benchmark",
                limit=None,
                actor=_STAFF,
                idempotency_key=str(uuid4()),
            ),
            Far(),
        )

    def _adjustment(self, amount_minor: int) -> CreditAdjustment:
        return CreditAdjustment(
            customer_id=self.customer_id,
            amount=Money(amount_minor),
            reason="Benchmark",
            limit=None,
            actor=_STAFF,
            idempotency_key=str(uuid4()),
        )
