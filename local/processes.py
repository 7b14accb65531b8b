"""Programs that are started here, each in a process group of its own, so that none outlives us.

A program that keeps running (the emulator, the identity provider and so on) also ends if this
process is killed: the end of its pipe kills the program's whole group (``kill_with_parent.py``).
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from local.errors import StartError
from local.paths import ROOT

KILL_WITH_PARENT = ROOT / "local" / "kill_with_parent.py"
GRACE_SECONDS = 2.0
"""How long a program may take to end when it is asked to; then it is killed."""


@asynccontextmanager
async def started(
    command: Sequence[str | Path],
    *,
    log: Path,
    env: Mapping[str, str],
    cwd: Path = ROOT,
    ends_with_us: bool = False,
) -> AsyncIterator[Process]:
    """Run a program during the block, and end it and all its children after.

    With ``ends_with_us`` it is killed when this process ends, however that happens.
    """
    # Isolated from PYTHONPATH and the like, which are meant for the program.
    watched = (sys.executable, "-I", KILL_WITH_PARENT) if ends_with_us else ()
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *watched,
            *command,
            stdin=PIPE if ends_with_us else DEVNULL,
            stdout=output,
            stderr=STDOUT,
            env=dict(env),
            cwd=cwd,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        await _end(process)


async def run(
    command: Sequence[str | Path],
    *,
    log: Path,
    env: Mapping[str, str],
    failure: str,
    cwd: Path = ROOT,
) -> None:
    """Run a program to its end.

    Raises:
        StartError: it failed; ``failure`` is the sentence that says what that means.
    """
    async with started(command, log=log, env=env, cwd=cwd) as process:
        status = await process.wait()
    if status != 0:
        raise StartError(f"{failure} (it ended with {status}; {log} has all it said).", log)


def python_module(module: str, *arguments: str) -> tuple[str, ...]:
    """The command that runs a Python module of this environment."""
    return (sys.executable, "-m", module, *arguments)


async def _end(process: Process) -> None:
    """End a process group: ask, wait a little, then kill whatever is left of it."""
    try:
        if process.returncode is None:
            _signal(process, signal.SIGTERM)
            with suppress(TimeoutError):
                async with asyncio.timeout(GRACE_SECONDS):
                    await process.wait()
    finally:
        # Also when the leader is gone: its children have the same group. And also when this is
        # itself cancelled.
        _signal(process, signal.SIGKILL)
        await process.wait()


def _signal(process: Process, number: signal.Signals) -> None:
    # The group is there as long as one of its members is.
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)
