"""The use cases over the real adapter, on moto: the whole life of some purchases."""

from __future__ import annotations

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
)
from till.adapters.dynamodb.store import DynamoStore
from till.domain.account import InsufficientCreditError
from till.domain.actor import Actor
from till.domain.money import Money
from till.domain.promo import PercentageDiscount, PromoCodeRefusedError, PromoTerms
from till.domain.purchase import (
    AttemptState,
    NotShipped,
    OrphanStatus,
    OutcomeUnknown,
    PurchaseAttempt,
    PurchaseStatus,
    Shipped,
)
from till.services.adjust_credit import AdjustCredit, Adjusted, CreditAdjustment
from till.services.create_purchase import CreatePurchase, Purchased, PurchaseRequest
from till.services.errors import ShipmentFailedError, ShipmentOutcomeUnknownError
from till.services.promo_codes import PromoCodes
from till.services.recover_attempts import RecoverAttempts
from till.services.refund_purchase import RefundPurchase, RefundRequest
from till.services.resolve_attempt import ResolutionRequest, ResolveAttempt
from till.services.shared.idempotency import IdempotencyKeyReusedError
from till.services.shared.policy import ShipmentPolicy
from till.services.shared.pricing import PurchaseIntent
from till.services.shared.settlement import SettleShipment


class Shop:
    """Everything that is needed to buy, over the books of moto."""

    def __init__(self, store: DynamoStore) -> None:
        self.store = store
        self.clock, self.carrier = FakeClock(), FakeCarrier()
        self.customers, self.products = FakeCustomers(), FakeProducts()
        self.customer_id, self.product_id = self.customers.add(), self.products.add(1000)
        policy = ShipmentPolicy(
            shipment_timeout_seconds=10,
            pending_expiry=timedelta(seconds=60),
            unknown_deadline=timedelta(hours=24),
            shipments_idempotent=False,
        )
        settle = SettleShipment(store, self.clock, policy, FakeIncidents())
        self.credit = AdjustCredit(store, self.customers, FakeCustomerIndex(), self.clock)
        self.refund = RefundPurchase(store, self.clock)
        self.resolve = ResolveAttempt(store, self.clock, policy)
        self.promos = PromoCodes(store, self.clock)
        self._create = CreatePurchase(
            store=store,
            customers=self.customers,
            products=self.products,
            carrier=self.carrier,
            clock=self.clock,
            policy=policy,
            settle=settle,
        )
        self.recover = RecoverAttempts(
            store=store,
            carrier=self.carrier,
            clock=self.clock,
            policy=policy,
            settle=settle,
        )

    def grant(self, amount_minor: int, key: str = "grant") -> Adjusted:
        request = CreditAdjustment(
            customer_id=self.customer_id,
            amount=Money(amount_minor),
            reason="test",
            limit=None,
            actor=Actor("rep"),
            idempotency_key=key,
        )
        return self.credit.grant(request, FakeDeadline())

    def buy(self, key: str, *, quantity: int = 1, promo_code: str | None = None) -> Purchased:
        intent = PurchaseIntent(
            customer_id=self.customer_id,
            product_id=self.product_id,
            quantity=quantity,
            promo_code=promo_code,
            expected_total=None,
        )
        request = PurchaseRequest(intent=intent, actor=Actor("customer"), idempotency_key=key)
        return self._create(request, FakeDeadline())

    def give_back(self, purchase_id: UUID, key: str, amount_minor: int | None = None) -> None:
        request = RefundRequest(
            purchase_id=purchase_id,
            amount=Money(amount_minor) if amount_minor is not None else None,
            quantity=None,
            reason="r",
            limit=None,
            actor=Actor("rep"),
            idempotency_key=key,
        )
        self.refund(request, FakeDeadline())

    def attempts(self) -> list[PurchaseAttempt]:
        states = (*AttemptState, *PurchaseStatus, OrphanStatus.OPEN)
        page = self.store.list_attempts(
            tuple(dict.fromkeys(states)), since=None, until=None, before=None, limit=100
        )
        return list({a.id: a for a in page.attempts}.values())

    def balance(self) -> tuple[int, int]:
        account = self.store.account(self.customer_id)
        return account.posted.amount_minor, account.held.amount_minor

    def audit(self) -> None:
        audit(self.store, self.customer_id, self.attempts())


@pytest.fixture
def shop(store: DynamoStore) -> Shop:
    return Shop(store)


def test_granted_bought_and_refunded(shop: Shop) -> None:
    assert not shop.grant(5000).replayed
    assert shop.grant(5000).replayed
    with pytest.raises(IdempotencyKeyReusedError):
        shop.grant(5001)
    purchase = shop.buy("buy", quantity=2).purchase
    assert shop.buy("buy", quantity=2).replayed
    with pytest.raises(InsufficientCreditError):
        shop.buy("too much", quantity=4)
    shop.give_back(purchase.id, "part", 500)
    shop.give_back(purchase.id, "part", 500)
    shop.give_back(purchase.id, "rest")
    assert shop.balance() == (5000, 0)
    assert len(shop.carrier.calls) == 1
    shop.audit()


def test_not_shipped_and_unknown_and_resolved(shop: Shop) -> None:
    shop.grant(5000)
    shop.carrier.outcome = NotShipped(message="no")
    with pytest.raises(ShipmentFailedError):
        shop.buy("refused")
    shop.carrier.outcome = OutcomeUnknown(message="?")
    with pytest.raises(ShipmentOutcomeUnknownError) as unknown:
        shop.buy("lost")
    assert shop.balance() == (5000, 1000)
    shop.audit()
    request = ResolutionRequest(
        attempt_id=unknown.value.attempt_id,
        outcome=Shipped(shipment_id="S7"),
        limit=None,
        reason="asked",
        actor=Actor("rep"),
        idempotency_key=uuid4().hex,
    )
    assert shop.resolve(request, FakeDeadline()).attempt.state is AttemptState.COMPLETED
    assert shop.resolve(request, FakeDeadline()).replayed
    assert shop.buy("lost").purchase.shipment_id == "S7"
    assert shop.balance() == (4000, 0)
    shop.audit()


def test_a_dead_run_is_recovered_and_voided_at_the_deadline(shop: Shop) -> None:
    shop.grant(5000)
    shop.carrier.outcome = RuntimeError("killed")
    with pytest.raises(RuntimeError):
        shop.buy("dead")
    shop.clock.advance(61)
    assert len(shop.recover(FakeDeadline()).made_unknown) == 1
    shop.audit()
    shop.clock.advance(24 * 3600)
    assert len(shop.recover(FakeDeadline()).voided_at_deadline) == 1
    (attempt,) = shop.attempts()
    assert attempt.listed_as is OrphanStatus.OPEN
    assert shop.balance() == (5000, 0)
    shop.audit()


def test_a_promo_code_is_redeemed_and_given_back(shop: Shop) -> None:
    shop.grant(5000)
    terms = PromoTerms(discount=PercentageDiscount(percent=10), max_redemptions=1)
    shop.promos.create("ten", terms, actor=Actor("admin"), deadline=FakeDeadline())
    shop.carrier.outcome = NotShipped(message="no")
    with pytest.raises(ShipmentFailedError):
        shop.buy("refused", promo_code="TEN")
    shop.carrier.outcome = Shipped(shipment_id="S")
    assert shop.buy("bought", promo_code="TEN").purchase.order.total == Money(900)
    with pytest.raises(PromoCodeRefusedError):
        shop.buy("again", promo_code="TEN")
    assert shop.promos.read("TEN")[0].redemptions == 1
    assert shop.store.redemptions_of("TEN", shop.customer_id) == 1
    shop.audit()
