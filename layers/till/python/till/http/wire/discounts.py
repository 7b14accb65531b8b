"""What a promo code takes off, in requests and responses alike."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from till.domain.money import Money
from till.domain.promo import Discount, FixedDiscount, PercentageDiscount
from till.http.wire.types import Amount, WireRequest


class PercentageDiscountModel(WireRequest):
    """A percentage off, rounded half up to a cent, at most ``max_amount``."""

    type: Literal["percentage"]
    percent: Annotated[int, Field(ge=1, le=100)]
    max_amount: Amount | None = None


class FixedDiscountModel(WireRequest):
    """A fixed amount off, never more than the subtotal."""

    type: Literal["fixed"]
    amount: Amount


DiscountModel = Annotated[PercentageDiscountModel | FixedDiscountModel, Field(discriminator="type")]


def discount_model(discount: Discount) -> PercentageDiscountModel | FixedDiscountModel:
    """A discount as it is sent."""
    match discount:
        case PercentageDiscount(percent=percent, max_amount=most):
            return PercentageDiscountModel(
                type="percentage",
                percent=percent,
                max_amount=most.amount_minor if most is not None else None,
            )
        case FixedDiscount(amount=amount):
            return FixedDiscountModel(type="fixed", amount=amount.amount_minor)


def discount_of(model: PercentageDiscountModel | FixedDiscountModel) -> Discount:
    """A discount as the domain knows it."""
    match model:
        case PercentageDiscountModel(percent=percent, max_amount=most):
            return PercentageDiscount(
                percent=percent, max_amount=Money(most) if most is not None else None
            )
        case FixedDiscountModel(amount=amount):
            return FixedDiscount(amount=Money(amount))
