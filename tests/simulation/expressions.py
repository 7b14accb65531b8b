"""DynamoDB's expressions: parsed once, then applied to items.

Only what Till's adapter uses is here. Anything else is a ``ValidationError``, so a new kind of
expression in the adapter is noticed and not guessed at.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Final, TypeAlias

Value: TypeAlias = Mapping[str, object]
"""An attribute value, such as ``{"S": "text"}``."""
Item: TypeAlias = Mapping[str, Value]

_TOKEN: Final = re.compile(r"\s*(<=|>=|<>|[=<>(),+-]|[#:]?[A-Za-z_][A-Za-z0-9_]*)")
_COMPARISONS: Final[Mapping[str, Callable[[int, int], bool]]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class ValidationError(Exception):
    """A request that DynamoDB refuses as it stands."""


@dataclass(slots=True)
class Scope:
    """What an expression is applied to: an item, and what its placeholders stand for."""

    item: Item
    names: Mapping[str, str]
    values: Mapping[str, Value]


Operand: TypeAlias = Callable[[Scope], Value | None]
Condition: TypeAlias = Callable[[Scope], bool]
Assignment: TypeAlias = Callable[[Scope], tuple[str, Value | None]]
"""The new value of an attribute; None removes it."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A parsed expression, and the placeholders in it."""

    condition: Condition
    assignments: tuple[Assignment, ...]
    placeholders: frozenset[str]


@lru_cache(maxsize=1024)
def parse_condition(text: str) -> Compiled:
    """A condition, key condition or filter expression."""
    parser = _Parser(text)
    condition = parser.alternatives()
    parser.end()
    return Compiled(condition, (), frozenset(parser.placeholders))


@lru_cache(maxsize=1024)
def parse_update(text: str) -> Compiled:
    """An update expression: ``SET`` with sums and differences, then ``REMOVE``; or ``ADD``."""
    parser = _Parser(text)
    assignments = parser.update()
    parser.end()
    return Compiled(lambda _: True, assignments, frozenset(parser.placeholders))


def require_all_used(
    compiled: tuple[Compiled, ...], names: Mapping[str, str], values: Mapping[str, Value]
) -> None:
    """Check that every placeholder is defined, and every definition used, as DynamoDB does."""
    _require_all_used(tuple([each.placeholders for each in compiled]), (*names, *values))


@lru_cache(maxsize=1024)
def _require_all_used(
    placeholders: tuple[frozenset[str], ...], definitions: tuple[str, ...]
) -> None:
    used, defined = frozenset[str]().union(*placeholders), frozenset(definitions)
    if missing := used - defined:
        raise ValidationError(f"not defined: {sorted(missing)}")
    if unused := defined - used:
        raise ValidationError(f"not used: {sorted(unused)}")


def number(value: Value | None) -> Decimal:
    """The number that a value is."""
    if value is None or "N" not in value:
        raise ValidationError("an operand has the wrong type or does not exist")
    return Decimal(str(value["N"]))


def _order(left: Value | None, right: Value | None) -> int | None:
    """-1, 0 or 1; None for values that cannot be compared."""
    if left is None or right is None or left.keys() != right.keys():
        return None
    if "N" in left:
        one, other = number(left), number(right)
        return (one > other) - (one < other)
    if "S" in left:
        # DynamoDB orders by bytes of UTF-8, which is the order of code points.
        first, second = str(left["S"]), str(right["S"])
        return (first > second) - (first < second)
    return 0 if left == right else None


def _path(name: str) -> Operand:
    if name.startswith("#"):
        return lambda scope: scope.item.get(scope.names[name])
    return lambda scope: scope.item.get(name)


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens: list[str] = []
        self.placeholders: set[str] = set()
        at = 0
        while text[at:].strip():
            match = _TOKEN.match(text, at)
            if match is None:
                raise ValidationError(f"not understood: {text[at:]!r}")
            self._tokens.append(match[1])
            at = match.end()
        self._next = 0

    def end(self) -> None:
        if self._next != len(self._tokens):
            raise ValidationError(f"not understood: {self._tokens[self._next :]}")

    def _peek(self) -> str:
        return self._tokens[self._next] if self._next < len(self._tokens) else ""

    def _take(self, *expected: str) -> str:
        token = self._peek()
        if expected and token not in expected:
            raise ValidationError(f"{token!r} in the place of {expected}")
        self._next += 1
        return token

    def _took(self, token: str) -> bool:
        if self._peek() == token:
            self._next += 1
            return True
        return False

    def alternatives(self) -> Condition:
        conditions = [self._all_of()]
        while self._took("OR"):
            conditions.append(self._all_of())
        return conditions[0] if len(conditions) == 1 else _any(conditions)

    def _all_of(self) -> Condition:
        conditions = [self._one()]
        while self._took("AND"):
            conditions.append(self._one())
        return conditions[0] if len(conditions) == 1 else _all(conditions)

    def _one(self) -> Condition:
        if self._took("("):
            inner = self.alternatives()
            self._take(")")
            return inner
        word = self._peek()
        if word in {"attribute_exists", "attribute_not_exists", "begins_with"}:
            return self._function(self._take())
        left = self.operand()
        if self._took("BETWEEN"):
            low = self.operand()
            self._take("AND")
            high = self.operand()
            at_least, at_most = _compare(left, low, ">="), _compare(left, high, "<=")
            return lambda scope: at_least(scope) and at_most(scope)
        return _compare(left, comparison=self._take(*_COMPARISONS), right=self.operand())

    def _function(self, name: str) -> Condition:
        self._take("(")
        path = self.operand()
        if name == "begins_with":
            self._take(",")
            prefix = self.operand()
            self._take(")")
            return lambda scope: _begins(path(scope), prefix(scope))
        self._take(")")
        if name == "attribute_exists":
            return lambda scope: path(scope) is not None
        return lambda scope: path(scope) is None

    def operand(self) -> Operand:
        token = self._take()
        if not re.fullmatch(r"[#:]?[A-Za-z_]\w*", token):
            raise ValidationError(f"{token!r} is no operand")
        if token[0] in "#:":
            self.placeholders.add(token)
        if token.startswith(":"):
            return lambda scope: scope.values[token]
        return _path(token)

    def update(self) -> tuple[Assignment, ...]:
        action = self._take("SET", "ADD")
        assignments = [self._set() if action == "SET" else self._add()]
        while self._took(","):
            assignments.append(self._set() if action == "SET" else self._add())
        if self._took("REMOVE"):
            assignments.append(self._remove())
            while self._took(","):
                assignments.append(self._remove())
        return tuple(assignments)

    def _target(self) -> Callable[[Scope], str]:
        token = self._take()
        if token.startswith("#"):
            self.placeholders.add(token)
            return lambda scope: scope.names[token]
        return lambda _: token

    def _set(self) -> Assignment:
        target = self._target()
        self._take("=")
        first = self.operand()
        if self._peek() not in {"+", "-"}:
            return lambda scope: (target(scope), _existing(first(scope)))
        sign = 1 if self._take() == "+" else -1
        second = self.operand()
        return lambda scope: (
            target(scope),
            {"N": str(number(first(scope)) + sign * number(second(scope)))},
        )

    def _remove(self) -> Assignment:
        target = self._target()
        return lambda scope: (target(scope), None)

    def _add(self) -> Assignment:
        target = self._target()
        added = self.operand()

        def add(scope: Scope) -> tuple[str, Value]:
            before = scope.item.get(target(scope), {"N": "0"})
            return target(scope), {"N": str(number(before) + number(added(scope)))}

        return add


def _existing(value: Value | None) -> Value:
    if value is None:
        raise ValidationError("the expression refers to an attribute that does not exist")
    return value


def _any(conditions: list[Condition]) -> Condition:
    return lambda scope: any(condition(scope) for condition in conditions)


def _all(conditions: list[Condition]) -> Condition:
    if len(conditions) == 2:
        first, second = conditions
        return lambda scope: first(scope) and second(scope)
    return lambda scope: all(condition(scope) for condition in conditions)


def _compare(left: Operand, right: Operand, comparison: str) -> Condition:
    holds = _COMPARISONS[comparison]

    def compare(scope: Scope) -> bool:
        order = _order(left(scope), right(scope))
        # Values of two types are different, and neither is the larger.
        return comparison == "<>" if order is None else holds(order, 0)

    return compare


def _begins(value: Value | None, prefix: Value | None) -> bool:
    if value is None or prefix is None or "S" not in value:
        return False
    return str(value["S"]).startswith(str(prefix["S"]))
