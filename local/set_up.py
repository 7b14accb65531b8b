"""Sets a checkout up: the virtual environment and the npm packages, all of it from locks.

``python -m local.set_up [MODULE ARGUMENTS...]`` with any Python from 3.11 on, and nothing but its
standard library; when all is there, it becomes MODULE in the virtual environment. What is already
there and up to date is left alone, which is known by a stamp that is written last.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import platform
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from local import client
from local.checkout_lock import checkout_lock
from local.errors import StartError, tell
from local.node import find_node, npm_environment
from local.paths import BACKOFFICE, IDENTITY, ROOT, SHARED, VENV_PYTHON, jsii_environment
from local.processes import run
from local.progress import Progress

VENV = ROOT / ".venv"
REQUIREMENTS = ROOT / "requirements-dev.txt"
STAMP = "till-set-up"
LOGS = SHARED / "logs"


@dataclass(frozen=True, slots=True)
class NpmPackage:
    """A folder with a package-lock.json."""

    name: str
    """In the lines about progress."""
    what: str
    folder: Path


NPM_PACKAGES = (
    NpmPackage("cdk", "the CDK command line", ROOT / "infra"),
    NpmPackage("identity", "the identity provider", IDENTITY),
    NpmPackage("back office", "the back office", BACKOFFICE),
)


def main() -> int:
    """Set up, then become the module that was asked for."""
    progress = Progress()
    try:
        _check_venv()
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


def _check_venv() -> None:
    """Refuse a linked ``.venv``: making it again would clear the folder that it points to.

    Raises:
        StartError: it is a symbolic link.
    """
    if VENV.is_symlink():
        raise StartError(
            f"{VENV} is a symbolic link to {VENV.readlink()}, which a set-up could clear: remove "
            "the link, and each checkout gets its own."
        )


async def _set_up(progress: Progress) -> None:
    this = asyncio.current_task()
    assert this is not None  # noqa: S101 - inside a coroutine there is one
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, this.cancel)
    node = find_node()
    async with checkout_lock(SHARED / "set-up.lock", progress, "set-up"):
        try:
            async with asyncio.TaskGroup() as all_of_it:
                all_of_it.create_task(_virtual_environment(progress))
                for package in NPM_PACKAGES:
                    all_of_it.create_task(_npm_package(progress, package, node))
            await _python_client(progress)
        except* StartError as group:
            raise group.exceptions[0] from None


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


async def _python_client(progress: Progress) -> None:
    if client.is_up_to_date():
        return
    with progress.step("client", "the Python client, from docs/openapi.json"):
        await run(
            [VENV_PYTHON, "-m", "local.client"],
            log=LOGS / "client.log",
            env={**os.environ},
            cwd=ROOT,
            failure="The Python client could not be generated",
        )


async def _npm_package(progress: Progress, package: NpmPackage, node: str) -> None:
    modules = package.folder / "node_modules"
    lock = package.folder / "package-lock.json"
    stamp = f"Node {node}\n{_digest(lock)}\n"
    stamp_file = modules / STAMP
    if _read(stamp_file) == stamp:
        return
    with progress.step(package.name, f"npm installs {lock.relative_to(ROOT)}, with Node {node}"):
        await run(
            # No package of ours needs to run a program of its own to be installed.
            ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            log=LOGS / f"npm-{package.folder.name}.log",
            env=npm_environment(),
            cwd=package.folder,
            failure=f"npm could not install the locked packages of {package.what}",
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
