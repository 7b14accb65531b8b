"""Waits until a server that was just started answers."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import Process
from pathlib import Path

import httpx

from local.errors import StartError

READY_WITHIN_SECONDS = 60.0
PAUSE_SECONDS = 0.03


async def await_ready(name: str, process: Process, url: str, log: Path, *, proof: str) -> None:
    """Ask until the server answers 200, for as long as its process lives.

    Its answer must contain ``proof``, which only this process can know: should another program
    have taken the port a moment ago, ours ends for it, but not before the other one answers.

    Raises:
        StartError: the process ended, or did not answer in time.
    """
    ended = asyncio.create_task(process.wait())
    answering = asyncio.create_task(_ask(url, proof))
    try:
        await asyncio.wait(
            {ended, answering},
            timeout=READY_WITHIN_SECONDS,
            return_when=asyncio.FIRST_COMPLETED,
        )
        if ended.done():
            raise StartError(f"{name} ended at once, with {ended.result()}.", log)
        if not answering.done():
            raise StartError(f"{name} did not answer within {READY_WITHIN_SECONDS:.0f} s.", log)
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
