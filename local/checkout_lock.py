"""File locks, for what two programs must not do at the same time.

Not by the package filelock: the set-up, which installs the packages, needs a lock before.
"""

from __future__ import annotations

import asyncio
import fcntl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO

from local.progress import Progress

PAUSE_SECONDS = 0.2


@asynccontextmanager
async def checkout_lock(path: Path, progress: Progress, what: str) -> AsyncIterator[None]:
    """Hold a file's lock during the block, as soon as it is free."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        if not try_lock(lock):
            progress.say(f"{what}: waiting for another one of this checkout")
            while not try_lock(lock):  # noqa: ASYNC110 - a file lock has no event
                await asyncio.sleep(PAUSE_SECONDS)
        yield


def try_lock(file: IO[str]) -> bool:
    """Lock an open file until it is closed; False if another program holds the lock."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
