"""What API Gateway says by itself, before or instead of a function: problem documents as well.

Its own answers are ``{"message": "Missing Authentication Token"}`` and the like, also for a path
that does not exist. Callers get the same form from it as from the functions (RFC 9457).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from aws_cdk import aws_apigateway as apigateway
from constructs import Construct

_TYPE_PREFIX: Final = "urn:problem-type:till:"
"""As in till.http.problems, which this app does not import: it needs what the layer brings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _GatewayProblem:
    response_type: apigateway.ResponseType
    status: HTTPStatus | None
    """None: whatever status it was; API Gateway cannot write it into the document."""
    slug: str
    title: str
    detail: str
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def status_code(self) -> str | None:
        return None if self.status is None else str(self.status.value)

    def document(self) -> str:
        return json.dumps(
            {
                "type": f"{_TYPE_PREFIX}{self.slug}",
                "title": self.title,
                **({} if self.status is None else {"status": self.status.value}),
                "detail": self.detail,
                "correlation_id": "$context.requestId",
            }
        )

    def response_headers(self) -> dict[str, str]:
        # API Gateway takes a constant in single quotes.
        return {
            "Content-Type": "'application/problem+json'",
            # An error is about one caller and one moment: nothing on the way may keep it.
            "Cache-Control": "'no-store'",
            **{name: f"'{value}'" for name, value in self.headers},
        }


_SAME_KEY: Final = (
    "Send the same request again with the same Idempotency-Key: it takes effect at most once. "
    "If it goes on, tell support the correlation_id."
)

_PROBLEMS: Final = (
    # What API Gateway calls a path or method that it does not know, where nothing is authorized.
    _GatewayProblem(
        response_type=apigateway.ResponseType.MISSING_AUTHENTICATION_TOKEN,
        status=HTTPStatus.NOT_FOUND,
        slug="route-not-found",
        title="There is nothing at this path",
        detail="GET /openapi.json lists the operations.",
    ),
    # Three of the authorizer's, as the functions themselves would say it.
    _GatewayProblem(
        response_type=apigateway.ResponseType.UNAUTHORIZED,
        status=HTTPStatus.UNAUTHORIZED,
        slug="not-authenticated",
        title="The caller is not known",
        detail="Send an access token of this API's issuer that has not expired: "
        "Authorization: Bearer <token>. Nothing was changed.",
        headers=(("WWW-Authenticate", "Bearer"),),
    ),
    _GatewayProblem(
        response_type=apigateway.ResponseType.ACCESS_DENIED,
        status=HTTPStatus.FORBIDDEN,
        slug="not-allowed",
        title="The caller may not do this",
        detail="None of the token's roles allows this operation; in GET /openapi.json its "
        "security says which do. Nothing was changed.",
    ),
    *(
        _GatewayProblem(
            response_type=response_type,
            status=HTTPStatus.SERVICE_UNAVAILABLE,
            slug="identity-unavailable",
            title="Callers cannot be identified at the moment",
            detail="The issuer of access tokens does not answer. Try again. Nothing was changed.",
            headers=(("Retry-After", "5"),),
        )
        for response_type in (
            apigateway.ResponseType.AUTHORIZER_FAILURE,
            apigateway.ResponseType.AUTHORIZER_CONFIGURATION_ERROR,
        )
    ),
    _GatewayProblem(
        response_type=apigateway.ResponseType.REQUEST_TOO_LARGE,
        status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        slug="body-too-large",
        title="The request body is too large",
        detail="No operation needs more than 16 KiB. Nothing was changed.",
    ),
    _GatewayProblem(
        response_type=apigateway.ResponseType.THROTTLED,
        status=HTTPStatus.TOO_MANY_REQUESTS,
        slug="too-many-requests",
        title="Too many requests at once",
        detail="Send the same request again in a moment. Nothing was changed.",
        headers=(("Retry-After", "1"),),
    ),
    _GatewayProblem(
        response_type=apigateway.ResponseType.INTEGRATION_TIMEOUT,
        status=HTTPStatus.GATEWAY_TIMEOUT,
        slug="no-answer-in-time",
        title="There was no answer in time",
        detail=_SAME_KEY,
    ),
    _GatewayProblem(
        response_type=apigateway.ResponseType.DEFAULT_4_XX,
        status=None,
        slug="refused",
        title="The request was refused",
        detail="It did not reach an operation. Nothing was changed.",
    ),
    _GatewayProblem(
        response_type=apigateway.ResponseType.DEFAULT_5_XX,
        status=None,
        slug="internal-error",
        title="Something went wrong on our side",
        detail=_SAME_KEY,
    ),
)


def gateway_problems() -> list[dict[str, object]]:
    """What ``add_gateway_problems`` makes: a deployment of the API is a copy of that, too."""
    return [
        {
            "type": problem.response_type.response_type,
            "status": problem.status_code,
            "headers": problem.response_headers(),
            "document": problem.document(),
        }
        for problem in _PROBLEMS
    ]


def add_gateway_problems(scope: Construct, api: apigateway.IRestApi) -> None:
    """Make every answer of the gateway's own an ``application/problem+json`` document."""
    place = Construct(scope, "Problems")
    for problem in _PROBLEMS:
        apigateway.GatewayResponse(
            place,
            problem.response_type.response_type.title().replace("_", ""),
            rest_api=api,
            type=problem.response_type,
            status_code=problem.status_code,
            response_headers=problem.response_headers(),
            templates={"application/json": problem.document()},
        )
