"""Finds a Chromium for the tests in a browser, or installs one: ``python -m local.browser``."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from local.errors import StartError, tell
from local.node import npm_environment
from local.paths import BACKOFFICE, SHARED

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
VARIABLE = "TILL_CHROMIUM"
"""Names the browser to use; also how the tests are told."""
PACKAGES = ("chromium", "chromium-sandbox")
LOG = SHARED / "logs" / "browser.log"
PLAYWRIGHT = BACKOFFICE / "node_modules" / "@playwright" / "test" / "cli.js"
ANSWER_SECONDS = 60
"""How long a browser may take to tell its version."""


def main() -> int:
    """See that there is one, and print where."""
    try:
        found = find_browser(print)
    except StartError as error:
        tell(error)
        return 1
    print(found or "Playwright's own Chromium")
    return 0


def find_browser(say: Callable[[str], None]) -> Path | None:
    """Find an installed Chromium, or get Debian's package, or else Playwright's own build.

    Gives the browser's path; none means Playwright's own, which Playwright finds by itself in
    ``playwright_environment``.

    Raises:
        StartError: there is none to be had, or the one that was named does not work.
    """
    named = os.environ.get(VARIABLE)
    if named:
        if not _works(named):
            raise StartError(f"{VARIABLE}={named} is no working browser.")
        return Path(named)
    found = _installed()
    if found is not None:
        return found
    LOG.parent.mkdir(parents=True, exist_ok=True)
    LOG.write_bytes(b"")
    apt = _apt()
    if apt is not None:
        say("no Chromium is installed: apt-get installs Debian's package")
        if _debian_package(apt):
            found = _installed()
            if found is not None:
                return found
    say("Playwright downloads its own Chromium")
    if _run(["node", str(PLAYWRIGHT), "install", "chromium"], playwright_environment()):
        return None
    raise StartError(
        "There is no Chromium for the tests in a browser: none is installed, "
        f"{'apt-get could not install it' if apt else 'apt-get cannot be used'}, and Playwright "
        f"could not download its own; install one, or name one by {VARIABLE}=.",
        LOG,
    )


def playwright_environment() -> dict[str, str]:
    """An environment in which Playwright keeps its own browsers in this checkout."""
    return {**npm_environment(), "PLAYWRIGHT_BROWSERS_PATH": str(SHARED / "browsers")}


def _installed() -> Path | None:
    paths = (shutil.which(name) for name in NAMES)
    return next((Path(path) for path in paths if path is not None and _works(path)), None)


def _works(path: str) -> bool:
    # Some systems have a script of that name which only says how to install a browser.
    try:
        answer = subprocess.run(
            [path, "--version"], capture_output=True, check=False, timeout=ANSWER_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0


def _apt() -> tuple[str, ...] | None:
    """How apt-get is run without a password, if this user may run it."""
    apt = shutil.which("apt-get")
    if apt is None:
        return None
    if os.geteuid() == 0:
        return (apt,)
    sudo = shutil.which("sudo")
    if sudo is None or not _run([sudo, "--non-interactive", "true"], os.environ):
        return None
    return (sudo, "--non-interactive", apt)


def _debian_package(apt: Sequence[str]) -> bool:
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    # Another installation on this machine is waited for. The sandbox is for others than root.
    patiently = ("-o", "DPkg::Lock::Timeout=300", "--quiet", "--yes")
    return _run([*apt, "update", "--quiet"], env) and _run(
        [*apt, "install", *patiently, "--no-install-recommends", *PACKAGES], env
    )


def _run(command: Sequence[str], env: Mapping[str, str]) -> bool:
    with LOG.open("ab") as log:
        log.write(f"$ {' '.join(command)}\n".encode())
        log.flush()
        try:
            ended = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=dict(env),
                cwd=BACKOFFICE,
                check=False,
            )
        except OSError as error:
            log.write(f"{error}\n".encode())
            return False
    return ended.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
