"""A whole running system for tests and benchmarks, on free ports, so that several can run."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from botocore.exceptions import BotoCoreError

from local.checkout_lock import try_lock
from local.deployment import STAGE
from local.endpoints import Endpoints
from local.errors import StartError
from local.function_logs import read_function_logs
from local.paths import ROOT, SHARED, State

SYSTEMS = SHARED / "systems"
PAUSE_SECONDS = 0.05
STOP_WITHIN_SECONDS = 90.0
"""Each Lambda worker leaves some hundred files to remove, and a race leaves a hundred workers."""
FORGET_AFTER_SECONDS = 600.0


@contextmanager
def running_system(
    *,
    stage: str = STAGE,
    upstream_url: str | None = None,
    backoffice: bool = False,
    records_calls: bool = False,
    start_within_seconds: float = 240.0,
) -> Iterator[Endpoints]:
    """A system of its own, stopped when the block ends.

    It is the emulator with the app deployed as that ``stage``, the identity provider and the
    stand-in; with ``backoffice`` also the back office. With ``records_calls`` the functions' AWS
    calls are written down. With ``upstream_url`` that server takes the
    stand-in's place. The system also stops when this process is killed. Its logs stay in
    ``.local/systems`` until a later one clears them away.

    Raises:
        StartError: it could not be started.
    """
    SYSTEMS.mkdir(parents=True, exist_ok=True)
    _clear_away_old()
    state = State(Path(tempfile.mkdtemp(prefix="system-", dir=SYSTEMS)))
    output = state.folder / "run.log"
    command = [sys.executable, "-m", "local.run", "--port", "0", "--upstream-port", "0"]
    command += ["--issuer-port", "0", "--backoffice-port", "0", "--stage", stage]
    command += [] if backoffice else ["--no-backoffice"]
    command += ["--state", str(state.folder), "--exit-with-stdin"]
    command += ["--record-aws-calls"] if records_calls else []
    if upstream_url is not None:
        command += ["--upstream-url", upstream_url]
    with output.open("wb") as log:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _await_endpoints(process, state, output, start_within_seconds)
        endpoints = Endpoints.read(state.endpoints)
        try:
            yield endpoints
        finally:
            _keep_function_logs(endpoints, state)
    finally:
        _stop(process)
        shutil.rmtree(state.cloud_assembly, ignore_errors=True)


def _await_endpoints(
    process: subprocess.Popen[bytes], state: State, output: Path, seconds: float
) -> None:
    deadline = time.monotonic() + seconds
    while not state.endpoints.exists():
        if process.poll() is not None:
            raise StartError(
                f"The system did not start (it ended with {process.returncode}):\n"
                f"{output.read_text(errors='replace')}",
                output,
            )
        if time.monotonic() > deadline:
            raise StartError(f"The system was not ready within {seconds:.0f} s.", output)
        time.sleep(PAUSE_SECONDS)


def _keep_function_logs(endpoints: Endpoints, state: State) -> None:
    """Write down what the functions logged, which ends with the emulator: a failed test may ask."""
    try:
        lines = list(read_function_logs(endpoints))
    except BotoCoreError as error:
        lines = [f"The emulator did not tell what the functions logged: {error}"]
    (state.logs / "functions.log").write_text("\n".join(lines) + "\n")


def _stop(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None  # noqa: S101 - it was opened as a pipe
    process.stdin.close()
    try:
        process.wait(STOP_WITHIN_SECONDS)
    except subprocess.TimeoutExpired:
        # Its own children end with it too.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise


def _clear_away_old() -> None:
    """Remove the folders of systems that have not run for a while."""
    for folder in SYSTEMS.glob("system-*"):
        state = State(folder)
        try:
            if time.time() - folder.stat().st_mtime < FORGET_AFTER_SECONDS:
                continue
            with state.lock.open("a") as lock:
                if not try_lock(lock):
                    continue
        except FileNotFoundError:
            # Another one is clearing away too, or it never came to run.
            pass
        shutil.rmtree(folder, ignore_errors=True)
