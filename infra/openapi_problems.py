"""One example of a problem for each status of each operation, in the API's own words."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from uuid import UUID

from till.domain.account import BalanceLimitError, InsufficientCreditError
from till.domain.money import Money
from till.domain.promo import (
    PromoCodeDeactivatedError,
    PromoCodeExistsError,
    PromoCodeNotFoundError,
    StaleVersionError,
)
from till.domain.purchase import (
    AttemptAlreadyResolvedError,
    OrphanAlreadyClosedError,
    RefundExceedsPurchaseError,
)
from till.http import problem
from till.http.identity import NotAllowedError
from till.http.preconditions import PreconditionRequiredError
from till.http.problem import Problem
from till.http.problems import problem_for
from till.http.wire.problem import FieldErrorResponse
from till.services.errors import (
    AttemptNotFoundError,
    PurchaseNotFoundError,
    ShipmentFailedError,
    ShipmentOutcomeUnknownError,
)
from till.services.ports.store_errors import BusyError
from till.services.ports.upstream import (
    CustomerNotFoundError,
    ProductNotFoundError,
    UpstreamContractError,
)
from till.services.shared.idempotency import IdempotencyKeyReusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.openapi_examples import JsonObject
    from till.domain.errors import TillError
    from till.http.routes import Route

_CORRELATION_ID: Final = "80531f8f-35b1-4ad1-92f7-ab6d05ae047e"
_ATTEMPT: Final = UUID("0b0a6a2e-3c58-5f5e-9a53-7d7a3f7f1a11")

_NOT_FOUND: Final[Mapping[str, TillError]] = {
    "promo-codes": PromoCodeNotFoundError(),
    "purchase-attempts": AttemptNotFoundError(),
    "purchases": PurchaseNotFoundError(),
    "products": ProductNotFoundError(),
    "customers": CustomerNotFoundError(),
}
"""By the first part of the path."""

_CONFLICT: Final[Mapping[str, TillError]] = {
    "grant_credit": BalanceLimitError(),
    "deduct_credit": InsufficientCreditError(needed=Money(5000), available=Money(2500)),
    "create_purchase": InsufficientCreditError(needed=Money(5000), available=Money(2500)),
    "refund_purchase": RefundExceedsPurchaseError(requested=Money(2000), refundable=Money(1500)),
    "resolve_attempt": AttemptAlreadyResolvedError(state="VOIDED"),
    "close_orphan_shipment": OrphanAlreadyClosedError(),
    "create_promo_code": PromoCodeExistsError(),
    "update_promo_code": PromoCodeDeactivatedError(),
}

_OF_A_PURCHASE: Final[Mapping[HTTPStatus, TillError]] = {
    HTTPStatus.BAD_GATEWAY: ShipmentFailedError(
        attempt_id=_ATTEMPT,
        message="The address cannot be reached.",
        parcel_possible=False,
        replayed=False,
    ),
    HTTPStatus.GATEWAY_TIMEOUT: ShipmentOutcomeUnknownError(attempt_id=_ATTEMPT, replayed=False),
}

# Two that API Gateway gives: infra/gateway_problems.py.
_TOO_MANY: Final = Problem(
    HTTPStatus.TOO_MANY_REQUESTS,
    "too-many-requests",
    "Too many requests at once",
    "Send the same request again in a moment.",
)
_NO_ANSWER: Final = Problem(
    HTTPStatus.GATEWAY_TIMEOUT,
    "no-answer-in-time",
    "There was no answer in time",
    problem.UNEXPECTED.detail,
    nothing_changed=False,
)


def problem_example(route: Route, status: HTTPStatus, *, by_function: bool) -> JsonObject:
    """A problem that the operation can answer with, as it is sent; or API Gateway, before it."""
    problem = _problem(route, status, by_function=by_function).response(
        _CORRELATION_ID, to_read=route.method == "GET"
    )
    example: JsonObject = json.loads(problem.model_dump_json(exclude_none=True))
    if example["status"] != status:
        # API Gateway's own answer, which lacks it.
        del example["status"]
    return example


def _problem(route: Route, status: HTTPStatus, *, by_function: bool) -> Problem:  # noqa: PLR0912 - one row each
    if route.operation == "create_purchase" and status in _OF_A_PURCHASE:
        return problem_for(_OF_A_PURCHASE[status])
    match status:
        case HTTPStatus.BAD_REQUEST:
            return problem.invalid_request([_wrong_field(route)])
        case HTTPStatus.UNAUTHORIZED:
            return problem.NOT_AUTHENTICATED
        case HTTPStatus.FORBIDDEN:
            return problem_for(NotAllowedError(route.roles))
        case HTTPStatus.NOT_FOUND:
            return problem_for(_NOT_FOUND[route.path.split("/")[1]])
        case HTTPStatus.CONFLICT:
            return problem_for(_CONFLICT[route.operation])
        case HTTPStatus.PRECONDITION_FAILED:
            return problem_for(StaleVersionError(version=2))
        case HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            return problem.BODY_TOO_LARGE
        case HTTPStatus.UNSUPPORTED_MEDIA_TYPE:
            return problem.UNSUPPORTED_MEDIA_TYPE
        case HTTPStatus.UNPROCESSABLE_ENTITY:
            return problem_for(IdempotencyKeyReusedError())
        case HTTPStatus.PRECONDITION_REQUIRED:
            return problem_for(PreconditionRequiredError())
        case HTTPStatus.TOO_MANY_REQUESTS:
            return _TOO_MANY
        case HTTPStatus.BAD_GATEWAY if by_function:
            return problem_for(UpstreamContractError("the Customer API", "example"))
        case HTTPStatus.SERVICE_UNAVAILABLE:
            return problem_for(BusyError())
        case HTTPStatus.GATEWAY_TIMEOUT:
            return _NO_ANSWER
        case _:
            return problem.UNEXPECTED


def _wrong_field(route: Route) -> FieldErrorResponse:
    _, opening, parameter = route.path.partition("{")
    if opening and "code" not in parameter:
        message = "must be a UUID such as 123e4567-e89b-12d3-a456-426614174000"
        return FieldErrorResponse(field=parameter.partition("}")[0], message=message)
    return FieldErrorResponse(field="limit", message="is not known here")
