"""The AWS emulator, ministack: one process, and a child of it for each Lambda worker."""

from __future__ import annotations

import os
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from local.paths import RECORDER, SHARED, VENV_PYTHON, State
from local.ports import HOST
from local.processes import python_module, started
from local.servers import await_ready

REGION = "us-east-1"
ACCOUNT = "000000000000"


@dataclass(frozen=True, slots=True)
class Emulator:
    """A running emulator."""

    process: Process
    url: str
    log: Path

    def client_environment(self) -> dict[str, str]:
        """What makes AWS's tools talk to this emulator only."""
        return client_environment(self.url)


def client_environment(url: str) -> dict[str, str]:
    """What makes AWS's tools talk to the emulator at an address only."""
    nowhere = os.devnull
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        # Emulators take a key of twelve digits for the number of the account.
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": "emulator",
        "AWS_CONFIG_FILE": nowhere,
        "AWS_SHARED_CREDENTIALS_FILE": nowhere,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


@asynccontextmanager
async def running_emulator(
    port: int, state: State, *, records_calls: bool = False
) -> AsyncIterator[Emulator]:
    """An emulator with nothing in it, ready, until the block ends.

    With ``records_calls`` the AWS calls of all functions are written to ``state.aws_calls``.
    """
    log = state.logs / "emulator.log"
    url = f"http://{HOST}:{port}"
    # Its health check returns this name.
    name = f"till-{uuid4()}"
    # Nothing of the user's environment: the Lambda workers inherit what is here.
    env = {
        "MINISTACK_EDITION": name,
        "BIND_HOST": HOST,
        "GATEWAY_PORT": str(port),
        # These would listen on every interface, on ports that were not chosen.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "MINISTACK_REGION": REGION,
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "HOME": str(SHARED / "home"),
        "TMPDIR": str(state.temporary),
        "PATH": f"{VENV_PYTHON.parent}{os.pathsep}{os.defpath}",
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
    }
    if records_calls:
        env |= {"PYTHONPATH": str(RECORDER), "TILL_RECORD_AWS_CALLS": str(state.aws_calls)}
    command = python_module("local.emulator_queries")
    async with started(command, log=log, env=env, ends_with_us=True) as process:
        await await_ready("The emulator", process, f"{url}/_ministack/health", log, proof=name)
        yield Emulator(process, url, log)
