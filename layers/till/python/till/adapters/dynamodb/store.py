"""The ledger and purchases tables in DynamoDB: every commit is one TransactWriteItems over both."""

from __future__ import annotations

from typing import TYPE_CHECKING

from till.adapters.dynamodb.account_store import AccountStore
from till.adapters.dynamodb.attempts import AttemptTables
from till.adapters.dynamodb.promo_codes import PromoTables
from till.adapters.dynamodb.refunds import RefundTables
from till.adapters.dynamodb.writes import Transaction

if TYPE_CHECKING:
    from till.domain.account import Account
    from till.services.ports.store import Write


class DynamoStore(AccountStore, AttemptTables, RefundTables, PromoTables):
    """``till.services.ports.store.Store`` over the ledger table and the purchases table."""

    def commit(self, *writes: Write) -> Account | None:
        """All the writes in one transaction, each under its condition; see the port."""
        transaction = Transaction(
            writes, ledger_table=self._ledger, purchases_table=self._purchases
        )
        self._transact(transaction.items)
        return transaction.account
