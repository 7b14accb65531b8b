"""Puts a lock around a cache of LocalStack's DynamoDB that several threads share.

LocalStack 4.14.0 keeps the tables' schemas in a ``cachetools.TTLCache``, which is not safe to share
between threads, and every request reads it on a thread of its own. When two threads remove an
expired entry at the same time, the cache stays broken, and DynamoDB answers 500 until LocalStack is
restarted. That was seen once, after 16 minutes of tests.

LocalStack runs this file when it starts, within its own process.
"""

from __future__ import annotations

import threading
from collections.abc import MutableMapping

from localstack.services.dynamodb import utils


class LockedCache:
    """What LocalStack uses of the cache, one operation at a time."""

    def __init__(self, cache: MutableMapping[str, object]) -> None:
        self._cache = cache
        self._lock = threading.Lock()

    def get(self, key: str) -> object:
        """Return the entry, or None."""
        with self._lock:
            return self._cache.get(key)

    def pop(self, key: str, default: object) -> object:
        """Remove the entry, and return it or the default."""
        with self._lock:
            return self._cache.pop(key, default)

    def __setitem__(self, key: str, value: object) -> None:
        with self._lock:
            self._cache[key] = value


utils.SCHEMA_CACHE = LockedCache(utils.SCHEMA_CACHE)
print("till: DynamoDB's schema cache has a lock", flush=True)
