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
from pydantic import BaseModel, Field

from till import metrics
from till.domain.errors import TillError
from till.domain.money import Money
from till.domain.promo import PromoState
from till.domain.purchase import AttemptState, OrphanStatus, PurchaseStatus
from till.http.body import BodyRefusedError, decode_body
from till.http.events import header
from till.http.identity import Caller, NotAllowedError, Tokens, identify_caller
from till.http.preconditions import entity_tag
from till.http.problems import (
    PROBLEM_CONTENT_TYPE,
    ROUTE_NOT_FOUND,
    UNEXPECTED,
    UNSUPPORTED_MEDIA_TYPE,
    Problem,
    UnknownRouteError,
    invalid_request,
    problem_for,
)
from till.http.routes import BASE_PATH, Role, route_at
from till.http.wire.problem import FieldErrorResponse, ProblemResponse
from till.http.wire.types import (
    WRITTEN_AS_JSON,
    Id,
    IdempotencyKey,
    InstantText,
    PromoCodeText,
    ShipmentIdText,
)
from till.metrics import Metric
from till.services.ports import CustomerNotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aws_lambda_powertools.event_handler.exceptions import NotFoundError
    from aws_lambda_powertools.event_handler.middlewares import NextMiddleware
    from aws_lambda_powertools.event_handler.openapi.types import OpenAPIResponse
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from till.http.events import Event

    Handler = Callable[[Event, LambdaContext], Event]

CORRELATION_HEADER: Final = "X-Correlation-Id"
CORRELATION_ID: Final = "[A-Za-z0-9][A-Za-z0-9._-]{7,99}"
"""What a caller may name a request: it must not be taken for something else in a log."""
CACHE_HEADER: Final = "Cache-Control"
NO_STORE: Final = "no-store"
"""Nearly every answer is about a customer, or about money: no cache may keep it."""

_DONE: Final = "done"
_CALLER: Final = "caller"
_OWN_ONLY: Final = "own_only"
_AMOUNT_LIMIT: Final = "amount_limit"
_UNLIMITED: Final = frozenset({Role.ADMIN, Role.SERVICE})


logger = Logger()

B = TypeVar("B", bound=BaseModel)

# The parameters that operations share, as Powertools reads them.
PathId = Annotated[Id, Path()]
PathCode = Annotated[PromoCodeText, Path()]
IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        description="The ETag of the version to change, a list of ETags, or * for any version. "
        "Without it the answer is 428",
    ),
]
KeyHeader = Annotated[
    IdempotencyKey,
    Header(
        alias="Idempotency-Key",
        description="Names this request: the same key and body take effect once, permanently. 1 to "
        "255 visible ASCII characters, compared as they are, quotes included",
    ),
]
StatusFilter = Annotated[PurchaseStatus | None, Query(description="Only purchases of this status")]
Include = Annotated[
    Literal["customer_names"] | None,
    Query(
        description="customer_names: each item has its customer's name, as the Customer API had "
        "it seconds ago; null where that API could not be asked"
    ),
]
PromoStateFilter = Annotated[PromoState | None, Query(description="Only codes in this state")]
StateFilter = Annotated[
    AttemptState | None, Query(description="Only attempts in this state; left out: the open ones")
]
OrphanFilter = Annotated[
    Literal[OrphanStatus.OPEN] | None,
    Query(description="Only voided attempts with a possible orphan shipment that is still open"),
]
ShipmentIdFilter = Annotated[
    ShipmentIdText | None,
    Query(description="Only the purchase that this shipment id of the carrier belongs to"),
]
FromFilter = Annotated[
    InstantText | None, Query(description="Created at or after this RFC 3339 time with an offset")
]
UntilFilter = Annotated[
    InstantText | None, Query(description="Created before this RFC 3339 time with an offset")
]
Limit = Annotated[
    int, Field(ge=1, le=100), WRITTEN_AS_JSON, Query(description="The most items on a page")
]
Cursor = Annotated[
    str | None,
    Query(max_length=512, description="next_cursor of the previous page of the same list"),
]

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
    """The responses of an operation; ``infra/openapi.py`` adds what all have, and the words."""
    responses: dict[int, OpenAPIResponse] = {
        success.value: {
            "description": success.phrase,
            "content": {"application/json": {"model": model}},
        }
    }
    for status in failures:
        responses[status.value] = {
            "description": status.phrase,
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
        headers["ETag"] = entity_tag(version)
    if age_seconds is not None:
        headers["Age"] = str(age_seconds)
    return Response(
        status_code=status.value, content_type="application/json", body=body, headers=headers
    )


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
        raise TypeError("there is no caller")
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
            NotAuthenticatedError: no valid token.
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
            _check_path(event)
            if event.get("httpMethod") not in {"GET", "HEAD"}:
                # A body means nothing there (RFC 9110, 9.3.1).
                decode_body(event)
        except TillError as error:
            return edge.refuse(problem_for(error), error)
        except BodyRefusedError as error:
            return edge.refuse(error.problem, error)
        except RequestValidationError as error:
            return edge.refuse(_invalid(error), error)
        return app.resolve(event, context)

    def lambda_handler(event: Event, context: LambdaContext) -> Event:
        started = time.perf_counter()
        logger.set_correlation_id(_named_by_the_caller(event) or context.aws_request_id)
        edge.outcome = {"outcome": _DONE}
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
    return named if named is not None and re.fullmatch(CORRELATION_ID, named) else None


class _Edge:
    """Turns what goes wrong in one resolver into problems."""

    def __init__(self, app: APIGatewayRestResolver) -> None:
        self._app = app
        self.outcome: Mapping[str, str] = {"outcome": _DONE}
        """What the request's line in the log says of how it ended. A function serves one request
        at a time."""

    def on_invalid_request(self, error: RequestValidationError) -> Response[str]:
        return self._respond(_invalid(error), error)

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
            metrics.measure(Metric.UNEXPECTED_ERRORS)
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
    """A misspelt parameter must not be taken for an absent one, nor one of two be ignored."""
    known = {parameter.alias for parameter in app.context["_route"].dependant.query_params}
    given = app.current_event.resolved_query_string_parameters
    errors = [
        {"loc": ("query", name), "type": kind, "msg": ""}
        for name in sorted(given)
        for kind in (_query_error(name in known, len(given[name])),)
        if kind is not None
    ]
    if errors:
        raise RequestValidationError(errors)
    return next_(app)


def _query_error(known: bool, times: int) -> str | None:  # noqa: FBT001
    if not known:
        return "extra_forbidden"
    return "repeated" if times > 1 else None


def _check_path(event: Event) -> None:
    """Refuse an id or code with a control character: Powertools would ignore a newline at its end.

    Raises:
        RequestValidationError: names the parameters.
    """
    names = str(event.get("resource") or "").split("/")
    values = str(event.get("path") or "").split("/")
    bad = [
        name.strip("{}")
        for name, value in zip(names, values, strict=False)
        if name.startswith("{") and any(c < " " or c == "\x7f" for c in value)
    ]
    if bad:
        raise RequestValidationError(
            [{"loc": ("path", name), "type": "control_character", "msg": ""} for name in bad]
        )


def _invalid(error: RequestValidationError) -> Problem:
    fields = [
        FieldErrorResponse(field=_field(e["loc"]), message=_message(e)) for e in error.errors()
    ]
    return invalid_request(fields)


_MESSAGES: Final = {
    "control_character": "must not contain control characters",
    "repeated": "is given more than once",
    "union_tag_invalid": "has an unknown type",
    "union_tag_not_found": "has no type",
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


_FIELD_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")


def _field(location: tuple[str | int, ...]) -> str:
    """A field by its path. What the caller sent is only repeated if it can be a field's name."""
    source, *path = location
    parts = [str(p) for p in path if isinstance(p, int) or _FIELD_NAME.fullmatch(p)]
    return ".".join(parts) or str(source)


def _places(error: BaseException) -> list[str]:
    return [
        f"{frame.filename.rpartition('/')[2]}:{frame.lineno}"
        for frame in traceback.extract_tb(error.__traceback__)[-5:]
    ]
