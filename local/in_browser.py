"""Runs a program that needs the whole system, the back office and a browser.

``python -m local.in_browser COMMAND...`` runs it in ``backoffice/`` on a system of its own, or
the one whose endpoints.json TILL_TEST_ENDPOINTS names. The program is told by TILL_BACKOFFICE_URL,
TILL_API_URL, TILL_ENDPOINTS (the path of endpoints.json), TILL_PYTHON (the Python that runs this)
and TILL_CHROMIUM (the browser's path; it is missing where Playwright finds its own).
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn

from local.browser import VARIABLE, find_browser, playwright_environment
from local.endpoints import Endpoints
from local.errors import StartError, tell
from local.paths import BACKOFFICE, SHARED
from local.progress import Progress
from local.system import running_system

RUNNING_SYSTEM = "TILL_TEST_ENDPOINTS"
INTERRUPTED = 130


def main() -> int:
    """Find a browser, start the system, run the program; the exit status is the program's."""
    command = sys.argv[1:]
    if not command:
        print("usage: python -m local.in_browser COMMAND...", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, _interrupt)
    progress = Progress()
    try:
        browser = find_browser(lambda text: progress.say(f"browser: {text}"))
        progress.say(f"browser: {browser or 'the one of Playwright'}")
        with _system(progress) as (endpoints, path):
            return _run(command, _environment(endpoints, path, browser))
    except StartError as error:
        tell(error)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


@contextmanager
def _system(progress: Progress) -> Iterator[tuple[Endpoints, Path]]:
    already_there = os.environ.get(RUNNING_SYSTEM)
    if already_there:
        path = Path(already_there).resolve()
        yield Endpoints.read(path), path
        return
    path = SHARED / f"in-browser-{os.getpid()}.json"
    progress.say("system: a whole one starts, with the back office, on free ports")
    with running_system(backoffice=True) as endpoints:
        progress.say(f"system: the back office is at {endpoints.backoffice_url}")
        try:
            endpoints.write(path)
            yield endpoints, path
        finally:
            path.unlink(missing_ok=True)


def _environment(endpoints: Endpoints, path: Path, browser: Path | None) -> dict[str, str]:
    if endpoints.backoffice_url is None:
        raise StartError(f"The system of {path} serves no back office.")
    return {
        **playwright_environment(),
        "TILL_BACKOFFICE_URL": endpoints.backoffice_url,
        "TILL_API_URL": endpoints.api_url,
        "TILL_ENDPOINTS": str(path),
        "TILL_PYTHON": sys.executable,
        **({VARIABLE: str(browser)} if browser is not None else {}),
    }


def _run(command: list[str], env: dict[str, str]) -> int:
    # In our own process group: a Ctrl-C reaches it too, and it tidies up after itself.
    with subprocess.Popen(command, cwd=BACKOFFICE, env=env) as process:
        try:
            return process.wait()
        except KeyboardInterrupt:
            process.terminate()
            raise


if __name__ == "__main__":
    sys.exit(main())
