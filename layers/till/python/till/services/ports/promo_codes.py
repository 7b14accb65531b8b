"""Promo codes in the store: what is written and read of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from uuid import UUID

    from till.domain.promo import PromoChange, PromoCode, PromoState


@dataclass(frozen=True, slots=True)
class Redeem:
    """Count a promo code as used by a customer.

    Refused if the code has another version by now, or if it, or this customer, has used up its
    redemptions: the counts are checked as they are when this is written.
    """

    promo: PromoCode
    customer_id: UUID


@dataclass(frozen=True, slots=True)
class GiveRedemptionBack:
    """Undo one ``Redeem`` of a customer.

    It happens once because the attempt is voided once, in the same transaction.
    """

    code: str
    customer_id: UUID


@dataclass(frozen=True, slots=True)
class ChangePromo:
    """Write the next version of a promo code, or its first. Refused if that version exists."""

    change: PromoChange


@dataclass(frozen=True, slots=True)
class PromoPage:
    """Promo codes, newest first; ``before`` is where to go on, None at the end."""

    promos: tuple[PromoCode, ...]
    before: str | None


class PromoReads(Protocol):
    """Reads of promo codes."""

    def promo(self, code: str) -> PromoCode | None:
        """A promo code as it now is."""
        ...

    def promo_change(self, code: str, version: int) -> PromoChange | None:
        """One version of a promo code."""
        ...

    def promo_changes(self, code: str, *, limit: int) -> tuple[PromoChange, ...]:
        """The newest versions of a promo code, oldest first."""
        ...

    def promos(
        self, states: tuple[PromoState, ...], *, before: str | None, limit: int
    ) -> PromoPage:
        """Promo codes in any of the states, the newest first."""
        ...

    def redemptions_of(self, code: str, customer_id: UUID) -> int:
        """How many purchases of a customer use a promo code, the open ones included."""
        ...
