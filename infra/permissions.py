"""Which operation may do what to which table, and who may call others: all of it, in one table.

No operation may delete an item or write in batches, and none may update the ledger: its items are
only ever put, each under a condition. The watcher alone scans tables. A reading operation cannot
write. The customer index is the exception: operations that show a customer correct it, and delete
from it those who are gone from the Customer API. Each operation has the actions that it uses and no
other: the integration tests record every call, and fail for one that is missing here and for one
that nothing uses (``tests/integration/test_rights.py``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from till.http.routes import AUTHORIZER, PROBE

_GET: Final = "dynamodb:GetItem"
_GET_MANY: Final = "dynamodb:BatchGetItem"
_QUERY: Final = "dynamodb:Query"
_SCAN: Final = "dynamodb:Scan"
_PUT: Final = "dynamodb:PutItem"
_UPDATE: Final = "dynamodb:UpdateItem"
_DELETE: Final = "dynamodb:DeleteItem"
KEY_READ: Final = ("kms:Decrypt", "kms:DescribeKey")
KEY_SEND: Final = ("kms:Decrypt", "kms:GenerateDataKey")
"""What SQS and S3 need to be allowed in the name of who sends or puts."""
_KEY_WRITE: Final = (
    *KEY_READ,
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
)
"""DynamoDB's documentation asks for these, and for wildcards where these say all there is."""
_SIGN: Final = ("kms:Sign",)
_SEE_KEY: Final = ("kms:GetPublicKey",)
_APPEND: Final = ("s3:PutObject",)
_READ: Final = ("s3:GetObject",)
_LIST: Final = ("s3:ListBucket",)
_FOLLOW: Final = (
    "dynamodb:DescribeStream",
    "dynamodb:GetRecords",
    "dynamodb:GetShardIterator",
    "dynamodb:ListStreams",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """The actions that one operation may take, by what it may take them on."""

    ledger: tuple[str, ...] = ()
    purchases: tuple[str, ...] = ()
    state_index: tuple[str, ...] = ()
    short_id_index: tuple[str, ...] = ()
    opened_index: tuple[str, ...] = ()
    customer_index: tuple[str, ...] = ()
    ledger_stream: tuple[str, ...] = ()
    purchases_stream: tuple[str, ...] = ()
    signing_key: tuple[str, ...] = ()
    journal: tuple[str, ...] = ()
    journal_list: tuple[str, ...] = ()
    calls_upstream: bool = False
    """Whether it may read the credential of the external APIs."""

    @property
    def key(self) -> tuple[str, ...]:
        """What DynamoDB needs to be allowed to do with the tables' key, in the operation's name."""
        tables = {
            *(*self.ledger, *self.opened_index, *self.customer_index),
            *(*self.purchases, *self.state_index, *self.short_id_index),
        }
        if tables & {_PUT, _UPDATE}:
            return _KEY_WRITE
        return KEY_READ if tables or self.ledger_stream or self.purchases_stream else ()


_NOTHING: Final = Rights()
_UPSTREAM_ALONE: Final = Rights(calls_upstream=True)
_BALANCE: Final = Rights(ledger=(_GET, _QUERY), calls_upstream=True)
_ENTRIES: Final = Rights(ledger=(_QUERY,), calls_upstream=True)
_CREDIT: Final = Rights(ledger=(_GET, _QUERY, _PUT), calls_upstream=True)
_CORRECT: Final = (_GET_MANY, _PUT, _DELETE)
"""Of the customer index: read what it holds of a customer, and replace that."""
_PURCHASE: Final = Rights(purchases=(_GET, _QUERY))
_BY_STATE: Final = Rights(purchases=(_GET_MANY,), state_index=(_QUERY,))
_PROMO_CODE: Final = Rights(purchases=(_GET, _PUT, _UPDATE))

PERMISSIONS: Final[Mapping[str, Rights]] = {
    "get_credit": replace(_BALANCE, journal_list=_LIST),
    "list_entries": _ENTRIES,
    "get_statement": replace(_BALANCE, signing_key=_SIGN),
    "get_signing_keys": Rights(signing_key=_SEE_KEY),
    "grant_credit": replace(_CREDIT, customer_index=_CORRECT),
    "deduct_credit": _CREDIT,
    "create_purchase": Rights(
        ledger=(_QUERY, _PUT),
        purchases=(_GET, _GET_MANY, _PUT, _UPDATE),
        calls_upstream=True,
    ),
    "refund_purchase": Rights(ledger=(_GET, _QUERY, _PUT), purchases=(_GET, _PUT, _UPDATE)),
    "resolve_attempt": Rights(ledger=(_GET, _QUERY, _PUT), purchases=(_GET, _PUT, _UPDATE)),
    "close_orphan_shipment": Rights(purchases=(_GET, _UPDATE)),
    "recover_attempts": Rights(
        ledger=(_QUERY, _PUT),
        purchases=(_GET, _GET_MANY, _PUT, _UPDATE),
        state_index=(_QUERY,),
        calls_upstream=True,
    ),
    "list_customer_purchases": Rights(
        ledger=(_QUERY,), purchases=(_GET_MANY,), calls_upstream=True
    ),
    "list_purchases": replace(
        _BY_STATE, purchases=(_GET, _GET_MANY), customer_index=_CORRECT, calls_upstream=True
    ),
    "list_attempts": replace(_BY_STATE, customer_index=_CORRECT, calls_upstream=True),
    "get_purchase": _PURCHASE,
    "get_customer_purchase": _PURCHASE,
    "list_refunds": _PURCHASE,
    "get_attempt": Rights(purchases=(_GET,)),
    "create_quote": Rights(ledger=(_QUERY,), purchases=(_GET,), calls_upstream=True),
    "create_promo_code": Rights(purchases=(_GET, _PUT)),
    "update_promo_code": _PROMO_CODE,
    "deactivate_promo_code": _PROMO_CODE,
    "get_promo_code": _PURCHASE,
    "list_promo_codes": _BY_STATE,
    "list_customers": Rights(opened_index=(_QUERY,), customer_index=_CORRECT, calls_upstream=True),
    "search_everything": Rights(
        ledger=(_QUERY,),
        purchases=(_GET, _GET_MANY),
        short_id_index=(_QUERY,),
        customer_index=(_QUERY, *_CORRECT),
        calls_upstream=True,
    ),
    "create_refund_quote": Rights(ledger=(_QUERY,), purchases=(_GET,)),
    # The ledger itself only for an operator who has an event published again.
    "publish_events": Rights(ledger=(_GET,), ledger_stream=_FOLLOW),
    "watch_ledger": Rights(
        ledger=(_GET, _QUERY, _SCAN),
        purchases=(_GET, _QUERY, _SCAN),
        ledger_stream=_FOLLOW,
        purchases_stream=_FOLLOW,
        journal=(*_READ, *_APPEND),
        journal_list=_LIST,
    ),
    AUTHORIZER: _NOTHING,
    # It reaches the tables by the API alone, as every caller does.
    PROBE: _NOTHING,
    "get_customer": Rights(customer_index=_CORRECT, calls_upstream=True),
    "get_product": _UPSTREAM_ALONE,
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
