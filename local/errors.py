"""The one error that a person is shown without a traceback."""

from __future__ import annotations

import sys
from pathlib import Path

TAIL_LINES = 12


class StartError(Exception):
    """Why something could not be started, in one sentence, and the log that tells more."""

    def __init__(self, sentence: str, log: Path | None = None) -> None:
        super().__init__(sentence)
        self.log = log


def first_error(group: ExceptionGroup[Exception]) -> Exception:
    """The error of the failed step: those that ran at the same time were only cancelled."""
    error = group.exceptions[0]
    return first_error(error) if isinstance(error, ExceptionGroup) else error


def tell(error: StartError) -> None:
    """Show the end of the log, if there is one, and then the sentence."""
    if error.log is not None and error.log.exists():
        lines = error.log.read_text(errors="replace").splitlines()
        print(f"\nThe end of {error.log}:", file=sys.stderr)
        for line in lines[-TAIL_LINES:]:
            print(f"  | {line}", file=sys.stderr)
    print(f"\ntill: {error}", file=sys.stderr, flush=True)
