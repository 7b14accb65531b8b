"""Where the HTTP cache keeps its copies: this process's memory, within bounds."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from hishel import BaseStorage, Entry, Headers, Request, Response

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class _Copy:
    entry: Entry
    body: bytes
    size: int


class CacheStorage(BaseStorage):
    """A hishel storage with one copy for each key; the least recently used go first.

    hishel's own storages are files or Redis. They bound the bytes but not the number of copies,
    drop nothing that was used in the last minutes, and keep an answer together with the one that
    replaced it. Safe between threads.
    """

    def __init__(self, *, max_copies: int, max_bytes: int) -> None:
        super().__init__(max_stream_size=max_bytes)
        self._max_copies = max_copies
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._copies: OrderedDict[str, _Copy] = OrderedDict()
        self._keys: dict[UUID, str] = {}
        self._bytes = 0

    @property
    def count(self) -> int:
        """How many copies there are. No ``__len__``: hishel takes a false storage for none."""
        with self._lock:
            return len(self._copies)

    @property
    def size_bytes(self) -> int:
        """What the copies take: bodies, header fields and keys."""
        with self._lock:
            return self._bytes

    def create_entry(
        self,
        request: Request,
        response: Response,
        key: str,
        *,
        ttl: float | None = None,  # noqa: ARG002 - a copy's header fields say how long it is good
        tti: float | None = None,  # noqa: ARG002
    ) -> Entry:
        """An entry whose stream keeps the copy once it was read to its end."""
        stream = response.stream
        if not isinstance(stream, Iterable):
            raise TypeError("a storage for sync clients was given an async answer")
        entry = Entry(id=uuid4(), request=request, response=replace(response, stream=None))
        return replace(
            entry, response=replace(response, stream=self._keep_when_read(key, entry, stream))
        )

    def get_entries(self, key: str) -> list[Entry]:
        """The copy of a key, if there is one."""
        with self._lock:
            copy = self._copies.get(key)
            if copy is None:
                return []
            self._copies.move_to_end(key)
        response = replace(copy.entry.response, stream=iter([copy.body]))
        return [replace(copy.entry, response=response)]

    def update_headers(self, id: UUID, headers: Headers) -> None:  # noqa: A002 - hishel's name
        """Replace the header fields of a copy that is still there."""
        with self._lock:
            key = self._keys.get(id)
            if key is not None:
                copy = self._copies[key]
                entry = replace(copy.entry, response=replace(copy.entry.response, headers=headers))
                self._put(key, entry, copy.body)

    def remove_entry(self, id: UUID) -> None:  # noqa: A002 - hishel's name
        """Drop a copy."""
        with self._lock:
            key = self._keys.get(id)
            if key is not None:
                self._drop(key)

    def forget(self, key: str) -> None:
        """Drop the copy of a key."""
        with self._lock:
            if key in self._copies:
                self._drop(key)

    def _keep_when_read(self, key: str, entry: Entry, stream: Iterable[bytes]) -> Iterator[bytes]:
        body = bytearray()
        for chunk in stream:
            if len(body) <= self._max_bytes:
                body += chunk
            yield chunk
        # A reader that stops before the end leaves the earlier copy as it was.
        with self._lock:
            self._put(key, entry, bytes(body))

    def _put(self, key: str, entry: Entry, body: bytes) -> None:
        if key in self._copies:
            self._drop(key)
        size = len(key) + len(body) + _size(entry.request.headers) + _size(entry.response.headers)
        if size > self._max_bytes:
            return
        self._copies[key] = _Copy(entry, body, size)
        self._keys[entry.id] = key
        self._bytes += size
        while len(self._copies) > self._max_copies or self._bytes > self._max_bytes:
            self._drop(next(iter(self._copies)))

    def _drop(self, key: str) -> None:
        copy = self._copies.pop(key)
        del self._keys[copy.entry.id]
        self._bytes -= copy.size


def _size(headers: Headers) -> int:
    return sum(len(name) + len(value) for name, value in headers.items())
