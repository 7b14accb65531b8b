"""The store, measured where every purchase passes: at the commit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from till.adapters.dynamodb.measured_account_store import conflicts_counted, count_money
from till.adapters.dynamodb.store import DynamoStore
from till.domain.purchase import AttemptState
from till.metrics import Metric, measure
from till.services.ports.attempts import CreateAttempt, UpdateAttempt

if TYPE_CHECKING:
    from till.domain.account import Account
    from till.services.ports.store import Write

_OUTCOMES: Final = {
    AttemptState.COMPLETED: Metric.PURCHASES_COMPLETED,
    AttemptState.VOIDED: Metric.PURCHASES_VOIDED,
    AttemptState.UNKNOWN: Metric.PURCHASES_UNKNOWN,
}


class MeasuredStore(DynamoStore):
    """Counts what was committed, and how often a commit has to be thought over."""

    def commit(self, *writes: Write) -> Account | None:
        """See the port."""
        with conflicts_counted():
            account = super().commit(*writes)
        count_money(writes)
        for write in writes:
            match write:
                case CreateAttempt():
                    measure(Metric.PURCHASES_RESERVED)
                case UpdateAttempt(before=before, after=after) if before.state is not after.state:
                    measure(_OUTCOMES[after.state])
                case _:
                    pass
        return account
