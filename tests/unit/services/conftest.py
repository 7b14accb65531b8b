from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from tests.unit.audit import audit
from tests.unit.fakes import (
    FakeBooks,
    FakeCarrier,
    FakeClock,
    FakeCustomers,
    FakeDeadline,
    FakeIncidents,
    FakeProducts,
)
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
from till.services.shared.pricing import Wish
from till.services.shared.settlement import SettleShipment


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("till.services.shared.contention._LONGEST_PAUSE_SECONDS", 0.0)


@dataclass
class World:
    """All use cases over one set of fakes, a customer with 100.00 and a product of 10.00."""

    books: FakeBooks
    customers: FakeCustomers
    products: FakeProducts
    carrier: FakeCarrier
    clock: FakeClock
    policy: ShipmentPolicy
    incidents: FakeIncidents
    customer_id: UUID
    product_id: UUID

    @property
    def settle(self) -> SettleShipment:
        return SettleShipment(self.books, self.clock, self.policy, self.incidents)

    @property
    def credit(self) -> AdjustCredit:
        return AdjustCredit(self.books, self.customers, self.clock)

    @property
    def refund(self) -> RefundPurchase:
        return RefundPurchase(self.books, self.clock)

    @property
    def resolve(self) -> ResolveAttempt:
        return ResolveAttempt(self.books, self.clock)

    def recover(self, deadline: FakeDeadline | None = None) -> RecoveryReport:
        run = RecoverAttempts(
            books=self.books,
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
            actor="rep",
            idempotency_key=key or uuid4().hex,
        )

    def wish(
        self,
        *,
        quantity: int = 1,
        expected_minor: int | None = None,
        promo_code: str | None = None,
    ) -> Wish:
        return Wish(
            customer_id=self.customer_id,
            product_id=self.product_id,
            quantity=quantity,
            promo_code=promo_code,
            expected_total=Money(expected_minor) if expected_minor is not None else None,
        )

    def quote(self, wish: Wish) -> Quote:
        run = CreateQuote(
            books=self.books, customers=self.customers, products=self.products, clock=self.clock
        )
        return run(wish)

    def offer(self, code: str, terms: PromoTerms) -> PromoCode:
        return PromoCodes(self.books, self.clock).create(
            code, terms, actor="admin", deadline=FakeDeadline()
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
            books=self.books,
            customers=self.customers,
            products=self.products,
            carrier=self.carrier,
            clock=self.clock,
            policy=self.policy,
            settle=self.settle,
        )
        wish = self.wish(quantity=quantity, expected_minor=expected_minor, promo_code=promo_code)
        request = PurchaseRequest(wish=wish, actor="customer", idempotency_key=key)
        return create(request, deadline or FakeDeadline())

    def the_attempt(self) -> PurchaseAttempt:
        (attempt,) = self.books.attempt_items.values()
        return attempt

    def balance(self) -> tuple[int, int]:
        account = self.books.account(self.customer_id)
        return account.posted.amount_minor, account.held.amount_minor

    def audit(self) -> None:
        audit(self.books, self.customer_id, self.books.attempt_items.values())


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
        books=FakeBooks(),
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
