"""Runs a Python module whose process group is killed when its standard input ends.

``python -m local.leash MODULE ARGUMENTS...``. The one who started it holds the other end of the
pipe and never writes: the pipe ends when that process does, however it does.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading


def main() -> None:
    """Tie this process to its standard input, then become the module."""
    if os.getpgrp() != os.getpid():
        sys.exit("local.leash must lead a process group of its own.")
    # A copy that no child inherits; what runs here, and its children, find an empty input.
    pipe = os.dup(sys.stdin.fileno())
    with open(os.devnull, "rb") as nothing:  # noqa: PTH123 - a descriptor, not a file to read
        os.dup2(nothing.fileno(), sys.stdin.fileno())
    threading.Thread(target=_kill_after, args=(pipe,), name="leash", daemon=True).start()
    module, *arguments = sys.argv[1:]
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _kill_after(pipe: int) -> None:
    while os.read(pipe, 1):
        pass
    os.killpg(os.getpgrp(), signal.SIGKILL)


if __name__ == "__main__":
    main()
