"""The tables and the journal in memory, with the account of the vectors."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO
from typing import TYPE_CHECKING, Final, cast

from botocore.exceptions import ClientError

from evidence.journal import Journal
from evidence.tables import Tables
from tests.unit.evidence.vectors import account
from till.adapters.dynamodb.client import serialize

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

    from evidence.items import Item


_LONGEST_NAME: Final = 1_024
"""Of an object of S3, in bytes."""


def refused(code: str) -> ClientError:
    """What AWS answers with an error."""
    return ClientError({"Error": {"Code": code, "Message": ""}}, "")


def _of_the_vectors() -> dict[tuple[str, str], Item]:
    stored: dict[tuple[str, str], Item] = {}
    for each in account():
        items = [each["version"], each["attempt"], *cast("list[Item]", each["items"])]
        for item in cast("list[Item | None]", items):
            if item is not None:
                stored[str(item["pk"]), str(item["sk"])] = item
    return stored


@dataclass(frozen=True)
class StoredItems(Tables):
    """Both tables, by key. ``items`` may be tampered with."""

    client: DynamoDBClient = cast("DynamoDBClient", None)  # noqa: RUF009 - nothing is called
    ledger: str = "ledger"
    purchases: str = "purchases"
    items: dict[tuple[str, str], Item] = field(default_factory=_of_the_vectors)

    def put(self, *items: Item) -> None:
        for item in items:
            self.items[str(item["pk"]), str(item["sk"])] = item

    def of(self, sort_key: str) -> Item:
        return next(item for (_, sk), item in self.items.items() if sk.startswith(sort_key))

    def _item(self, table: str, pk: str, sk: str) -> Item | None:
        return self.items.get((pk, sk)) if _table_of(pk) == table else None

    def _partition(self, _table: str, pk: str) -> Iterator[Item]:
        return (self.items[key] for key in sorted(self.items) if key[0] == pk)

    def _page(self, table: str, after: Item | None) -> tuple[list[object], Item | None]:
        last = (str(after["pk"]), str(after["sk"])) if after else ("", "")
        keys = [key for key in sorted(self.items) if key > last and _table_of(key[0]) == table]
        page: list[object] = [serialize(self.items[key]) for key in keys[:2]]
        more = len(keys) > len(page)
        return page, dict(zip(("pk", "sk"), keys[1], strict=True)) if more else None


def _table_of(pk: str) -> str:
    return "ledger" if pk.startswith("ACCOUNT#") else "purchases"


@dataclass
class KeptObjects:
    """As much of S3 as the journal uses."""

    objects: dict[str, bytes] = field(default_factory=dict)

    def put_object(self, *, Key: str, Body: bytes, **_: str) -> None:  # noqa: N803
        if len(Key.encode()) > _LONGEST_NAME:
            raise refused("KeyTooLongError")
        self.objects[Key] = Body

    def get_object(self, *, Key: str, **_: str) -> dict[str, BytesIO]:  # noqa: N803
        return {"Body": BytesIO(self.objects[Key])}

    def list_objects_v2(
        self,
        *,
        Prefix: str,  # noqa: N803
        MaxKeys: int,  # noqa: N803
        StartAfter: str = "",  # noqa: N803
        Delimiter: str = "",  # noqa: N803
        **_: str,
    ) -> dict[str, object]:
        keys = [key for key in sorted(self.objects) if key.startswith(Prefix) and key > StartAfter]
        if Delimiter:
            cut = (key.partition(Prefix)[2].partition(Delimiter)[0] for key in keys)
            names = list(dict.fromkeys(cut))[:MaxKeys]
            return {"CommonPrefixes": [{"Prefix": f"{Prefix}{name}{Delimiter}"} for name in names]}
        at = datetime(2026, 11, 27, tzinfo=UTC)
        listed = [{"Key": key, "LastModified": at} for key in keys[:MaxKeys]]
        return {"Contents": listed, "KeyCount": len(listed)}


def kept_journal(objects: dict[str, bytes] | None = None) -> Journal:
    """A journal with some objects, or an empty one."""
    kept = KeptObjects(objects if objects is not None else {})
    return Journal(cast("S3Client", kept), "journal")
