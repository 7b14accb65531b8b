"""Promo codes as they are stored."""

from __future__ import annotations

from typing import Final, Self
from uuid import UUID

from till.adapters.dynamodb.stored.discounts import StoredDiscount, stored_discount
from till.adapters.dynamodb.stored.item import StoredItem, read, written
from till.adapters.dynamodb.stored.keys import PROMO_SORT_KEY, promo_key, version_key
from till.domain.actor import Actor
from till.domain.instant import format_instant, parse_instant
from till.domain.money import CURRENCY, Money
from till.domain.promo import PromoAction, PromoChange, PromoCode, PromoState, PromoTerms


def promo_shards(state: PromoState) -> tuple[str, ...]:
    """The partitions of the index in which the promo codes of a state are found."""
    return (f"PROMO_{state.value}",)


class StoredPromoTerms(StoredItem):
    """What a promo code takes off, and its restrictions."""

    discount: StoredDiscount
    currency: str
    valid_from: str | None = None
    valid_until: str | None = None
    max_redemptions: int | None = None
    max_redemptions_per_customer: int | None = None
    minimum_subtotal: int | None = None
    product_ids: list[UUID] | None = None
    customer_ids: list[UUID] | None = None
    first_purchase_only: bool = False

    @classmethod
    def of(cls, terms: PromoTerms) -> Self:
        """Terms as they are stored."""
        least = terms.minimum_subtotal
        return cls(
            discount=stored_discount(terms.discount),
            currency=CURRENCY,
            valid_from=written(terms.valid_from),
            valid_until=written(terms.valid_until),
            max_redemptions=terms.max_redemptions,
            max_redemptions_per_customer=terms.max_redemptions_per_customer,
            minimum_subtotal=least.amount_minor if least is not None else None,
            product_ids=sorted(terms.product_ids) if terms.product_ids is not None else None,
            customer_ids=sorted(terms.customer_ids) if terms.customer_ids is not None else None,
            first_purchase_only=terms.first_purchase_only,
        )

    def terms(self) -> PromoTerms:
        """The terms as the domain knows them."""
        least = self.minimum_subtotal
        return PromoTerms(
            discount=self.discount.discount(self.currency),
            valid_from=read(self.valid_from),
            valid_until=read(self.valid_until),
            max_redemptions=self.max_redemptions,
            max_redemptions_per_customer=self.max_redemptions_per_customer,
            minimum_subtotal=Money(least, self.currency) if least is not None else None,
            product_ids=frozenset(self.product_ids) if self.product_ids is not None else None,
            customer_ids=frozenset(self.customer_ids) if self.customer_ids is not None else None,
            first_purchase_only=self.first_purchase_only,
        )


class StoredPromoVersion(StoredItem):
    """Purchases table: one version of a promo code's terms. Never updated."""

    pk: str
    sk: str
    code: str
    version: int
    action: PromoAction
    state: PromoState
    terms: StoredPromoTerms
    created_at: str
    created_by: str
    created_by_name: str | None = None
    updated_at: str
    updated_by: str
    updated_by_name: str | None = None

    @classmethod
    def of(cls, change: PromoChange) -> Self:
        """A version as it is stored."""
        promo = change.promo
        return cls(
            pk=promo_key(promo.code),
            sk=version_key(promo.version),
            code=promo.code,
            version=promo.version,
            action=change.action,
            state=promo.state,
            terms=StoredPromoTerms.of(promo.terms),
            created_at=format_instant(promo.created_at),
            created_by=promo.created_by.subject,
            created_by_name=promo.created_by.name,
            updated_at=format_instant(promo.updated_at),
            updated_by=promo.updated_by.subject,
            updated_by_name=promo.updated_by.name,
        )

    def promo(self, *, redemptions: int) -> PromoCode:
        """The promo code at this version."""
        return PromoCode(
            code=self.code,
            version=self.version,
            state=self.state,
            terms=self.terms.terms(),
            redemptions=redemptions,
            created_at=parse_instant(self.created_at),
            created_by=Actor(self.created_by, self.created_by_name),
            updated_at=parse_instant(self.updated_at),
            updated_by=Actor(self.updated_by, self.updated_by_name),
        )

    def change(self) -> PromoChange:
        """The version as the domain knows it."""
        return PromoChange(promo=self.promo(redemptions=0), action=self.action)


class StoredPromo(StoredPromoVersion):
    """Purchases table: a promo code as it now is, and how often it is used."""

    redemptions: int
    state_shard: str
    state_at: str

    @classmethod
    def head(cls, change: PromoChange) -> Self:
        """The newest version as it is stored."""
        version = StoredPromoVersion.of(change)
        (shard,) = promo_shards(change.promo.state)
        return cls(
            **dict(version) | {"sk": PROMO_SORT_KEY},
            redemptions=change.promo.redemptions,
            state_shard=shard,
            state_at=f"{version.created_at}#{version.code}",
        )


OPTIONAL: Final = frozenset(
    name for name, field in StoredPromo.model_fields.items() if not field.is_required()
)
"""The attributes of a promo code that it may lack."""
