"""Compute can be destroyed and deployed again, also on restored tables: on a system of its own."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import httpx
import pytest

from local import deployment
from local.deployment import Trust
from local.emulator import ACCOUNT, client_environment
from local.paths import CDK, State, tool_environment
from local.processes import run
from local.system import running_system
from local.upstream.demo_data import CUSTOMERS
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
    return aws, sqs.get_queue_url(QueueName="till-local-publish-events-dead-letters")["QueueUrl"]


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


def _grant(system: Endpoints, key: str) -> None:
    granted = httpx.post(
        f"{system.api_url}/customers/{CUSTOMER}/credit/grants",
        headers={"Authorization": f"Bearer {system.tokens['admin']}", "Idempotency-Key": key},
        json={"amount": 100, "reason": "To see that money moves"},
        timeout=60,
    )
    assert granted.status_code == httpx.codes.CREATED, granted.text


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

    # The same address: no caller of the API has to be told another one.
    assert f"/{deployed.api_id}/" in system.api_url
    assert _balance(system).json() == before.json()
    _grant(system, "after-the-second-deploy")
    assert _balance(system).json()["posted"] == before.json()["posted"] + 100
    # What waited for a person waits on.
    (message,) = sqs.receive_message(QueueUrl=queue)["Messages"]
    assert message["Body"] == "waits for a person"
    assert json.loads(httpx.get(f"{system.api_url}/health", timeout=60).text) == {"status": "ok"}


def test_the_functions_can_be_pointed_at_restored_tables(system: Endpoints) -> None:
    """As docs/runbooks/restoring.md says: a restored table has another name, and no stream."""
    aws, _ = _queue(system)
    dynamodb = aws.client("dynamodb", endpoint_url=system.aws_endpoint_url)
    restored = {name: f"{name}-2" for name in (system.ledger_table, system.purchases_table)}
    at_that_moment = _balance(system).json()
    for source, target in restored.items():
        dynamodb.update_continuous_backups(
            TableName=source,
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
        )
        dynamodb.restore_table_to_point_in_time(
            SourceTableName=source, TargetTableName=target, UseLatestRestorableTime=True
        )
        dynamodb.get_waiter("table_exists").wait(TableName=target)
    _grant(system, "lost-by-the-restore")
    assert _balance(system).json() != at_that_moment
    ledger, purchases = restored[system.ledger_table], restored[system.purchases_table]
    ssm = aws.client("ssm", endpoint_url=system.aws_endpoint_url)
    streams = {}
    for name, table in (("ledger", ledger), ("purchases", purchases)):
        changed = dynamodb.update_table(
            TableName=table,
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        )
        stream = changed["TableDescription"]["LatestStreamArn"]
        ssm.put_parameter(Name=f"/till-local/{name}-stream-arn", Value=stream, Overwrite=True)
        streams[name] = stream

    state = State(Path(system.identity_keys).parent)
    trust = Trust(issuer=system.issuer, audience=system.audience, jwks_url=system.jwks_url)
    asyncio.run(
        deployment.synthesize(
            state,
            "local",
            system.upstream_url,
            trust,
            deployment.AT_HAND,
            ledger_table=ledger,
            purchases_table=purchases,
        )
    )
    asyncio.run(deployment.deploy(state, "local", system.aws_endpoint_url))

    assert _balance(system).json() == at_that_moment
    # The key was forgotten with what it did, as the runbook warns.
    _grant(system, "lost-by-the-restore")
    assert _balance(system).json()["posted"] == at_that_moment["posted"] + 100
    functions = aws.client("lambda", endpoint_url=system.aws_endpoint_url)
    (mapping,) = functions.list_event_source_mappings(FunctionName="till-local-publish-events")[
        "EventSourceMappings"
    ]
    assert mapping["EventSourceArn"] == streams["ledger"]
