"""Audits the tables of a running stage at once: ``make audit``, with ``TARGET=`` as for ``invoke``.

It does what ``watch_ledger`` does within a week (``evidence.audit``), and leaves nothing out. Every
finding is a line; the status is 1 if there is one.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import Final

import httpx
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from evidence.audit import Audit
from evidence.journal import Journal
from evidence.tables import Tables
from local.errors import StartError, tell
from local.invoke import InvokeError, setting, target_for

_PROGRESS_SECONDS: Final = 2.0
_WATCHER: Final = "watch_ledger"
"""The function that is told the names of all that is audited."""


def main() -> int:
    """Audit, and print what was found."""
    parser = argparse.ArgumentParser(prog="python -m local.audit", description=__doc__)
    parser.add_argument("target", nargs="?", default="local")
    try:
        return _audit(_whole(parser.parse_args().target))
    except (StartError, BotoCoreError, ClientError, httpx.HTTPError) as error:
        tell(error if isinstance(error, StartError) else InvokeError(str(error)))
        return 2


def _whole(name: str) -> Audit:
    target = target_for(name)
    tables = Tables(
        target.session.client("dynamodb", endpoint_url=target.url),
        ledger=setting(target, _WATCHER, "TILL_LEDGER_TABLE"),
        purchases=setting(target, _WATCHER, "TILL_PURCHASES_TABLE"),
    )
    # By path: an emulator's host has no name for each bucket.
    by_path = Config(s3={"addressing_style": "path"})
    s3 = target.session.client("s3", endpoint_url=target.url, config=by_path)
    return Audit(tables, Journal(s3, setting(target, _WATCHER, "TILL_JOURNAL")))


def _audit(audit: Audit) -> int:
    began = told = time.monotonic()
    checked = found = 0
    for progress in audit():
        for finding in progress.findings:
            print(finding, flush=True)
        found += len(progress.findings)
        if progress.place is None:
            break
        checked += 1
        if time.monotonic() - told > _PROGRESS_SECONDS:
            told = time.monotonic()
            print(f"{checked:,} items so far: {progress.place.step}", file=sys.stderr, flush=True)
    seconds = time.monotonic() - began
    findings = f"{found or 'no'} finding{'' if found == 1 else 's'}"
    print(f"{checked:,} items audited in {seconds:.1f} s: {findings}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
