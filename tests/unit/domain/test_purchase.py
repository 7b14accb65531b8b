from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.fakes import ADDRESS
from till.domain.actor import Actor
from till.domain.catalogue import Product
from till.domain.money import MAX_AMOUNT_MINOR, ZERO, AmountOutOfBoundsError, Money
from till.domain.purchase import (
    AttemptAlreadyResolvedError,
    AttemptState,
    PurchaseAttempt,
    PurchaseStatus,
    Refund,
    RefundExceedsPurchaseError,
    RefundQuantityExceededError,
    Shipped,
    TotalChangedError,
    attempt_id_for,
    make_order,
)

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def product(price_minor: int) -> Product:
    return Product(id=uuid4(), sku="S", name="n", description="d", unit_price=Money(price_minor))


def attempt(price_minor: int = 1000) -> PurchaseAttempt:
    return PurchaseAttempt(
        id=uuid4(),
        customer_id=uuid4(),
        order=make_order(product(price_minor), 1, ADDRESS, promo=None, expected_total=None),
        actor=Actor("c"),
        idempotency_key="k",
        fingerprint="f",
        reservation_id="r",
        reserved_at=NOON,
        expires_at=NOON + timedelta(minutes=1),
    )


@given(st.integers(0, 10_000), st.integers(1, 100), st.integers(0, 2_000_000))
def test_a_risen_total_is_refused_and_a_lower_one_charged(
    price: int, quantity: int, expected: int
) -> None:
    if price * quantity > expected:
        with pytest.raises(TotalChangedError) as raised:
            make_order(
                product(price), quantity, ADDRESS, promo=None, expected_total=Money(expected)
            )
        assert raised.value.total == Money(price * quantity)
    else:
        order = make_order(
            product(price), quantity, ADDRESS, promo=None, expected_total=Money(expected)
        )
        assert order.total == order.subtotal - order.discount == Money(price * quantity)


def test_a_total_that_overflows_is_refused() -> None:
    make_order(product(MAX_AMOUNT_MINOR), 1, ADDRESS, promo=None, expected_total=None)
    with pytest.raises(AmountOutOfBoundsError):
        make_order(product(MAX_AMOUNT_MINOR), 2, ADDRESS, promo=None, expected_total=None)


@given(st.integers(1, 40), st.integers(1, 12), st.data())
def test_as_many_units_are_refundable_as_can_be_refunded(
    price: int, quantity: int, data: st.DataObject
) -> None:
    order = make_order(product(price), quantity, ADDRESS, promo=None, expected_total=None)
    sold = replace(attempt(1), order=order).completed(Shipped(shipment_id="s"), NOON).purchase
    assert sold is not None
    by_unit = data.draw(st.integers(0, quantity))
    least = order.price_of_units(0, by_unit).amount_minor
    by_amount = data.draw(st.integers(0, order.total.amount_minor - least))
    purchase = replace(sold, refunded=Money(least + by_amount), refunded_quantity=by_unit)

    def can_be_refunded(units: int) -> bool:
        try:
            purchase.amount_to_refund(None, units)
        except (RefundExceedsPurchaseError, RefundQuantityExceededError):
            return False
        return True

    refundable = [units for units in range(1, quantity + 2) if can_be_refunded(units)]
    assert refundable == list(range(1, purchase.refundable_quantity + 1))


@given(st.lists(st.integers(1, 600) | st.none(), max_size=12))
def test_refunds_never_exceed_what_was_paid(requests: list[int | None]) -> None:
    sold = attempt(1000).completed(Shipped(shipment_id="s"), NOON)
    refunded = 0
    for request in requests:
        assert sold.purchase is not None
        purchase = sold.purchase
        left = 1000 - refunded
        asked = Money(request) if request is not None else None
        if left == 0 or (request is not None and request > left):
            with pytest.raises(RefundExceedsPurchaseError) as raised:
                purchase.amount_to_refund(asked, None)
            assert raised.value.refundable == Money(left)
            continue
        amount = purchase.amount_to_refund(asked, None)
        refunded += amount.amount_minor
        refund = Refund(
            id=uuid4(),
            purchase_id=purchase.id,
            customer_id=purchase.customer_id,
            number=purchase.refund_count + 1,
            quantity=None,
            amount=amount,
            refunded_after=purchase.refunded + amount,
            refundable_after=purchase.refundable - amount,
            reason="r",
            actor=Actor("a"),
            idempotency_key="k",
            created_at=NOON,
            balance_after=ZERO,
            entry_sequence=1,
        )
        sold = sold.with_refund(refund)
        assert sold.purchase is not None
        assert sold.purchase.refunded == Money(refunded) <= sold.purchase.order.total
        expected = (
            PurchaseStatus.REFUNDED if refunded == 1000 else PurchaseStatus.PARTIALLY_REFUNDED
        )
        assert sold.purchase.status is expected
        assert sold.purchase.as_sold().status is PurchaseStatus.COMPLETED


def test_an_attempt_is_resolved_exactly_once() -> None:
    pending = attempt()
    unknown = pending.unknown(NOON, deadline_at=NOON)
    for open_ in (pending, unknown):
        completed = open_.completed(Shipped(shipment_id="s"), NOON)
        voided = open_.voided(NOON)
        assert (completed.purchase is None, voided.purchase is None) == (False, True)
        for final in (completed, voided):
            with pytest.raises(AttemptAlreadyResolvedError):
                final.completed(Shipped(shipment_id="t"), NOON)
            with pytest.raises(AttemptAlreadyResolvedError):
                final.voided(NOON)
            with pytest.raises(AttemptAlreadyResolvedError):
                final.unknown(NOON, deadline_at=NOON)
    with pytest.raises(AttemptAlreadyResolvedError):
        unknown.unknown(NOON, deadline_at=NOON)


def test_every_step_makes_a_new_revision() -> None:
    pending = attempt()
    noted = pending.with_carrier_answer(Shipped(shipment_id="s"), NOON)
    done = noted.completed(Shipped(shipment_id="s"), NOON)
    assert [a.revision for a in (pending, noted, done)] == [1, 2, 3]
    assert done.state is AttemptState.COMPLETED


def test_only_a_purchase_can_be_refunded() -> None:
    refund = Refund(
        id=uuid4(),
        purchase_id=uuid4(),
        customer_id=uuid4(),
        number=1,
        quantity=None,
        amount=Money(1),
        refunded_after=Money(1),
        refundable_after=ZERO,
        reason="r",
        actor=Actor("a"),
        idempotency_key="k",
        created_at=NOON,
        balance_after=ZERO,
        entry_sequence=1,
    )
    with pytest.raises(ValueError, match="purchase"):
        replace(attempt()).with_refund(refund)


def test_a_key_makes_one_attempt_per_customer() -> None:
    one, other = uuid4(), uuid4()
    assert attempt_id_for(one, "k") == attempt_id_for(one, "k")
    assert (
        len({attempt_id_for(one, "k"), attempt_id_for(one, "l"), attempt_id_for(other, "k")}) == 3
    )


def test_an_order_is_consistent() -> None:
    order = make_order(product(1000), 2, ADDRESS, promo=None, expected_total=None)
    for wrong in (
        {"quantity": 0},
        {"total": Money(1999)},
        {"discount": Money(1)},
        {"discount": Money(-1), "total": Money(2001)},
        {"discount": Money(2001), "total": Money(-1)},
    ):
        with pytest.raises(ValueError, match="must"):
            replace(order, **wrong)


def test_a_price_and_a_refund_are_not_negative() -> None:
    with pytest.raises(ValueError, match="negative"):
        make_order(product(-1), 1, ADDRESS, promo=None, expected_total=None)
    purchase = attempt().completed(Shipped(shipment_id="s"), NOON).purchase
    assert purchase is not None
    for amount in (Money(0), Money(-5)):
        with pytest.raises(ValueError, match="positive"):
            purchase.amount_to_refund(amount, None)
    for quantity in (0, -1):
        with pytest.raises(ValueError, match="positive"):
            purchase.amount_to_refund(None, quantity)
