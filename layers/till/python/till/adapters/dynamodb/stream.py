"""The ledger table's stream: which of its records are new versions of accounts, and what they say.

The records come as Lambda hands them over: an item is written as in DynamoDB's own protocol.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from till.adapters.dynamodb.client import deserialize
from till.adapters.dynamodb.stored.accounts import StoredChange
from till.adapters.dynamodb.stored.item import UNREADABLE
from till.adapters.dynamodb.stored.keys import VERSION_PREFIX, account_key, version_key
from till.services.ports.events import RecordLocation, UnreadableRecordError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    from till.domain.account import AccountChange

_INSERT: Final = "INSERT"


class _Text(BaseModel):
    model_config = ConfigDict(frozen=True)

    text: str = Field(alias="S")


class _Keys(BaseModel):
    model_config = ConfigDict(frozen=True)

    pk: _Text
    sk: _Text


class _Item(BaseModel):
    model_config = ConfigDict(frozen=True)

    keys: _Keys = Field(alias="Keys")
    sequence_number: str = Field(alias="SequenceNumber")
    new_image: dict[str, object] | None = Field(default=None, alias="NewImage")


class StreamRecord(BaseModel):
    """``till.services.ports.events.LedgerRecord``: one record of the stream."""

    model_config = ConfigDict(frozen=True)

    event_name: str = Field(alias="eventName")
    item: _Item = Field(alias="dynamodb")

    @property
    def is_new_version(self) -> bool:
        """Whether it tells of a new version of an account, and not of anything else."""
        return self.event_name == _INSERT and self.item.keys.sk.text.startswith(VERSION_PREFIX)

    @property
    def location(self) -> RecordLocation:
        """See the port."""
        return RecordLocation(
            partition_key=self.item.keys.pk.text,
            sort_key=self.item.keys.sk.text,
            sequence_number=self.item.sequence_number,
        )

    def change(self) -> AccountChange:
        """See the port."""
        image = cast("Mapping[str, AttributeValueTypeDef]", self.item.new_image or {})
        try:
            stored = StoredChange.model_validate(deserialize(image))
            change = stored.change()
        except ValidationError as error:
            raise UnreadableRecordError(_told(error)) from error
        except UNREADABLE as error:
            raise UnreadableRecordError(type(error).__name__) from error
        key = (stored.pk, stored.sk)
        if key != (account_key(stored.customer_id), version_key(stored.version)):
            raise UnreadableRecordError("its key is another version's")
        return change


class _Event(BaseModel):
    records: list[StreamRecord] = Field(alias="Records")


def new_versions(event: object) -> list[StreamRecord]:
    """The records of an event of the stream that tell of new versions, in their order.

    Raises:
        ValidationError: it is no event of a stream at all.
    """
    return [record for record in _Event.model_validate(event).records if record.is_new_version]


def _told(error: ValidationError) -> str:
    """Which attributes are wrong, and how, without what is in them."""
    return ", ".join(
        f"{'.'.join(map(str, one['loc']))}: {one['type']}"
        for one in error.errors(include_url=False, include_context=False, include_input=False)
    )
