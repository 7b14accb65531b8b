"""No garbage collection while a function starts. Each handler imports this first.

What a start makes lives as long as the process, so looking through it for garbage finds nothing,
and costs a fifth of the start. ``end`` sets it aside for good, and collections begin again.
"""

from __future__ import annotations

import gc
import os
from typing import Final

_IN_LAMBDA: Final = "AWS_LAMBDA_FUNCTION_NAME" in os.environ
"""Elsewhere a process loads many handlers, and its garbage is its own affair."""
_IN_SNAPSHOT: Final = os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start"
"""Whether workers are restored from a snapshot of this process (SnapStart)."""

if _IN_LAMBDA:
    gc.disable()


def end() -> None:
    """The function has started: the last thing that a handler's module does."""
    if _IN_SNAPSHOT:
        _reseed_after_restore()
    if _IN_LAMBDA:
        gc.freeze()
        gc.enable()


def _reseed_after_restore() -> None:
    """Give each worker random numbers of its own, so that not all pause for the same time."""
    import random  # noqa: PLC0415 - only where there are snapshots

    # Lambda's runtime has it.
    from snapshot_restore_py import register_after_restore  # type: ignore[import-not-found]  # noqa: PLC0415

    register_after_restore(random.seed)
