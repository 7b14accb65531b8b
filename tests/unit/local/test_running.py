from __future__ import annotations

import asyncio
import os
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from local.endpoints import Endpoints
from local.errors import StartError
from local.node import find_node
from local.paths import ROOT
from local.ports import HOST, choose_port
from local.processes import run, started
from local.seed import lines_to_paste
from local.upstream.demo_data import DEMO_PRODUCT, OPENING_CREDITS, SIGNED_IN_CUSTOMER

# Starts a child as the emulator starts its Lambda workers, names it, and waits.
PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
time.sleep(600)
"""


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # One that has ended, and whose status was not read yet.
    status = Path(f"/proc/{pid}/stat")
    return not (status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z")


async def written(log: Path) -> str:
    async with asyncio.timeout(20):
        while not log.read_text():
            await asyncio.sleep(0.01)
    return log.read_text()


async def gone(pid: int) -> None:
    async with asyncio.timeout(20):
        while is_running(pid):
            await asyncio.sleep(0.01)


def test_a_program_is_ended_with_its_children(tmp_path: Path) -> None:
    async def start_and_end() -> None:
        log = tmp_path / "log"
        async with started([sys.executable, "-c", PARENT], log=log, env=os.environ) as process:
            child = int(await written(log))
            assert is_running(child)
        assert process.returncode == -signal.SIGTERM
        await gone(child)

    asyncio.run(start_and_end())


def test_a_program_that_ignores_the_request_is_killed(tmp_path: Path) -> None:
    stubborn = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)" + PARENT

    async def start_and_end() -> None:
        log = tmp_path / "log"
        async with started([sys.executable, "-c", stubborn], log=log, env=os.environ) as process:
            child = int(await written(log))
        assert process.returncode == -signal.SIGKILL
        await gone(child)

    asyncio.run(start_and_end())


# The same for Node.
NODE_PARENT = """
const child = require("node:child_process").spawn("sleep", ["600"]);
console.log(child.pid);
setInterval(() => {}, 600_000);
"""
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)"


@pytest.mark.parametrize(
    "command",
    [
        pytest.param((sys.executable, "-c", PARENT), id="python"),
        pytest.param((sys.executable, "-c", STUBBORN + PARENT), id="stubborn"),
        pytest.param(("node", "--eval", NODE_PARENT), id="node"),
    ],
)
def test_a_program_that_ends_with_us_is_killed_with_its_children_when_the_pipe_ends(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    async def start_and_let_go() -> None:
        log = tmp_path / "log"
        async with started(command, log=log, env=os.environ, ends_with_us=True) as process:
            child = int(await written(log))
            # It was asked to end before, and did not: it is still watched.
            if "SIG_IGN" in command[-1]:
                os.killpg(process.pid, signal.SIGTERM)
            assert process.stdin is not None
            process.stdin.close()
            assert await process.wait() == -signal.SIGKILL
            await gone(child)

    asyncio.run(start_and_let_go())


def test_a_program_that_ends_with_us_is_itself_and_not_its_watcher(tmp_path: Path) -> None:
    tells = "import os, sys; print(os.getpid(), sys.argv[1:], repr(sys.stdin.read())); sys.exit(7)"

    async def run_to_its_end() -> None:
        log = tmp_path / "log"
        command = (sys.executable, "-c", tells, "an argument")
        async with started(command, log=log, env=os.environ, ends_with_us=True) as process:
            assert await process.wait() == 7
        assert log.read_text() == f"{process.pid} ['an argument'] ''\n"

    asyncio.run(run_to_its_end())


def test_a_failed_command_is_one_sentence_and_its_log(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "failing.log"

    with pytest.raises(StartError, match="It broke") as caught:
        asyncio.run(
            run([sys.executable, "-c", "exit('why')"], log=log, env=os.environ, failure="It broke")
        )

    assert caught.value.log == log
    assert log.read_text() == "why\n"


def test_a_taken_port_is_one_sentence_that_names_the_way_out() -> None:
    with socket.socket() as other:
        other.bind((HOST, 0))
        other.listen()
        port = other.getsockname()[1]

        with pytest.raises(StartError, match=rf"Port {port} .*PORT=\."):
            choose_port(port, used_for="the emulator", variable="PORT")


def test_port_zero_is_any_free_one() -> None:
    assert choose_port(0, used_for="the emulator", variable="PORT") > 0


def test_endpoints_are_read_as_they_were_written(tmp_path: Path) -> None:
    endpoints = Endpoints(
        api_url="http://127.0.0.1:1/v1",
        upstream_url="http://127.0.0.1:2/api",
        aws_endpoint_url="http://127.0.0.1:1",
        region="us-east-1",
        ledger_table="ledger",
        purchases_table="purchases",
        function_prefix="till-local-",
        emulator_pid=1,
        emulator_log="log",
        issuer="http://127.0.0.1:3",
        audience="https://till.example/api",
        jwks_url="http://127.0.0.1:3/jwks",
        identity_keys="keys.json",
        tokens={"customer": "a.b.c"},
        backoffice_url=None,
    )
    path = tmp_path / "endpoints.json"

    endpoints.write(path)

    assert Endpoints.read(path) == endpoints
    assert list(tmp_path.iterdir()) == [path]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


class TestNode:
    def path_with_node(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, version: str | None
    ) -> None:
        if version is not None:
            node = folder / "node"
            node.write_text(f"#!/bin/sh\necho {version}\n")
            node.chmod(0o755)
        monkeypatch.setenv("PATH", str(folder))

    def test_a_missing_one_is_one_sentence(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.path_with_node(tmp_path, monkeypatch, None)

        with pytest.raises(
            StartError, match=r"Node 20.19 or later is needed.* no node on the PATH"
        ):
            find_node()

    @pytest.mark.parametrize("version", ["v20.18.3", "v18.20.4", "v9.11.2", "gibberish"])
    def test_an_old_one_is_one_sentence(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str
    ) -> None:
        self.path_with_node(tmp_path, monkeypatch, version)

        with pytest.raises(StartError, match=f"Node 20.19 or later is needed.*{version}"):
            find_node()

    def test_a_new_one_is_taken(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.path_with_node(tmp_path, monkeypatch, "v22.1.0")
        (tmp_path / "npm").symlink_to(tmp_path / "node")

        assert find_node() == "v22.1.0"


class TestPython:
    def find(self, path: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["/bin/sh", str(ROOT / "local" / "find-python")],
            env={"PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )

    def test_the_first_that_is_new_enough_is_taken(self, tmp_path: Path) -> None:
        old = tmp_path / "python3"
        old.write_text("#!/bin/sh\nexit 1\n")
        old.chmod(0o755)
        (tmp_path / "python3.12").symlink_to(sys.executable)

        assert self.find(str(tmp_path)).stdout.strip() == str(tmp_path / "python3.12")

    def test_none_is_one_sentence(self, tmp_path: Path) -> None:
        answer = self.find(str(tmp_path))

        assert answer.returncode == 1
        assert answer.stdout == ""
        assert answer.stderr.count("\n") == 1
        assert "Python 3.11 or later" in answer.stderr


@pytest.mark.parametrize("demo", [True, False])
def test_the_lines_to_paste_are_shell(*, demo: bool) -> None:
    lines = lines_to_paste(
        "http://127.0.0.1:4566/v1", "http://127.0.0.1:9100", sys.executable, demo=demo
    )

    checked = subprocess.run(["/bin/sh", "-n"], input=lines, text=True, check=False)

    assert checked.returncode == 0
    assert (str(SIGNED_IN_CUSTOMER.id) in lines) == demo
    assert ("$(token chiara)" in lines) == demo
    assert all(len(line) <= 100 or str(sys.executable) in line for line in lines.splitlines())


def test_the_demo_customer_can_afford_what_the_lines_buy() -> None:
    credit = next(each for each in OPENING_CREDITS if each.customer == SIGNED_IN_CUSTOMER)

    assert credit.amount >= 2 * int(DEMO_PRODUCT.price * 100)
