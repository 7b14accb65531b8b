"""The edge that all handlers share: problems for errors, and one log line per request."""

from __future__ import annotations

import os
import re
import time
import traceback
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, TypedDict, TypeVar

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.exceptions import (
    RequestUnsupportedContentType,
    RequestValidationError,
)
from pydantic import BaseModel

from till import metrics
from till.domain.errors import TillError
from till.http.admission import Admission, AdmissionPolicy
from till.http.body import BodyRefusedError, decode_body
from till.http.events import header
from till.http.preconditions import entity_tag
from till.http.problem import (
    PROBLEM_CONTENT_TYPE,
    ROUTE_NOT_FOUND,
    UNEXPECTED,
    UNSUPPORTED_MEDIA_TYPE,
    Problem,
)
from till.http.routes import BASE_PATH
from till.http.validation import check_path, invalid, refuse_unknown_query
from till.http.wire.problem import ProblemResponse
from till.metrics import Metric

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aws_lambda_powertools.event_handler.exceptions import NotFoundError
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from till.http.events import Event

    Handler = Callable[[Event, LambdaContext], Event]

CORRELATION_HEADER: Final = "X-Correlation-Id"
CORRELATION_ID: Final = "[A-Za-z0-9][A-Za-z0-9._-]{7,99}"
"""What a caller may name a request: it must not be taken for something else in a log."""
CACHE_HEADER: Final = "Cache-Control"
NO_STORE: Final = "no-store"
"""Nearly every answer is about a customer, or about money: no cache may keep it."""


class ResolverSettings(TypedDict):
    """What Powertools' resolver of an operation is made with."""

    enable_validation: bool
    response_validation_error_http_code: int
    strip_prefixes: list[str | re.Pattern[str]]


RESOLVER: Final[ResolverSettings] = {
    "enable_validation": True,
    "response_validation_error_http_code": HTTPStatus.INTERNAL_SERVER_ERROR,
    # Under the API's own domain name API Gateway passes the base path on; otherwise it does not.
    "strip_prefixes": [f"/{BASE_PATH}"],
}

_DONE: Final = "done"


logger = Logger()

B = TypeVar("B", bound=BaseModel | str)


def answer(
    body: B,
    status: HTTPStatus,
    *,
    replayed: bool = False,
    version: int | None = None,
    age_seconds: int | None = None,
) -> Response[B]:
    """A response, with the headers that tell a replay from a first answer, its version and age."""
    headers: dict[str, str | list[str]] = {"Idempotency-Replayed": "true"} if replayed else {}
    if version is not None:
        headers["ETag"] = entity_tag(version)
    if age_seconds is not None:
        headers["Age"] = str(age_seconds)
    return Response(
        status_code=status.value, content_type="application/json", body=body, headers=headers
    )


def file_answer(body: B, media_type: str, *, next_page: str | None) -> Response[B]:
    """A response that is not JSON. ``next_page`` is what Link (RFC 8288) names, a relative URL."""
    headers: dict[str, str | list[str]] = {}
    if next_page is not None:
        headers["Link"] = f'<{next_page}>; rel="next"'
    return Response(
        status_code=HTTPStatus.OK.value, content_type=media_type, body=body, headers=headers
    )


def problem_in(error: TillError) -> ProblemResponse:
    """The problem that an error would be answered with, to be shown within a response."""
    return _problem_for(error).response(correlation_id(), to_read=True)


def _problem_for(error: TillError) -> Problem:
    # Most workers never answer an error, and the table loads the errors of all operations.
    from till.http.problems import problem_for  # noqa: PLC0415

    return problem_for(error)


def entry_point(
    app: APIGatewayRestResolver,
    policy: Callable[[], AdmissionPolicy],
    prepare: Callable[[], object],
) -> Handler:
    """The Lambda handler of one operation: it knows its caller before it looks at anything.

    ``prepare`` makes what the operation needs. In Lambda that is done while the function starts,
    when no caller's time is running yet; elsewhere nothing is made before its use.
    """
    if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
        prepare()
    return _handler(app, Admission(app, policy).admit)


def public_entry_point(app: APIGatewayRestResolver) -> Handler:
    """The Lambda handler of an operation that anyone may call."""
    return _handler(app, None)


def _handler(app: APIGatewayRestResolver, admit: Callable[[Event], None] | None) -> Handler:
    edge = _Edge()
    app.exception_handler(RequestValidationError)(edge.on_invalid_request)
    app.exception_handler(RequestUnsupportedContentType)(edge.on_unsupported_content)
    app.exception_handler(TillError)(edge.on_till_error)
    app.exception_handler(Exception)(edge.on_unexpected)
    app.not_found(edge.on_unknown_route)
    app.use(middlewares=[refuse_unknown_query])

    def respond(event: Event, context: LambdaContext) -> Event:
        try:
            if admit is not None:
                admit(event)
            check_path(event)
            if not edge.reads:
                decode_body(event)
        except TillError as error:
            return edge.refuse(_problem_for(error), error)
        except BodyRefusedError as error:
            return edge.refuse(error.problem, error)
        except RequestValidationError as error:
            return edge.refuse(invalid(error), error)
        return app.resolve(event, context)

    def lambda_handler(event: Event, context: LambdaContext) -> Event:
        started = time.perf_counter()
        logger.set_correlation_id(_named_by_the_caller(event) or context.aws_request_id)
        edge.begin(event)
        result = respond(event, context)
        headers = result["multiValueHeaders"]
        if isinstance(headers, dict):
            headers[CORRELATION_HEADER] = [correlation_id()]
            headers.setdefault(CACHE_HEADER, [NO_STORE])
        if event.get("httpMethod") == "HEAD":
            result["body"] = ""
        metrics.flush()
        logger.info(
            "request",
            extra={
                "request_id": context.aws_request_id,
                "method": event.get("httpMethod"),
                "resource": event.get("resource"),
                "status": result["statusCode"],
                **edge.outcome,
                "duration_ms": round((time.perf_counter() - started) * 1000, 1),
            },
        )
        return result

    return lambda_handler


def correlation_id() -> str:
    """What names this request in every log that it leaves a line in, ours and the upstreams'."""
    return logger.get_correlation_id() or ""


def _named_by_the_caller(event: Event) -> str | None:
    """The caller's own name for the request, if it is one that may stand in a log."""
    named = header(event, CORRELATION_HEADER)
    return named if named is not None and re.fullmatch(CORRELATION_ID, named) else None


class _Edge:
    """Turns what goes wrong in a request into problems. A function serves one request at a time."""

    outcome: Mapping[str, str]
    """What the request's line in the log says of how it ended."""
    reads: bool
    """Whether the method only reads, and a body has no meaning (RFC 9110, 9.3.1)."""

    def begin(self, event: Event) -> None:
        """Forget the previous request."""
        self.outcome = {"outcome": _DONE}
        self.reads = event.get("httpMethod") in {"GET", "HEAD"}

    def on_invalid_request(self, error: RequestValidationError) -> Response[str]:
        return self._respond(invalid(error), error)

    def on_unsupported_content(self, error: RequestUnsupportedContentType) -> Response[str]:
        return self._respond(UNSUPPORTED_MEDIA_TYPE, error)

    def on_till_error(self, error: TillError) -> Response[str]:
        return self._respond(_problem_for(error), error)

    def on_unexpected(self, error: Exception) -> Response[str]:
        return self._respond(UNEXPECTED, error)

    def on_unknown_route(self, error: NotFoundError) -> Response[str]:
        return self._respond(ROUTE_NOT_FOUND, error)

    def refuse(self, problem: Problem, error: Exception) -> Event:
        """The answer to what does not get as far as the resolver."""
        return {
            "statusCode": problem.status.value,
            "multiValueHeaders": {
                "Content-Type": [PROBLEM_CONTENT_TYPE],
                **{name: [value] for name, value in problem.headers.items()},
            },
            "body": self._body(problem, error),
            "isBase64Encoded": False,
        }

    def _respond(self, problem: Problem, error: Exception) -> Response[str]:
        headers: dict[str, str | list[str]] = dict(problem.headers)
        return Response(
            status_code=problem.status.value,
            content_type=PROBLEM_CONTENT_TYPE,
            headers=headers,
            body=self._body(problem, error),
        )

    def _body(self, problem: Problem, error: Exception) -> str:
        if problem is UNEXPECTED:
            # The message of an exception may hold anybody's data: the log gets its kind and place.
            logger.error(
                "unexpected error",
                extra={"error": type(error).__name__, "at": _source_lines(error)},
            )
            metrics.measure(Metric.UNEXPECTED_ERRORS)
        self.outcome = {"outcome": problem.slug, "error": type(error).__name__}
        body = problem.response(correlation_id(), to_read=self.reads)
        return body.model_dump_json(exclude_none=True)


def _source_lines(error: BaseException) -> list[str]:
    return [
        f"{frame.filename.rpartition('/')[2]}:{frame.lineno}"
        for frame in traceback.extract_tb(error.__traceback__)[-5:]
    ]
