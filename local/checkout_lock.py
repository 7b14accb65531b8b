"""One lock per checkout, for what two programs of it must not do at the same time."""

from __future__ import annotations

import asyncio
import fcntl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from local.progress import Progress

PAUSE_SECONDS = 0.2


@asynccontextmanager
async def checkout_lock(path: Path, progress: Progress, what: str) -> AsyncIterator[None]:
    """Hold a file's lock during the block, as soon as it is free."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        if not _locked(lock.fileno()):
            progress.say(f"{what}: waiting for another one of this checkout")
            while not _locked(lock.fileno()):  # noqa: ASYNC110 - a file lock has no event
                await asyncio.sleep(PAUSE_SECONDS)
        yield


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
