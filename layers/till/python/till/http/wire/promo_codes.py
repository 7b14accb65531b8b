"""The models of promo codes: their requests and responses."""

from __future__ import annotations

from typing import Annotated, Self
from uuid import UUID

from pydantic import ConfigDict, Field, model_validator

from till.domain.money import CURRENCY, Money
from till.domain.promo import (
    MAX_LISTED,
    PromoAction,
    PromoChange,
    PromoCode,
    PromoState,
    PromoTerms,
)
from till.http.wire.discounts import (
    DiscountRequest,
    DiscountResponse,
    discount_of,
    discount_response,
)
from till.http.wire.promo_code import PromoCodeText
from till.http.wire.types import (
    Amount,
    Id,
    Instant,
    InstantText,
    Omittable,
    Removable,
    StaffName,
    WireRequest,
    WireResponse,
)

_ListedIds = Annotated[list[Id], Field(min_length=1, max_length=MAX_LISTED)]
_Count = Annotated[int, Field(gt=0, le=10**9)]


class CreatePromoCodeRequest(WireRequest):
    """A new promo code. Leaving a restriction out means that the code does not have it."""

    code: PromoCodeText
    discount: DiscountRequest
    valid_from: Omittable[InstantText] = None
    valid_until: Omittable[InstantText] = None
    max_redemptions: Omittable[_Count] = None
    max_redemptions_per_customer: Omittable[_Count] = None
    minimum_subtotal: Omittable[Amount] = None
    product_ids: Omittable[_ListedIds] = None
    customer_ids: Omittable[_ListedIds] = None
    first_purchase_only: Omittable[bool] = None

    def terms(self) -> PromoTerms:
        """The terms as the domain knows them."""
        return PromoTerms(
            discount=discount_of(self.discount),
            valid_from=self.valid_from,
            valid_until=self.valid_until,
            max_redemptions=self.max_redemptions,
            max_redemptions_per_customer=self.max_redemptions_per_customer,
            minimum_subtotal=_money(self.minimum_subtotal),
            product_ids=_set(self.product_ids),
            customer_ids=_set(self.customer_ids),
            first_purchase_only=self.first_purchase_only is True,
        )


class UpdatePromoCodeRequest(WireRequest):
    """Changed terms. A field that is left out stays as it is; null removes a restriction."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    discount: Omittable[DiscountRequest] = None
    valid_from: Removable[InstantText] = None
    valid_until: Removable[InstantText] = None
    max_redemptions: Removable[_Count] = None
    max_redemptions_per_customer: Removable[_Count] = None
    minimum_subtotal: Removable[Amount] = None
    product_ids: Removable[_ListedIds] = None
    customer_ids: Removable[_ListedIds] = None
    first_purchase_only: Omittable[bool] = None

    @model_validator(mode="after")
    def _something_changes(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("must name at least one field to change")
        return self

    def change(self, terms: PromoTerms) -> PromoTerms:
        """The terms with the fields of this request changed."""
        named = self.model_fields_set
        return PromoTerms(
            discount=discount_of(self.discount) if self.discount else terms.discount,
            valid_from=self.valid_from if "valid_from" in named else terms.valid_from,
            valid_until=self.valid_until if "valid_until" in named else terms.valid_until,
            max_redemptions=(
                self.max_redemptions if "max_redemptions" in named else terms.max_redemptions
            ),
            max_redemptions_per_customer=(
                self.max_redemptions_per_customer
                if "max_redemptions_per_customer" in named
                else terms.max_redemptions_per_customer
            ),
            minimum_subtotal=(
                _money(self.minimum_subtotal)
                if "minimum_subtotal" in named
                else terms.minimum_subtotal
            ),
            product_ids=_set(self.product_ids) if "product_ids" in named else terms.product_ids,
            customer_ids=(
                _set(self.customer_ids) if "customer_ids" in named else terms.customer_ids
            ),
            first_purchase_only=(
                self.first_purchase_only
                if self.first_purchase_only is not None
                else terms.first_purchase_only
            ),
        )


def _money(amount: int | None) -> Money | None:
    return Money(amount) if amount is not None else None


def _set(ids: list[UUID] | None) -> frozenset[UUID] | None:
    return frozenset(ids) if ids is not None else None


class PromoCodeResponse(WireResponse):
    """A promo code as it now is."""

    code: str
    version: int = Field(description="Its ETag; send it as If-Match to change the code")
    state: PromoState
    discount: DiscountResponse
    valid_from: Instant | None
    valid_until: Instant | None
    max_redemptions: int | None
    max_redemptions_per_customer: int | None
    minimum_subtotal: int | None
    product_ids: list[UUID] | None
    customer_ids: list[UUID] | None
    first_purchase_only: bool
    currency: str
    redemptions: int = Field(description="Purchases that use it, those under way included")
    created_at: Instant
    created_by: str
    created_by_name: StaffName
    updated_at: Instant
    updated_by: str
    updated_by_name: StaffName

    @classmethod
    def of(cls, promo: PromoCode) -> Self:
        """A promo code."""
        terms = promo.terms
        least = terms.minimum_subtotal
        return cls(
            code=promo.code,
            version=promo.version,
            state=promo.state,
            discount=discount_response(terms.discount),
            valid_from=terms.valid_from,
            valid_until=terms.valid_until,
            max_redemptions=terms.max_redemptions,
            max_redemptions_per_customer=terms.max_redemptions_per_customer,
            minimum_subtotal=least.amount_minor if least is not None else None,
            product_ids=sorted(terms.product_ids) if terms.product_ids is not None else None,
            customer_ids=sorted(terms.customer_ids) if terms.customer_ids is not None else None,
            first_purchase_only=terms.first_purchase_only,
            currency=CURRENCY,
            redemptions=promo.redemptions,
            created_at=promo.created_at,
            created_by=promo.created_by.subject,
            created_by_name=promo.created_by.name,
            updated_at=promo.updated_at,
            updated_by=promo.updated_by.subject,
            updated_by_name=promo.updated_by.name,
        )


class PromoTermsResponse(WireResponse):
    """The terms of a version of a promo code."""

    discount: DiscountResponse
    valid_from: Instant | None
    valid_until: Instant | None
    max_redemptions: int | None
    max_redemptions_per_customer: int | None
    minimum_subtotal: int | None
    product_ids: list[UUID] | None
    customer_ids: list[UUID] | None
    first_purchase_only: bool


class PromoCodeChangeResponse(WireResponse):
    """One version of a promo code: who made it, when, and the terms it had from then on."""

    version: int
    action: PromoAction
    actor: str
    actor_name: StaffName
    at: Instant
    terms: PromoTermsResponse


class PromoCodeDetailResponse(PromoCodeResponse):
    """A promo code with its newest versions, oldest first."""

    changes: list[PromoCodeChangeResponse]

    @classmethod
    def with_changes(cls, promo: PromoCode, changes: tuple[PromoChange, ...]) -> Self:
        """A promo code and its history."""
        return cls(
            **dict(PromoCodeResponse.of(promo)),
            changes=[
                PromoCodeChangeResponse(
                    version=change.promo.version,
                    action=change.action,
                    actor=change.promo.updated_by.subject,
                    actor_name=change.promo.updated_by.name,
                    at=change.promo.updated_at,
                    terms=_terms(change.promo),
                )
                for change in changes
            ],
        )


def _terms(promo: PromoCode) -> PromoTermsResponse:
    shown = PromoCodeResponse.of(promo)
    return PromoTermsResponse(
        **{name: getattr(shown, name) for name in PromoTermsResponse.model_fields}
    )


class PromoCodeListResponse(WireResponse):
    """Promo codes, newest first."""

    items: list[PromoCodeResponse]
    next_cursor: str | None
