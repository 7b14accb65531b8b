"""Discounts as they are stored."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from till.adapters.dynamodb.stored.item import StoredItem
from till.domain.money import Money
from till.domain.promo import Discount, FixedDiscount, PercentageDiscount


class StoredPercentageDiscount(StoredItem):
    """A percentage off, at most ``max_amount``."""

    type: Literal["percentage"] = "percentage"
    percent: int
    max_amount: int | None = None

    def discount(self, currency: str) -> Discount:
        """The discount as the domain knows it."""
        most = Money(self.max_amount, currency) if self.max_amount is not None else None
        return PercentageDiscount(percent=self.percent, max_amount=most)


class StoredFixedDiscount(StoredItem):
    """A fixed amount off."""

    type: Literal["fixed"] = "fixed"
    amount: int

    def discount(self, currency: str) -> Discount:
        """The discount as the domain knows it."""
        return FixedDiscount(amount=Money(self.amount, currency))


StoredDiscount = Annotated[
    StoredPercentageDiscount | StoredFixedDiscount, Field(discriminator="type")
]


def stored_discount(discount: Discount) -> StoredPercentageDiscount | StoredFixedDiscount:
    """A discount as it is stored."""
    match discount:
        case PercentageDiscount(percent=percent, max_amount=max_amount):
            return StoredPercentageDiscount(
                percent=percent,
                max_amount=max_amount.amount_minor if max_amount is not None else None,
            )
        case FixedDiscount(amount=amount):
            return StoredFixedDiscount(amount=amount.amount_minor)
