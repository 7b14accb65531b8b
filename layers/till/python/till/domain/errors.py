"""The base of all errors that Till raises on purpose. Each is defined with the rule that raises it.

``till.http.problems`` has the one table from these errors to what the caller sees.
"""

from __future__ import annotations


class TillError(Exception):
    """Base of every error that Till raises on purpose."""


class NotFoundError(TillError):
    """What was asked for does not exist."""
