"""Runs a program whose process group is killed when this one's standard input ends.

``python kill_with_parent.py PROGRAM ARGUMENTS...``. Its parent holds the other end of the pipe and
never writes: the pipe ends when the parent does, however it ends.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import NoReturn

ENDINGS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def main() -> None:
    """Start a process that watches the pipe, then become the program."""
    if os.getpgrp() != os.getpid():
        sys.exit("kill_with_parent.py must lead a process group of its own.")
    if os.fork() == 0:
        _kill_after_the_pipe()
    # The program, and its children, find an empty input.
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, sys.stdin.fileno())
    os.close(nothing)
    _, program, *arguments = sys.argv
    os.execvp(program, [program, *arguments])  # noqa: S606 - never through a shell


def _kill_after_the_pipe() -> NoReturn:
    # A signal to the group is for the program; the watch goes on until the group is gone.
    for number in ENDINGS:
        signal.signal(number, signal.SIG_IGN)
    while os.read(sys.stdin.fileno(), 1):
        pass
    os.killpg(os.getpgrp(), signal.SIGKILL)
    raise AssertionError("A process cannot outlive the killing of its own group.")


if __name__ == "__main__":
    main()
