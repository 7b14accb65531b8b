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
    assert checks._run(((one,),)) == [(one, count)]


def test_the_report_of_an_earlier_run_does_not_count(tmp_path: Path) -> None:
    old = tmp_path / "report.xml"
    old.write_text(REPORT)

    ((_, count),) = checks._run(((Check("A check", (sys.executable, "-c", "exit(1)"), old),),))

    assert count == Count(failed=1)


def test_side_by_side_each_is_counted_and_shown(
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

    counts = sorted((one.title, count) for one, count in checks._run(((first,), (second,))))

    assert counts == [("First", Count(passed=1)), ("Second", Count(failed=1))]
    shown = capfdbinary.readouterr().out.decode()
    # The first is shown while it runs, the second in one piece.
    assert shown.index("== First\n") < shown.index("here\n") < shown.index("met\n")
    assert "== Second\ncame\n-- FAILED" in shown
    assert "-- side by side: First; Second\n" in shown


def test_a_lane_runs_its_checks_in_order_also_after_one_failed(tmp_path: Path) -> None:
    log = tmp_path / "log"
    lane = tuple(
        Check(title, (sys.executable, "-c", f"open({str(log)!r}, 'a').write('{title}'); exit(1)"))
        for title in "ABC"
    )

    counts = checks._run((lane, (Check("D", (sys.executable, "-c", "pass")),)))

    assert log.read_text() == "ABC"
    assert [(one.title, count.failed) for one, count in counts] == [
        *(("A", 1), ("B", 1), ("C", 1)),
        ("D", 0),
    ]


def test_stopped_side_by_side_both_are_ended(tmp_path: Path) -> None:
    code = f"""
import sys
from pathlib import Path
from local import checks
from local.checks import Check
import signal
signal.signal(signal.SIGTERM, checks._interrupt)
wait = "import os, signal; open(str(os.getpid()), 'w').close(); signal.pause()"
command = (sys.executable, "-c", wait)
lanes = [(Check(str(n), command, folder=Path({str(tmp_path)!r})),) * 2 for n in (1, 2)]
checks._run(tuple(lanes))
"""
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 20
    while len(list(tmp_path.iterdir())) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.terminate()
    assert process.wait(20) != 0
    # The second check of each lane was not started.
    assert len(list(tmp_path.iterdir())) == 2
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
    ((_, count),) = checks._run(((one,),))

    assert count == Count(passed=1)


@pytest.mark.parametrize("which", ["all", "fast", "backoffice"])
def test_what_needs_a_running_system_is_not_fast(which: str) -> None:
    steps = checks._steps(which)
    commands = [" ".join(check.command) for step in steps for lane in step for check in lane]

    assert any("local.in_browser" in command for command in commands) == (which == "all")
    assert any("tests/integration" in command for command in commands) == (which == "all")
    assert "npm run --silent test" in commands


def test_the_races_have_the_processor_before_what_runs_with_them() -> None:
    first_lanes = [step[0] for step in checks._steps("all")]
    assert any("tests/integration" in str(lane) for lane in first_lanes)


def test_what_needs_no_races_runs_next_to_the_integration_tests() -> None:
    (step,) = [step for step in checks._steps("all") if "tests/integration" in str(step[0])]
    titles = [check.title for check in step[1]]

    assert {checks.SUITES["infra"], checks.SUITES["simulation"]} < set(titles)
    assert any("LocalStack's stage" in title for title in titles)


def test_other_lanes_than_the_first_yield_the_processor(
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    tells = Check("A check", (sys.executable, "-c", "import os; print('nice', os.nice(0))"))
    mine = os.nice(0)

    checks._run(((tells,), (tells,)))

    shown = capfdbinary.readouterr().out.decode()
    assert f"nice {mine}\n" in shown
    assert "nice 19\n" in shown


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
