"""What all handlers share: strict input, problems for errors, one log line per request."""

from __future__ import annotations

import os
import re
import time
import traceback
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Final, Literal, Protocol, TypeVar

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.exceptions import (
    RequestUnsupportedContentType,
    RequestValidationError,
)
from aws_lambda_powertools.event_handler.openapi.params import Header, Path, Query
from pydantic import BaseModel

from till import measures
from till.domain.errors import CustomerNotFoundError, StaleVersionError, TillError
from till.domain.money import Money
from till.domain.promo import PromoState
from till.domain.purchase import AttemptState, OrphanStatus, PurchaseStatus
from till.http.body import BodyRefusedError, decode_body
from till.http.events import header
from till.http.identity import Caller, NotAllowedError, Tokens, identify_caller
from till.http.problems import (
    PROBLEM_CONTENT_TYPE,
    ROUTE_NOT_FOUND,
    UNEXPECTED,
    UNSUPPORTED_MEDIA_TYPE,
    PreconditionRequiredError,
    Problem,
    UnknownRouteError,
    invalid_request,
    problem_for,
)
from till.http.routes import BASE_PATH, Role, route_at
from till.http.wire.problem import FieldErrorResponse, ProblemResponse
from till.http.wire.types import Id, IdempotencyKey, InstantText, PromoCodeText, ShipmentIdText
from till.measures import Measure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aws_lambda_powertools.event_handler.exceptions import NotFoundError
    from aws_lambda_powertools.event_handler.middlewares import NextMiddleware
    from aws_lambda_powertools.event_handler.openapi.types import OpenAPIResponse
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from till.http.events import Event

    Handler = Callable[[Event, LambdaContext], Event]

CORRELATION_HEADER: Final = "X-Correlation-Id"

_DONE: Final = "done"
_CALLER: Final = "caller"
_OWN_ONLY: Final = "own_only"
_AMOUNT_LIMIT: Final = "amount_limit"
_UNLIMITED: Final = frozenset({Role.ADMIN, Role.SERVICE})

_CORRELATION_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,99}")

logger = Logger()

B = TypeVar("B", bound=BaseModel)

# The parameters that operations share, as Powertools reads them.
PathId = Annotated[Id, Path()]
PathCode = Annotated[PromoCodeText, Path()]
IfMatch = Annotated[
    str | None,
    Header(alias="If-Match", description="The ETag of the version that is to be changed"),
]
KeyHeader = Annotated[
    IdempotencyKey,
    Header(
        alias="Idempotency-Key",
        description="Names this request: the same key and body take effect once, for ever",
    ),
]
StatusFilter = Annotated[PurchaseStatus | None, Query(description="Only these")]
Include = Annotated[
    Literal["customer_names"] | None,
    Query(
        description="Also tell the customers' names, as the Customer API had them seconds ago; "
        "null where it could not be asked"
    ),
]
PromoStateFilter = Annotated[PromoState | None, Query(description="Only these")]
OrphanFilter = Annotated[
    Literal[OrphanStatus.OPEN] | None,
    Query(description="Only voided attempts with a possible orphan shipment that is still open"),
]
ShipmentIdFilter = Annotated[
    ShipmentIdText | None,
    Query(description="Only the purchase that this shipment id of the carrier belongs to"),
]
StateFilter = Annotated[AttemptState | None, Query(description="Only these")]
TimeFilter = Annotated[InstantText | None, Query(description="RFC 3339, with its offset")]
Limit = Annotated[int, Query(ge=1, le=100, description="How many items a page holds")]
Cursor = Annotated[str | None, Query(max_length=512, description="next_cursor of the page before")]

# Why a path or query is refused is told by each operation's own list of these.
_PROBLEM_TEXTS: Final = {
    HTTPStatus.BAD_REQUEST: "The request is not valid; errors lists the fields",
    HTTPStatus.UNAUTHORIZED: "The caller is not known",
    HTTPStatus.FORBIDDEN: "The caller's roles do not allow it",
    HTTPStatus.NOT_FOUND: "It does not exist",
    HTTPStatus.CONFLICT: "It does not fit the present state; detail says why",
    HTTPStatus.PRECONDITION_FAILED: "Somebody else has changed it meanwhile",
    HTTPStatus.PRECONDITION_REQUIRED: "If-Match is missing",
    HTTPStatus.UNPROCESSABLE_ENTITY: (
        "The Idempotency-Key belongs to another request, or the promo code cannot be used"
    ),
    HTTPStatus.BAD_GATEWAY: "An external API failed; nothing was charged",
    HTTPStatus.SERVICE_UNAVAILABLE: "Not possible at this moment; try again",
    HTTPStatus.GATEWAY_TIMEOUT: "The outcome of the shipment is not known yet",
}

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
    success: HTTPStatus, model: type[BaseModel], *failures: HTTPStatus
) -> dict[int, OpenAPIResponse]:
    """The responses of an operation, for its OpenAPI document."""
    responses: dict[int, OpenAPIResponse] = {
        success.value: {
            "description": success.phrase,
            "content": {"application/json": {"model": model}},
        }
    }
    for status in failures:
        responses[status.value] = {
            "description": _PROBLEM_TEXTS[status],
            "content": {PROBLEM_CONTENT_TYPE: {"model": ProblemResponse}},
        }
    return responses


class LambdaDeadline:
    """``till.services.ports.Deadline`` by the time that Lambda leaves this invocation."""

    def __init__(self, context: LambdaContext) -> None:
        self._context = context

    def remaining_seconds(self) -> float:
        """Seconds until Lambda ends this invocation."""
        return self._context.get_remaining_time_in_millis() / 1000


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
        headers["ETag"] = f'"{version}"'
    if age_seconds is not None:
        headers["Age"] = str(age_seconds)
    return Response(
        status_code=status.value, content_type="application/json", body=body, headers=headers
    )


def expected_version(if_match: str | None) -> int:
    """The version that an If-Match names.

    Raises:
        PreconditionRequiredError: there is none.
        StaleVersionError: it is not the ETag of any version.
    """
    if if_match is None:
        raise PreconditionRequiredError
    number = if_match.strip().removeprefix('"').removesuffix('"')
    if not (number.isascii() and number.isdecimal() and len(number) < 10):
        raise StaleVersionError(version=0)
    return int(number)


def problem_in(error: TillError) -> ProblemResponse:
    """The problem that an error would be answered with, to be shown within a response."""
    return problem_for(error).response(correlation_id())


class EdgeSettings(Protocol):
    """What the edge must know of a function's settings."""

    @property
    def support_limit_minor(self) -> int:
        """The most that a rep may move in one operation."""
        ...

    def tokens(self) -> Tokens | None:
        """What verifies tokens here; None where API Gateway's authorizer has done so."""
        ...


def entry_point(
    app: APIGatewayRestResolver,
    settings: Callable[[], EdgeSettings],
    prepare: Callable[[], object],
) -> Handler:
    """The Lambda handler of one operation: it knows its caller before it looks at anything.

    ``prepare`` makes what the operation needs. In Lambda that is done while the function starts,
    when no caller's time is running yet; elsewhere nothing is made before its use.
    """
    if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
        prepare()
    return _handler(app, _Door(app, settings).admit)


def public_entry_point(app: APIGatewayRestResolver) -> Handler:
    """The Lambda handler of an operation that anyone may call."""
    return _handler(app, None)


def caller(app: APIGatewayRestResolver) -> Caller:
    """Who is calling. Their subject is the actor of what this request does."""
    who = app.context[_CALLER]
    if not isinstance(who, Caller):
        raise TypeError("nobody was let in")
    return who


def amount_limit(app: APIGatewayRestResolver) -> Money | None:
    """The most that the caller may move in one operation; None: as much as the rules allow."""
    limit = app.context[_AMOUNT_LIMIT]
    return limit if isinstance(limit, Money) else None


class _Door:
    """Lets callers in: those who are known, and whose roles may do this.

    The authorizer has asked the same before. It can only do so by the path, where a wildcard
    stands for an id and for all that follows it; here it is the operation itself.
    """

    def __init__(self, app: APIGatewayRestResolver, settings: Callable[[], EdgeSettings]) -> None:
        self._app = app
        self._settings = settings
        self._tokens = cache(lambda: settings().tokens())
        app.use(middlewares=[_refuse_other_customers])

    def admit(self, event: Event) -> None:
        """Know the caller, and what they may do here.

        Raises:
            NotAuthenticatedError: nobody to be believed.
            IdentityUnavailableError: the token cannot be checked now.
            NotAllowedError: none of their roles may do this.
            UnknownRouteError: there is nothing here to be done.
        """
        who = identify_caller(event, tokens=self._tokens(), now=time.time)
        route = route_at(str(event.get("httpMethod")), str(event.get("resource")))
        if route is None:
            raise UnknownRouteError
        admitted_as = who.roles & route.roles
        if not admitted_as:
            raise NotAllowedError(route.roles)
        limited = not (who.roles & _UNLIMITED)
        self._app.context.update(
            {
                _CALLER: who,
                _OWN_ONLY: admitted_as == {Role.CUSTOMER},
                _AMOUNT_LIMIT: Money(self._settings().support_limit_minor) if limited else None,
            }
        )


def _refuse_other_customers(app: APIGatewayRestResolver, next_: NextMiddleware) -> Response[str]:
    """A customer sees nothing of another one, not even whether there is one."""
    asked_for = app.context["_route_args"].get("customer_id")
    own = caller(app).customer_id
    if app.context[_OWN_ONLY] and asked_for is not None and asked_for != own:
        raise CustomerNotFoundError
    return next_(app)


def _handler(app: APIGatewayRestResolver, admit: Callable[[Event], None] | None) -> Handler:
    edge = _Edge(app)
    app.exception_handler(RequestValidationError)(edge.on_invalid_request)
    app.exception_handler(RequestUnsupportedContentType)(edge.on_unsupported_content)
    app.exception_handler(TillError)(edge.on_till_error)
    app.exception_handler(Exception)(edge.on_unexpected)
    app.not_found(edge.on_unknown_route)
    app.use(middlewares=[_refuse_unknown_query])

    def respond(event: Event, context: LambdaContext) -> Event:
        event = _below_base_path(event)
        try:
            if admit is not None:
                admit(event)
            decode_body(event)
        except TillError as error:
            return edge.refuse(problem_for(error), error)
        except BodyRefusedError as error:
            return edge.refuse(error.problem, error)
        return app.resolve(event, context)

    def lambda_handler(event: Event, context: LambdaContext) -> Event:
        started = time.perf_counter()
        logger.set_correlation_id(_named_by_the_caller(event) or context.aws_request_id)
        edge.outcome = {"outcome": _DONE}
        result = respond(event, context)
        headers = result["multiValueHeaders"]
        if isinstance(headers, dict):
            headers[CORRELATION_HEADER] = [correlation_id()]
        measures.flush()
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


def _below_base_path(event: Event) -> Event:
    """The event with the path as in the table of routes.

    Under the API's own name API Gateway tells the base path with it; under its usual one it does
    not.
    """
    path = str(event.get("path") or "")
    below = path.removeprefix(f"/{BASE_PATH}")
    return {**event, "path": below} if below.startswith("/") else event


def correlation_id() -> str:
    """What names this request in every log that it leaves a line in, ours and the upstreams'."""
    return logger.get_correlation_id() or ""


def _named_by_the_caller(event: Event) -> str | None:
    """The caller's own name for the request, if it is one that may stand in a log."""
    named = header(event, CORRELATION_HEADER)
    return named if named is not None and _CORRELATION_ID.fullmatch(named) else None


class _Edge:
    """Turns what goes wrong in one resolver into problems."""

    def __init__(self, app: APIGatewayRestResolver) -> None:
        self._app = app
        self.outcome: Mapping[str, str] = {"outcome": _DONE}
        """What the request's line in the log says of how it ended. A function serves one request
        at a time."""

    def on_invalid_request(self, error: RequestValidationError) -> Response[str]:
        fields = [
            FieldErrorResponse(field=_field(e["loc"]), message=_message(e)) for e in error.errors()
        ]
        return self._respond(invalid_request(fields), error)

    def on_unsupported_content(self, error: RequestUnsupportedContentType) -> Response[str]:
        return self._respond(UNSUPPORTED_MEDIA_TYPE, error)

    def on_till_error(self, error: TillError) -> Response[str]:
        return self._respond(problem_for(error), error)

    def on_unexpected(self, error: Exception) -> Response[str]:
        return self._respond(UNEXPECTED, error)

    def on_unknown_route(self, error: NotFoundError) -> Response[str]:
        return self._respond(ROUTE_NOT_FOUND, error)

    def refuse(self, problem: Problem, error: Exception) -> Event:
        """The answer to what does not get as far as the resolver."""
        self._note(problem, error)
        return _refusal(problem)

    def _note(self, problem: Problem, error: Exception) -> None:
        if problem is UNEXPECTED:
            # The message of an exception may hold anybody's data: the log gets its kind and place.
            logger.error(
                "unexpected error",
                extra={"error": type(error).__name__, "at": _places(error)},
            )
            measures.measure(Measure.UNEXPECTED_ERRORS)
        self.outcome = {"outcome": problem.slug, "error": type(error).__name__}

    def _respond(self, problem: Problem, error: Exception) -> Response[str]:
        self._note(problem, error)
        headers: dict[str, str | list[str]] = dict(problem.headers)
        body = problem.response(correlation_id())
        return Response(
            status_code=problem.status.value,
            content_type=PROBLEM_CONTENT_TYPE,
            headers=headers,
            body=body.model_dump_json(exclude_none=True),
        )


def _refusal(problem: Problem) -> Event:
    body = problem.response(correlation_id())
    return {
        "statusCode": body.status,
        "multiValueHeaders": {
            "Content-Type": [PROBLEM_CONTENT_TYPE],
            **{name: [value] for name, value in problem.headers.items()},
        },
        "body": body.model_dump_json(exclude_none=True),
        "isBase64Encoded": False,
    }


def _refuse_unknown_query(app: APIGatewayRestResolver, next_: NextMiddleware) -> Response[str]:
    """A misspelt parameter must not be taken for an absent one."""
    known = {parameter.alias for parameter in app.context["_route"].dependant.query_params}
    unknown = sorted((app.current_event.query_string_parameters or {}).keys() - known)
    if unknown:
        raise RequestValidationError(
            [{"loc": ("query", name), "type": "extra_forbidden", "msg": ""} for name in unknown]
        )
    return next_(app)


_MESSAGES: Final = {
    "extra_forbidden": "is not known here",
    "missing": "is missing",
    "json_invalid": "must be JSON",
    "int_type": "must be an integer, without quotes or a fraction",
    "model_attributes_type": "must be a JSON object",
    "string_type": "must be text",
    "string_unicode": "must be valid Unicode",
}


def _message(error: Mapping[str, object]) -> str:
    kind = str(error.get("type", ""))
    if kind in _MESSAGES:
        return _MESSAGES[kind]
    text = str(error.get("msg", "")).removeprefix("Value error, ")
    text = text.removeprefix("Input ").removeprefix("String ")
    return text or "is not valid"


def _field(location: tuple[str | int, ...]) -> str:
    source, *path = location
    return ".".join(str(part) for part in path) or str(source)


def _places(error: BaseException) -> list[str]:
    return [
        f"{frame.filename.rpartition('/')[2]}:{frame.lineno}"
        for frame in traceback.extract_tb(error.__traceback__)[-5:]
    ]
