"""The items of both tables as they are stored, read past the API: what an auditor would look at.

It shares no code with the product: this is how docs/data-model.md describes the items.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar
from uuid import NAMESPACE_URL, UUID, uuid5

from boto3.dynamodb.types import TypeDeserializer
from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef


class Stored(BaseModel):
    """An item. Attributes that no invariant is about are left aside."""

    model_config = ConfigDict(frozen=True)

    pk: str
    sk: str


class StoredOpenAttempt(BaseModel):
    attempt_id: UUID
    product_id: UUID
    quantity: int
    amount: int
    blocks_from: str


class StoredVersion(Stored):
    kind: str
    amount: int
    currency: str
    posted: int
    held: int
    sequence: int
    entry_hash: str
    actor: str
    reason: str
    idempotency_key: str
    at: str
    attempt_id: UUID | None = None
    refund_id: UUID | None = None
    previous_hash: str | None = None
    open_attempts: list[StoredOpenAttempt] = []

    @property
    def version(self) -> int:
        return int(self.sk.removeprefix("VERSION#"))

    @property
    def entry_id(self) -> UUID | None:
        """docs/data-model.md: it follows from the customer and the number."""
        if self.previous_hash is None:
            return None
        namespace = uuid5(NAMESPACE_URL, "till/ledger-entry")
        return uuid5(namespace, f"{self.pk.removeprefix('ACCOUNT#')}/{self.sequence}")


class StoredRequest(Stored):
    version: int

    @property
    def operation(self) -> str:
        return self.sk.split("#", 2)[1]

    @property
    def idempotency_key(self) -> str:
        return self.sk.split("#", 2)[2]


class StoredProduct(BaseModel):
    sku: str


class StoredPromo(BaseModel):
    code: str


class StoredOrphan(BaseModel):
    since: str
    shipment_id: str | None = None
    closing: dict[str, str] | None = None


class StoredAttempt(Stored):
    customer_id: UUID
    product: StoredProduct
    total: int
    state: str
    idempotency_key: str
    shipment_id: str | None = None
    orphan: StoredOrphan | None = None
    promo: StoredPromo | None = None

    @property
    def id(self) -> UUID:
        return UUID(self.pk.removeprefix("PURCHASE#"))


class StoredClaim(Stored):
    purchase_id: UUID

    @property
    def shipment_id(self) -> str:
        return self.pk.removeprefix("SHIPMENT#")


class StoredRefund(Stored):
    id: UUID
    customer_id: UUID
    amount: int

    @property
    def purchase_id(self) -> UUID:
        return UUID(self.pk.removeprefix("PURCHASE#"))

    @property
    def number(self) -> int:
        return int(self.sk.removeprefix("REFUND#"))


Item = TypeVar("Item", bound=Stored)

_deserializer = TypeDeserializer()


class Tables:
    """Reads both tables, consistently. It scans, which nothing that is deployed may."""

    def __init__(self, client: DynamoDBClient, *, ledger: str, purchases: str) -> None:
        self._client = client
        self._ledger = ledger
        self._purchases = purchases

    def versions(self, customer_id: UUID) -> list[StoredVersion]:
        """All versions of an account, oldest first."""
        return self._account(customer_id, "VERSION#", StoredVersion)

    def requests(self, customer_id: UUID) -> list[StoredRequest]:
        """All requests that are remembered."""
        return self._account(customer_id, "REQUEST#", StoredRequest)

    def attempts(self, customer_id: UUID) -> list[StoredAttempt]:
        """All attempts of a customer, whether or not anything else knows of them."""
        return self._of_customer(customer_id, "PURCHASE", StoredAttempt)

    def refunds(self, customer_id: UUID) -> list[StoredRefund]:
        """All refunds of a customer, whether or not anything else knows of them."""
        return self._of_customer(customer_id, "REFUND#", StoredRefund)

    def redemption_count(self, code: str) -> int:
        """How often a promo code is marked as used, over all customers."""
        markers = self._scan(
            self._purchases,
            "pk = :pk AND begins_with(sk, :prefix)",
            {":pk": {"S": f"PROMO#{code}"}, ":prefix": {"S": "CUSTOMER#"}},
        )
        return sum(int(marker["redemptions"]["N"]) for marker in markers)

    def redemptions(self, customer_id: UUID) -> dict[str, int]:
        """How often a customer is marked as having used a promo code, by its code."""
        markers = self._scan(
            self._purchases,
            "begins_with(pk, :promo) AND sk = :customer",
            {":promo": {"S": "PROMO#"}, ":customer": {"S": f"CUSTOMER#{customer_id}"}},
        )
        return {
            marker["pk"]["S"].removeprefix("PROMO#"): int(marker["redemptions"]["N"])
            for marker in markers
        }

    def claims(self) -> list[StoredClaim]:
        """Which purchase each shipment id belongs to, over all customers."""
        items = self._scan(
            self._purchases,
            "sk = :shipment AND begins_with(pk, :shipments)",
            {":shipment": {"S": "SHIPMENT"}, ":shipments": {"S": "SHIPMENT#"}},
        )
        return sorted((_parse(item, StoredClaim) for item in items), key=lambda claim: claim.pk)

    def shipments_of_purchases(self) -> list[tuple[str, UUID]]:
        """The shipment id and the id of every purchase, over all customers."""
        items = self._scan(
            self._purchases,
            "sk = :purchase AND attribute_exists(shipment_id)",
            {":purchase": {"S": "PURCHASE"}},
        )
        return [
            (item["shipment_id"]["S"], UUID(item["pk"]["S"].removeprefix("PURCHASE#")))
            for item in items
        ]

    def redemption_marker(self, code: str, customer_id: UUID) -> dict[str, AttributeValueTypeDef]:
        """What is kept of a customer's use of a promo code, all of it."""
        return self._client.get_item(
            TableName=self._purchases,
            Key={"pk": {"S": f"PROMO#{code}"}, "sk": {"S": f"CUSTOMER#{customer_id}"}},
            ConsistentRead=True,
        )["Item"]

    @contextmanager
    def changed(self, pk: str, sk: str, **attributes: AttributeValueTypeDef) -> Iterator[None]:
        """An item with other attributes than it should have, put right when the block ends."""
        table = self._ledger if pk.startswith("ACCOUNT#") else self._purchases
        key: dict[str, AttributeValueTypeDef] = {"pk": {"S": pk}, "sk": {"S": sk}}
        item = self._client.get_item(TableName=table, Key=key, ConsistentRead=True)["Item"]
        self._set(table, key, attributes)
        try:
            yield
        finally:
            self._set(table, key, {name: item[name] for name in attributes})

    def set(self, pk: str, sk: str, **attributes: AttributeValueTypeDef) -> None:
        """Give an item of the purchases table other attributes."""
        self._set(self._purchases, {"pk": {"S": pk}, "sk": {"S": sk}}, attributes)

    def _set(
        self,
        table: str,
        key: dict[str, AttributeValueTypeDef],
        attributes: dict[str, AttributeValueTypeDef],
    ) -> None:
        self._client.update_item(
            TableName=table,
            Key=key,
            UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in attributes),
            ConditionExpression="attribute_exists(pk)",
            ExpressionAttributeNames={f"#{name}": name for name in attributes},
            ExpressionAttributeValues={f":{name}": value for name, value in attributes.items()},
        )

    def put_in_ledger(self, items: list[dict[str, AttributeValueTypeDef]]) -> None:
        """Put items into the ledger table, whatever they are."""
        for item in items:
            self._client.put_item(TableName=self._ledger, Item=item)

    def version(self, customer_id: UUID, number: int) -> dict[str, AttributeValueTypeDef]:
        """A version of an account, as it is stored."""
        return self._client.get_item(
            TableName=self._ledger, Key=_version_key(customer_id, number), ConsistentRead=True
        )["Item"]

    def drop_version(self, customer_id: UUID, number: int) -> None:
        """Delete a version of an account, as only an intruder could."""
        self._client.delete_item(TableName=self._ledger, Key=_version_key(customer_id, number))

    def mentions(self, name: object) -> int:
        """How many items of the two tables mention something, in whatever attribute."""
        items = [*self._scan(self._ledger, "", {}), *self._scan(self._purchases, "", {})]
        return sum(str(name) in repr(item) for item in items)

    def _account(self, customer_id: UUID, prefix: str, model: type[Item]) -> list[Item]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._ledger,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
            ExpressionAttributeValues={
                ":pk": {"S": f"ACCOUNT#{customer_id}"},
                ":prefix": {"S": prefix},
            },
            ConsistentRead=True,
        )
        return [_parse(item, model) for page in pages for item in page["Items"]]

    def _of_customer(self, customer_id: UUID, prefix: str, model: type[Item]) -> list[Item]:
        items = self._scan(
            self._purchases,
            "customer_id = :customer AND begins_with(sk, :prefix)",
            {":customer": {"S": str(customer_id)}, ":prefix": {"S": prefix}},
        )
        return sorted((_parse(item, model) for item in items), key=lambda i: (i.pk, i.sk))

    def _scan(
        self, table: str, condition: str, values: dict[str, AttributeValueTypeDef]
    ) -> list[dict[str, AttributeValueTypeDef]]:
        paginator = self._client.get_paginator("scan")
        pages = (
            paginator.paginate(
                TableName=table,
                FilterExpression=condition,
                ExpressionAttributeValues=values,
                ConsistentRead=True,
            )
            if values
            else paginator.paginate(TableName=table, ConsistentRead=True)
        )
        return [item for page in pages for item in page["Items"]]


def _version_key(customer_id: UUID, number: int) -> dict[str, AttributeValueTypeDef]:
    return {"pk": {"S": f"ACCOUNT#{customer_id}"}, "sk": {"S": f"VERSION#{number:016d}"}}


def _parse(item: dict[str, AttributeValueTypeDef], model: type[Item]) -> Item:
    return model.model_validate({n: _deserializer.deserialize(v) for n, v in item.items()})
