"""Money as integer minor units with a currency; never a float."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import total_ordering
from typing import Final

from till.domain.errors import TillError

CURRENCY: Final = "USD"
"""The only currency today (ISO 4217). Every stored amount still carries its currency."""

MINOR_UNITS_PER_MAJOR: Final = 100

MAX_AMOUNT_MINOR: Final = 1_000_000_000_00
"""The largest amount of one operation, in minor units: one billion dollars."""

MAX_BALANCE_MINOR: Final = 2**53 - 1
"""The largest balance, in minor units: the largest integer that JavaScript holds exactly."""


_CURRENCY_CODE: Final = re.compile(r"[A-Z]{3}")


class AmountOutOfBoundsError(TillError):
    """An amount or a total is larger than Till handles."""


@total_ordering
@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units (cents) of a currency. It may be negative.

    Amounts of two currencies cannot be added, subtracted or compared.

    Raises:
        AmountOutOfBoundsError: beyond what a JavaScript client can hold exactly.
        TypeError: the amount is not an ``int``.
        ValueError: the currency is not an ISO 4217 code; or, from an operation, it is another one.
    """

    amount_minor: int
    currency: str = CURRENCY

    def __post_init__(self) -> None:
        if type(self.amount_minor) is not int:
            raise TypeError("an amount is an int of minor units")
        if abs(self.amount_minor) > MAX_BALANCE_MINOR:
            raise AmountOutOfBoundsError
        if not _CURRENCY_CODE.fullmatch(self.currency):
            raise ValueError("a currency is three capital letters (ISO 4217)")

    @classmethod
    def from_major(cls, amount: Decimal, currency: str = CURRENCY) -> Money:
        """Money from a decimal number of major units (dollars), exactly.

        Raises:
            ValueError: not finite, or more precise than one minor unit.
            AmountOutOfBoundsError: too large.
        """
        if not amount.is_finite():
            raise ValueError("an amount must be a finite number")
        if abs(amount) > MAX_BALANCE_MINOR:
            raise AmountOutOfBoundsError
        # Arithmetic rounds to 28 digits, a comparison does not.
        if amount != amount.quantize(Decimal(1) / MINOR_UNITS_PER_MAJOR):
            raise ValueError("an amount must not be more precise than one minor unit")
        return cls(int(amount * MINOR_UNITS_PER_MAJOR), currency)

    def __add__(self, other: Money) -> Money:
        return Money(self.amount_minor + self._same_currency(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.amount_minor - self._same_currency(other), self.currency)

    def __neg__(self) -> Money:
        return Money(-self.amount_minor, self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.amount_minor < self._same_currency(other)

    def times(self, quantity: int) -> Money:
        """This amount multiplied by a quantity."""
        return Money(self.amount_minor * quantity, self.currency)

    def _same_currency(self, other: Money) -> int:
        if other.currency != self.currency:
            raise ValueError(f"{other.currency} and {self.currency} cannot be combined")
        return other.amount_minor

    def require_positive(self) -> None:
        """Check that there is something to move.

        Raises:
            ValueError: the amount is zero or negative.
        """
        if self.amount_minor <= 0:
            raise ValueError("the amount must be positive")

    def require_not_negative(self) -> None:
        """Check an amount that may be zero, such as the price of an order that is free.

        Raises:
            ValueError: the amount is negative.
        """
        if self.amount_minor < 0:
            raise ValueError("the amount must not be negative")


ZERO: Final = Money(0)
