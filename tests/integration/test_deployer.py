"""The deployer of docker-compose.yml, on the embedded emulator: beside the stage that is there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from local.demo_data import OPENING_CREDITS
from local.localstack import BACKOFFICE_FILE, STAGE
from tests.integration.badges import bearer

if TYPE_CHECKING:
    from local.endpoints import Endpoints

ROOT = Path(__file__).resolve().parents[2]
GATEWAY = "http://localstack.example:4566"
BACKOFFICE = "http://127.0.0.1:18080"


@pytest.fixture(scope="module")
def deployed(
    endpoints: Endpoints, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[str]]:
    """Where it left what the back office reads, and what it said, the first and the second time."""
    if endpoints.function_prefix == f"till-{STAGE}-":
        pytest.skip("this stage is there already")
    state = tmp_path_factory.mktemp("deployer")
    command = [sys.executable, "-m", "local.localstack", "--state", str(state)]
    command += ["--aws-url", endpoints.aws_endpoint_url, "--gateway-url", GATEWAY]
    command += ["--upstream-url", endpoints.upstream_url, "--issuer", endpoints.issuer]
    command += ["--backoffice-url", BACKOFFICE, "--runs-on", "local"]
    said = []
    for _ in range(2):
        run = subprocess.run(
            command, cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False
        )
        assert run.returncode == 0, run.stdout + run.stderr
        said.append(run.stdout)
    return state, said


def _api(said: str) -> str:
    (line,) = (line for line in said.splitlines() if line.startswith("Till's API is at "))
    return line.removeprefix("Till's API is at ")


def test_it_tells_where_everything_is(
    deployed: tuple[Path, list[str]], endpoints: Endpoints
) -> None:
    state, (first, second) = deployed
    api_url = _api(first)
    assert api_url.startswith(f"{endpoints.aws_endpoint_url}/_aws/execute-api/")
    assert api_url != endpoints.api_url
    assert _api(second) == api_url, "it deployed another API the second time"
    for line in (f"the back office, in a moment, at {BACKOFFICE}", f"ISSUER={endpoints.issuer}"):
        assert line in first
    # The back office's server asks the API by another name than a browser does.
    path = api_url.removeprefix(endpoints.aws_endpoint_url)
    read = subprocess.run(
        ["sh", "-c", f". {state / BACKOFFICE_FILE} && env"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert f"TILL_API_URL={GATEWAY}{path}" in read
    assert f"TILL_ISSUER={endpoints.issuer}" in read
    assert f"TILL_AUDIENCE={endpoints.audience}" in read


def test_the_demo_s_customers_have_their_credit_once(
    deployed: tuple[Path, list[str]], endpoints: Endpoints
) -> None:
    _, (_, said) = deployed
    for credit in OPENING_CREDITS:
        url = f"{_api(said)}/customers/{credit.customer.id}/credit"
        balance = httpx.get(url, headers=bearer(endpoints.tokens["admin"]), timeout=60).json()
        assert balance["posted"] == credit.amount
        assert httpx.get(url, timeout=60).status_code == 401, "it lets anybody in"
