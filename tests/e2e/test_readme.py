"""The README's own commands, run as written: in a clean checkout, or on a system that is up.

Where the environment names a system (``make test-localstack``, ``make test-endpoint``), the
purchase is made there; ``make run`` is for this machine only.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from local.upstream.demo_data import SIGNED_IN_CUSTOMER
from tests.e2e.readme import comparable, steps
from tests.under_test import UnderTest, is_named, needed

ROOT = Path(__file__).resolve().parents[2]
READY_WITHIN_SECONDS = 480
STOPPED_WITHIN_SECONDS = 30
MARK = "--- next step ---"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a new user gets: every file of the repository, and nothing that was made from it."""
    if is_named():
        pytest.skip("another system is under test than that of make run")
    folder = tmp_path_factory.mktemp("checkout")
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    for name in listed.stdout.split("\0"):
        source = ROOT / name
        if name and source.is_file() | source.is_symlink():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, folder / name, follow_symlinks=False)
    return folder


@pytest.fixture(scope="module")
def running(checkout: Path) -> Iterator[subprocess.Popen[bytes]]:
    """``make run``, ready; stopped by Ctrl-C if the test did not."""
    command = steps(ROOT / "README.md")[0].commands.strip()
    assert command == "make run"
    # The ports come from the environment, so that the command can stay as it is written.
    ports = ("PORT", "UPSTREAM_PORT", "ISSUER_PORT", "BACKOFFICE_PORT")
    environment = {**os.environ, **dict.fromkeys(ports, "0")}
    output = checkout / "make-run.log"
    with output.open("wb") as log:
        process = subprocess.Popen(
            ["bash", "-c", command],
            cwd=checkout,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait(
            lambda: _endpoints(checkout).exists() or process.poll() is not None,
            READY_WITHIN_SECONDS,
            "make run is not ready",
        )
        assert process.poll() is None, output.read_text()
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
        process.wait(STOPPED_WITHIN_SECONDS)


@pytest.fixture(scope="module")
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a reader's shell is: what its lines read there says where everything is."""
    if not is_named():
        request.getfixturevalue("running")
        found: Path = request.getfixturevalue("checkout")
        return found
    system: UnderTest = request.getfixturevalue("under_test")
    _check_that_she_has_not_bought(system)
    there = tmp_path_factory.mktemp("reader")
    system.write(_endpoints(there))
    return there


def _check_that_she_has_not_bought(system: UnderTest) -> None:
    """The README begins with a customer's first credit, so its purchase can be made once only."""
    needed(system.upstream_url, "stand-in for the external APIs")
    token = system.token("customer")
    system.token("support")
    answer = httpx.get(
        f"{system.api_url}/customers/{SIGNED_IN_CUSTOMER.id}/credit",
        headers={"Authorization": f"Bearer {token}"},
        timeout=60,
    )
    if answer.status_code == httpx.codes.NOT_FOUND and system.emulated is None:
        pytest.skip("the demo's customer is not the customer of this system")
    if answer.raise_for_status().json()["version"] > 1:
        pytest.skip("the demo's customer has bought already: forget all, and start it again")


def test_the_first_purchase_is_as_the_readme_shows_it(folder: Path) -> None:
    shown = [step for step in steps(ROOT / "README.md") if "make " not in step.commands]
    assert len([step for step in shown if step.output]) >= 5
    script = f"echo '{MARK}'\n".join(step.commands for step in shown)
    ran = subprocess.run(
        ["bash", "-eu", "-o", "pipefail", "-c", script],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    printed = ran.stdout.split(f"{MARK}\n")
    for step, output in zip(shown, printed, strict=True):
        assert comparable(output) == comparable(step.output or ""), step.commands


def test_the_commands_that_invoke_a_function_work(checkout: Path, folder: Path) -> None:
    for step in steps(ROOT / "docs" / "invoking.md"):
        ran = subprocess.run(
            ["bash", "-eu", "-o", "pipefail", "-c", step.commands],
            cwd=checkout,
            check=False,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert ran.returncode == 0, ran.stderr
        assert "\nlog\n" in ran.stdout
        assert "\nduration " in ran.stdout


def test_ctrl_c_stops_everything_and_cleans_up(
    checkout: Path, running: subprocess.Popen[bytes]
) -> None:
    emulator = int(json.loads(_endpoints(checkout).read_text())["emulator_pid"])
    os.killpg(running.pid, signal.SIGINT)
    running.wait(STOPPED_WITHIN_SECONDS)
    assert not _endpoints(checkout).exists()
    _wait(lambda: not _members(emulator), STOPPED_WITHIN_SECONDS, "the emulator still runs")
    assert not _members(running.pid)


def _endpoints(checkout: Path) -> Path:
    return checkout / ".local" / "endpoints.json"


def _members(process_group: int) -> list[int]:
    """The processes of a group, by what the kernel says of each."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[2]) == process_group and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return found


def _wait(condition: Callable[[], bool], within_seconds: float, otherwise: str) -> None:
    ends_at = time.monotonic() + within_seconds
    while not condition():
        assert time.monotonic() < ends_at, otherwise
        time.sleep(0.1)
