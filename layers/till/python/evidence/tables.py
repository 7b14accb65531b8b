"""Reads of the tables, all of them consistent. Nothing here can write."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from evidence.items import Item, plain, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import (
        AttributeValueTypeDef,
        QueryInputTypeDef,
        ScanInputTypeDef,
    )

_ITEMS_AT_ONCE: Final = 100
"""Of a page of a whole table."""


@dataclass(frozen=True, slots=True)
class Tables:
    """The ledger table and the purchases table."""

    client: DynamoDBClient
    ledger: str
    purchases: str

    def account(self, customer_id: str) -> Iterator[Item]:
        """What there is of an account: its requests, then its versions, oldest first."""
        return self._partition(self.ledger, f"ACCOUNT#{customer_id}")

    def version(self, customer_id: str, number: int) -> Item | None:
        """A version of an account."""
        return self._item(self.ledger, f"ACCOUNT#{customer_id}", f"VERSION#{number:016d}")

    def request(self, customer_id: str, operation: str, key: str) -> Item | None:
        """What is remembered of a request."""
        return self._item(self.ledger, f"ACCOUNT#{customer_id}", f"REQUEST#{operation}#{key}")

    def attempt(self, attempt_id: str) -> tuple[Item | None, list[Item]]:
        """An attempt or purchase, if there is one, and its refunds."""
        items = list(self._partition(self.purchases, f"PURCHASE#{attempt_id}"))
        attempt = next((item for item in items if item["sk"] == "PURCHASE"), None)
        return attempt, [item for item in items if item is not attempt]

    def claim(self, shipment_id: str) -> Item | None:
        """Which purchase a shipment id belongs to."""
        return self._item(self.purchases, f"SHIPMENT#{shipment_id}", "SHIPMENT")

    def promo_code(self, code: str) -> Iterator[Item]:
        """The redemptions of a promo code by each customer, the code itself, and its versions."""
        return self._partition(self.purchases, f"PROMO#{code}")

    def promo_version(self, code: str, number: int) -> Item | None:
        """A version of a promo code's terms."""
        return self._item(self.purchases, f"PROMO#{code}", f"VERSION#{number:016d}")

    def redemptions(self, code: str, customer_id: str) -> Item | None:
        """How often a customer has used a promo code."""
        return self._item(self.purchases, f"PROMO#{code}", f"CUSTOMER#{customer_id}")

    def ledger_page(self, after: Item | None) -> tuple[list[object], Item | None]:
        """Some items of the ledger, as DynamoDB sends them, in no order; and where to go on."""
        return self._page(self.ledger, after)

    def purchases_page(self, after: Item | None) -> tuple[list[object], Item | None]:
        """The same of the purchases."""
        return self._page(self.purchases, after)

    def _page(self, table: str, after: Item | None) -> tuple[list[object], Item | None]:
        scan: ScanInputTypeDef = {
            "TableName": table,
            "ConsistentRead": True,
            "Limit": _ITEMS_AT_ONCE,
        }
        if after is not None:
            scan["ExclusiveStartKey"] = {name: {"S": text(after, name)} for name in ("pk", "sk")}
        answer = self.client.scan(**scan)
        last = answer.get("LastEvaluatedKey")
        return [*answer["Items"]], plain(last) if last else None

    def _item(self, table: str, pk: str, sk: str) -> Item | None:
        key: dict[str, AttributeValueTypeDef] = {"pk": {"S": pk}, "sk": {"S": sk}}
        answer = self.client.get_item(TableName=table, Key=key, ConsistentRead=True)
        return plain(answer["Item"]) if "Item" in answer else None

    def _partition(self, table: str, pk: str) -> Iterator[Item]:
        query: QueryInputTypeDef = {
            "TableName": table,
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": pk}},
            "ConsistentRead": True,
        }
        while True:
            answer = self.client.query(**query)
            yield from map(plain, answer["Items"])
            if "LastEvaluatedKey" not in answer:
                return
            query["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
