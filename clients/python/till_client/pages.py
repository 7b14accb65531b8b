"""Lists as iterators: page after page, by their cursors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from till_client.generated.types import UNSET, Unset

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")


class Page(Protocol[T]):
    """A page of a list, as the API answers it."""

    @property
    def items(self) -> list[T]:
        """The items of the page."""
        ...

    @property
    def next_cursor(self) -> str | None:
        """Where the list goes on; None at its end."""
        ...


def all_items(read: Callable[[str | Unset], Page[T]]) -> Iterator[T]:
    """The items of a list, reading a page when it is needed."""
    cursor: str | Unset = UNSET
    while True:
        page = read(cursor)
        yield from page.items
        if page.next_cursor is None:
            return
        cursor = page.next_cursor
