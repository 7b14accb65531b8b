"""What Till reads of the journal, by the names of its objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from tests.unit.evidence.stored import KeptObjects
from tests.unit.evidence.vectors import CUSTOMER
from till.adapters.journal import S3Journal

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ACCOUNT: Final = f"accounts/{CUSTOMER}/"
HASH: Final = "h" * 43


def journal(*names: str) -> S3Journal:
    kept = KeptObjects(dict.fromkeys(names, b""))
    return S3Journal(cast("S3Client", kept), bucket="journal")


def test_an_account_is_verified_up_to_its_newest_version() -> None:
    read = journal(
        f"{ACCOUNT}9999999999999995-3-{HASH}.jsonl",
        f"{ACCOUNT}9999999999999997-1-{HASH}.jsonl",
        f"findings/ACCOUNT#{CUSTOMER}/1.json",
    ).verification(CUSTOMER)
    assert (read.version, read.findings) == (4, 1)
    assert read.at is not None


def test_an_account_that_is_not_in_the_journal_is_verified_up_to_nothing() -> None:
    read = journal().verification(CUSTOMER)
    assert (read.version, read.at, read.findings) == (0, None, 0)


def test_a_name_that_no_version_has_is_skipped() -> None:
    strangers = (
        f"{ACCOUNT}-90000000000000001-100000000000000000-x.jsonl",
        f"{ACCOUNT}0000000000000001-1-x.jsonl",
        f"{ACCOUNT}10000000000000004--5-{HASH}.jsonl",
    )
    assert journal(*strangers).verification(CUSTOMER).version == 0
    genuine = f"{ACCOUNT}9999999999999995-1-{HASH}.jsonl"
    assert journal(*strangers, genuine).verification(CUSTOMER).version == 4
