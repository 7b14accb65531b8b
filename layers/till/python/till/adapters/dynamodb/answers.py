"""What an answer of DynamoDB, or the lack of one, proves."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError, ParamValidationError

from till.services.ports.store_errors import (
    StoreUnreadableError,
    UnansweredCommitError,
    UnconfirmedCommitError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


_REASONS_TO_READ_AGAIN: Final = frozenset(
    {
        "None",
        "ConditionalCheckFailed",
        "TransactionConflict",
        "ThrottlingError",
        "ProvisionedThroughputExceeded",
    }
)

_FINAL_CODES: Final = frozenset(
    {
        "AccessDeniedException",
        "IdempotentParameterMismatchException",
        "ResourceNotFoundException",
        "ValidationException",
    }
)
"""The errors that prove that nothing was done, and that the same request would never work."""

_ONLY_DYNAMODB_ANSWERS: Final = frozenset({"ConsumedCapacity", "Responses"})


class _NotDynamoDBError(Exception):
    """An answer with status 200 that is not DynamoDB's: something in between made it."""


def require_genuine(answer: object) -> None:
    """Raise an error unless DynamoDB itself made the answer."""
    # Each call asks what it consumed, and only DynamoDB answers that. An emulator may not for a
    # batch, but that always has responses.
    if not isinstance(answer, dict) or not _ONLY_DYNAMODB_ANSWERS & answer.keys():
        raise _NotDynamoDBError


@contextmanager
def unless_final(in_doubt: type[UnansweredCommitError | StoreUnreadableError]) -> Iterator[None]:
    """Raise ``in_doubt`` for every failure of a call that does not prove what happened.

    A commit that DynamoDB has cancelled is an UnconfirmedCommitError.
    """
    try:
        yield
    except Exception as error:
        if _is_final(error):
            raise
        if in_doubt is UnansweredCommitError and _is_cancelled(error):
            raise UnconfirmedCommitError from error
        raise in_doubt from error


def _is_cancelled(error: Exception) -> bool:
    return (
        isinstance(error, ClientError)
        and error.response["Error"]["Code"] == "TransactionCanceledException"
    )


def _is_final(error: Exception) -> bool:
    """Whether a request was refused for good: it is our own mistake, and no repetition helps."""
    if isinstance(error, ParamValidationError):
        return True
    if not isinstance(error, ClientError):
        return False
    if _is_cancelled(error):
        reasons = error.response.get("CancellationReasons", [])
        return not {reason.get("Code", "None") for reason in reasons} <= _REASONS_TO_READ_AGAIN
    return error.response["Error"]["Code"] in _FINAL_CODES
