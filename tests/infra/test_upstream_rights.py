"""Who may read the upstream's credential is who calls the upstream, as the code itself tells.

Found by reading it: a handler calls a use case that ``till.bootstrap`` wires; what is wired with
something that leads to the credential calls the upstream, if the method that the handler calls uses
that part of it.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib import import_module

import pytest

from infra import ROOT
from infra.permissions import PERMISSIONS
from till import bootstrap

CREDENTIALS = "_credentials"
"""What in the bootstrap gives the credential."""
OPERATIONS = sorted(handler.parent.name for handler in ROOT.glob("functions/*/handler.py"))

Definition = ast.FunctionDef | ast.ClassDef


@cache
def wiring() -> Mapping[str, Definition]:
    """The top-level functions and classes of the bootstrap."""
    tree = ast.parse(inspect.getsource(bootstrap))
    return {node.name: node for node in tree.body if isinstance(node, Definition)}


def names(node: ast.AST) -> set[str]:
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}


@cache
def leads_to_credential(name: str) -> bool:
    seen: set[str] = set()
    ahead = {name}
    while ahead:
        one = ahead.pop()
        seen.add(one)
        ahead |= (names(wiring()[one]) & wiring().keys()) - seen
    return CREDENTIALS in seen


def tainted(node: ast.AST) -> bool:
    return any(leads_to_credential(name) for name in names(node) & wiring().keys())


def use_case(made_by: str) -> tuple[type, set[str]]:
    """The class that a function of the bootstrap makes, and the parameters that lead there."""
    function = wiring()[made_by]
    (made,) = (
        node.value
        for node in ast.walk(function)
        if isinstance(node, ast.Return) and isinstance(node.value, ast.Call)
    )
    assert isinstance(made, ast.Call)
    assert isinstance(made.func, ast.Name)
    (module,) = (
        node.module
        for node in ast.walk(function)
        if isinstance(node, ast.ImportFrom) and made.func.id in {alias.name for alias in node.names}
    )
    assert module is not None
    cls = getattr(import_module(module), made.func.id)
    # `customers, products = _catalogue()` leads there by way of names of its own.
    through = {
        name
        for node in ast.walk(function)
        if isinstance(node, ast.Assign) and tainted(node.value)
        for target in node.targets
        for name in names(target)
    }
    positions = list(inspect.signature(cls).parameters)
    arguments = [
        *zip(positions, made.args, strict=False),
        *((keyword.arg, keyword.value) for keyword in made.keywords),
    ]
    leads = {str(n) for n, value in arguments if tainted(value) or names(value) & through}
    return cls, leads


def attributes_of_self(node: ast.AST) -> Iterator[str]:
    for each in ast.walk(node):
        if (
            isinstance(each, ast.Attribute)
            and isinstance(each.value, ast.Name)
            and each.value.id == "self"
        ):
            yield each.attr


def uses(cls: type, method: str, parameters: Iterable[str]) -> bool:
    """Whether a method, or one that it calls, uses what came in by one of these parameters."""
    (node,) = ast.parse(inspect.getsource(cls)).body
    assert isinstance(node, ast.ClassDef)
    methods = {each.name: each for each in node.body if isinstance(each, ast.FunctionDef)}
    kept = {
        attribute
        for statement in ast.walk(methods["__init__"])
        if isinstance(statement, ast.Assign) and names(statement.value) & set(parameters)
        for target in statement.targets
        for attribute in attributes_of_self(target)
    }
    seen: set[str] = set()
    ahead = {method}
    while ahead:
        one = ahead.pop()
        seen.add(one)
        used = set(attributes_of_self(methods[one]))
        if used & kept:
            return True
        ahead |= (used & methods.keys()) - seen
    return False


def calls(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """What a handler calls of what the bootstrap makes: the maker's name, and the method's."""
    variables = {
        target.id: node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for call in ast.walk(tree):
        if isinstance(call, ast.Call):
            called: ast.expr = call.func
            method = "__call__"
            if isinstance(called, ast.Attribute):
                method = called.attr
                called = called.value
            if isinstance(called, ast.Name):
                called = variables.get(called.id, called)
            match called:
                case ast.Call(func=ast.Attribute(value=ast.Name(id="bootstrap"), attr=maker)):
                    yield maker, method


def calls_upstream(source: str) -> bool:
    return any(
        leads_to_credential(maker) and uses(*_asked(maker, method))
        for maker, method in calls(ast.parse(source))
    )


def _asked(maker: str, method: str) -> tuple[type, str, set[str]]:
    cls, leads = use_case(maker)
    return cls, method, leads


def source_of(operation: str) -> str:
    return (ROOT / "functions" / operation / "handler.py").read_text()


@pytest.mark.parametrize("operation", OPERATIONS)
def test_who_calls_the_upstream_may_read_its_credential_and_nobody_else(operation: str) -> None:
    assert PERMISSIONS[operation].calls_upstream is calls_upstream(source_of(operation))


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_use_case_that_a_handler_is_wired_with_is_seen_to_be_called(operation: str) -> None:
    """Else one that is called in a new way would be taken for one that is not called at all."""
    tree = ast.parse(source_of(operation))
    wired = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "bootstrap"
        and node.attr in wiring()
        and leads_to_credential(node.attr)
    }
    assert wired == {maker for maker, _ in calls(tree)} & wired


def test_the_edge_of_all_functions_does_not_lead_there() -> None:
    for path in (ROOT / "layers/till/python/till/http").rglob("*.py"):
        assert "bootstrap" not in names(ast.parse(path.read_text())), path
