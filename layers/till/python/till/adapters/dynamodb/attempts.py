"""Reads of purchase attempts, and of the purchases they became."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final
from uuid import UUID

from till.adapters.dynamodb.client import deserialize, serialize
from till.adapters.dynamodb.stored.attempts import (
    StoredAttempt,
    StoredShipmentClaim,
    state_shards,
)
from till.adapters.dynamodb.stored.keys import (
    PURCHASE_SORT_KEY,
    SHIPMENT_SORT_KEY,
    purchase_id_of,
    purchase_key,
    shipment_key,
)
from till.adapters.dynamodb.tables import STATES, Tables
from till.adapters.dynamodb.unreadable import readable, readable_cursors
from till.domain.instant import parse_instant
from till.services.ports.attempts import AttemptPage, WorkPage

if TYPE_CHECKING:
    from datetime import datetime

    from mypy_boto3_dynamodb.type_defs import QueryInputTypeDef

    from till.adapters.dynamodb.client import Item
    from till.domain.purchase import AttemptState, OrphanStatus, PurchaseAttempt, PurchaseStatus


_SHORT_IDS: Final = "short-id-index"
_SAME_SHORT_ID: Final = 10
"""Two purchases of four billion have the same 8 characters: a few at most."""


class AttemptTables(Tables):
    """``till.services.ports.attempts.AttemptReads``."""

    def attempt(self, attempt_id: UUID) -> PurchaseAttempt | None:
        """An attempt, and the purchase it became; see the port."""
        item = self._get(self._purchases, purchase_key(attempt_id), PURCHASE_SORT_KEY)
        return _attempt(item) if item else None

    def attempts(self, attempt_ids: tuple[UUID, ...]) -> tuple[PurchaseAttempt, ...]:
        """Those of the attempts that exist, in the order asked for; see the port."""
        keys = [
            serialize({"pk": purchase_key(attempt_id), "sk": PURCHASE_SORT_KEY})
            for attempt_id in dict.fromkeys(attempt_ids)
        ]
        found = {attempt.id: attempt for attempt in readable(self._batch_get(keys), _attempt)}
        return tuple(found[attempt_id] for attempt_id in attempt_ids if attempt_id in found)

    def attempt_ids(self, short_id: str) -> tuple[UUID, ...]:
        """The ids that begin with these 8 characters; see the port."""
        query: QueryInputTypeDef = {
            "TableName": self._purchases,
            "IndexName": _SHORT_IDS,
            "KeyConditionExpression": "short_id = :short_id",
            "ExpressionAttributeValues": serialize({":short_id": short_id}),
            "Limit": _SAME_SHORT_ID,
        }
        keys = (str(deserialize(item)["pk"]) for item in self._query(query)["Items"])
        return tuple(readable_cursors(keys, purchase_id_of))

    def list_attempts(
        self,
        listed_as: tuple[AttemptState | PurchaseStatus | OrphanStatus, ...],
        *,
        since: datetime | None,
        until: datetime | None,
        before: str | None,
        limit: int,
    ) -> AttemptPage:
        """Attempts by what they are listed as, newest first; see the port."""
        shards = [shard for each in listed_as for shard in state_shards(each)]
        page, more = self._cursors(
            self._purchases, STATES, shards, since=since, until=until, before=before, limit=limit
        )
        return AttemptPage(self._listed(page, listed_as), page[-1] if more else None)

    def oldest_attempts(
        self, listed_as: AttemptState | OrphanStatus, *, after: str | None, limit: int
    ) -> WorkPage:
        """Attempts by what they are listed as, oldest first; see the port."""
        cursors, page = self._work_list(listed_as, after, limit)
        return replace(page, attempts=self._listed(cursors, (listed_as,)))

    def count_attempts(
        self, listed_as: AttemptState | OrphanStatus, *, after: str | None, limit: int
    ) -> WorkPage:
        """How many attempts are listed so, and since when; see the port."""
        _, page = self._work_list(listed_as, after, limit)
        return page

    def _work_list(
        self, listed_as: AttemptState | OrphanStatus, after: str | None, limit: int
    ) -> tuple[list[str], WorkPage]:
        cursors, more = self._cursors(
            self._purchases,
            STATES,
            state_shards(listed_as),
            before=after,
            limit=limit,
            oldest_first=True,
        )
        since = list(readable_cursors(cursors[:1], _entered_at))
        return cursors, WorkPage(
            (),
            count=len(cursors),
            oldest=since[0] if since else None,
            after=cursors[-1] if more else None,
        )

    def _listed(
        self,
        cursors: list[str],
        listed_as: tuple[AttemptState | PurchaseStatus | OrphanStatus, ...],
    ) -> tuple[PurchaseAttempt, ...]:
        found = self.attempts(tuple(readable_cursors(cursors, _attempt_id)))
        # The index may lag the items by a moment; the items are right.
        return tuple(attempt for attempt in found if attempt.listed_as in listed_as)

    def purchase_of_shipment(self, shipment_id: str) -> UUID | None:
        """The purchase that a shipment id belongs to; see the port."""
        item = self._get(self._purchases, shipment_key(shipment_id), SHIPMENT_SORT_KEY)
        return StoredShipmentClaim.model_validate(deserialize(item)).purchase_id if item else None


def _attempt(item: Item) -> PurchaseAttempt:
    return StoredAttempt.model_validate(deserialize(item)).attempt()


def _attempt_id(cursor: str) -> UUID:
    return UUID(cursor.rpartition("#")[2])


def _entered_at(cursor: str) -> datetime:
    return parse_instant(cursor.partition("#")[0])
