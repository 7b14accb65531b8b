from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.fakes import ADDRESS
from till.domain.account import Account
from till.domain.actor import Actor
from till.domain.catalogue import Product
from till.domain.money import MAX_AMOUNT_MINOR, ZERO, Money
from till.domain.promo import (
    AppliedPromo,
    FixedDiscount,
    InvalidPromoTermsError,
    PercentageDiscount,
    PromoCode,
    PromoCodeRefusedError,
    PromoRestriction,
    PromoTerms,
    canonical_code,
)
from till.domain.purchase import make_order

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
TEN_OFF = PercentageDiscount(percent=10)
amounts = st.integers(0, MAX_AMOUNT_MINOR).map(Money)


@given(amounts, st.integers(1, 100))
def test_a_percentage_rounds_half_up_once(subtotal: Money, percent: int) -> None:
    exact = Decimal(subtotal.amount_minor) * percent / 100
    rounded = int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP))
    assert PercentageDiscount(percent=percent).off(subtotal) == Money(rounded)


@given(amounts, st.integers(1, 100), st.integers(1, MAX_AMOUNT_MINOR).map(Money))
def test_a_discount_never_exceeds_the_subtotal_or_its_maximum(
    subtotal: Money, percent: int, amount: Money
) -> None:
    capped = PercentageDiscount(percent=percent, max_amount=amount).off(subtotal)
    assert ZERO <= capped <= min(subtotal, amount)
    assert ZERO <= FixedDiscount(amount=amount).off(subtotal) == min(subtotal, amount)


@given(st.integers(0, 5000), st.integers(1, 30), st.integers(1, 100), st.data())
def test_units_cost_the_total_exactly_however_they_are_refunded(
    price: int, quantity: int, percent: int, data: st.DataObject
) -> None:
    product = Product(id=uuid4(), sku="S", name="n", description="", unit_price=Money(price))
    promo = AppliedPromo(code="X", version=1, discount=PercentageDiscount(percent=percent))
    order = make_order(product, quantity, ADDRESS, promo=promo, expected_total=None)
    assert order.total == order.subtotal - order.discount >= ZERO
    first, refunded = 0, ZERO
    while first < quantity:
        count = data.draw(st.integers(1, quantity - first))
        refunded += order.price_of_units(first, count)
        first += count
    assert refunded == order.total


@pytest.mark.parametrize("code", ["abc", "ABC", "a-b_9", "x" * 32])
def test_codes_are_case_insensitive(code: str) -> None:
    assert canonical_code(code) == canonical_code(code.upper()) == code.upper()


@pytest.mark.parametrize("code", ["", "ab", "x" * 33, "a b", "a#b", "straße", "abc\n", "١٢٣"])
def test_what_is_no_code(code: str) -> None:
    with pytest.raises(ValueError, match="letters"):
        canonical_code(code)


CUSTOMER, PRODUCT = uuid4(), uuid4()
UNRESTRICTED = PromoTerms(discount=TEN_OFF)


def use(
    terms: PromoTerms,
    *,
    at: datetime = NOON,
    purchases: int = 0,
    subtotal: int = 1000,
    redemptions: int = 0,
    by_customer: int = 0,
) -> None:
    promo = PromoCode.create("CODE", terms, actor=Actor("a"), at=NOON)
    replace(promo, redemptions=redemptions).require_usable(
        at=at,
        account=replace(Account.empty(CUSTOMER), purchases=purchases),
        product_id=PRODUCT,
        subtotal=Money(subtotal),
        redemptions_of_customer=by_customer,
    )


def test_each_restriction_allows_what_it_should() -> None:
    use(UNRESTRICTED, purchases=5, redemptions=10**6, by_customer=10**6)
    use(replace(UNRESTRICTED, valid_from=NOON, valid_until=NOON + timedelta(seconds=1)))
    use(replace(UNRESTRICTED, max_redemptions=2), redemptions=1)
    use(replace(UNRESTRICTED, max_redemptions_per_customer=2), by_customer=1)
    use(replace(UNRESTRICTED, minimum_subtotal=Money(1000)))
    use(replace(UNRESTRICTED, product_ids=frozenset({PRODUCT}), customer_ids=frozenset({CUSTOMER})))
    use(replace(UNRESTRICTED, first_purchase_only=True))


def test_each_restriction_is_named_when_it_fails() -> None:
    hour = timedelta(hours=1)
    failing: list[tuple[PromoRestriction, PromoTerms, dict[str, int]]] = [
        (PromoRestriction.NOT_YET_VALID, replace(UNRESTRICTED, valid_from=NOON + hour), {}),
        (PromoRestriction.EXPIRED, replace(UNRESTRICTED, valid_until=NOON), {}),
        (
            PromoRestriction.MAX_REDEMPTIONS,
            replace(UNRESTRICTED, max_redemptions=2),
            {"redemptions": 2},
        ),
        (
            PromoRestriction.MAX_REDEMPTIONS_PER_CUSTOMER,
            replace(UNRESTRICTED, max_redemptions_per_customer=1),
            {"by_customer": 1},
        ),
        (
            PromoRestriction.MINIMUM_SUBTOTAL,
            replace(UNRESTRICTED, minimum_subtotal=Money(1001)),
            {},
        ),
        (
            PromoRestriction.PRODUCTS,
            replace(UNRESTRICTED, product_ids=frozenset({uuid4()})),
            {},
        ),
        (
            PromoRestriction.CUSTOMERS,
            replace(UNRESTRICTED, customer_ids=frozenset({uuid4()})),
            {},
        ),
        (
            PromoRestriction.FIRST_PURCHASE,
            replace(UNRESTRICTED, first_purchase_only=True),
            {"purchases": 1},
        ),
    ]
    for restriction, terms, facts in failing:
        with pytest.raises(PromoCodeRefusedError) as raised:
            use(terms, **facts)  # type: ignore[arg-type]
        assert raised.value.restriction is restriction


def test_a_code_cannot_end_before_it_begins() -> None:
    with pytest.raises(InvalidPromoTermsError):
        replace(UNRESTRICTED, valid_from=NOON, valid_until=NOON)


@pytest.mark.parametrize("percent", [-10, 0, 101])
def test_a_percentage_is_one_to_a_hundred(percent: int) -> None:
    with pytest.raises(ValueError, match="percent"):
        PercentageDiscount(percent=percent)


@pytest.mark.parametrize("amount", [Money(0), Money(-5)])
def test_a_discount_takes_something_off(amount: Money) -> None:
    with pytest.raises(ValueError, match="positive"):
        FixedDiscount(amount=amount)
    with pytest.raises(ValueError, match="positive"):
        PercentageDiscount(percent=10, max_amount=amount)
    with pytest.raises(ValueError, match="positive"):
        PromoTerms(discount=TEN_OFF, minimum_subtotal=amount)


def test_nothing_is_taken_off_a_negative_subtotal() -> None:
    for discount in (TEN_OFF, FixedDiscount(amount=Money(5))):
        with pytest.raises(ValueError, match="negative"):
            discount.off(Money(-100))


def test_a_limit_of_redemptions_is_positive() -> None:
    with pytest.raises(ValueError, match="positive"):
        PromoTerms(discount=TEN_OFF, max_redemptions=0)
    with pytest.raises(ValueError, match="positive"):
        PromoTerms(discount=TEN_OFF, max_redemptions_per_customer=-1)
