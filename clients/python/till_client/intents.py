"""Idempotency keys: one for each intent, made once and kept."""

from __future__ import annotations

import sqlite3
from threading import Lock
from typing import TYPE_CHECKING, Final
from uuid import uuid4

if TYPE_CHECKING:
    from pathlib import Path


class Intents:
    """Keeps the Idempotency-Key of each intent.

    An intent is what the caller wants to happen once, under a name of theirs: ``refund of ticket
    4711``. Its key is made and stored before the first request is sent, so that any later try, in
    this process or in another one after a crash, is the same request for Till.

    Args:
        path: An SQLite file, which processes can share. Without one, keys last as long as this
            object.
    """

    def __init__(self, path: Path | str = ":memory:") -> None:
        self._lock: Final = Lock()
        self._database: Final = sqlite3.connect(path, timeout=30, check_same_thread=False)
        with self._lock, self._database:
            self._database.execute("PRAGMA synchronous = FULL")
            self._database.execute(
                "CREATE TABLE IF NOT EXISTS intents (name TEXT PRIMARY KEY, key TEXT NOT NULL)"
            )

    def key(self, name: str) -> str:
        """The key of an intent; a new one when the intent is new."""
        with self._lock, self._database:
            self._database.execute(
                "INSERT OR IGNORE INTO intents (name, key) VALUES (?, ?)", (name, str(uuid4()))
            )
            (key,) = self._database.execute(
                "SELECT key FROM intents WHERE name = ?", (name,)
            ).fetchone()
        return str(key)

    def renew(self, name: str) -> None:
        """Let the next request of this intent be a new one.

        Only after an answer that says what happened, such as ``ShipmentFailed``: after
        ``NoAnswer``, a new key could make it happen twice.
        """
        with self._lock, self._database:
            self._database.execute("DELETE FROM intents WHERE name = ?", (name,))

    def close(self) -> None:
        """Close the file."""
        self._database.close()
