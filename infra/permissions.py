"""Which operation may do what to which table: the whole of it, in one table.

Nobody may delete an item, scan a table or write in batches, and nobody may update the ledger: its
items are only ever put, each under a condition. A reading operation cannot write.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from till.http.routes import AUTHORIZER

_READ: Final = ("dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query")
_APPEND: Final = (*_READ, "dynamodb:PutItem")
_READ_WRITE: Final = (*_READ, "dynamodb:PutItem", "dynamodb:UpdateItem")
_QUERY: Final = ("dynamodb:Query",)
_FOLLOW: Final = (
    "dynamodb:DescribeStream",
    "dynamodb:GetRecords",
    "dynamodb:GetShardIterator",
    "dynamodb:ListStreams",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TableActions:
    """The DynamoDB actions that one operation may take, by what it may take them on."""

    ledger: tuple[str, ...] = ()
    purchases: tuple[str, ...] = ()
    state_index: tuple[str, ...] = ()
    opened_index: tuple[str, ...] = ()
    ledger_stream: tuple[str, ...] = ()


_NOTHING: Final = TableActions()
_LEDGER_READ: Final = TableActions(ledger=_READ)
_LEDGER_APPEND: Final = TableActions(ledger=_APPEND)
_PURCHASES_READ: Final = TableActions(purchases=_READ)
_PURCHASES_WRITE: Final = TableActions(purchases=_READ_WRITE)
_PURCHASES_BY_STATE: Final = TableActions(purchases=_READ, state_index=_QUERY)
_MONEY_AND_PURCHASES: Final = TableActions(ledger=_APPEND, purchases=_READ_WRITE)

PERMISSIONS: Final[Mapping[str, TableActions]] = {
    "get_credit": _LEDGER_READ,
    "list_entries": _LEDGER_READ,
    "grant_credit": _LEDGER_APPEND,
    "deduct_credit": _LEDGER_APPEND,
    "create_purchase": _MONEY_AND_PURCHASES,
    "refund_purchase": _MONEY_AND_PURCHASES,
    "resolve_attempt": _MONEY_AND_PURCHASES,
    "recover_attempts": TableActions(ledger=_APPEND, purchases=_READ_WRITE, state_index=_QUERY),
    "list_customer_purchases": TableActions(ledger=_READ, purchases=_READ),
    "list_purchases": _PURCHASES_BY_STATE,
    "list_attempts": _PURCHASES_BY_STATE,
    "get_purchase": _PURCHASES_READ,
    "get_customer_purchase": _PURCHASES_READ,
    "list_refunds": _PURCHASES_READ,
    "get_attempt": _PURCHASES_READ,
    "create_quote": TableActions(ledger=_READ, purchases=_READ),
    "create_promo_code": _PURCHASES_WRITE,
    "update_promo_code": _PURCHASES_WRITE,
    "deactivate_promo_code": _PURCHASES_WRITE,
    "get_promo_code": _PURCHASES_READ,
    "list_promo_codes": _PURCHASES_BY_STATE,
    "list_customers": TableActions(opened_index=_QUERY),
    "create_refund_quote": TableActions(ledger=_READ, purchases=_READ),
    # The ledger itself only for an operator who has an event published again.
    "publish_events": TableActions(ledger=("dynamodb:GetItem",), ledger_stream=_FOLLOW),
    AUTHORIZER: _NOTHING,
    "get_customer": _NOTHING,
    "get_product": _NOTHING,
    "get_openapi": _NOTHING,
    "get_health": _NOTHING,
}
"""Every operation, also those that may do nothing: to be left out is a mistake, not a default."""


class PermissionsError(Exception):
    """The table of permissions and the operations that are deployed do not fit together."""


def check_permissions(operations: Iterable[str]) -> None:
    """See that every operation has its row here, and every row its operation.

    Raises:
        PermissionsError: one of them is missing.
    """
    deployed = frozenset(operations)
    without_row = sorted(deployed - PERMISSIONS.keys())
    without_operation = sorted(PERMISSIONS.keys() - deployed)
    if without_row:
        raise PermissionsError(
            f"infra/permissions.py does not say what these may do: {', '.join(without_row)}."
        )
    if without_operation:
        raise PermissionsError(
            "infra/permissions.py speaks of operations that do not exist: "
            f"{', '.join(without_operation)}."
        )
