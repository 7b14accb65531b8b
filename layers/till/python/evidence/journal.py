"""The journal: a copy of every version in a bucket in which nothing can be changed or deleted.

docs/evidence.md, "The journal", specifies the objects, for readers without this code.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final

from evidence.items import integer, text
from evidence.purchases import answers_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from mypy_boto3_s3 import S3Client

    from evidence.findings import Finding
    from evidence.items import Item, Plain

_LAST: Final = 10**16 - 1
"""Keys count down from here, so that a list of them begins with the newest."""
_ACCOUNTS: Final = "accounts/"
_ATTEMPTS: Final = "attempts/"
_ROUNDS: Final = "audits/"
_NAMES_AT_ONCE: Final = 100
_NEWEST_AT_ONCE: Final = 20
"""How many names are looked at for the newest one that has the form."""
_ANSWERS_AT_MOST: Final = 10
"""Of one attempt, the newest first. Each is a read."""
_OF_VERSIONS: Final = re.compile(r"(\d{16})-\d{1,16}-([\w-]{43})\.jsonl", re.ASCII)
_OF_ANSWERS: Final = re.compile(r"\d{16}-[0-9a-f]{64}\.json", re.ASCII)
_OF_ROUNDS: Final = re.compile(r"\d{16}\.json", re.ASCII)
_SAFE: Final = re.compile(r"(?!\.|.*/\.)[!-~]{1,300}")
"""What an object is named after as it is: short, and no path with dots. Anything else is hashed."""


@dataclass(frozen=True, slots=True)
class Journalled:
    """The newest version of an account that is in the journal."""

    version: int
    hash: str
    at: datetime
    """When it was written there, by the clock of S3."""


@dataclass(frozen=True, slots=True)
class Journal:
    """Appends to the journal, and reads it.

    Older watchers let forged items in under ``accounts/``: readers skip a name that no version has.
    """

    client: S3Client
    bucket: str

    def append(self, customer_id: str, versions: Sequence[Item]) -> None:
        """Write versions of one account that follow each other. Repeated, it writes the same."""
        newest = versions[-1]
        first, last = integer(versions[0], "version"), integer(newest, "version")
        name = f"{_LAST - last:016d}-{first}-{_safe(text(newest, 'hash'))}.jsonl"
        self.client.put_object(
            Bucket=self.bucket,
            Key=f"{_versions_of(customer_id)}{name}",
            Body="".join(f"{canonical(version)}\n" for version in versions).encode("ascii"),
            ContentType="application/jsonl",
        )

    def newest(self, customer_id: str) -> Journalled | None:
        """The newest version of an account in the journal."""
        newest, _ = self.versions(customer_id)
        return newest

    def versions(self, customer_id: str) -> tuple[Journalled | None, list[str]]:
        """The newest version of an account, and the objects around it that are no versions."""
        found, others = self._newest_of(_versions_of(customer_id), _OF_VERSIONS)
        for name, written in found:
            return Journalled(_LAST - int(name[1]), name[2], written), others
        return None, others

    def append_answers(self, attempt: Item) -> None:
        """Write an attempt on which something was noted. Repeated, it writes the same."""
        attempt_id = text(attempt, "pk").removeprefix("PURCHASE#")
        counted_down = f"{_LAST - integer(attempt, 'revision'):016d}"
        self._put(
            f"{_ATTEMPTS}{attempt_id}/{counted_down}-{digest_of(answers_of(attempt))}.json",
            canonical(attempt),
        )

    def answers(self, attempt_id: str) -> tuple[list[Item], list[str]]:
        """An attempt each time that something was noted on it, and the objects that are no answers.

        Newest first, and not more than the newest few.
        """
        prefix = f"{_ATTEMPTS}{attempt_id}/"
        found, others = self._newest_of(prefix, _OF_ANSWERS)
        names = (name[0] for name, _ in islice(found, _ANSWERS_AT_MOST))
        return [self._read(f"{prefix}{name}") for name in names], others

    def customers(self, *, after: str) -> list[str]:
        """The next customers of whom the journal has an account; none: there are no more."""
        return self._names(_ACCOUNTS, after)

    def attempts(self, *, after: str) -> list[str]:
        """The next attempts on which something was noted; none: there are no more."""
        return self._names(_ATTEMPTS, after)

    def mark(self, at: datetime, round_of_audit: Item) -> None:
        """Write down how far an audit is."""
        counted_down = f"{_LAST - int(at.timestamp() * 1_000):016d}"
        self._put(f"{_ROUNDS}{counted_down}.json", canonical(round_of_audit))

    def last_mark(self) -> dict[str, Plain] | None:
        """How far the last audit came; None: there was none."""
        found, _ = self._newest_of(_ROUNDS, _OF_ROUNDS)
        for name, _ in found:
            return self._read(f"{_ROUNDS}{name[0]}")
        return None

    def report(self, finding: Finding) -> None:
        """Write a finding where no one can delete it. Repeated, it writes the same."""
        pk = finding.where.split(" ")[0]
        told = {"where": finding.where, "fault": finding.fault}
        self._put(f"findings/{_safe(pk)}/{digest_of(told)}.json", canonical(told))

    def _put(self, key: str, body: str) -> None:
        self.client.put_object(
            Bucket=self.bucket,
            Key=key,
            Body=body.encode("ascii"),
            ContentType="application/json",
        )

    def _read(self, key: str) -> dict[str, Plain]:
        found = self.client.get_object(Bucket=self.bucket, Key=key)
        item: dict[str, Plain] = json.loads(found["Body"].read())
        return item

    def _newest_of(
        self, prefix: str, form: re.Pattern[str]
    ) -> tuple[list[tuple[re.Match[str], datetime]], list[str]]:
        """The first names after a prefix: those of a form, with their times, and the others."""
        answer = self.client.list_objects_v2(
            Bucket=self.bucket, Prefix=prefix, MaxKeys=_NEWEST_AT_ONCE
        )
        of_form: list[tuple[re.Match[str], datetime]] = []
        others: list[str] = []
        for each in answer.get("Contents", []):
            name = each["Key"].removeprefix(prefix)
            if match := form.fullmatch(name):
                of_form.append((match, each["LastModified"]))
            else:
                others.append(name)
        return of_form, others

    def _names(self, prefix: str, after: str) -> list[str]:
        answer = self.client.list_objects_v2(
            Bucket=self.bucket,
            Prefix=prefix,
            Delimiter="/",
            MaxKeys=_NAMES_AT_ONCE,
            # Past everything that begins with the last name and a slash.
            StartAfter=f"{prefix}{after}0" if after else prefix,
        )
        found = (each["Prefix"] for each in answer.get("CommonPrefixes", []))
        return [each.removeprefix(prefix).removesuffix("/") for each in found]


def canonical(item: Mapping[str, object]) -> str:
    """An item as the journal writes it: sorted keys, no spaces, ASCII."""
    return json.dumps(item, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def digest_of(item: Mapping[str, object]) -> str:
    """The SHA-256 of what the journal writes, in hexadecimal."""
    return hashlib.sha256(canonical(item).encode("ascii")).hexdigest()


def _versions_of(customer_id: str) -> str:
    return f"{_ACCOUNTS}{customer_id}/"


def _safe(name: str) -> str:
    return name if _SAFE.fullmatch(name) else digest_of({"name": name})
