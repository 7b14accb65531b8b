"""A cursor of one list is refused in every other one, and in the same one with other filters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NoReturn

import pytest

from tests.document import objects, operation, resolved
from tests.unit.http.edge import call, event, handler
from till.http.cursor import InvalidCursorError, decode_number, decode_place, encode_cursor
from till.http.routes import ROUTES, Route

if TYPE_CHECKING:
    from collections.abc import Iterator

    from till.http.cursor import List

LISTS: Final = [route for route in ROUTES if route.operation.startswith("list_")]
NO_FILTERS: Final = {"limit", "cursor", "include"}
"""They do not change which items a list has, or in which order."""


def filters(route: Route) -> Iterator[tuple[str, str]]:
    """Every filter with a few values, one that looks like no filter among them."""
    for parameter in objects(operation(route.method, route.path).get("parameters")):
        name = str(parameter["name"])
        if parameter["in"] != "query" or name in NO_FILTERS:
            continue
        schema = parameter["schema"]
        assert isinstance(schema, dict)
        schema = resolved(schema)
        values = [schema["const"]] if "const" in schema else schema.get("enum")
        if isinstance(values, list):
            yield from ((name, str(value)) for value in values)
        elif schema.get("format") == "date-time":
            yield name, "2026-01-01T00:00:00Z"
            yield name, "2026-01-02T00:00:00Z"
        else:
            yield name, "None"
            yield name, "null"
            yield name, "anna"


def scope(monkeypatch: pytest.MonkeyPatch, route: Route, **query: str) -> List:
    """What the handler takes a cursor of this list for."""
    asked: list[List] = []

    def refuse(scope_: List, _: str | None) -> NoReturn:
        asked.append(scope_)
        raise InvalidCursorError

    module = handler(route.operation)
    for decode in (decode_number, decode_place):
        if hasattr(module, decode.__name__):
            monkeypatch.setattr(module, decode.__name__, refuse)
    sent = event(route, body=None)
    sent["queryStringParameters"] = {**query}
    sent["multiValueQueryStringParameters"] = {name: [value] for name, value in query.items()}
    assert call(sent, route.operation)[0] == 400
    (found,) = asked
    return found


def test_no_two_lists_share_a_cursor(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Route, dict[str, str]]] = []
    for route in LISTS:
        asked.append((route, {}))
        if "{" in route.path:
            # The same list of another customer or purchase: `event` makes up the ids.
            asked.append((route, {}))
        asked += [(route, {name: value}) for name, value in filters(route)]
    cursors = {
        str(encode_cursor(scope(monkeypatch, route, **query), 5)): (route.operation, query)
        for route, query in asked
    }
    assert len(cursors) == len(asked)
    assert {operation_ for operation_, _ in cursors.values()} == {r.operation for r in LISTS}


PAIRS: Final = [(one, other) for one in LISTS for other in LISTS if one != other or "{" in one.path]
"""Two lists; the list of a customer or purchase with that of another one among them."""


@pytest.mark.parametrize(
    ("route", "other"), PAIRS, ids=[f"{a.operation}-in-{b.operation}" for a, b in PAIRS]
)
def test_a_cursor_is_refused_elsewhere(
    monkeypatch: pytest.MonkeyPatch, route: Route, other: Route
) -> None:
    cursor = encode_cursor(scope(monkeypatch, route), 5)
    monkeypatch.undo()
    for decode in (decode_number, decode_place):
        with pytest.raises(InvalidCursorError):
            decode(scope(monkeypatch, other), cursor)
