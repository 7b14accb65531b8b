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

if _IN_LAMBDA:
    gc.disable()


def end() -> None:
    """The function has started: the last thing that a handler's module does."""
    if _IN_LAMBDA:
        gc.freeze()
        gc.enable()
