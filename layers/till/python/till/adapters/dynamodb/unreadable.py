"""One unreadable item never hides the others: it is left out, counted and logged."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from aws_lambda_powertools import Logger

from till.adapters.dynamodb.client import deserialize
from till.adapters.dynamodb.stored.item import UNREADABLE
from till.metrics import Metric, measure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from till.adapters.dynamodb.client import Item


T = TypeVar("T")

logger = Logger(child=True)


def readable(items: Iterable[Item], parse: Callable[[Item], T]) -> Iterator[T]:
    """Parse items one by one. One that cannot be read is left out, counted and logged."""
    for item in items:
        try:
            yield parse(item)
        except UNREADABLE as error:
            keys = deserialize({name: item[name] for name in ("pk", "sk") if name in item})
            _tell_unreadable(error, keys)


def readable_cursors(cursors: Iterable[str], parse: Callable[[str], T]) -> Iterator[T]:
    """The same for the cursors in an index."""
    for cursor in cursors:
        try:
            yield parse(cursor)
        except UNREADABLE as error:
            _tell_unreadable(error, {"cursor": cursor})


def _tell_unreadable(error: Exception, where: Mapping[str, object]) -> None:
    # See docs/runbooks/unreadable-items.md. What is in the item may be anybody's data.
    measure(Metric.UNREADABLE_ITEMS)
    logger.error("unreadable item", extra={**where, "error": type(error).__name__})
