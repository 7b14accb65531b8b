"""The most that a caller may move in one operation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from till.domain.errors import TillError

if TYPE_CHECKING:
    from till.domain.money import Money


class AmountAboveLimitError(TillError):
    """More than this caller may move in one operation."""

    def __init__(self, *, amount: Money, limit: Money) -> None:
        super().__init__("amount above limit")
        self.amount = amount
        self.limit = limit


def require_within(amount: Money, limit: Money | None) -> None:
    """Check an amount against the caller's limit, if there is one.

    It holds for every way of moving money. A request that has had its effect is not checked again:
    its answer is repeated.

    Raises:
        AmountAboveLimitError: the amount is above the limit.
    """
    if limit is not None and amount > limit:
        raise AmountAboveLimitError(amount=amount, limit=limit)
