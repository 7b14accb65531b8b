"""Sets a checkout up: the virtual environment and the CDK command line, both from locks.

``python -m local.set_up [MODULE ARGUMENTS...]`` with any Python from 3.11 on, and nothing but its
standard library; when all is there, it becomes MODULE in the virtual environment. What is already
there and up to date is left alone, which is known by a stamp that is written last.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from local.errors import StartError, tell
from local.places import CDK, ROOT, SHARED, VENV_PYTHON, jsii_environment
from local.processes import run
from local.progress import Progress

OLDEST_NODE = 20
VENV = ROOT / ".venv"
REQUIREMENTS = ROOT / "requirements-dev.txt"
NODE_MODULES = ROOT / "infra" / "node_modules"
PACKAGE_LOCK = ROOT / "infra" / "package-lock.json"
STAMP = "till-set-up"
LOGS = SHARED / "logs"


def main() -> int:
    """Set up, then become the module that was asked for."""
    progress = Progress()
    try:
        asyncio.run(_set_up(progress))
    except StartError as error:
        tell(error)
        return 1
    except (KeyboardInterrupt, asyncio.CancelledError):
        print("\ntill: stopped.", file=sys.stderr)
        return 130
    if len(sys.argv) > 1:
        python = str(VENV_PYTHON)
        os.chdir(ROOT)
        # What is deployed as a layer is found by the checks and tools, too.
        python_path = str(ROOT / "layers" / "till" / "python")
        environment = {**os.environ, **jsii_environment(), "PYTHONPATH": python_path}
        os.execve(python, [python, "-m", *sys.argv[1:]], environment)  # noqa: S606 - no shell
    return 0


async def _set_up(progress: Progress) -> None:
    this = asyncio.current_task()
    assert this is not None  # noqa: S101 - inside a coroutine there is one
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, this.cancel)
    node = find_node()
    async with _only_one(progress):
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(_virtual_environment(progress))
                both.create_task(_cdk(progress, node))
        except* StartError as group:
            raise group.exceptions[0] from None


def find_node() -> str:
    """Find a Node that the CDK command line runs on.

    Raises:
        StartError: there is none, or it is too old, or it has no npm.
    """
    needed = f"Node {OLDEST_NODE} or later is needed for the CDK command line"
    node = shutil.which("node")
    if node is None:
        raise StartError(f"{needed}, and there is no node on the PATH.")
    version = subprocess.run(
        [node, "--version"], capture_output=True, text=True, check=False
    ).stdout.strip()
    major = re.match(r"v(\d+)\.", version)
    if major is None or int(major[1]) < OLDEST_NODE:
        raise StartError(f"{needed}, and {node} is {version or 'no working Node'}.")
    if shutil.which("npm") is None:
        raise StartError("npm, which comes with Node, is needed, and is not on the PATH.")
    return version


@asynccontextmanager
async def _only_one(progress: Progress) -> AsyncIterator[None]:
    """Let two set-ups of one checkout take turns."""
    SHARED.mkdir(exist_ok=True)
    with (SHARED / "set-up.lock").open("w") as lock:
        if not _locked(lock.fileno()):
            progress.say("set-up: waiting for another one of this checkout")
            while not _locked(lock.fileno()):  # noqa: ASYNC110 - a file lock tells nobody
                await asyncio.sleep(0.2)
        yield


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


async def _virtual_environment(progress: Progress) -> None:
    # Scripts in it name its absolute path: a moved checkout needs a new one.
    python = ".".join(platform.python_version_tuple()[:2])
    stamp = f"{ROOT}\nPython {python}\n{_digest(REQUIREMENTS)}\n"
    stamp_file = VENV / STAMP
    if VENV_PYTHON.exists() and _read(stamp_file) == stamp:
        return
    env = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_USER": "0"}
    with progress.step("python", f"Python {platform.python_version()}, a new .venv"):
        await run(
            [sys.executable, "-m", "venv", "--clear", VENV],
            log=LOGS / "venv.log",
            env=env,
            failure="The virtual environment could not be made",
        )
    with progress.step("packages", f"pip installs {REQUIREMENTS.name}, checking every hash"):
        await run(
            [
                *(VENV_PYTHON, "-m", "pip", "install", "--no-input", "--no-compile"),
                *("--require-hashes", "--requirement", REQUIREMENTS),
            ],
            log=LOGS / "pip.log",
            env=env,
            failure="pip could not install the locked Python packages",
        )
        # pip would compile on one core, and all of aws_cdk, of which we use a tenth.
        await run(
            [
                VENV_PYTHON,
                "-m",
                "compileall",
                "-qq",
                "-j",
                "0",
                "-x",
                r"aws_cdk/aws_",
                VENV / "lib",
            ],
            log=LOGS / "compile.log",
            env=env,
            failure="The Python packages could not be compiled",
        )
    _write(stamp_file, stamp)


async def _cdk(progress: Progress, node: str) -> None:
    stamp = f"Node {node}\n{_digest(PACKAGE_LOCK)}\n"
    stamp_file = NODE_MODULES / STAMP
    if CDK.exists() and _read(stamp_file) == stamp:
        return
    with progress.step("cdk", f"npm installs infra/{PACKAGE_LOCK.name}, with Node {node}"):
        env = {**os.environ}
        if not os.access(env.get("HOME", ""), os.W_OK):
            env["npm_config_cache"] = str(SHARED / "npm")
        await run(
            ["npm", "ci", "--no-audit", "--no-fund"],
            log=LOGS / "npm.log",
            env=env,
            cwd=PACKAGE_LOCK.parent,
            failure="npm could not install the locked CDK command line",
        )
    _write(stamp_file, stamp)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _read(path: Path) -> str | None:
    return path.read_text() if path.exists() else None


def _write(path: Path, text: str) -> None:
    path.write_text(text)


if __name__ == "__main__":
    sys.exit(main())
