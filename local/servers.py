"""Starts a server, and waits until it answers."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from local.errors import StartError
from local.paths import ROOT
from local.processes import started

READY_WITHIN_SECONDS = 60.0
PAUSE_SECONDS = 0.03


@dataclass(frozen=True, slots=True)
class Server:
    """A running server of ours."""

    name: str
    """As a sentence begins with it."""
    process: Process
    url: str
    log: Path


@asynccontextmanager
async def running_server(
    name: str,
    command: Sequence[str | Path],
    *,
    url: str,
    ready: str,
    log: Path,
    env: Mapping[str, str],
    cwd: Path = ROOT,
    proof: str | None = None,
) -> AsyncIterator[Server]:
    """A server that answers 200 at ``ready``, an absolute URL, until the block ends.

    Its answer must contain ``proof``, which only this process can know: should another program
    have taken the port a moment ago, ours ends for it, but not before the other one answers. By
    default this is the id of its process, as JSON.

    Raises:
        StartError: the process ended, or did not answer in time.
    """
    async with started(command, log=log, env=env, cwd=cwd, ends_with_us=True) as process:
        server = Server(name, process, url, log)
        await _await_ready(server, ready, proof or f'"pid":{process.pid}}}')
        yield server


async def _await_ready(server: Server, ready: str, proof: str) -> None:
    ended = asyncio.create_task(server.process.wait())
    answering = asyncio.create_task(_ask(ready, proof))
    try:
        await asyncio.wait(
            {ended, answering},
            timeout=READY_WITHIN_SECONDS,
            return_when=asyncio.FIRST_COMPLETED,
        )
        if ended.done():
            raise StartError(f"{server.name} ended immediately, with {ended.result()}.", server.log)
        if not answering.done():
            raise StartError(
                f"{server.name} did not answer within {READY_WITHIN_SECONDS:.0f} s.", server.log
            )
        answering.result()
    finally:
        ended.cancel()
        answering.cancel()


async def _ask(url: str, proof: str) -> None:
    async with httpx.AsyncClient(timeout=5.0, trust_env=False) as client:
        while True:
            try:
                response = await client.get(url)
                if response.status_code == httpx.codes.OK and proof in response.text:
                    return
            except httpx.TransportError:
                pass  # It does not listen yet.
            await asyncio.sleep(PAUSE_SECONDS)
