"""Who calls an operation, and what they may do there."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from till.domain.errors import TillError
from till.domain.money import Money
from till.http.identity import Caller, NotAllowedError, Tokens, identify_caller
from till.http.routes import Role, route_at
from till.services.ports.upstream import CustomerNotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
    from aws_lambda_powertools.event_handler.middlewares import NextMiddleware

    from till.http.events import Event

_CALLER: Final = "caller"
_OWN_ONLY: Final = "own_only"
_AMOUNT_LIMIT: Final = "amount_limit"
_UNLIMITED: Final = frozenset({Role.ADMIN, Role.SERVICE})


class UnknownRouteError(TillError):
    """There is nothing at this path and method."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmissionPolicy:
    """How callers are known, and how much a rep may move in one operation.

    ``tokens`` verifies access tokens; None where API Gateway's authorizer has done so.
    """

    support_limit: Money
    tokens: Tokens | None


def caller(app: APIGatewayRestResolver) -> Caller:
    """Who is calling."""
    who = app.context[_CALLER]
    if not isinstance(who, Caller):
        raise TypeError("there is no caller")
    return who


def sees_names(app: APIGatewayRestResolver) -> bool:
    """Whether the caller sees what staff are called; customers do not."""
    return not app.context[_OWN_ONLY]


def amount_limit(app: APIGatewayRestResolver) -> Money | None:
    """The most that the caller may move in one operation; None: as much as the rules allow."""
    limit = app.context[_AMOUNT_LIMIT]
    return limit if isinstance(limit, Money) else None


class Admission:
    """Authenticates the caller, and checks that one of their roles may do this.

    The authorizer has asked the same before. It can only do so by the path, where a wildcard
    stands for an id and for all that follows it; here it is the operation itself.
    """

    def __init__(self, app: APIGatewayRestResolver, policy: Callable[[], AdmissionPolicy]) -> None:
        self._app = app
        self._policy = policy
        app.use(middlewares=[_refuse_other_customers])

    def admit(self, event: Event) -> None:
        """Know the caller, and what they may do here.

        Raises:
            NotAuthenticatedError: no valid token.
            IdentityUnavailableError: the token cannot be checked now.
            NotAllowedError: none of their roles may do this.
            UnknownRouteError: there is nothing here to be done.
        """
        policy = self._policy()
        who = identify_caller(event, tokens=policy.tokens, now=time.time)
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
                _AMOUNT_LIMIT: policy.support_limit if limited else None,
            }
        )


def _refuse_other_customers(app: APIGatewayRestResolver, next_: NextMiddleware) -> Response[str]:
    """A customer sees nothing of another one, not even whether there is one."""
    asked_for = app.context["_route_args"].get("customer_id")
    own = caller(app).customer_id
    if app.context[_OWN_ONLY] and asked_for is not None and asked_for != own:
        raise CustomerNotFoundError
    return next_(app)
