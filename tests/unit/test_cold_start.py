"""Every function starts without garbage collection, and runs with it."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HANDLERS = sorted((ROOT / "functions").glob("*/handler.py"))


@pytest.mark.parametrize("handler", HANDLERS, ids=lambda path: path.parent.name)
def test_a_handler_starts_and_ends_its_cold_start(handler: Path) -> None:
    docstring, first, *_, last = ast.parse(handler.read_text()).body
    assert isinstance(docstring, ast.Expr)
    assert ast.unparse(first) == "import till.cold_start"
    assert ast.unparse(last) == "till.cold_start.end()"


@pytest.mark.parametrize(
    ("name", "expected"), [("a-function", [False, True]), (None, [True, True])]
)
def test_garbage_is_collected_again_when_a_function_has_started(
    name: str | None, expected: list[bool]
) -> None:
    program = (
        "import gc, till.cold_start; print(gc.isenabled(), end=' ');"
        " till.cold_start.end(); print(gc.isenabled(), gc.get_freeze_count() > 0)"
    )
    environment = {
        key: value for key, value in os.environ.items() if key != "AWS_LAMBDA_FUNCTION_NAME"
    }
    environment["PYTHONPATH"] = str(ROOT / "layers" / "till" / "python")
    if name is not None:
        environment["AWS_LAMBDA_FUNCTION_NAME"] = name
    run = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert run.stdout.split() == [*map(str, expected), str(name is not None)]
