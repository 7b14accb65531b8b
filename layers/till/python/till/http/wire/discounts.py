"""What a promo code takes off."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from till.domain.money import Money
from till.domain.promo import Discount, FixedDiscount, PercentageDiscount
from till.http.wire.types import Amount, Omittable, WireRequest, WireResponse


class PercentageDiscountRequest(WireRequest):
    """A percentage off, rounded half up to a cent; at most ``max_amount``, if that is given."""

    type: Literal["percentage"]
    percent: Annotated[int, Field(ge=1, le=100)]
    max_amount: Omittable[Amount] = None


class FixedDiscountRequest(WireRequest):
    """A fixed amount off, never more than the subtotal."""

    type: Literal["fixed"]
    amount: Amount


DiscountRequest = Annotated[
    PercentageDiscountRequest | FixedDiscountRequest, Field(discriminator="type")
]


class PercentageDiscountResponse(WireResponse):
    """A percentage off, rounded half up to a cent; at most ``max_amount``, unless that is null."""

    type: Literal["percentage"]
    percent: int
    max_amount: int | None


class FixedDiscountResponse(WireResponse):
    """A fixed amount off, never more than the subtotal."""

    type: Literal["fixed"]
    amount: int


DiscountResponse = Annotated[
    PercentageDiscountResponse | FixedDiscountResponse, Field(discriminator="type")
]


def discount_response(
    discount: Discount,
) -> PercentageDiscountResponse | FixedDiscountResponse:
    """A discount as it is sent."""
    match discount:
        case PercentageDiscount(percent=percent, max_amount=most):
            return PercentageDiscountResponse(
                type="percentage",
                percent=percent,
                max_amount=most.amount_minor if most is not None else None,
            )
        case FixedDiscount(amount=amount):
            return FixedDiscountResponse(type="fixed", amount=amount.amount_minor)


def discount_of(request: PercentageDiscountRequest | FixedDiscountRequest) -> Discount:
    """A discount as the domain knows it."""
    match request:
        case PercentageDiscountRequest(percent=percent, max_amount=most):
            return PercentageDiscount(
                percent=percent, max_amount=Money(most) if most is not None else None
            )
        case FixedDiscountRequest(amount=amount):
            return FixedDiscount(amount=Money(amount))
