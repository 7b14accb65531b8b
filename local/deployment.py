"""Deploys the CDK app to the emulator, with the real CDK command line."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from local.emulator import ACCOUNT, REGION, Emulator
from local.errors import StartError
from local.places import CDK, State, tool_environment
from local.processes import run

STAGE = "local"
FUNCTION_PREFIX = f"till-{STAGE}-"
"""What the names of this stage's Lambda functions begin with."""


@dataclass(frozen=True, slots=True)
class Deployed:
    """What the deployed stacks say of themselves."""

    api_id: str
    ledger_table: str
    purchases_table: str


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose access tokens the API takes."""

    issuer: str
    audience: str
    jwks_url: str


async def build_layers(state: State) -> None:
    """Build the Lambda layers, or find them up to date.

    In the user's own environment, as pip reads its settings there.
    """
    await run(
        [sys.executable, "-m", "infra.layers", "--target", "local"],
        log=state.logs / "layers.log",
        env=os.environ,
        failure="The Lambda layers could not be built",
    )


async def synthesize(state: State, upstream_url: str, trust: Trust) -> None:
    """Turn the app into templates and assets."""
    context = {
        "stage": STAGE,
        "upstream_url": upstream_url,
        "issuer": trust.issuer,
        "audience": trust.audience,
        "jwks_url": trust.jwks_url,
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


async def bootstrap(state: State, emulator: Emulator) -> None:
    """Make what the CDK needs in any account: a bucket and a few roles."""
    # Where there is no cdk.json: the app is being synthesized at the same time.
    elsewhere = state.folder / "bootstrap"
    elsewhere.mkdir(exist_ok=True)
    await run(
        _cdk("bootstrap", f"aws://{ACCOUNT}/{REGION}"),
        log=state.logs / "bootstrap.log",
        env=_environment(state, emulator),
        cwd=elsewhere,
        failure="The emulator could not be bootstrapped for the CDK",
    )


async def deploy(state: State, emulator: Emulator) -> Deployed:
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
        env=_environment(state, emulator),
        failure="The deploy failed",
    )
    return _read_outputs(state.stack_outputs)


def _cdk(*arguments: str | Path) -> list[str | Path]:
    return ["node", CDK, *arguments, "--no-notices", "--ci"]


def _environment(state: State, emulator: Emulator) -> Mapping[str, str]:
    return {**tool_environment(state), **emulator.client_environment()}


def _read_outputs(path: Path) -> Deployed:
    outputs: dict[str, dict[str, str]] = json.loads(path.read_text())
    try:
        data = outputs[f"till-{STAGE}-data"]
        compute = outputs[f"till-{STAGE}-compute"]
        return Deployed(
            api_id=compute["ApiId"],
            ledger_table=data["LedgerTableName"],
            purchases_table=data["PurchasesTableName"],
        )
    except KeyError as missing:
        raise StartError(f"The deployed stacks have no output {missing} (see {path}).") from None
