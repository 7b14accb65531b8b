"""What is found to be wrong, and where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from evidence.items import UnreadableItemError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evidence.items import Item

_OF_ONE_REQUEST: Final = frozenset(
    {"ValidationException", "KeyTooLongError", "InvalidArgument", "InvalidURI"}
)
"""The errors of AWS about what was asked for: a key that is too long, for example."""


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """Something that is not as Till writes it."""

    where: str
    """The account and version, or the item. It begins with the account that it belongs to."""
    fault: str

    def __str__(self) -> str:
        return f"{self.where}: {self.fault}"


def at_item(item: Item, faults: Iterator[str]) -> Iterator[Finding]:
    """Faults of an item as findings; that it cannot be checked is one.

    A forged item must not stop the check of those after it, whatever is in it.
    """
    return at(where_of(item), faults)


def at(where: str, faults: Iterator[str]) -> Iterator[Finding]:
    """Faults as findings; that it cannot be checked is one."""
    try:
        for fault in faults:
            yield Finding(where, fault)
    except Exception as error:  # noqa: BLE001 - what is no item's fault is raised again
        yield Finding(where, fault_of(error))


def fault_of(error: Exception) -> str:
    """What is wrong with the item whose check or copy raised an error.

    Raises:
        Exception: the error itself, if it is an outage, which any item would have met. The run
            fails, and is tried again.
    """
    # Throttling, no connection, no access: all other codes of AWS say nothing of the item.
    if isinstance(error, ClientError) and error.response["Error"]["Code"] not in _OF_ONE_REQUEST:
        raise error
    if isinstance(error, BotoCoreError | OSError) and not isinstance(error, ParamValidationError):
        raise error
    if isinstance(error, UnreadableItemError):
        return str(error)
    return f"it cannot be read ({type(error).__name__})"


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
