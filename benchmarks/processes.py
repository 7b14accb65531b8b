"""CPU time of the emulator and of the functions that it runs, from Linux's /proc."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_PROC: Final = Path("/proc")
_BUYING: Final = "create-purchase"


@dataclass(frozen=True, slots=True)
class Cpu:
    """Seconds of CPU time between two moments."""

    emulator: float
    buying: float
    """Of the functions that buy."""
    others: float
    """Of all other functions: events, the watcher, the authorizer, the recovery."""


@dataclass(frozen=True, slots=True)
class _Process:
    function: str
    """Empty for the emulator itself."""
    seconds: float


Snapshot = dict[int, _Process]
"""What the emulator and its functions have used by now, by their process ids."""


def snapshot(emulator_pid: int) -> Snapshot:
    """The emulator and its children; nothing where there is no /proc."""
    found: Snapshot = {}
    for folder in _PROC.glob("[0-9]*"):
        pid = int(folder.name)
        try:
            parent, seconds = _read(folder)
            if pid == emulator_pid:
                found[pid] = _Process("", seconds)
            elif parent == emulator_pid:
                found[pid] = _Process(_function(folder), seconds)
        except OSError:
            # It has just ended.
            continue
    return found


def used(emulator_pid: int, before: Snapshot) -> Cpu:
    """The CPU time since ``before``, without that of functions that have ended by now."""
    emulator = buying = others = 0.0
    for pid, now in snapshot(emulator_pid).items():
        seconds = now.seconds - (before[pid].seconds if pid in before else 0.0)
        if pid == emulator_pid:
            emulator = seconds
        elif now.function.endswith(_BUYING):
            buying += seconds
        else:
            others += seconds
    return Cpu(emulator, buying, others)


def _read(folder: Path) -> tuple[int, float]:
    """The parent of a process, and the seconds of CPU that it has used."""
    # The name of the program is in parentheses, and may hold anything.
    fields = (folder / "stat").read_text().rpartition(")")[2].split()
    ticks = int(fields[11]) + int(fields[12])
    return int(fields[1]), ticks / os.sysconf("SC_CLK_TCK")


def _function(folder: Path) -> str:
    for setting in (folder / "environ").read_bytes().split(b"\0"):
        name, _, value = setting.partition(b"=")
        if name == b"AWS_LAMBDA_FUNCTION_NAME":
            return value.decode()
    return ""
