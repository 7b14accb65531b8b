"""Promo codes: what they take off, and who may use them for what, when and how often."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from till.domain.errors import NotFoundError, TillError
from till.domain.money import Money

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from till.domain.account import Account
    from till.domain.actor import Actor

CODE_PATTERN: Final = r"^[A-Za-z0-9_-]{3,32}$"
MAX_LISTED: Final = 100
"""How many products or customers a code may be restricted to: its item stays small."""

_CODE: Final = re.compile(CODE_PATTERN)


class InvalidPromoTermsError(TillError):
    """Terms that contradict each other."""

    def __init__(self, *, field: str, message: str) -> None:
        super().__init__("invalid promo terms")
        self.field = field
        self.message = message


class PromoCodeRefusedError(TillError):
    """The promo code cannot be used for this purchase."""

    def __init__(self, *, code: str, restriction: PromoRestriction) -> None:
        super().__init__("promo code refused")
        self.code = code
        self.restriction = restriction


def canonical_code(code: str) -> str:
    """The one spelling of a code: codes are case-insensitive.

    Raises:
        ValueError: not 3 to 32 letters, digits, '-' and '_'.
    """
    if not _CODE.fullmatch(code):
        raise ValueError("must be 3 to 32 letters, digits, '-' and '_'")
    return code.upper()


class PromoCodeNotFoundError(NotFoundError):
    """There is no such promo code."""


class PromoCodeExistsError(TillError):
    """The code is taken, perhaps in another case."""


class PromoCodeDeactivatedError(TillError):
    """A deactivated promo code stays as it is."""


class StaleVersionError(TillError):
    """The promo code has changed since the version that the caller knows."""

    def __init__(self, *, version: int) -> None:
        super().__init__("stale version")
        self.version = version


@dataclass(frozen=True, slots=True, kw_only=True)
class PercentageDiscount:
    """A percentage off, at most ``max_amount`` if that is given.

    Raises:
        ValueError: not 1 to 100 percent, or ``max_amount`` is not positive.
    """

    percent: int
    max_amount: Money | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.percent <= 100:
            raise ValueError("a percentage discount is 1 to 100 percent")
        if self.max_amount is not None:
            self.max_amount.require_positive()

    def off(self, subtotal: Money) -> Money:
        """What it takes off: rounded half up, once, never more than the subtotal.

        Raises:
            ValueError: the subtotal is negative.
        """
        subtotal.require_not_negative()
        exact_hundredths = subtotal.amount_minor * self.percent
        off = Money((exact_hundredths + 50) // 100, subtotal.currency)
        return min(off, self.max_amount or off, subtotal)


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedDiscount:
    """A fixed amount off.

    Raises:
        ValueError: the amount is not positive.
    """

    amount: Money

    def __post_init__(self) -> None:
        self.amount.require_positive()

    def off(self, subtotal: Money) -> Money:
        """What it takes off: never more than the subtotal.

        Raises:
            ValueError: the subtotal is negative.
        """
        subtotal.require_not_negative()
        return min(self.amount, subtotal)


Discount = PercentageDiscount | FixedDiscount


class PromoState(StrEnum):
    """A code is ACTIVE until it is DEACTIVATED, for good."""

    ACTIVE = "ACTIVE"
    DEACTIVATED = "DEACTIVATED"


class PromoRestriction(StrEnum):
    """Why a code cannot be used."""

    UNKNOWN = "unknown"
    DEACTIVATED = "deactivated"
    NOT_YET_VALID = "not_yet_valid"
    EXPIRED = "expired"
    MINIMUM_SUBTOTAL = "minimum_subtotal"
    PRODUCTS = "products"
    CUSTOMERS = "customers"
    FIRST_PURCHASE = "first_purchase_only"
    MAX_REDEMPTIONS = "max_redemptions"
    MAX_REDEMPTIONS_PER_CUSTOMER = "max_redemptions_per_customer"


@dataclass(frozen=True, slots=True, kw_only=True)
class PromoTerms:
    """What a code takes off, and its restrictions; each is optional.

    It is valid from ``valid_from`` until before ``valid_until``.

    Raises:
        InvalidPromoTermsError: they contradict each other.
        ValueError: a limit or the minimum subtotal is not positive.
    """

    discount: Discount
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    max_redemptions: int | None = None
    max_redemptions_per_customer: int | None = None
    minimum_subtotal: Money | None = None
    product_ids: frozenset[UUID] | None = None
    customer_ids: frozenset[UUID] | None = None
    first_purchase_only: bool = False

    def __post_init__(self) -> None:
        if self.valid_from and self.valid_until and self.valid_from >= self.valid_until:
            raise InvalidPromoTermsError(field="valid_until", message="must be after valid_from")
        for limit in (self.max_redemptions, self.max_redemptions_per_customer):
            if limit is not None and limit < 1:
                raise ValueError("a limit of redemptions must be positive")
        if self.minimum_subtotal is not None:
            self.minimum_subtotal.require_positive()


@dataclass(frozen=True, slots=True, kw_only=True)
class PromoCode:
    """A promo code at one version of its terms. Never deleted: purchases refer to it.

    ``redemptions`` counts purchases that use it, those under way included.
    """

    code: str
    version: int
    state: PromoState
    terms: PromoTerms
    redemptions: int
    created_at: datetime
    created_by: Actor
    updated_at: datetime
    updated_by: Actor

    @classmethod
    def create(cls, code: str, terms: PromoTerms, *, actor: Actor, at: datetime) -> PromoCode:
        """A new code, active at once."""
        return cls(
            code=canonical_code(code),
            version=1,
            state=PromoState.ACTIVE,
            terms=terms,
            redemptions=0,
            created_at=at,
            created_by=actor,
            updated_at=at,
            updated_by=actor,
        )

    def with_terms(self, terms: PromoTerms, *, actor: Actor, at: datetime) -> PromoCode:
        """The next version, with other terms. What was sold under the old ones stays."""
        return replace(self, version=self.version + 1, terms=terms, updated_at=at, updated_by=actor)

    def deactivated(self, *, actor: Actor, at: datetime) -> PromoCode:
        """The next version, which can no longer be used."""
        return replace(
            self,
            version=self.version + 1,
            state=PromoState.DEACTIVATED,
            updated_at=at,
            updated_by=actor,
        )

    def require_usable(
        self,
        *,
        at: datetime,
        account: Account,
        product_id: UUID,
        subtotal: Money,
        redemptions_of_customer: int,
    ) -> None:
        """Check every restriction, in the order in which a person would.

        Raises:
            PromoCodeRefusedError: names the first one that fails.
        """
        terms = self.terms

        def refuse_if(failed: bool, restriction: PromoRestriction) -> None:  # noqa: FBT001
            if failed:
                raise PromoCodeRefusedError(code=self.code, restriction=restriction)

        refuse_if(self.state is PromoState.DEACTIVATED, PromoRestriction.DEACTIVATED)
        if terms.valid_from is not None:
            refuse_if(at < terms.valid_from, PromoRestriction.NOT_YET_VALID)
        if terms.valid_until is not None:
            refuse_if(at >= terms.valid_until, PromoRestriction.EXPIRED)
        if terms.customer_ids is not None:
            refuse_if(account.customer_id not in terms.customer_ids, PromoRestriction.CUSTOMERS)
        if terms.product_ids is not None:
            refuse_if(product_id not in terms.product_ids, PromoRestriction.PRODUCTS)
        if terms.minimum_subtotal is not None:
            refuse_if(subtotal < terms.minimum_subtotal, PromoRestriction.MINIMUM_SUBTOTAL)
        if terms.first_purchase_only:
            refuse_if(account.purchases > 0, PromoRestriction.FIRST_PURCHASE)
        if terms.max_redemptions is not None:
            refuse_if(self.redemptions >= terms.max_redemptions, PromoRestriction.MAX_REDEMPTIONS)
        if terms.max_redemptions_per_customer is not None:
            refuse_if(
                redemptions_of_customer >= terms.max_redemptions_per_customer,
                PromoRestriction.MAX_REDEMPTIONS_PER_CUSTOMER,
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedPromo:
    """The promo code of an order, and the rule as it was when it was used."""

    code: str
    version: int
    discount: Discount

    def off(self, subtotal: Money) -> Money:
        """What it takes off a subtotal."""
        return self.discount.off(subtotal)


class PromoAction(StrEnum):
    """What made a version of a promo code."""

    CREATED = "CREATED"
    UPDATED = "UPDATED"
    DEACTIVATED = "DEACTIVATED"


@dataclass(frozen=True, slots=True, kw_only=True)
class PromoChange:
    """One version of a promo code's terms, kept permanently, with who changed it and when."""

    promo: PromoCode
    action: PromoAction
