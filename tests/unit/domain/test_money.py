from __future__ import annotations

import operator
from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from till.domain.money import MAX_BALANCE_MINOR, AmountOutOfBoundsError, Money

minor = st.integers(-MAX_BALANCE_MINOR // 4, MAX_BALANCE_MINOR // 4)


@given(minor, minor)
def test_addition_and_subtraction_undo_each_other(a: int, b: int) -> None:
    assert Money(a) + Money(b) - Money(b) == Money(a)
    assert Money(a) - Money(b) == -(Money(b) - Money(a))


@given(st.decimals(0, 10**9, places=2))
def test_a_price_in_cents_is_taken_exactly(price: Decimal) -> None:
    assert Money.from_major(price).amount_minor == int(price.scaleb(2))


@pytest.mark.parametrize("price", ["19.999", "0.001", "1E-3", "NaN", "Infinity"])
def test_a_price_that_is_no_amount_in_cents_is_refused(price: str) -> None:
    with pytest.raises(ValueError, match="amount"):
        Money.from_major(Decimal(price))


@pytest.mark.parametrize("price", ["1E+400", "90071992547409.92", "-1E+30"])
def test_a_price_beyond_all_bounds_is_refused(price: str) -> None:
    with pytest.raises(AmountOutOfBoundsError):
        Money.from_major(Decimal(price))


def test_an_amount_beyond_javascripts_integers_is_refused() -> None:
    assert Money(MAX_BALANCE_MINOR).amount_minor == 2**53 - 1
    with pytest.raises(AmountOutOfBoundsError):
        Money(MAX_BALANCE_MINOR) + Money(1)


@pytest.mark.parametrize("amount", [1.0, True, "1", Decimal(1)])
def test_an_amount_is_an_int_and_nothing_else(amount: object) -> None:
    with pytest.raises(TypeError):
        Money(amount)  # type: ignore[arg-type]


def test_currencies_do_not_mix() -> None:
    with pytest.raises(ValueError, match="EUR"):
        Money(1, "USD") + Money(1, "EUR")


@pytest.mark.parametrize(
    "compare",
    [operator.lt, operator.le, operator.gt, operator.ge, operator.add, operator.sub],
)
def test_amounts_of_two_currencies_cannot_be_combined(
    compare: Callable[[Money, Money], object],
) -> None:
    with pytest.raises(ValueError, match="cannot be combined"):
        compare(Money(100, "USD"), Money(200, "EUR"))
    with pytest.raises(ValueError, match="cannot be combined"):
        min(Money(1), Money(2, "EUR"))
    assert Money(100, "USD") != Money(100, "EUR")


def test_amounts_of_one_currency_have_an_order() -> None:
    assert Money(1) < Money(2) <= Money(2) < Money(3) > Money(2) >= Money(2)
    assert sorted([Money(3), Money(1), Money(2)]) == [Money(1), Money(2), Money(3)]


@pytest.mark.parametrize("currency", ["", "usd", "US", "USDT", "US1", "USD\n"])
def test_a_currency_is_an_iso_4217_code(currency: str) -> None:
    with pytest.raises(ValueError, match="ISO 4217"):
        Money(1, currency)


def test_positive_and_not_negative() -> None:
    Money(1).require_positive()
    Money(0).require_not_negative()
    for amount in (0, -1):
        with pytest.raises(ValueError, match="positive"):
            Money(amount).require_positive()
    with pytest.raises(ValueError, match="negative"):
        Money(-1).require_not_negative()
