"""Lets packages import what they offer when it is asked for, not when they are imported (PEP 562).

Some packages import all that they offer in their ``__init__``, and a function uses little of it.
The ``__init__`` of such a package is written again in the layer, from the same source: each name
stays where it was. One that does anything but import is refused.
"""

from __future__ import annotations

import ast
from importlib.util import resolve_name
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LAZY: Final = (
    "aws_lambda_powertools.event_handler",
    "aws_lambda_powertools.utilities.data_classes",
    "hishel",
)
"""The packages whose ``__init__`` imports what functions have no use for: 5 to 40 ms of CPU."""

_TEMPLATE: Final = '''\
"""Written by infra/lazy_imports.py."""

from importlib import import_module

__all__ = {names!r}
_PLACES = {places!r}


def __getattr__(name):
    if name not in _PLACES:
        raise AttributeError(f"module {{__name__!r}} has no attribute {{name!r}}")
    module, attribute = _PLACES[name]
    found = getattr(import_module(module), attribute)
    globals()[name] = found
    return found
'''


class NotOnlyImportsError(Exception):
    """An ``__init__`` does more than import, and cannot be made lazy."""


def make_lazy(folder: Path, package: str) -> None:
    """Write the ``__init__`` of a package again.

    Raises:
        NotOnlyImportsError: it does more than import names from modules.
    """
    path = folder.joinpath(*package.split("."), "__init__.py")
    places = dict(_places(ast.parse(path.read_text(encoding="utf-8")), package))
    path.write_text(_TEMPLATE.format(names=sorted(places), places=places), encoding="utf-8")


def _places(module: ast.Module, package: str) -> Iterator[tuple[str, tuple[str, str]]]:
    """The names that a package offers, each with its module and its name there."""
    for statement in module.body:
        match statement:
            case ast.ImportFrom(module=str(source), names=names, level=level):
                place = resolve_name("." * level + source, package)
                for name in names:
                    if name.name == "*":
                        raise NotOnlyImportsError(f"{package} imports * from {place}")
                    yield name.asname or name.name, (place, name.name)
            case ast.Expr(value=ast.Constant()) | ast.Assign(targets=[ast.Name(id="__all__")]):
                pass
            case _:
                raise NotOnlyImportsError(f"{package} does more than import in its __init__")
