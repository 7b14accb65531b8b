from __future__ import annotations

import os
import subprocess
import sys
import time
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
    one = check(tmp_path, status=status, report=report)
    assert checks._run((one,)) == [(one, count)]


def test_the_report_of_an_earlier_run_does_not_count(tmp_path: Path) -> None:
    old = tmp_path / "report.xml"
    old.write_text(REPORT)

    ((_, count),) = checks._run((Check("A check", (sys.executable, "-c", "exit(1)"), old),))

    assert count == Count(failed=1)


def test_side_by_side_each_is_counted_and_shown_in_one_piece(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """The first waits for the second: one after the other, they would never end."""
    meeting = tmp_path / "meeting"
    os.mkfifo(meeting)
    waits = f"print('here'); open({str(meeting)!r}).read(); print('met')"
    comes = f"open({str(meeting)!r}, 'w').write('hello'); print('came'); exit(1)"
    first, second = (
        Check(title, (sys.executable, "-uc", code), folder=tmp_path)
        for title, code in (("First", waits), ("Second", comes))
    )

    counts = sorted((one.title, count) for one, count in checks._run((first, second)))

    assert counts == [("First", Count(passed=1)), ("Second", Count(failed=1))]
    shown = capfdbinary.readouterr().out.decode()
    assert "== First\nhere\nmet\n-- passed" in shown
    assert "== Second\ncame\n-- FAILED" in shown
    assert "-- side by side: First, Second\n" in shown


def test_stopped_side_by_side_both_are_ended(tmp_path: Path) -> None:
    code = f"""
import sys
from pathlib import Path
from local import checks
from local.checks import Check
import signal
signal.signal(signal.SIGTERM, checks._interrupt)
wait = "import os, signal; open(str(os.getpid()), 'w').close(); signal.pause()"
step = [Check(str(n), (sys.executable, "-c", wait), folder=Path({str(tmp_path)!r})) for n in (1, 2)]
checks._run(tuple(step))
"""
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 20
    while len(list(tmp_path.iterdir())) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.terminate()
    assert process.wait(20) != 0
    for file in tmp_path.iterdir():
        with pytest.raises(ProcessLookupError):
            os.kill(int(file.name), 0)


def test_the_last_line_is_the_sum() -> None:
    assert str(Count(4, 0) + Count(1, 2, 3)) == "5 passed, 2 failed, 3 skipped"
    assert str(Count(5)) == "5 passed, 0 failed"


def test_a_check_runs_in_its_folder_with_its_variables(tmp_path: Path) -> None:
    code = "import os; exit(os.getcwd() != os.environ['THERE'])"
    there = {"THERE": str(tmp_path.resolve())}

    one = Check("A check", (sys.executable, "-c", code), folder=tmp_path, environment=there)
    ((_, count),) = checks._run((one,))

    assert count == Count(passed=1)


@pytest.mark.parametrize("which", ["all", "fast", "backoffice"])
def test_what_needs_a_running_system_is_not_fast(which: str) -> None:
    steps = checks._steps(which)
    commands = [" ".join(check.command) for step in steps for check in step]

    assert any("local.in_browser" in command for command in commands) == (which == "all")
    assert any("tests/integration" in command for command in commands) == (which == "all")
    assert "npm run --silent test" in commands
    # Races need the machine for themselves.
    assert all(len(step) == 1 for step in steps if "tests/integration" in str(step))


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
