"""What the stand-in says about caching, and how it answers those who have a copy.

The contract promises no validators. The stand-in sends an ETag unless it is told otherwise, and no
Cache-Control: most servers have the first and few the second, and it leaves the caller's own
limits in charge, which is what one wants to watch.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Hashable, Mapping
from email.utils import formatdate, parsedate_to_datetime
from typing import Generic, TypeVar

from local.upstream.behaviour import Plan
from local.upstream.contract import Entity
from local.upstream.exchange import Reply, json_reply

Key = TypeVar("Key", bound=Hashable)


class Caching(Plan):
    """The header fields that go with a customer or product."""

    etag: bool = True
    last_modified: bool = False
    cache_control: str | None = None


class CachingRules(Generic[Key]):
    """What is said about caching: of single things, and of all others. Safe between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._for_all = Caching()
        self._rules: dict[Key, Caching] = {}

    def set_for_all(self, caching: Caching) -> None:
        """From now on, for everything without a rule of its own."""
        with self._lock:
            self._for_all = caching

    def set(self, key: Key, caching: Caching) -> None:
        """From now on, for one thing."""
        with self._lock:
            self._rules[key] = caching

    def clear(self, key: Key) -> None:
        """For one thing, the same as for all."""
        with self._lock:
            self._rules.pop(key, None)

    def of(self, key: Key) -> Caching:
        """What goes for one thing."""
        with self._lock:
            return self._rules.get(key, self._for_all)


def reply_with(entity: Entity, caching: Caching, headers: Mapping[str, str]) -> Reply:
    """The entity, or a 304 if the request's conditions say that the client has it."""
    full = json_reply(entity)
    modified_at = entity.last_modified_at // 1000
    fields: dict[str, str] = {}
    if caching.etag:
        fields["ETag"] = f'"{hashlib.sha256(full.body).hexdigest()[:16]}"'
    if caching.last_modified:
        fields["Last-Modified"] = formatdate(modified_at, usegmt=True)
    if caching.cache_control is not None:
        fields["Cache-Control"] = caching.cache_control
    if _client_has_it(fields, modified_at, headers):
        return Reply(304, headers=fields)
    return Reply(full.status, full.body, headers=fields)


def _client_has_it(fields: Mapping[str, str], modified_at: int, headers: Mapping[str, str]) -> bool:
    """RFC 9110, 13.2.2: If-Modified-Since counts only where there is no If-None-Match."""
    tags = headers.get("if-none-match")
    if tags is not None:
        known = {tag.strip().removeprefix("W/") for tag in tags.split(",")}
        return "ETag" in fields and bool(known & {"*", fields["ETag"]})
    since = headers.get("if-modified-since")
    if since is None or "Last-Modified" not in fields:
        return False
    try:
        return modified_at <= parsedate_to_datetime(since).timestamp()
    except ValueError:
        return False
