"""Runs the checks of the project: ``python -m local.checks all``, or ``fast``, or ``backoffice``.

Every check runs, also after one has failed. A step has one or more lanes, which run side by side; a
lane's checks run one after another. The first lane has the processor before the others and is shown
while it runs; a check of another lane is shown in one piece when it ends. The last line counts the
tests, and each other check as one: ``N passed, N failed``.
"""

from __future__ import annotations

import argparse
import itertools
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from threading import Lock
from types import FrameType
from typing import IO, Final, NoReturn, TypeAlias
from xml.etree import ElementTree as ET

from local.node import npm_environment
from local.paths import BACKOFFICE, IDENTITY, ROOT, SHARED, SPECTRAL, VENV_PYTHON

SUITES = {
    "unit": "Unit tests",
    "infra": "Tests of the templates",
    "simulation": "Simulated histories, and the deliberate bugs that they find",
    "integration": "Integration tests, on a system of their own",
    "e2e": "End-to-end tests: the commands as the README writes them",
}
BUNDLED = (
    # First: the demo's customer has to have her first credit, and nothing else.
    "e2e/test_readme.py::test_the_first_purchase_is_as_the_readme_shows_it",
    *(f"integration/test_{name}.py" for name in ("about", "credit", "identity", "purchases")),
)
"""The tests that are run a second time, on LocalStack's stage."""


@dataclass(frozen=True, slots=True)
class Check:
    """A command, and the report that tells how many tests it ran, if it runs tests."""

    title: str
    command: tuple[str, ...]
    report: Path | None = None
    folder: Path = ROOT
    environment: Mapping[str, str] = field(default_factory=dict)
    """Besides our own."""


Lane: TypeAlias = tuple[Check, ...]
"""Checks that run one after another."""

Step: TypeAlias = tuple[Lane, ...]
"""Lanes that run side by side; mostly one."""

_PYTEST: Final = (sys.executable, "-m", "pytest")
_YIELDING: Final = ("nice", "-n", "19")
"""The start of a command that leaves the processor to others."""


@dataclass(frozen=True, slots=True)
class Count:
    """How many passed, failed and were skipped."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(
            self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped
        )

    def __str__(self) -> str:
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.passed} passed, {self.failed} failed{skipped}"


def main() -> int:
    """Run them, and exit with 1 if any failed."""
    parser = argparse.ArgumentParser(prog="python -m local.checks", description=__doc__)
    parser.add_argument("which", choices=["all", "fast", "lint", "types", "backoffice"])
    which = parser.parse_args().which
    signal.signal(signal.SIGTERM, _interrupt)
    total = Count()
    failed: list[str] = []
    try:
        for step in _steps(which):
            for check, count in _run(step):
                total += count
                if count.failed:
                    failed.append(check.title)
    except KeyboardInterrupt:
        print("\ntill: stopped.", file=sys.stderr)
        return 130
    _head("Result")
    for title in failed:
        print(f"failed: {title}")
    print(total, flush=True)
    return 1 if failed else 0


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _steps(which: str) -> list[Step]:
    typescript: Lane = (*_node_linters(), *_types_of_typescript())
    if which == "backoffice":
        return [((_types_of_the_back_office(), _components()),)]
    if which == "types":
        return [((_types(), *_types_of_typescript()),)]
    if which == "lint":
        return [((*_python_linters(), *_node_linters()),)]
    python: Lane = (*_python_linters(), _types(), _suite("unit"))
    if which == "fast":
        # Three for two cores: the tests of both languages wait now and then.
        return [(python, (_components(),), typescript)]
    return [
        # The integration tests take the longest and leave processor time unused. Their races need
        # both cores now and then: the other lane yields to them.
        (
            (_suite("integration"),),
            (
                *(*python, *typescript, _components()),
                *(_suite("infra"), _suite("simulation"), _on_bundles()),
            ),
        ),
        ((_suite("e2e"),), (_in_a_browser(),)),
    ]


def _python_linters() -> Lane:
    python = (sys.executable, "-m")
    return (
        Check("Format (ruff)", (*python, "ruff", "format", "--check", "--quiet", ".")),
        Check("Lint (ruff)", (*python, "ruff", "check", "--quiet", ".")),
        Check(
            "Direction of imports (import-linter)",
            (str(VENV_PYTHON.with_name("lint-imports")), "--cache-dir", str(SHARED / "imports")),
        ),
    )


def _node_linters() -> Lane:
    return (
        Check(
            "Lint of the OpenAPI document (Spectral)",
            (
                *(str(SPECTRAL), "lint", "docs/openapi.json", "--ruleset", "infra/spectral.yaml"),
                *("--fail-severity", "hint"),
            ),
        ),
        Check("Lint of the back office (ESLint)", _npm("lint"), folder=BACKOFFICE),
    )


def _types_of_typescript() -> Lane:
    return (
        Check("Types of the identity provider (tsc)", _npm("typecheck"), folder=IDENTITY),
        _types_of_the_back_office(),
    )


def _types() -> Check:
    return Check("Types (mypy --strict)", (sys.executable, "-m", "mypy"))


def _suite(name: str) -> Check:
    report = SHARED / f"report-{name}.xml"
    folder = ROOT / "tests" / name
    command = (*_PYTEST, "--durations=10", str(folder), f"--junit-xml={report}")
    return Check(SUITES[name], command, report)


def _on_bundles() -> Check:
    """LocalStack's stage, on the embedded emulator: functions that carry all they need."""
    report = SHARED / "report-bundles.xml"
    tests = (str(ROOT / "tests" / name) for name in BUNDLED)
    return Check(
        "LocalStack's stage, on the embedded emulator: integration tests, the README's purchase",
        (*_PYTEST, *tests, f"--junit-xml={report}"),
        report,
        environment={"TILL_TEST_STAGE": "localstack"},
    )


def _types_of_the_back_office() -> Check:
    return Check("Types of the back office (tsc)", _npm("typecheck"), folder=BACKOFFICE)


def _components() -> Check:
    report = SHARED / "report-backoffice.xml"
    return Check(
        "Tests of the back office's components (vitest)",
        _npm("test"),
        report,
        BACKOFFICE,
        {"TILL_JUNIT": str(report)},
    )


def _in_a_browser() -> Check:
    report = SHARED / "report-browser.xml"
    return Check(
        "Tests of the back office in a browser (Playwright), on a system of their own",
        (sys.executable, "-m", "local.in_browser", *_npm("test:e2e")),
        report,
        environment={"TILL_JUNIT_E2E": str(report)},
    )


def _npm(script: str) -> tuple[str, ...]:
    return ("npm", "run", "--silent", script)


class _StoppedError(Exception):
    """Another lane was told to stop: this one starts nothing more."""


class _Processes:
    """What runs at the moment, so that all of it can be stopped."""

    def __init__(self) -> None:
        self._running: Final[set[subprocess.Popen[bytes]]] = set()
        self._stopped = False
        self._lock: Final = Lock()

    def run(self, command: tuple[str, ...], check: Check, output: IO[bytes] | None) -> int:
        """Run a check to its end, in our own process group: a Ctrl-C reaches it too.

        Raises:
            _StoppedError: it is not to be started any more.
        """
        env = {**npm_environment(), **check.environment}
        errors = None if output is None else subprocess.STDOUT
        with self._lock:
            if self._stopped:
                raise _StoppedError
            process = subprocess.Popen(
                command, cwd=check.folder, env=env, stdout=output, stderr=errors
            )
            self._running.add(process)
        try:
            return process.wait()
        finally:
            with self._lock:
                self._running.remove(process)

    def stop(self) -> None:
        """End what runs, each in its own way, and start nothing more."""
        with self._lock:
            self._stopped = True
            for process in self._running:
                process.terminate()


def _run(step: Step) -> list[tuple[Check, Count]]:
    for check in itertools.chain(*step):
        if check.report is not None:
            check.report.unlink(missing_ok=True)
    if len(step) > 1:
        titles = (", then ".join(check.title for check in lane) for lane in step)
        print(f"\n-- side by side: {'; '.join(titles)}", flush=True)
    processes = _Processes()
    with ThreadPoolExecutor(len(step)) as lanes:
        first, *others = step
        counts = [lanes.submit(_run_shown, first, processes)]
        counts += [lanes.submit(_run_yielding, lane, processes) for lane in others]
        try:
            return [count for lane in counts for count in lane.result()]
        except KeyboardInterrupt:
            processes.stop()
            raise


def _run_shown(lane: Lane, processes: _Processes) -> list[tuple[Check, Count]]:
    counts = []
    for check in lane:
        _head(check.title)
        began = time.monotonic()
        status = processes.run(check.command, check, output=None)
        counts.append((check, _judged(check, status, began)))
    return counts


def _run_yielding(lane: Lane, processes: _Processes) -> list[tuple[Check, Count]]:
    counts = []
    for check in lane:
        began = time.monotonic()
        with TemporaryFile() as output:
            status = processes.run((*_YIELDING, *check.command), check, output)
            _head(check.title)
            output.seek(0)
            shutil.copyfileobj(output, sys.stdout.buffer)
            counts.append((check, _judged(check, status, began)))
    return counts


def _judged(check: Check, status: int, began: float) -> Count:
    seconds = time.monotonic() - began
    print(f"-- {'passed' if status == 0 else 'FAILED'} in {seconds:.1f} s", flush=True)
    count = Count() if check.report is None else _tests(check.report)
    if status != 0 and not count.failed:
        # Not a test but the whole check failed: a lint, or a suite that could not be collected.
        return count + Count(failed=1)
    return count if check.report is not None else Count(passed=1)


def _tests(report: Path) -> Count:
    if not report.exists():
        return Count()
    count = Count()
    # Our own file, written by the test runner a moment ago.
    for suite in ET.parse(report).getroot().iter("testsuite"):  # noqa: S314
        ran, skipped = int(suite.get("tests", 0)), int(suite.get("skipped", 0))
        failed = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        count += Count(max(ran - skipped - failed, 0), failed, skipped)
    return count


def _head(title: str) -> None:
    print(f"\n== {title}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
