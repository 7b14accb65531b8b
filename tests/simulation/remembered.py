"""Results of the adapters' pure functions, kept by the content of what they were made of.

A history reads the same item many times, and most histories read the same few. What an item, an
answer or an attempt is translated to depends on nothing but its content, so the product's own
function is called once for each content. A changed item has another content.
"""

from __future__ import annotations

import marshal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, TypeVar

from till.adapters.dynamodb import accounts, attempts, promo_codes
from till.adapters.dynamodb.stored.attempts import StoredAttempt
from till.adapters.upstream import catalogue

if TYPE_CHECKING:
    from tests.simulation.expressions import Item
    from till.adapters.upstream.http import Answer

A = TypeVar("A")
R = TypeVar("R")

_MOST: Final = 10_000
"""How many results of a function are kept. After that all of them are forgotten."""

_WITHOUT_REFERENCES: Final = 2
"""The version of marshal's format in which equal values are equal bytes."""


def _by_content(function: Callable[[Item], R]) -> Callable[[Item], R]:
    """A function of an item that is called once for each content; what it raises is not kept."""
    results: dict[bytes, R] = {}

    def remembered(item: Item) -> R:
        content = marshal.dumps(item, _WITHOUT_REFERENCES)  # type: ignore[arg-type]
        result = results.get(content)
        if result is None:
            if len(results) >= _MOST:
                results.clear()
            result = results[content] = function(item)
        return result

    return remembered


def _answer_by_content(parse: Callable[..., R]) -> Callable[..., R]:
    """``catalogue._parse``, called once for each answer; what it raises is not kept."""
    results: dict[tuple[object, ...], R] = {}

    def remembered(answer: Answer, model: object, api: str, *, not_found: object) -> R:
        content = answer.status, answer.body, model
        result = results.get(content)
        if result is None:
            if len(results) >= _MOST:
                results.clear()
            result = results[content] = parse(answer, model, api, not_found=not_found)
        return result

    return remembered


def _by_identity(function: Callable[[A], R]) -> Callable[[A], R]:
    """A function of an immutable object that is called once for each object."""
    # The object is kept as well, so that no other can get its id.
    results: dict[int, tuple[A, R]] = {}

    def remembered(argument: A) -> R:
        kept = results.get(id(argument))
        if kept is None:
            if len(results) >= _MOST:
                results.clear()
            kept = results[id(argument)] = argument, function(argument)
        return kept[1]

    return remembered


_REMEMBERED: Final = tuple(
    (place, name, getattr(place, name), keeping(getattr(place, name)))
    for place, name, keeping in (
        (accounts, "_change", _by_content),
        (attempts, "_attempt", _by_content),
        (promo_codes, "_promo", _by_content),
        (catalogue, "_parse", _answer_by_content),
        (StoredAttempt, "of", _by_identity),
        (StoredAttempt, "values", _by_identity),
    )
)
"""Where each function is, its name, itself, and the one that keeps its results."""


@contextmanager
def remembering() -> Iterator[None]:
    """Have the adapters' functions keep their results meanwhile."""
    for place, name, _, keeping in _REMEMBERED:
        setattr(place, name, keeping)
    try:
        yield
    finally:
        for place, name, own, _ in _REMEMBERED:
            setattr(place, name, own)
