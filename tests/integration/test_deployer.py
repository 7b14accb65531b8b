"""The deployer of docker-compose.yml, on the embedded emulator, next to the stage that is there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from local.localstack import STAGE
from local.upstream.demo_data import OPENING_CREDITS
from tests.integration.badges import bearer

if TYPE_CHECKING:
    from local.endpoints import Endpoints

ROOT = Path(__file__).resolve().parents[2]
BACKOFFICE = "http://127.0.0.1:18080"


@pytest.fixture(scope="module")
def said(endpoints: Endpoints, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What it printed, the first and the second time."""
    if endpoints.function_prefix == f"till-{STAGE}-":
        pytest.skip("this stage is there already")
    state = tmp_path_factory.mktemp("deployer")
    command = [sys.executable, "-m", "local.localstack", "--state", str(state)]
    command += ["--aws-url", endpoints.aws_endpoint_url]
    command += ["--upstream-url", endpoints.upstream_url, "--issuer", endpoints.issuer]
    command += ["--backoffice-url", BACKOFFICE, "--runs-on", "local"]
    printed = []
    for _ in range(2):
        run = subprocess.run(
            command, cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False
        )
        assert run.returncode == 0, run.stdout + run.stderr
        printed.append(run.stdout)
    return printed


def _api(said: str) -> str:
    (line,) = (line for line in said.splitlines() if line.startswith("Till's API is at "))
    return line.removeprefix("Till's API is at ")


def test_it_tells_where_everything_is(said: list[str], endpoints: Endpoints) -> None:
    first, second = said
    api_url = _api(first)
    assert api_url.startswith(f"{endpoints.aws_endpoint_url}/_aws/execute-api/")
    assert api_url != endpoints.api_url
    assert _api(second) == api_url, "it deployed another API the second time"
    for line in (f"the back office, in a moment, at {BACKOFFICE}", f"ISSUER={endpoints.issuer}"):
        assert line in first


def test_the_demo_s_customers_have_their_credit_once(said: list[str], endpoints: Endpoints) -> None:
    for credit in OPENING_CREDITS:
        url = f"{_api(said[1])}/customers/{credit.customer.id}/credit"
        balance = httpx.get(url, headers=bearer(endpoints.tokens["admin"]), timeout=60).json()
        assert balance["posted"] == credit.amount
        assert httpx.get(url, timeout=60).status_code == 401, "it lets anybody in"
