"""What a function must not load: each module that it does not need makes its cold start longer."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from till.http import routes

ROOT = Path(__file__).parents[2]

IN_THE_BACKGROUND = (*routes.SCHEDULED_OPERATIONS, *routes.STREAM_OPERATIONS, routes.PROBE)
"""Functions that no HTTP request calls."""

NEVER = {
    "boto3",
    # Only the authorizer verifies tokens, and its library is slow to load.
    "jwt",
    # Loaded when a function prepares what its operation needs, not by every import.
    *("botocore.session", "httpx", "hishel", "till.adapters.dynamodb.store"),
}
NOT_IN_THE_BACKGROUND = {
    "till.http.app",
    "till.http.problems",
    "aws_lambda_powertools.event_handler",
}

_IMPORT = "import handler, json, sys; print(json.dumps(sorted(sys.modules)))"


def modules_of(operation: str) -> set[str]:
    """The modules that a fresh interpreter has after it imported the function's handler."""
    path = [ROOT / "functions" / operation, ROOT / "layers" / "till" / "python"]
    ran = subprocess.run(
        [sys.executable, "-c", _IMPORT],
        env={"PYTHONPATH": ":".join(str(folder) for folder in path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    modules: list[str] = json.loads(ran.stdout)
    return set(modules)


@pytest.mark.parametrize("operation", sorted({*routes.OPERATIONS, *IN_THE_BACKGROUND}))
def test_a_function_loads_nothing_that_it_does_not_need(operation: str) -> None:
    banned = NEVER | (NOT_IN_THE_BACKGROUND if operation in IN_THE_BACKGROUND else set())
    assert not modules_of(operation) & banned
