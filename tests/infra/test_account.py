"""``make bootstrap`` and ``make ci-roles`` against the embedded emulator, by the real CDK."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3
import pytest

from local.emulator import ACCOUNT, REGION, client_environment, running_emulator
from local.paths import ROOT, State
from local.ports import choose_port

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Account:
    """An account with nothing in it."""

    url: str

    def session(self) -> boto3.Session:
        return boto3.Session(
            aws_access_key_id=ACCOUNT, aws_secret_access_key="emulator", region_name=REGION
        )

    def stacks(self) -> dict[str, str]:
        client = self.session().client("cloudformation", endpoint_url=self.url)
        return {one["StackName"]: one["StackStatus"] for one in client.describe_stacks()["Stacks"]}

    def role(self, name: str) -> str:
        """Everything that a role says."""
        client = self.session().client("iam", endpoint_url=self.url)
        role = client.get_role(RoleName=name)["Role"]
        policies = [
            client.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
            for policy in client.list_role_policies(RoleName=name)["PolicyNames"]
        ]
        return json.dumps([role["AssumeRolePolicyDocument"], policies], default=str)

    def run(self, command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the runbook in the checkout, as it is written there."""
        cleared = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("TILL_", "AWS_", "PYTHONPATH", "MAKE"))
        }
        return subprocess.run(
            ["sh", "-c", command],
            cwd=ROOT,
            env={**cleared, **client_environment(self.url), **environment},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    state = State(tmp_path_factory.mktemp("account"))
    for folder in (state.logs, state.temporary):
        folder.mkdir()
    port = choose_port(0, used_for="the emulator", variable="PORT")
    with asyncio.Runner() as runner:
        servers = AsyncExitStack()
        emulator = runner.run(servers.enter_async_context(running_emulator(port, state)))
        try:
            yield Account(emulator.url)
        finally:
            runner.run(servers.aclose())


def runbook(start: str) -> str:
    """The command of the runbook that starts so."""
    text = (ROOT / "docs" / "runbooks" / "deploying.md").read_text(encoding="utf-8")
    (line,) = (one.strip() for one in text.splitlines() if one.startswith(f"    {start}"))
    return line.partition("  #")[0].strip()


def test_the_bootstrap_of_the_runbook_works_in_a_new_account(account: Account) -> None:
    done = account.run(runbook("make bootstrap "))
    assert done.returncode == 0, done.stderr
    assert f"account {ACCOUNT} in {REGION} for stage dev" in done.stdout
    assert account.stacks()["CDKToolkit"] == "CREATE_COMPLETE"


def test_a_bootstrap_with_a_qualifier_stands_next_to_it_and_ci_takes_its_roles(
    account: Account,
) -> None:
    own = {"TILL_BOOTSTRAP_QUALIFIER": "tillown"}
    done = account.run(runbook("make bootstrap "), **own)
    assert done.returncode == 0, done.stderr
    assert account.stacks()["CDKToolkit-tillown"] == "CREATE_COMPLETE"
    # The emulator has no resource type for an OpenID Connect provider.
    command = runbook("make ci-roles ").replace("OWNER@ID/NAME@ID", "octo@1/till@2")
    done = account.run(f"{command} PROVIDER=existing", **own)
    assert done.returncode == 0, done.stderr
    deploys = account.role("till-ci-deploy")
    assert "cdk-tillown-deploy-role" in deploys
    assert "cdk-hnb659fds" not in deploys
    assert "repo:octo@1/till@2:environment:production" in deploys


def test_a_stage_is_synthesized_as_the_runbook_writes_it(account: Account) -> None:
    told = {
        "TILL_UPSTREAM_URL": "https://shop.example.com/api",
        "TILL_ISSUER": "https://id.example.com",
        "TILL_AUDIENCE": "https://till.example/api",
        "TILL_JWKS_URL": "https://id.example.com/jwks",
    }
    done = account.run(runbook("make synth "), **told)
    assert done.returncode == 0, done.stderr
    assert "Stage dev is in cdk.out/dev." in done.stdout
    # The CDK hands on what the app says: what is missing is told, and not in a log alone.
    assert "WARNING: the alarms of stage dev reach no one. Set TILL_ALARMS_TO" in done.stderr
    templates = {path.name for path in (ROOT / "cdk.out" / "dev").glob("*.template.json")}
    assert templates == {
        f"till-dev-{stack}.template.json" for stack in ("account", "compute", "data", "edge")
    }


@pytest.mark.parametrize(
    ("command", "environment", "said"),
    [
        ("make bootstrap", {}, "No stage was named: pass STAGE= with one of dev, staging, prod."),
        ("make bootstrap STAGE=local", {}, "There is no stage 'local' on AWS"),
        (
            "make bootstrap STAGE=dev",
            {"AWS_REGION": ""},
            "AWS_REGION has to name the region of stage dev for a bootstrap",
        ),
        (
            "make bootstrap STAGE=dev",
            {"TILL_BOOTSTRAP_QUALIFIER": "Not-One"},
            "'Not-One' is no qualifier of a CDK bootstrap",
        ),
        (
            "make bootstrap STAGE=dev",
            {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""},
            "AWS does not say whose credentials these are",
        ),
        ("make ci-roles", {}, "No repository was named: pass -c repository=OWNER/NAME."),
    ],
)
def test_what_is_missing_is_one_sentence(
    account: Account, command: str, environment: dict[str, str], said: str
) -> None:
    done = account.run(command, **environment)
    assert done.returncode != 0
    assert said in done.stderr
