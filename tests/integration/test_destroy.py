"""Compute can be destroyed and deployed again at any time: on a system of its own."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import httpx
import pytest

from local import deployment
from local.demo_data import CUSTOMERS
from local.emulator import ACCOUNT, client_environment
from local.places import CDK, State, tool_environment
from local.processes import run
from local.system import running_system
from tests.under_test import is_named

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.endpoints import Endpoints

COMPUTE = "till-local-compute"
CUSTOMER = CUSTOMERS[2].id


@pytest.fixture(scope="module")
def system() -> Iterator[Endpoints]:
    if is_named():
        pytest.skip("a stage that is named is not destroyed")
    with running_system() as started:
        yield started


def _queue(system: Endpoints) -> tuple[boto3.Session, str]:
    aws = boto3.Session(
        aws_access_key_id=ACCOUNT, aws_secret_access_key="emulator", region_name=system.region
    )
    sqs = aws.client("sqs", endpoint_url=system.aws_endpoint_url)
    return aws, sqs.get_queue_url(QueueName="till-local-publish-events-parked")["QueueUrl"]


def _cdk(system: Endpoints, *arguments: str) -> None:
    state = State(Path(system.identity_keys).parent)
    asyncio.run(
        run(
            ["node", CDK, *arguments, "--app", state.cloud_assembly, "--no-notices", "--ci"],
            log=state.logs / f"{arguments[0]}-again.log",
            env={**tool_environment(state), **client_environment(system.aws_endpoint_url)},
            failure=f"cdk {arguments[0]} failed",
        )
    )


def _balance(system: Endpoints) -> httpx.Response:
    return httpx.get(
        f"{system.api_url}/customers/{CUSTOMER}/credit",
        headers={"Authorization": f"Bearer {system.tokens['support']}"},
        timeout=60,
    )


def test_compute_comes_back_at_its_address_with_all_that_was_kept(system: Endpoints) -> None:
    before = _balance(system)
    assert before.status_code == httpx.codes.OK, before.text
    aws, queue = _queue(system)
    sqs = aws.client("sqs", endpoint_url=system.aws_endpoint_url)
    sqs.send_message(QueueUrl=queue, MessageBody="waits for a person")

    _cdk(system, "destroy", COMPUTE, "--exclusively", "--force")

    stacks = aws.client("cloudformation", endpoint_url=system.aws_endpoint_url)
    names = {one["StackName"] for one in stacks.describe_stacks()["Stacks"]}
    assert names >= {"till-local-data"}
    assert COMPUTE not in names
    functions = aws.client("lambda", endpoint_url=system.aws_endpoint_url)
    assert functions.list_functions()["Functions"] == []
    assert _balance(system).status_code in {403, 404}

    state = State(Path(system.identity_keys).parent)
    deployed = asyncio.run(deployment.deploy(state, "local", system.aws_endpoint_url))

    # The same address: nobody who calls the API has to be told another one.
    assert f"/{deployed.api_id}/" in system.api_url
    assert _balance(system).json() == before.json()
    granted = httpx.post(
        f"{system.api_url}/customers/{CUSTOMER}/credit/grants",
        headers={
            "Authorization": f"Bearer {system.tokens['admin']}",
            "Idempotency-Key": "after the second deploy",
        },
        json={"amount": 100, "reason": "Compute was deployed again"},
        timeout=60,
    )
    assert granted.status_code == httpx.codes.CREATED, granted.text
    assert _balance(system).json()["posted"] == before.json()["posted"] + 100
    # What waited for a person waits on.
    (message,) = sqs.receive_message(QueueUrl=queue)["Messages"]
    assert message["Body"] == "waits for a person"
    assert json.loads(httpx.get(f"{system.api_url}/health", timeout=60).text) == {"status": "ok"}
