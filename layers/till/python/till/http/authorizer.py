"""What the Lambda authorizer answers: a policy by the table of routes, and who the caller is.

API Gateway keeps the answer for the next requests with the same token, whatever they are for. So
the policy is about all that the caller's roles allow, never about the one request at hand.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Final

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.data_classes.api_gateway_authorizer_event import (
    APIGatewayAuthorizerResponse,
)

from till.http.events import Event, Json
from till.http.identity import IdentityUnavailableError, NotAuthenticatedError, bearer_token
from till.http.routes import ROUTES

if TYPE_CHECKING:
    from till.http.identity import Caller, Tokens

Policy = dict[str, Json]

_ID: Final = re.compile(r"\{\w+\}")

logger = Logger()


class UnauthorizedError(Exception):
    """API Gateway takes this message, to the letter, for a 401."""

    def __init__(self) -> None:
        super().__init__("Unauthorized")


def authorize(event: Event, tokens: Tokens) -> Policy:
    """The policy for the sender of a token.

    Raises:
        UnauthorizedError: the token is not to be believed.
        IdentityUnavailableError: it cannot be checked now.
    """
    started = time.perf_counter()
    outcome = "failed"
    try:
        caller = tokens.verify(bearer_token(_text(event, "authorizationToken")))
        outcome = "known"
        return policy_of(caller, _text(event, "methodArn"))
    except NotAuthenticatedError as error:
        outcome = "refused"
        raise UnauthorizedError from error
    except IdentityUnavailableError:
        outcome = "unavailable"
        raise
    finally:
        duration_ms = round((time.perf_counter() - started) * 1000, 1)
        logger.info("authorize", extra={"outcome": outcome, "duration_ms": duration_ms})


def policy_of(caller: Caller, method_arn: str) -> Policy:
    """Allow what the caller's roles allow, on the API and stage of the ARN; nothing else.

    A caller without any known role is told apart from one who is not known: theirs is a 403.
    """
    answer = APIGatewayAuthorizerResponse.from_route_arn(
        method_arn, principal_id=caller.subject, context=caller.context()
    )
    allowed = [route for route in ROUTES if caller.roles & route.roles]
    for route in allowed:
        answer.allow_route(route.method, _ID.sub("*", route.path))
    if not allowed:
        answer.deny_all_routes()
    return answer.asdict()


def _text(event: Event, name: str) -> str:
    value = event.get(name)
    return value if isinstance(value, str) else ""
