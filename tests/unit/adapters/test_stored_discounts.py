"""Discounts as they are stored: each type reads back as itself, and an unknown one not at all."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from till.adapters.dynamodb.stored.discounts import StoredDiscount, stored_discount
from till.domain.money import Money
from till.domain.promo import Discount, FixedDiscount, PercentageDiscount

STORED: TypeAdapter[StoredDiscount] = TypeAdapter(StoredDiscount)


@pytest.mark.parametrize(
    "discount",
    [
        PercentageDiscount(percent=15, max_amount=None),
        PercentageDiscount(percent=15, max_amount=Money(500)),
        FixedDiscount(amount=Money(250)),
    ],
)
def test_a_discount_reads_back_as_it_was_stored(discount: Discount) -> None:
    read = STORED.validate_python(stored_discount(discount).model_dump())
    assert read.discount("USD") == discount


@pytest.mark.parametrize("stored", [{"type": "free_shipping", "amount": 250}, {"amount": 250}])
def test_a_discount_of_an_unknown_type_is_refused(stored: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="type"):
        STORED.validate_python(stored)
