"""What a function must not load: each module that it does not need makes its cold start longer."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.unit.test_bootstrap import GOOD
from till.http import routes

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[2]

IN_THE_BACKGROUND = (*routes.SCHEDULED_OPERATIONS, *routes.STREAM_OPERATIONS, routes.PROBE)
"""Functions that no HTTP request calls."""

NEVER = {
    "boto3",
    # Only the authorizer verifies tokens, and its library is slow to load.
    "jwt",
    # Loaded when a function prepares what its operation needs, not by every import.
    *("botocore.session", "httpx", "hishel", "till.adapters.dynamodb.store"),
    # Loaded when the first error is answered: it knows the errors of all operations.
    "till.http.problems",
}
NOT_IN_THE_BACKGROUND = {
    "till.http.app",
    "aws_lambda_powertools.event_handler",
}
PUBLIC = {route.operation for route in routes.ROUTES if not route.roles}
NOT_IN_PUBLIC = {
    "till.domain.account",
    "till.domain.promo",
    "till.domain.purchase",
    "till.services.shared.contention",
    "concurrent.futures.thread",
}
"""What only those need that read or write the tables."""

ONLY_ACCOUNTS = {"get_credit", "get_statement", "list_entries", "grant_credit", "deduct_credit"}
"""They read and write no items but an account's."""
NOT_FOR_ACCOUNTS = {
    "till.adapters.dynamodb.store",
    "till.adapters.dynamodb.writes",
    "till.adapters.dynamodb.stored.attempts",
    "till.adapters.dynamodb.stored.promo_codes",
    "till.domain.promo",
    "till.domain.purchase",
}
READS = {route.operation for route in routes.ROUTES if route.method == "GET"} - {
    # One use case reads and changes promo codes.
    "get_promo_code",
    "list_promo_codes",
}
NOT_TO_READ = {
    "till.services.adjust_credit",
    "till.services.create_purchase",
    "till.services.create_refund_quote",
    "till.services.refund_purchase",
    "till.services.resolve_attempt",
    "till.services.shared.contention",
    "till.services.shared.settlement",
    "till.adapters.upstream.carrier",
}
"""What only those need that move money."""
ASKS_UPSTREAM = {
    "get_customer",
    "get_product",
    "list_customers",
    "search_everything",
}
NOT_WITHOUT_UPSTREAM = {"httpx", "hishel", "till.adapters.upstream.reader"}

_IMPORT = "import handler, json, sys; print(json.dumps(sorted(sys.modules)))"


def modules_of(operation: str, settings: Mapping[str, str] | None = None) -> set[str]:
    """The modules that a fresh interpreter has after it imported the function's handler.

    With the settings that it has in Lambda, the handler also prepares what its operation needs.
    """
    path = [ROOT / "functions" / operation, ROOT / "layers" / "till" / "python"]
    ran = subprocess.run(
        [sys.executable, "-c", _IMPORT],
        env={"PYTHONPATH": ":".join(str(folder) for folder in path), **(settings or {})},
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
    banned |= NOT_IN_PUBLIC if operation in PUBLIC else set()
    assert not modules_of(operation) & banned


@pytest.mark.parametrize("operation", sorted(READS | ONLY_ACCOUNTS))
def test_a_function_prepares_nothing_that_its_operation_does_not_need(operation: str) -> None:
    in_lambda = {
        **GOOD,
        "AWS_LAMBDA_FUNCTION_NAME": operation,
        "AWS_DEFAULT_REGION": "eu-central-1",
        "TILL_JOURNAL": "journal",
        "TILL_SIGNING_KEY": "arn:aws:kms:eu-central-1:000000000000:key/statements",
    }
    banned = set().union(
        NOT_TO_READ if operation in READS else (),
        NOT_FOR_ACCOUNTS if operation in ONLY_ACCOUNTS else (),
        NOT_WITHOUT_UPSTREAM if operation not in ASKS_UPSTREAM else (),
    )
    assert not modules_of(operation, in_lambda) & banned
