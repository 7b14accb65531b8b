"""The AWS emulator, ministack: one process, and a child of it for each Lambda worker.

``program`` is what runs, with the parts of ministack that ``queries`` and ``layers`` replace.
"""

from __future__ import annotations

import os
from contextlib import AbstractAsyncContextManager
from uuid import uuid4

import boto3

from local.paths import RECORDER, SHARED, VENV_PYTHON, State
from local.ports import HOST
from local.processes import python_module
from local.servers import Server, running_server

REGION = "us-east-1"
ACCOUNT = "000000000000"
SECRET = "emulator"  # noqa: S105 - the emulator takes anything


def emulator_session() -> boto3.Session:
    """For AWS clients of an emulator; each also needs its ``endpoint_url``."""
    return boto3.Session(
        # Emulators take a key of twelve digits for the number of the account.
        aws_access_key_id=ACCOUNT,
        aws_secret_access_key=SECRET,
        region_name=REGION,
    )


def client_environment(url: str) -> dict[str, str]:
    """What makes AWS's tools talk to the emulator at an address only."""
    nowhere = os.devnull
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_CONFIG_FILE": nowhere,
        "AWS_SHARED_CREDENTIALS_FILE": nowhere,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def running_emulator(
    port: int, state: State, *, records_calls: bool = False
) -> AbstractAsyncContextManager[Server]:
    """An emulator with nothing in it, ready, until the block ends.

    With ``records_calls`` the AWS calls of all functions are written to ``state.aws_calls``.
    """
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
    return running_server(
        "The emulator",
        python_module("local.emulator.program"),
        url=url,
        ready=f"{url}/_ministack/health",
        log=state.logs / "emulator.log",
        env=env,
        proof=name,
    )
