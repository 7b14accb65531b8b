"""Runs the checks of the project: ``python -m local.checks all``, or ``fast``, or ``backoffice``.

Every check runs, also after one has failed. Some run side by side, where neither minds the other's
load nor what it writes; each is shown in one piece when it is through. The last line counts the
tests, and each other check as one: ``N passed, N failed``.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from types import FrameType
from typing import IO, NoReturn, TypeAlias
from xml.etree import ElementTree as ET

from local.node import npm_environment
from local.places import BACKOFFICE, IDENTITY, ROOT, SHARED, SPECTRAL, VENV_PYTHON

SUITES = {
    "unit": "Unit tests",
    "infra": "Tests of the templates",
    "simulation": "Simulated histories, and the deliberate bugs that they find",
    "integration": "Integration tests, on a system of their own",
    "e2e": "End-to-end tests: the commands as the README writes them",
}
FAST_SUITES = ("unit",)
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


Step: TypeAlias = tuple[Check, ...]
"""Checks that run side by side; mostly one, alone."""


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
    if which == "backoffice":
        return [(_types_of_the_back_office(),), (_components(),)]
    if which == "types":
        return [(check,) for check in (_types(), *_types_of_typescript())]
    quick: list[Step] = [(check,) for check in _lint()]
    if which == "lint":
        return quick
    quick += [(check,) for check in _types_of_typescript()]
    types_and_components: Step = (_types(), _components())
    if which == "fast":
        return [*quick, types_and_components, *((_suite(name),) for name in FAST_SUITES)]
    return [
        *quick,
        types_and_components,
        (_suite("unit"), _suite("infra")),
        # Alone: it uses both cores.
        (_suite("simulation"),),
        # Alone: fifty cold workers at once need both cores.
        (_suite("integration"),),
        (_suite("e2e"), _in_a_browser()),
        (_on_bundles(),),
    ]


def _lint() -> list[Check]:
    python = (sys.executable, "-m")
    return [
        Check("Format (ruff)", (*python, "ruff", "format", "--check", "--quiet", ".")),
        Check("Lint (ruff)", (*python, "ruff", "check", "--quiet", ".")),
        Check(
            "Direction of imports (import-linter)",
            (str(VENV_PYTHON.with_name("lint-imports")), "--cache-dir", str(SHARED / "imports")),
        ),
        Check(
            "Lint of the OpenAPI document (Spectral)",
            (
                *(str(SPECTRAL), "lint", "docs/openapi.json", "--ruleset", "infra/spectral.yaml"),
                *("--fail-severity", "hint"),
            ),
        ),
    ]


def _types_of_typescript() -> list[Check]:
    return [
        Check("Types of the identity provider (tsc)", _npm("typecheck"), folder=IDENTITY),
        _types_of_the_back_office(),
    ]


def _types() -> Check:
    return Check("Types (mypy --strict)", (sys.executable, "-m", "mypy"))


def _suite(name: str) -> Check:
    report = SHARED / f"report-{name}.xml"
    folder = ROOT / "tests" / name
    command = (sys.executable, "-m", "pytest", str(folder), f"--junit-xml={report}")
    return Check(SUITES[name], command, report)


def _on_bundles() -> Check:
    """LocalStack's stage, on the embedded emulator: functions that carry all they need."""
    report = SHARED / "report-bundles.xml"
    tests = (str(ROOT / "tests" / name) for name in BUNDLED)
    return Check(
        "LocalStack's stage, on the embedded emulator: integration tests, the README's purchase",
        (sys.executable, "-m", "pytest", *tests, f"--junit-xml={report}"),
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


def _run(step: Step) -> list[tuple[Check, Count]]:
    for check in step:
        if check.report is not None:
            check.report.unlink(missing_ok=True)
    if len(step) == 1:
        _head(step[0].title)
        return [(step[0], _run_alone(step[0]))]
    return _run_side_by_side(step)


def _run_alone(check: Check) -> Count:
    began = time.monotonic()
    with _started(check) as process:
        try:
            status = process.wait()
        except KeyboardInterrupt:
            process.terminate()
            raise
    return _judged(check, status, began)


def _run_side_by_side(step: Step) -> list[tuple[Check, Count]]:
    print(f"\n-- side by side: {', '.join(check.title for check in step)}", flush=True)
    began = time.monotonic()
    counts = []
    with ExitStack() as opened, ThreadPoolExecutor(len(step)) as waiting:
        outputs = [opened.enter_context(TemporaryFile()) for _ in step]
        processes = [
            opened.enter_context(_started(check, output))
            for check, output in zip(step, outputs, strict=True)
        ]
        ends = {
            waiting.submit(process.wait): (check, output)
            for check, output, process in zip(step, outputs, processes, strict=True)
        }
        try:
            for end in as_completed(ends):
                check, output = ends[end]
                _head(check.title)
                output.seek(0)
                shutil.copyfileobj(output, sys.stdout.buffer)
                counts.append((check, _judged(check, end.result(), began)))
        except KeyboardInterrupt:
            for process in processes:
                process.terminate()
            raise
    return counts


def _started(check: Check, output: IO[bytes] | None = None) -> subprocess.Popen[bytes]:
    """Start it in our own process group: a Ctrl-C reaches it too, and it tidies up itself."""
    env = {**npm_environment(), **check.environment}
    errors = None if output is None else subprocess.STDOUT
    return subprocess.Popen(check.command, cwd=check.folder, env=env, stdout=output, stderr=errors)


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
