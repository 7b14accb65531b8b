"""Refunds in the store: what is written and read of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from uuid import UUID

    from till.domain.purchase import Refund


@dataclass(frozen=True, slots=True)
class AddRefund:
    """Write a refund. Refused if the purchase has one of that number."""

    refund: Refund


@dataclass(frozen=True, slots=True)
class RefundPage:
    """Refunds, newest first; ``before`` is the number of the last one if there are more."""

    refunds: tuple[Refund, ...]
    before: int | None


class RefundReads(Protocol):
    """Reads of refunds."""

    def refund(self, purchase_id: UUID, number: int) -> Refund:
        """A refund that is known to exist.

        Raises:
            InconsistentReadError: it is not there, or not visible yet.
        """
        ...

    def refunds(self, purchase_id: UUID, *, before: int | None, limit: int) -> RefundPage:
        """The refunds of a purchase with a number below ``before``, newest first."""
        ...
