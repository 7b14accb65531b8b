"""Deploys the CDK app to the emulator, with the real CDK command line."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from local.emulator import ACCOUNT, REGION, client_environment, emulator_session
from local.errors import StartError
from local.paths import CDK, State, tool_environment
from local.processes import run
from local.upstream.credentials import VARIABLE, Credential, CredentialError

STAGE = "local"
STAGES = (STAGE, "localstack")
"""What the embedded emulator takes. LocalStack's stage has its functions in self-contained bundles,
which run here as well."""
AT_HAND = "local"
"""The target of the embedded emulator, which runs the functions with its own interpreter."""


@dataclass(frozen=True, slots=True)
class Deployed:
    """What the deployed stacks say of themselves."""

    api_id: str
    ledger_table: str
    purchases_table: str
    function_prefix: str
    """What the names of the stage's Lambda functions begin with."""
    upstream_secret: str
    """The secret for the credential of the external APIs: made empty, and to be filled."""


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose access tokens the API takes."""

    issuer: str
    audience: str
    jwks_url: str


async def build_layers(state: State, runs_on: str) -> None:
    """Build the Lambda layers, or find them up to date.

    In the user's own environment, as pip reads its settings there.
    """
    await run(
        [sys.executable, "-m", "infra.layers", *(["--machine", runs_on] if runs_on else [])],
        log=state.logs / "layers.log",
        env=os.environ,
        failure="The Lambda layers could not be built",
    )


async def synthesize(
    state: State,
    stage: str,
    upstream_url: str,
    trust: Trust,
    runs_on: str,
    **more: str,
) -> None:
    """Turn the app into templates and assets; ``more`` is further context for the stage."""
    context = {
        "stage": stage,
        "runs_on": runs_on,
        "upstream_url": upstream_url,
        "issuer": trust.issuer,
        "audience": trust.audience,
        "jwks_url": trust.jwks_url,
        **more,
    }
    shutil.rmtree(state.cloud_assembly, ignore_errors=True)
    await run(
        _cdk(
            *("synth", "--quiet", "--output", state.cloud_assembly),
            *(f"--context={name}={value}" for name, value in context.items()),
        ),
        log=state.logs / "synth.log",
        # The region is the emulator's; nothing is asked of any AWS here.
        env={**tool_environment(state), "AWS_REGION": REGION, "AWS_EC2_METADATA_DISABLED": "true"},
        failure="The CDK app could not be synthesized",
    )


async def bootstrap(state: State, emulator_url: str) -> None:
    """Make what the CDK needs in any account: a bucket and a few roles."""
    # Where there is no cdk.json: the app is being synthesized at the same time.
    elsewhere = state.folder / "bootstrap"
    elsewhere.mkdir(exist_ok=True)
    await run(
        _cdk("bootstrap", f"aws://{ACCOUNT}/{REGION}"),
        log=state.logs / "bootstrap.log",
        env=_environment(state, emulator_url),
        cwd=elsewhere,
        failure="The emulator could not be bootstrapped for the CDK",
    )


async def deploy(state: State, stage: str, emulator_url: str) -> Deployed:
    """Deploy every stack, and read their outputs.

    Raises:
        StartError: a stack failed, or an output is missing.
    """
    state.stack_outputs.unlink(missing_ok=True)
    await run(
        _cdk(
            *("deploy", "--all", "--app", state.cloud_assembly, "--method=direct"),
            *("--require-approval", "never", "--progress", "events"),
            *("--outputs-file", state.stack_outputs),
        ),
        log=state.logs / "deploy.log",
        env=_environment(state, emulator_url),
        failure="The deploy failed",
    )
    return read_outputs(state.stack_outputs, stage)


def chosen_credential() -> Credential:
    """What the external APIs ask for. Of the environment: arguments are everybody's to see.

    Raises:
        StartError: its value is not valid.
    """
    try:
        return Credential.from_environment(os.environ)
    except CredentialError as error:
        raise StartError(f"{VARIABLE} is not valid: {error}.") from None


async def put_credential(deployed: Deployed, credential: Credential, emulator_url: str) -> None:
    """Put the credential of the external APIs where an operator would: into the stage's secret."""
    client = emulator_session().client("secretsmanager", endpoint_url=emulator_url)
    await asyncio.to_thread(
        client.put_secret_value,
        SecretId=deployed.upstream_secret,
        SecretString=credential.model_dump_json(),
    )


def _cdk(*arguments: str | Path) -> list[str | Path]:
    return ["node", CDK, *arguments, "--no-notices", "--ci"]


def _environment(state: State, emulator_url: str) -> Mapping[str, str]:
    return {**tool_environment(state), **client_environment(emulator_url)}


def read_outputs(path: Path, stage: str) -> Deployed:
    """What a deploy of the stage wrote down.

    Raises:
        StartError: an output is missing.
    """
    prefix = f"till-{stage}-"
    outputs: dict[str, dict[str, str]] = json.loads(path.read_text())
    try:
        data = outputs[f"{prefix}data"]
        return Deployed(
            api_id=data["ApiId"],
            ledger_table=data["LedgerTableName"],
            purchases_table=data["PurchasesTableName"],
            function_prefix=prefix,
            upstream_secret=f"{prefix}upstream",
        )
    except KeyError as missing:
        raise StartError(f"The deployed stacks have no output {missing} (see {path}).") from None
