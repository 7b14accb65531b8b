"""The books, measured where everything that moves money passes: at the commit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from till.adapters.dynamodb.books import DynamoBooks
from till.domain.ledger import EntryKind
from till.domain.purchase import AttemptState
from till.measures import Measure, measure
from till.services.ports import (
    AppendChange,
    CreateAttempt,
    UnconfirmedCommitError,
    UpdateAttempt,
)

if TYPE_CHECKING:
    from till.services.ports import Write

_MONEY: Final = {
    EntryKind.GRANT: Measure.MONEY_GRANTED_MINOR,
    EntryKind.DEDUCTION: Measure.MONEY_DEDUCTED_MINOR,
    EntryKind.PURCHASE: Measure.MONEY_SPENT_MINOR,
    EntryKind.REFUND: Measure.MONEY_REFUNDED_MINOR,
}
_OUTCOMES: Final = {
    AttemptState.COMPLETED: Measure.PURCHASES_COMPLETED,
    AttemptState.VOIDED: Measure.PURCHASES_VOIDED,
    AttemptState.UNKNOWN: Measure.PURCHASES_UNKNOWN,
}


class MeasuredBooks(DynamoBooks):
    """Counts what was committed, and how often a commit has to be thought over."""

    def commit(self, *writes: Write) -> None:
        """See the port."""
        try:
            super().commit(*writes)
        except UnconfirmedCommitError:
            measure(Measure.CONFLICTS_RETRIED)
            raise
        for write in writes:
            _count(write)


def _count(write: Write) -> None:
    match write:
        case AppendChange(change=change) if change.entry is not None:
            measure(_MONEY[change.entry.kind], abs(change.entry.amount.amount_minor))
        case CreateAttempt():
            measure(Measure.PURCHASES_RESERVED)
        case UpdateAttempt(before=before, after=after) if before.state is not after.state:
            measure(_OUTCOMES[after.state])
        case _:
            pass
