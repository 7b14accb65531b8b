"""Reads of refunds."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING
from uuid import UUID

from till.adapters.dynamodb.client import deserialize, serialize
from till.adapters.dynamodb.stored.attempts import StoredRefund
from till.adapters.dynamodb.stored.keys import REFUND_PREFIX, purchase_key, refund_key
from till.adapters.dynamodb.tables import Tables
from till.adapters.dynamodb.unreadable import readable
from till.services.ports.refunds import RefundPage
from till.services.ports.store_errors import InconsistentReadError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import QueryInputTypeDef

    from till.adapters.dynamodb.client import Item
    from till.domain.purchase import Refund


class RefundTables(Tables):
    """``till.services.ports.refunds.RefundReads``."""

    def refund(self, purchase_id: UUID, number: int) -> Refund:
        """A refund that is known to exist; see the port."""
        item = self._get(self._purchases, purchase_key(purchase_id), refund_key(number))
        if item is None:
            raise InconsistentReadError(f"purchase {purchase_id} has no refund {number}")
        return _refund(item)

    def refunds(self, purchase_id: UUID, *, before: int | None, limit: int) -> RefundPage:
        """The refunds of a purchase, newest first; see the port."""
        if before is not None and before <= 1:
            return RefundPage((), None)
        query: QueryInputTypeDef = {
            "TableName": self._purchases,
            "KeyConditionExpression": "pk = :pk AND sk BETWEEN :oldest AND :newest",
            "ExpressionAttributeValues": serialize(
                {
                    ":pk": purchase_key(purchase_id),
                    ":oldest": refund_key(1),
                    ":newest": f"{REFUND_PREFIX}9" if before is None else refund_key(before - 1),
                }
            ),
            "ScanIndexForward": False,
            "Limit": limit + 1,
            "ConsistentRead": True,
        }
        found = list(itertools.islice(readable(self._query_all(query), _refund), limit + 1))
        page = tuple(found[:limit])
        return RefundPage(page, page[-1].number if len(found) > limit else None)


def _refund(item: Item) -> Refund:
    return StoredRefund.model_validate(deserialize(item)).refund()
