"""The books, measured where everything that moves money passes: at the commit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from till.adapters.dynamodb.store import DynamoStore
from till.domain.ledger import EntryKind
from till.domain.purchase import AttemptState
from till.metrics import Metric, measure
from till.services.ports.accounts import AppendChange
from till.services.ports.attempts import CreateAttempt, UpdateAttempt
from till.services.ports.store_errors import UnconfirmedCommitError

if TYPE_CHECKING:
    from till.domain.account import Account
    from till.services.ports.store import Write

_MONEY: Final = {
    EntryKind.GRANT: Metric.MONEY_GRANTED_MINOR,
    EntryKind.DEDUCTION: Metric.MONEY_DEDUCTED_MINOR,
    EntryKind.PURCHASE: Metric.MONEY_SPENT_MINOR,
    EntryKind.REFUND: Metric.MONEY_REFUNDED_MINOR,
}
_OUTCOMES: Final = {
    AttemptState.COMPLETED: Metric.PURCHASES_COMPLETED,
    AttemptState.VOIDED: Metric.PURCHASES_VOIDED,
    AttemptState.UNKNOWN: Metric.PURCHASES_UNKNOWN,
}


class MeasuredStore(DynamoStore):
    """Counts what was committed, and how often a commit has to be thought over."""

    def commit(self, *writes: Write) -> Account | None:
        """See the port."""
        try:
            account = super().commit(*writes)
        except UnconfirmedCommitError:
            measure(Metric.CONFLICTS_RETRIED)
            raise
        for write in writes:
            _count(write)
        return account


def _count(write: Write) -> None:
    match write:
        case AppendChange(change=change) if change.entry is not None:
            measure(_MONEY[change.entry.kind], abs(change.entry.amount.amount_minor))
        case CreateAttempt():
            measure(Metric.PURCHASES_RESERVED)
        case UpdateAttempt(before=before, after=after) if before.state is not after.state:
            measure(_OUTCOMES[after.state])
        case _:
            pass
