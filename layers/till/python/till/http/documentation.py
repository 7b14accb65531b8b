"""What an operation's handler tells the OpenAPI document about its responses."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from till.http.problem import PROBLEM_CONTENT_TYPE
from till.http.wire.problem import ProblemResponse

if TYPE_CHECKING:
    from aws_lambda_powertools.event_handler.openapi.types import OpenAPIResponse
    from pydantic import BaseModel

READ: Final = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.SERVICE_UNAVAILABLE,
)
"""The problems of an operation that reads."""

MOVE: Final = (
    *READ,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.CONFLICT,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.SERVICE_UNAVAILABLE,
)
"""The problems of an operation that moves money."""

UPSTREAM: Final = (HTTPStatus.NOT_FOUND, HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE)
"""The problems of asking an external API."""


def documented(
    success: HTTPStatus, model: type[BaseModel], *failures: HTTPStatus, also: str | None = None
) -> dict[int, OpenAPIResponse]:
    """The responses of an operation; ``infra/openapi.py`` adds what all have, and the words.

    ``also`` is a media type that the answer can have besides JSON.
    """
    responses: dict[int, OpenAPIResponse] = {
        success.value: {
            "description": success.phrase,
            "content": {"application/json": {"model": model}},
        }
    }
    if also is not None:
        responses[success.value]["content"][also] = {"schema": {"type": "string"}}
    for status in failures:
        responses[status.value] = {
            "description": status.phrase,
            "content": {PROBLEM_CONTENT_TYPE: {"model": ProblemResponse}},
        }
    return responses
