from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local import checks
from local.checks import Check, Count

# As vitest, pytest and Playwright write them.
REPORT = """<?xml version="1.0" encoding="UTF-8" ?>
<testsuites name="tests" tests="7" failures="1" errors="1" skipped="1" time="1.5">
  <testsuite name="refund" tests="4" failures="1" errors="0" skipped="1" time="1"/>
  <testsuite name="grant" tests="3" failures="0" errors="1" skipped="0" time="0.5"/>
</testsuites>
"""


def check(tmp_path: Path, *, status: int, report: str | None = None) -> Check:
    path = tmp_path / "report.xml"
    write = f"open({str(path)!r}, 'w').write({report!r})" if report is not None else "None"
    return Check(
        "A check", (sys.executable, "-c", f"{write}; exit({status})"), path if report else None
    )


@pytest.mark.parametrize(
    ("status", "report", "count"),
    [
        pytest.param(0, None, Count(passed=1), id="a check that is no suite counts as one"),
        pytest.param(1, None, Count(failed=1), id="and so it does when it fails"),
        pytest.param(1, REPORT, Count(passed=4, failed=2, skipped=1), id="each test counts"),
        pytest.param(
            1,
            '<testsuites><testsuite tests="2"/></testsuites>',
            Count(passed=2, failed=1),
            id="a suite that fails without a failed test has failed all the same",
        ),
    ],
)
def test_each_test_and_each_other_check_is_counted(
    tmp_path: Path, status: int, report: str | None, count: Count
) -> None:
    assert checks._run(check(tmp_path, status=status, report=report)) == count


def test_the_report_of_an_earlier_run_does_not_count(tmp_path: Path) -> None:
    old = tmp_path / "report.xml"
    old.write_text(REPORT)

    count = checks._run(Check("A check", (sys.executable, "-c", "exit(1)"), old))

    assert count == Count(failed=1)


def test_the_last_line_is_the_sum() -> None:
    assert str(Count(4, 0) + Count(1, 2, 3)) == "5 passed, 2 failed, 3 skipped"
    assert str(Count(5)) == "5 passed, 0 failed"


def test_a_check_runs_in_its_folder_with_its_variables(tmp_path: Path) -> None:
    code = "import os; exit(os.getcwd() != os.environ['THERE'])"
    there = {"THERE": str(tmp_path.resolve())}

    count = checks._run(
        Check("A check", (sys.executable, "-c", code), folder=tmp_path, environment=there)
    )

    assert count == Count(passed=1)


@pytest.mark.parametrize("which", ["all", "fast", "backoffice"])
def test_what_needs_a_running_system_is_not_fast(which: str) -> None:
    commands = [" ".join(check.command) for check in checks._checks(which)]

    assert any("local.in_browser" in command for command in commands) == (which == "all")
    assert any("tests/integration" in command for command in commands) == (which == "all")
    assert "npm run --silent test" in commands


def test_a_program_in_a_browser_needs_a_program() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "local.in_browser"],
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 2
    assert ran.stderr.startswith("usage:")
