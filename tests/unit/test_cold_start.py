"""Every function starts without garbage collection, and runs with it."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HANDLERS = sorted(
    path
    for path in (ROOT / "functions").glob("*/handler.py")
    # It verifies what Till writes, and imports nothing of Till.
    if path.parent.name != "watch_ledger"
)


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


_RESTORED = """
import random
def register_after_restore(function):
    global after_restore
    after_restore = function
"""
"""A stand-in for the module that only Lambda's runtime has."""


def test_a_restored_worker_has_random_numbers_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "snapshot_restore_py.py").write_text(_RESTORED)
    program = (
        "import random, till.cold_start; till.cold_start.end(); import snapshot_restore_py as s;"
        " random.seed(1); first = random.random();"
        " random.seed(1); s.after_restore(); print(random.random() != first)"
    )
    environment = {
        "PYTHONPATH": f"{ROOT / 'layers' / 'till' / 'python'}:{tmp_path}",
        "AWS_LAMBDA_FUNCTION_NAME": "a-function",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start",
    }
    run = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "True"
