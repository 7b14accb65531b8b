"""Reads of promo codes."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING
from uuid import UUID

from till.adapters.dynamodb.client import deserialize, serialize
from till.adapters.dynamodb.stored.keys import (
    PROMO_SORT_KEY,
    VERSION_PREFIX,
    promo_key,
    redemptions_key,
    version_key,
)
from till.adapters.dynamodb.stored.promo_codes import StoredPromo, StoredPromoVersion, promo_shards
from till.adapters.dynamodb.tables import STATES, Tables
from till.adapters.dynamodb.unreadable import readable
from till.services.ports.promo_codes import PromoPage

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import QueryInputTypeDef

    from till.adapters.dynamodb.client import Item
    from till.domain.promo import PromoChange, PromoCode, PromoState


class PromoTables(Tables):
    """``till.services.ports.promo_codes.PromoReads``."""

    def promo(self, code: str) -> PromoCode | None:
        """A promo code as it now is; see the port."""
        item = self._get(self._purchases, promo_key(code), PROMO_SORT_KEY)
        return _promo(item) if item else None

    def promo_change(self, code: str, version: int) -> PromoChange | None:
        """One version of a promo code; see the port."""
        item = self._get(self._purchases, promo_key(code), version_key(version))
        return _promo_change(item) if item else None

    def promo_changes(self, code: str, *, limit: int) -> tuple[PromoChange, ...]:
        """The newest versions of a promo code, oldest first; see the port."""
        query: QueryInputTypeDef = {
            "TableName": self._purchases,
            "KeyConditionExpression": "pk = :pk AND begins_with(sk, :version)",
            "ExpressionAttributeValues": serialize(
                {":pk": promo_key(code), ":version": VERSION_PREFIX}
            ),
            "ScanIndexForward": False,
            "Limit": limit,
            "ConsistentRead": True,
        }
        newest = itertools.islice(readable(self._query_all(query), _promo_change), limit)
        return tuple(newest)[::-1]

    def promos(
        self, states: tuple[PromoState, ...], *, before: str | None, limit: int
    ) -> PromoPage:
        """Promo codes in any of the states, newest first; see the port."""
        shards = [shard for state in states for shard in promo_shards(state)]
        page, more = self._cursors(self._purchases, STATES, shards, before=before, limit=limit)
        keys = [
            serialize({"pk": promo_key(cursor.partition("#")[2]), "sk": PROMO_SORT_KEY})
            for cursor in page
        ]
        found = {promo.code: promo for promo in readable(self._batch_get(keys), _promo)}
        ordered = (found.get(cursor.partition("#")[2]) for cursor in page)
        current = tuple(promo for promo in ordered if promo is not None and promo.state in states)
        return PromoPage(current, page[-1] if more else None)

    def redemptions_of(self, code: str, customer_id: UUID) -> int:
        """How many purchases of a customer use a promo code; see the port."""
        item = self._get(self._purchases, promo_key(code), redemptions_key(customer_id))
        return int(str(deserialize(item)["redemptions"])) if item else 0


def _promo(item: Item) -> PromoCode:
    stored = StoredPromo.model_validate(deserialize(item))
    return stored.promo(redemptions=stored.redemptions)


def _promo_change(item: Item) -> PromoChange:
    return StoredPromoVersion.model_validate(deserialize(item)).change()
