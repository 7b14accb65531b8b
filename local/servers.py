"""Waits until a server that was just started answers."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import Process
from pathlib import Path

import httpx

from local.errors import StartError

READY_WITHIN_SECONDS = 60.0
PAUSE_SECONDS = 0.03


async def await_ready(name: str, process: Process, url: str, log: Path) -> None:
    """Ask until the server answers 200, for as long as its process lives.

    Raises:
        StartError: the process ended, or did not answer in time.
    """
    ended = asyncio.create_task(process.wait())
    answering = asyncio.create_task(_ask(url))
    try:
        await asyncio.wait(
            {ended, answering},
            timeout=READY_WITHIN_SECONDS,
            return_when=asyncio.FIRST_COMPLETED,
        )
        if ended.done():
            # Checked first: another program may be answering on this port.
            raise StartError(f"{name} ended at once, with {ended.result()}.", log)
        if not answering.done():
            raise StartError(f"{name} did not answer within {READY_WITHIN_SECONDS:.0f} s.", log)
        answering.result()
    finally:
        ended.cancel()
        answering.cancel()


async def _ask(url: str) -> None:
    async with httpx.AsyncClient(timeout=5.0, trust_env=False) as client:
        while True:
            try:
                if (await client.get(url)).status_code == httpx.codes.OK:
                    return
            except httpx.TransportError:
                pass  # Nobody listens yet.
            await asyncio.sleep(PAUSE_SECONDS)
