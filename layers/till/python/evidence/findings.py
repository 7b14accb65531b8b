"""What is found to be wrong, and where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from evidence.items import UnreadableItemError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evidence.items import Item


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """Something that is not as Till writes it."""

    where: str
    """The account and version, or the item. It begins with the account that it belongs to."""
    fault: str

    def __str__(self) -> str:
        return f"{self.where}: {self.fault}"


def at_item(item: Item, faults: Iterator[str]) -> Iterator[Finding]:
    """Faults of an item as findings; that it cannot be read is one.

    A forged item must not stop the check of those after it, whatever is in it.
    """
    try:
        for fault in faults:
            yield Finding(where_of(item), fault)
    except UnreadableItemError as error:
        yield Finding(where_of(item), str(error))
    except (KeyError, TypeError, ValueError) as error:
        yield Finding(where_of(item), f"it cannot be read ({type(error).__name__})")


def where_of(item: Item) -> str:
    """How a finding names an item."""
    pk, sk = str(item.get("pk")), str(item.get("sk"))
    if pk.startswith("ACCOUNT#"):
        return f"{pk} version {item['version']}" if is_version(item) else f"{pk} {sk}"
    customer_id = item.get("customer_id")
    return f"ACCOUNT#{customer_id} {pk} {sk}" if customer_id else f"{pk} {sk}"


def is_version(item: Item) -> bool:
    """Whether an item of the ledger is a version of an account, and not a request."""
    return str(item.get("sk")).startswith("VERSION#") and "version" in item
