"""Reads of the journal in S3. docs/evidence.md specifies its objects."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, cast

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from till.adapters.aws import session
from till.services.ports.journal import JournalUnavailableError, Verification
from till.services.shared.in_parallel import in_parallel

if TYPE_CHECKING:
    from uuid import UUID

    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ListObjectsV2OutputTypeDef

_CONFIG: Final = Config(
    connect_timeout=0.5,
    read_timeout=1.5,
    retries={"mode": "standard", "total_max_attempts": 2},
    # By path: an emulator's host has no name for each bucket.
    s3={"addressing_style": "path"},
)
_LAST: Final = 10**16 - 1
"""The numbers of objects count down from here, so that a list begins with the newest version."""
_VERSIONS: Final = re.compile(r"(\d{16})-\d{1,16}-[\w-]{43}\.jsonl", re.ASCII)
"""The names of versions. Older watchers let forged items in: any other name is skipped."""
_NAMES: Final = 20
_MOST_FINDINGS: Final = 100


def make_s3_client() -> S3Client:
    """A client of S3 whose calls end well within a function's time."""
    return cast("S3Client", session().create_client("s3", config=_CONFIG))


class S3Journal:
    """``till.services.ports.journal.JournalReads``."""

    def __init__(self, client: S3Client, *, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def verification(self, customer_id: UUID) -> Verification:
        """How far a customer's account was verified; see the port."""
        prefix = f"accounts/{customer_id}/"
        versions, findings = in_parallel(
            lambda: self._list(prefix, _NAMES),
            lambda: self._list(f"findings/ACCOUNT#{customer_id}/", _MOST_FINDINGS),
        )
        found = findings["KeyCount"]
        for each in versions.get("Contents", []):
            if name := _VERSIONS.fullmatch(each["Key"].removeprefix(prefix)):
                number = _LAST - int(name[1])
                return Verification(version=number, at=each["LastModified"], findings=found)
        return Verification(version=0, at=None, findings=found)

    def _list(self, prefix: str, most: int) -> ListObjectsV2OutputTypeDef:
        try:
            return self._client.list_objects_v2(Bucket=self._bucket, Prefix=prefix, MaxKeys=most)
        except (BotoCoreError, ClientError) as error:
            raise JournalUnavailableError from error
