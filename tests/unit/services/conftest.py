from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from tests.unit.audit import audit
from tests.unit.fakes import (
    FakeCarrier,
    FakeClock,
    FakeCustomerIndex,
    FakeCustomers,
    FakeDeadline,
    FakeIncidents,
    FakeProducts,
    FakeStore,
)
from till.domain.actor import Actor
from till.domain.money import Money
from till.domain.promo import PromoCode, PromoTerms
from till.domain.purchase import PurchaseAttempt
from till.services.adjust_credit import AdjustCredit, CreditAdjustment
from till.services.create_purchase import CreatePurchase, Purchased, PurchaseRequest
from till.services.create_quote import CreateQuote, Quote
from till.services.promo_codes import PromoCodes
from till.services.recover_attempts import RecoverAttempts, RecoveryReport
from till.services.refund_purchase import RefundPurchase
from till.services.resolve_attempt import ResolveAttempt
from till.services.shared.policy import ShipmentPolicy
from till.services.shared.pricing import PurchaseIntent
from till.services.shared.settlement import SettleShipment


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("till.services.shared.contention._LONGEST_PAUSE_SECONDS", 0.0)


@dataclass
class World:
    """All use cases over one set of fakes, a customer with 100.00 and a product of 10.00."""

    store: FakeStore
    customers: FakeCustomers
    products: FakeProducts
    carrier: FakeCarrier
    clock: FakeClock
    policy: ShipmentPolicy
    incidents: FakeIncidents
    customer_id: UUID
    product_id: UUID
    index: FakeCustomerIndex = field(default_factory=FakeCustomerIndex)

    @property
    def settle(self) -> SettleShipment:
        return SettleShipment(self.store, self.clock, self.policy, self.incidents)

    @property
    def credit(self) -> AdjustCredit:
        return AdjustCredit(self.store, self.customers, self.index, self.clock)

    @property
    def refund(self) -> RefundPurchase:
        return RefundPurchase(self.store, self.clock)

    @property
    def resolve(self) -> ResolveAttempt:
        return ResolveAttempt(self.store, self.clock, self.policy)

    def recover(self, deadline: FakeDeadline | None = None) -> RecoveryReport:
        run = RecoverAttempts(
            store=self.store,
            carrier=self.carrier,
            clock=self.clock,
            policy=self.policy,
            settle=self.settle,
        )
        return run(deadline or FakeDeadline())

    def grant(self, amount_minor: int, key: str | None = None) -> None:
        self.credit.grant(self.adjustment(amount_minor, key), FakeDeadline())

    def adjustment(self, amount_minor: int, key: str | None = None) -> CreditAdjustment:
        return CreditAdjustment(
            customer_id=self.customer_id,
            amount=Money(amount_minor),
            reason="test",
            limit=None,
            actor=Actor("rep"),
            idempotency_key=key or uuid4().hex,
        )

    def intent(
        self,
        *,
        quantity: int = 1,
        expected_minor: int | None = None,
        promo_code: str | None = None,
    ) -> PurchaseIntent:
        return PurchaseIntent(
            customer_id=self.customer_id,
            product_id=self.product_id,
            quantity=quantity,
            promo_code=promo_code,
            expected_total=Money(expected_minor) if expected_minor is not None else None,
        )

    def quote(self, intent: PurchaseIntent) -> Quote:
        run = CreateQuote(
            store=self.store, customers=self.customers, products=self.products, clock=self.clock
        )
        return run(intent)

    def offer(self, code: str, terms: PromoTerms) -> PromoCode:
        return PromoCodes(self.store, self.clock).create(
            code, terms, actor=Actor("admin"), deadline=FakeDeadline()
        )

    def buy(
        self,
        key: str = "buy",
        *,
        quantity: int = 1,
        expected_minor: int | None = None,
        promo_code: str | None = None,
        deadline: FakeDeadline | None = None,
    ) -> Purchased:
        create = CreatePurchase(
            store=self.store,
            customers=self.customers,
            products=self.products,
            carrier=self.carrier,
            clock=self.clock,
            policy=self.policy,
            settle=self.settle,
        )
        intent = self.intent(
            quantity=quantity, expected_minor=expected_minor, promo_code=promo_code
        )
        request = PurchaseRequest(intent=intent, actor=Actor("customer"), idempotency_key=key)
        return create(request, deadline or FakeDeadline())

    def the_attempt(self) -> PurchaseAttempt:
        (attempt,) = self.store.attempt_items.values()
        return attempt

    def balance(self) -> tuple[int, int]:
        account = self.store.account(self.customer_id)
        return account.posted.amount_minor, account.held.amount_minor

    def audit(self) -> None:
        audit(self.store, self.customer_id, self.store.attempt_items.values())


@pytest.fixture
def world() -> World:
    customers, products = FakeCustomers(), FakeProducts()
    policy = ShipmentPolicy(
        shipment_timeout_seconds=10,
        pending_expiry=timedelta(seconds=60),
        unknown_deadline=timedelta(hours=24),
        shipments_idempotent=False,
    )
    world = World(
        store=FakeStore(),
        customers=customers,
        products=products,
        carrier=FakeCarrier(),
        clock=FakeClock(),
        policy=policy,
        incidents=FakeIncidents(),
        customer_id=customers.add(),
        product_id=products.add(1000),
    )
    world.grant(10_000)
    return world
