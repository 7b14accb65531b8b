"""The account store, measured where everything that moves money passes: at the commit."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from till.adapters.dynamodb.account_store import AccountStore
from till.domain.ledger import EntryKind
from till.metrics import Metric, measure
from till.services.ports.accounts import AppendChange
from till.services.ports.store_errors import UnconfirmedCommitError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from till.domain.account import Account
    from till.services.ports.accounts import AccountWrite

_MONEY: Final = {
    EntryKind.GRANT: Metric.MONEY_GRANTED_MINOR,
    EntryKind.DEDUCTION: Metric.MONEY_DEDUCTED_MINOR,
    EntryKind.PURCHASE: Metric.MONEY_SPENT_MINOR,
    EntryKind.REFUND: Metric.MONEY_REFUNDED_MINOR,
}


class MeasuredAccountStore(AccountStore):
    """Counts what was committed, and how often a commit has to be thought over."""

    def commit(self, *writes: AccountWrite) -> Account | None:
        """See the port."""
        with conflicts_counted():
            account = super().commit(*writes)
        count_money(writes)
        return account


@contextmanager
def conflicts_counted() -> Iterator[None]:
    """Count a commit that must be thought over."""
    try:
        yield
    except UnconfirmedCommitError:
        measure(Metric.CONFLICTS_RETRIED)
        raise


def count_money(writes: Iterable[object]) -> None:
    """Count the money that these writes moved."""
    for write in writes:
        if isinstance(write, AppendChange) and (entry := write.change.entry) is not None:
            measure(_MONEY[entry.kind], abs(entry.amount.amount_minor))
