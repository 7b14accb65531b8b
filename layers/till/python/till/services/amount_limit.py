"""The most that a caller may move in one operation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from till.domain.errors import AmountAboveLimitError

if TYPE_CHECKING:
    from till.domain.money import Money


def require_within(amount: Money, limit: Money | None) -> None:
    """See that an amount is not above a limit, if there is one.

    A request that has had its effect is not asked again: its answer is repeated, whoever asks.

    Raises:
        AmountAboveLimitError: it is.
    """
    if limit is not None and amount > limit:
        raise AmountAboveLimitError(amount=amount, limit=limit)
