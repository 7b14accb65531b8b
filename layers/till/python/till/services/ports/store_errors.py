"""What the store raises: apart from its port, which loads all that can be written."""

from __future__ import annotations

from till.domain.errors import TillError


class ReadAgainError(TillError):
    """What was read cannot be built on: read again, and decide by what is there then."""


class UnconfirmedCommitError(ReadAgainError):
    """A commit was refused because what it builds on has changed, or its effect is unknown.

    Both call for the same: read again.
    """


class UnansweredCommitError(UnconfirmedCommitError):
    """The effect of a commit is unknown: it may have one, and may have it later."""


class StoreUnreadableError(ReadAgainError):
    """The tables could not be read at this moment."""


class InconsistentReadError(ReadAgainError):
    """What was read contradicts itself.

    The items of one transaction may become visible one after the other, and two reads may have seen
    different times. Only if it stays like this is something corrupt.
    """

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class BusyError(TillError):
    """The request was not confirmed in its time.

    There were too many changes of one account at once, or the database did not answer. Whether the
    last try took effect may be unknown: the same request with the same key tells.
    """
