"""The items of a transaction over both tables, each under its condition."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from till.adapters.dynamodb.account_store import AccountItems, create, requests_in
from till.adapters.dynamodb.client import serialize
from till.adapters.dynamodb.stored.attempts import (
    WRITTEN_ONCE,
    StoredAttempt,
    StoredRefund,
    StoredShipmentClaim,
)
from till.adapters.dynamodb.stored.chain import WrittenWith
from till.adapters.dynamodb.stored.keys import PROMO_SORT_KEY, promo_key, redemptions_key
from till.adapters.dynamodb.stored.promo_codes import OPTIONAL, StoredPromo, StoredPromoVersion
from till.services.ports.accounts import AppendChange, RememberRequest
from till.services.ports.attempts import ClaimShipment, CreateAttempt, UpdateAttempt
from till.services.ports.promo_codes import ChangePromo, GiveRedemptionBack, Redeem
from till.services.ports.refunds import AddRefund

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mypy_boto3_dynamodb.type_defs import (
        AttributeValueTypeDef,
        TransactWriteItemTypeDef,
        UpdateTypeDef,
    )

    from till.domain.promo import PromoChange, PromoCode
    from till.domain.purchase import PurchaseAttempt
    from till.services.ports.store import Write


class Transaction:
    """The writes of a commit as ``items`` of one transaction over both tables.

    ``account`` is the account that it leaves, if it appends a version of one.
    """

    def __init__(self, writes: Sequence[Write], *, ledger_table: str, purchases_table: str) -> None:
        self._purchases = purchases_table
        self._version = next(
            (one.change.account.version for one in writes if isinstance(one, AppendChange)), None
        )
        self._accounts = AccountItems(ledger_table, self._written_with(writes))
        self.items = [item for write in writes for item in self._of(write)]
        self.account = self._accounts.account

    def _of(self, write: Write) -> list[TransactWriteItemTypeDef]:
        match write:
            case AppendChange() | RememberRequest():
                return [self._accounts.of(write)]
            case CreateAttempt(attempt=attempt):
                return [create(self._purchases, self._stored(attempt))]
            case AddRefund(refund=refund):
                return [create(self._purchases, StoredRefund.of(refund).values())]
            case UpdateAttempt(before=before, after=after):
                return [self._update_attempt(before, after)]
            case ClaimShipment(shipment_id=shipment_id, purchase_id=purchase_id):
                claim = StoredShipmentClaim.of(shipment_id, purchase_id)
                return [create(self._purchases, claim.values())]
            case Redeem(promo=promo, customer_id=customer_id):
                return self._redeem(promo, customer_id)
            case GiveRedemptionBack(code=code, customer_id=customer_id):
                return self._give_redemption_back(code, customer_id)
            case ChangePromo(change=promo_change):
                return self._change_promo(promo_change)

    def _written_with(self, writes: Sequence[Write]) -> WrittenWith:
        attempt: Mapping[str, object] | None = None
        items = requests_in(writes)
        for write in writes:
            match write:
                case CreateAttempt(attempt=after) | UpdateAttempt(after=after):
                    attempt = self._stored(after)
                case AddRefund(refund=refund):
                    items.append(StoredRefund.of(refund).values())
                case ClaimShipment(shipment_id=shipment_id, purchase_id=purchase_id):
                    items.append(StoredShipmentClaim.of(shipment_id, purchase_id).values())
                case _:
                    # Promo codes count their use, which follows from the attempts.
                    pass
        return WrittenWith.of(attempt, items)

    def _stored(self, attempt: PurchaseAttempt) -> dict[str, object]:
        values = StoredAttempt.of(attempt).values()
        return values if self._version is None else {**values, "account_version": self._version}

    def _update_attempt(
        self, before: PurchaseAttempt, after: PurchaseAttempt
    ) -> TransactWriteItemTypeDef:
        old, new = StoredAttempt.of(before).values(), self._stored(after)
        changed = {name: value for name, value in new.items() if old.get(name) != value}
        if forbidden := changed.keys() & WRITTEN_ONCE:
            raise ValueError(f"what was sold never changes: {sorted(forbidden)}")
        names = {f"#{name}": name for name in changed} | {"#revision": "revision"}
        assignments = ", ".join(f"#{name} = :{name}" for name in changed)
        return {
            "Update": {
                "TableName": self._purchases,
                "Key": serialize({"pk": old["pk"], "sk": old["sk"]}),
                "UpdateExpression": f"SET {assignments}",
                "ConditionExpression": "#revision = :revision_before",
                "ExpressionAttributeNames": names,
                "ExpressionAttributeValues": serialize(
                    {f":{name}": value for name, value in changed.items()}
                    | {":revision_before": before.revision}
                ),
            }
        }

    def _redeem(self, promo: PromoCode, customer_id: UUID) -> list[TransactWriteItemTypeDef]:
        # The counts are checked where they are written: many customers may redeem at once.
        most, most_of_customer = (
            promo.terms.max_redemptions,
            promo.terms.max_redemptions_per_customer,
        )
        count_condition = "#version = :version"
        count_values: dict[str, object] = {":one": 1, ":version": promo.version}
        if most is not None:
            count_condition += " AND redemptions < :most"
            count_values[":most"] = most
        count: UpdateTypeDef = {
            "TableName": self._purchases,
            "Key": serialize({"pk": promo_key(promo.code), "sk": PROMO_SORT_KEY}),
            "UpdateExpression": "SET redemptions = redemptions + :one",
            "ConditionExpression": count_condition,
            "ExpressionAttributeNames": {"#version": "version"},
            "ExpressionAttributeValues": serialize(count_values),
        }
        count_of_customer: UpdateTypeDef = {
            "TableName": self._purchases,
            "Key": _redemptions_key(promo.code, customer_id),
            "UpdateExpression": "ADD redemptions :one",
            "ExpressionAttributeValues": serialize({":one": 1}),
        }
        if most_of_customer is not None:
            count_of_customer["ConditionExpression"] = (
                "attribute_not_exists(redemptions) OR redemptions < :most"
            )
            count_of_customer["ExpressionAttributeValues"] = serialize(
                {":one": 1, ":most": most_of_customer}
            )
        return [{"Update": count}, {"Update": count_of_customer}]

    def _give_redemption_back(self, code: str, customer_id: UUID) -> list[TransactWriteItemTypeDef]:
        keys = (
            serialize({"pk": promo_key(code), "sk": PROMO_SORT_KEY}),
            _redemptions_key(code, customer_id),
        )
        return [
            {
                "Update": {
                    "TableName": self._purchases,
                    "Key": key,
                    "UpdateExpression": "SET redemptions = redemptions - :one",
                    "ConditionExpression": "redemptions >= :one",
                    "ExpressionAttributeValues": serialize({":one": 1}),
                }
            }
            for key in keys
        ]

    def _change_promo(self, change: PromoChange) -> list[TransactWriteItemTypeDef]:
        history = create(self._purchases, StoredPromoVersion.of(change).values())
        head = StoredPromo.head(change).values()
        if change.promo.version == 1:
            return [history, create(self._purchases, head)]
        key = {"pk": head.pop("pk"), "sk": head.pop("sk")}
        # The use so far is not ours to write: purchases count it while terms are changed.
        del head["redemptions"]
        assignments = ", ".join(f"#{name} = :{name}" for name in head)
        # Such as the name of who made the last change: it must not stay with the next.
        gone = sorted(OPTIONAL - head.keys())
        removed = f" REMOVE {', '.join(f'#{name}' for name in gone)}" if gone else ""
        update: TransactWriteItemTypeDef = {
            "Update": {
                "TableName": self._purchases,
                "Key": serialize(key),
                "UpdateExpression": f"SET {assignments}{removed}",
                "ConditionExpression": "#version = :version_before",
                "ExpressionAttributeNames": {f"#{name}": name for name in (*head, *gone)},
                "ExpressionAttributeValues": serialize(
                    {f":{name}": value for name, value in head.items()}
                    | {":version_before": change.promo.version - 1}
                ),
            }
        }
        return [history, update]


def _redemptions_key(code: str, customer_id: UUID) -> dict[str, AttributeValueTypeDef]:
    return serialize({"pk": promo_key(code), "sk": redemptions_key(customer_id)})
