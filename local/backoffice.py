"""The back office of the local stage: built when its sources changed, and served with the API."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from local.checkout_lock import checkout_lock
from local.deployment import Trust
from local.node import find_node
from local.paths import BACKOFFICE, ROOT, SHARED, State, tool_environment
from local.ports import HOST
from local.processes import run
from local.progress import Progress
from local.servers import Server, running_server

STAMP = SHARED / "backoffice.stamp"
API_DOCUMENT = ROOT / "docs" / "openapi.json"
"""Its API client is generated from it."""
NOT_SOURCES = {"node_modules", "dist", "e2e", "server"}
GENERATED = Path("src", "api", "schema.d.ts")


def backoffice_url(port: int) -> str:
    """Where the back office of a port is, also before it is served; no slash at the end."""
    return f"http://{HOST}:{port}"


async def build_backoffice(state: State, progress: Progress) -> None:
    """Build it, or find it up to date. Two builds of one checkout take turns."""
    async with checkout_lock(SHARED / "backoffice.lock", progress, "back office"):
        stamp = _stamp()
        if _index().exists() and STAMP.exists() and STAMP.read_text() == stamp:
            progress.say("back office: found built")
            return
        STAMP.unlink(missing_ok=True)
        with progress.step("back office", "npm builds it, as its sources are new"):
            await run(
                ["npm", "run", "--silent", "build"],
                log=state.logs / "backoffice-build.log",
                env=tool_environment(state),
                cwd=BACKOFFICE,
                failure="The back office could not be built",
            )
        STAMP.write_text(stamp)


def running_backoffice(
    port: int, api_url: str, trust: Trust, state: State
) -> AbstractAsyncContextManager[Server]:
    """The built back office, with the API at the same origin, ready, until the block ends."""
    url = backoffice_url(port)
    env = {
        **tool_environment(state),
        "TILL_API_URL": api_url,
        "TILL_ISSUER": trust.issuer,
        "TILL_AUDIENCE": trust.audience,
    }
    return running_server(
        "The back office",
        ("node", BACKOFFICE / "server" / "serve.js", "--host", HOST, "--port", str(port)),
        url=url,
        # Its own configuration, which names an issuer that is ours alone.
        ready=f"{url}/config.json",
        proof=f'"{trust.issuer}"',
        log=state.logs / "backoffice.log",
        env=env,
        cwd=BACKOFFICE,
    )


def _index() -> Path:
    return BACKOFFICE / "dist" / "index.html"


def _stamp() -> str:
    """What the build is made from: sources, lock, the API's document, and the version of Node."""
    digest = hashlib.sha256()
    for path in sorted(_sources(BACKOFFICE)):
        digest.update(f"{path.relative_to(BACKOFFICE)}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    digest.update(hashlib.sha256(API_DOCUMENT.read_bytes()).digest())
    return f"Node {find_node()}\n{digest.hexdigest()}\n"


def _sources(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.is_dir():
            if path.name not in NOT_SOURCES:
                yield from _sources(path)
        elif path != BACKOFFICE / GENERATED:
            yield path
