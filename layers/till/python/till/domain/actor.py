"""Who does something."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something: the subject of their token, or a name of our own such as system:recovery.

    ``name`` is what staff are called, as their token said at the time. Customers have none: their
    names belong to the Customer API, and what is written here is never deleted.
    """

    subject: str
    name: str | None = None
