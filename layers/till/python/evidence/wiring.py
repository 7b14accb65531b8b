"""What a function that verifies is made of, by its environment."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING, cast

from botocore.config import Config

from evidence.journal import Journal
from evidence.tables import Tables

if TYPE_CHECKING:
    import botocore.session
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client


def stage() -> str:
    """The stage, as metrics name it."""
    return os.environ.get("TILL_STAGE", "none")


@cache
def tables() -> Tables:
    """The tables of the stage."""
    client = _session().create_client("dynamodb", config=_CALLS)
    return Tables(
        cast("DynamoDBClient", client),
        ledger=os.environ["TILL_LEDGER_TABLE"],
        purchases=os.environ["TILL_PURCHASES_TABLE"],
    )


@cache
def journal() -> Journal:
    """The journal of the stage."""
    client = _session().create_client("s3", config=_CALLS)
    return Journal(cast("S3Client", client), os.environ["TILL_JOURNAL"])


@cache
def _session() -> botocore.session.Session:
    # Loaded with the first call, as in every function.
    import botocore.session  # noqa: PLC0415

    return botocore.session.get_session()


_CALLS = Config(
    connect_timeout=2,
    read_timeout=5,
    retries={"mode": "standard", "total_max_attempts": 3},
    # By path: an emulator's host has no name for each bucket.
    s3={"addressing_style": "path"},
)
