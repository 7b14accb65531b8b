"""The identity provider of the local stage: one Node process, the npm package in local/identity."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from local.deployment import Trust
from local.errors import StartError
from local.paths import IDENTITY, State, tool_environment
from local.ports import HOST
from local.servers import Server, running_server

AUDIENCE = "https://till.example/api"
SERVER = IDENTITY / "server.js"

PASSWORD = "dev"  # noqa: S105 - everybody's, on one's own machine
TOOL = "till-cli"
PEOPLE = {"customer": "chiara", "support": "rita", "admin": "amir"}
"""Who signs in for each role; local/identity/accounts.js has the rest."""
MACHINE = "shop"
MACHINE_SECRET = "shop-dev-secret"  # noqa: S105 - the same
CALL_SECONDS = 20.0


def trust(port: int) -> Trust:
    """What the API has to know of the identity provider at a port, also before it runs."""
    url = f"http://{HOST}:{port}"
    return Trust(issuer=url, audience=AUDIENCE, jwks_url=f"{url}/jwks")


@asynccontextmanager
async def running_issuer(
    trusted: Trust, state: State, *, backoffice_url: str | None
) -> AsyncIterator[Server]:
    """An identity provider with new keys, ready, until the block ends."""
    command: list[str | Path] = ["node", SERVER, "--keys", state.identity_keys]
    command += ["--issuer", trusted.issuer, "--audience", trusted.audience]
    if backoffice_url is not None:
        command += ["--backoffice-url", backoffice_url]
    running = running_server(
        "The identity provider",
        command,
        url=trusted.issuer,
        ready=f"{trusted.issuer}/_control/ready",
        log=state.logs / "identity.log",
        env={**tool_environment(state), "NODE_ENV": "production"},
    )
    async with running as issuer:
        try:
            yield issuer
        finally:
            state.identity_keys.unlink(missing_ok=True)


def token_form(caller: str) -> dict[str, str]:
    """What a person, or the shop itself, sends to the provider for an access token."""
    if caller == MACHINE:
        return {
            "grant_type": "client_credentials",
            "client_id": MACHINE,
            "client_secret": MACHINE_SECRET,
        }
    return {
        "grant_type": "password",
        "client_id": TOOL,
        "username": caller,
        "password": PASSWORD,
    }


async def fetch_tokens(url: str, *, log: Path | None = None) -> dict[str, str]:
    """An access token for each role, as anybody else gets one from the provider at an address.

    Raises:
        StartError: the identity provider gave none.
    """
    callers = {**PEOPLE, "service": MACHINE}
    async with httpx.AsyncClient(timeout=CALL_SECONDS, trust_env=False) as client:
        answers = await asyncio.gather(
            *(client.post(f"{url}/token", data=form) for form in map(token_form, callers.values()))
        )
    tokens: dict[str, str] = {}
    for role, answer in zip(callers, answers, strict=True):
        if answer.status_code != httpx.codes.OK:
            raise StartError(
                f"The identity provider gave no token for {role}: it answered "
                f"{answer.status_code}, {answer.text[:300]}",
                log,
            )
        tokens[role] = answer.json()["access_token"]
    return tokens
