from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import httpx
import pytest

from local.emulator import running_emulator
from local.errors import StartError
from local.paths import State
from local.ports import choose_port

LISTENING = "0A"
LOOPBACK = ("0100007F", "00000000000000000000000001000000")


def listening_addresses(pid: int) -> set[str]:
    """The addresses that a process listens on, as the kernel writes them."""
    sockets = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        target = str(descriptor.readlink())
        if target.startswith("socket:["):
            sockets.add(target.removeprefix("socket:[").removesuffix("]"))
    addresses = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == LISTENING and fields[9] in sockets:
                addresses.add(fields[1])
    return addresses


@pytest.fixture
def state(tmp_path: Path) -> State:
    state = State(tmp_path)
    state.temporary.mkdir()
    return state


def free_port() -> int:
    return choose_port(0, used_for="a test", variable="PORT")


@pytest.mark.skipif(sys.platform != "linux", reason="reads the kernel's tables of sockets")
def test_it_listens_on_one_port_of_the_loopback(state: State) -> None:
    async def start_and_look() -> set[str]:
        async with running_emulator(free_port(), state) as emulator:
            return listening_addresses(emulator.process.pid)

    (address,) = asyncio.run(start_and_look())

    assert address.partition(":")[0] in LOOPBACK


def test_it_knows_nothing_of_the_users_environment(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "personal")

    async def start_and_look() -> bytes:
        async with running_emulator(free_port(), state) as emulator:
            return Path(f"/proc/{emulator.process.pid}/environ").read_bytes()

    environment = asyncio.run(start_and_look())

    assert b"AWS_PROFILE" not in environment
    assert f"TMPDIR={state.temporary}".encode() in environment.split(b"\0")


def test_two_run_side_by_side_and_are_gone_afterwards(state: State, tmp_path: Path) -> None:
    other = State(tmp_path / "other")
    other.temporary.mkdir(parents=True)

    async def start_both() -> list[int]:
        async with (
            running_emulator(free_port(), state) as one,
            running_emulator(free_port(), other) as two,
        ):
            assert one.url != two.url
            return [one.process.pid, two.process.pid]

    for pid in asyncio.run(start_both()):
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_a_port_that_was_taken_meanwhile_is_an_error_and_not_another_emulator(
    state: State, tmp_path: Path
) -> None:
    late = State(tmp_path / "late")
    late.temporary.mkdir(parents=True)

    async def start_twice() -> None:
        port = free_port()
        async with running_emulator(port, state) as first:
            with pytest.raises(StartError, match="ended immediately"):
                async with running_emulator(port, late):
                    pytest.fail("there can be only one")
            async with httpx.AsyncClient(trust_env=False) as client:
                assert (await client.get(f"{first.url}/_ministack/ready")).status_code == 200

    asyncio.run(start_twice())
