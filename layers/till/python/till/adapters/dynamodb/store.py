"""The ledger and purchases tables in DynamoDB: every commit is one TransactWriteItems over both."""

from __future__ import annotations

from typing import TYPE_CHECKING

from till.adapters.dynamodb.accounts import AccountTables
from till.adapters.dynamodb.answers import require_genuine, unless_final
from till.adapters.dynamodb.attempts import AttemptTables
from till.adapters.dynamodb.promo_codes import PromoTables
from till.adapters.dynamodb.refunds import RefundTables
from till.adapters.dynamodb.writes import Transaction
from till.services.ports.store_errors import UnansweredCommitError

if TYPE_CHECKING:
    from till.domain.account import Account
    from till.services.ports.store import Write


class DynamoStore(AccountTables, AttemptTables, RefundTables, PromoTables):
    """``till.services.ports.store.Store`` over the ledger table and the purchases table."""

    def commit(self, *writes: Write) -> Account | None:
        """All the writes in one transaction, each under its condition; see the port."""
        transaction = Transaction(
            writes, ledger_table=self._ledger, purchases_table=self._purchases
        )
        with unless_final(UnansweredCommitError):
            answer = self._client().transact_write_items(
                TransactItems=transaction.items, ReturnConsumedCapacity="TOTAL"
            )
            require_genuine(answer)
        return transaction.account
