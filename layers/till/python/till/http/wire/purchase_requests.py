"""Requests to buy: apart from purchases, which are read without what makes them."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field

from till.domain.actor import Actor
from till.domain.money import MAX_AMOUNT_MINOR, Money
from till.domain.purchase import MAX_QUANTITY
from till.http.wire.promo_code import PromoCodeText
from till.http.wire.types import Id, Omittable, WireRequest
from till.services.create_purchase import PurchaseRequest
from till.services.shared.pricing import PurchaseIntent


class CreatePurchaseRequest(WireRequest):
    """What to buy. With ``expected_total`` a higher total is refused, a lower one charged."""

    product_id: Id
    quantity: Annotated[int, Field(gt=0, le=MAX_QUANTITY)]
    expected_total: Omittable[Annotated[int, Field(ge=0, le=MAX_AMOUNT_MINOR)]] = None
    promo_code: Omittable[PromoCodeText] = None

    def intent(self, *, customer_id: UUID) -> PurchaseIntent:
        """The request as its use cases know it."""
        expected = self.expected_total
        return PurchaseIntent(
            customer_id=customer_id,
            product_id=self.product_id,
            quantity=self.quantity,
            promo_code=self.promo_code,
            expected_total=Money(expected) if expected is not None else None,
        )

    def purchase_request(
        self, *, customer_id: UUID, actor: Actor, idempotency_key: str
    ) -> PurchaseRequest:
        """The request as its use case knows it."""
        return PurchaseRequest(
            intent=self.intent(customer_id=customer_id),
            actor=actor,
            idempotency_key=idempotency_key,
        )
