"""The one table from what can go wrong to what the caller sees (RFC 9457)."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from till.domain.account import (
    BalanceLimitError,
    InsufficientCreditError,
    TooManyOpenAttemptsError,
    UnresolvedAttemptError,
)
from till.domain.errors import TillError
from till.domain.money import AmountOutOfBoundsError, Money
from till.domain.promo import InvalidPromoTermsError, PromoCodeRefusedError, PromoRestriction
from till.domain.purchase import (
    AttemptAlreadyResolvedError,
    CarrierAnsweredOtherwiseError,
    NoOrphanShipmentError,
    OrphanAlreadyClosedError,
    RefundExceedsPurchaseError,
    RefundQuantityExceededError,
    TotalChangedError,
)
from till.http.cursor import InvalidCursorError
from till.http.identity import (
    IdentityUnavailableError,
    NotAllowedError,
    NotAuthenticatedError,
)
from till.http.preconditions import InvalidIfMatchError, PreconditionRequiredError
from till.http.wire.problem import FieldErrorResponse, ProblemResponse
from till.services.errors import (
    AttemptNotFoundError,
    AttemptStillPendingError,
    BusyError,
    PromoCodeDeactivatedError,
    PromoCodeExistsError,
    PromoCodeNotFoundError,
    PurchaseNotFoundError,
    RequestInFlightError,
    ShipmentFailedError,
    ShipmentIdTakenError,
    ShipmentOutcomeUnknownError,
    StaleVersionError,
)
from till.services.ports import (
    CustomerNotFoundError,
    ProductNotFoundError,
    ReadAgainError,
    UpstreamContractError,
    UpstreamUnavailableError,
)
from till.services.shared.amount_limit import AmountAboveLimitError
from till.services.shared.idempotency import IdempotencyKeyReusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

PROBLEM_CONTENT_TYPE: Final = "application/problem+json"
_TYPE_PREFIX: Final = "urn:problem-type:till:"
_NOTHING_CHANGED: Final = "Nothing was changed."


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem before it is put on the wire. ``extra`` goes into the body by its names."""

    status: HTTPStatus
    slug: str
    title: str
    detail: str
    extra: Mapping[str, object] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self, correlation_id: str) -> ProblemResponse:
        """The body."""
        return ProblemResponse.model_validate(
            {
                "type": _TYPE_PREFIX + self.slug,
                "title": self.title,
                "status": self.status.value,
                "detail": self.detail,
                "correlation_id": correlation_id,
                **self.extra,
            }
        )


def invalid_request(field_errors: list[FieldErrorResponse]) -> Problem:
    """Bad input, with each field and what is wrong with it."""
    return Problem(
        HTTPStatus.BAD_REQUEST,
        "invalid-request",
        "The request is not valid",
        f"Check the fields listed in errors. {_NOTHING_CHANGED}",
        {"errors": field_errors},
    )


def _retry_after(seconds: int) -> dict[str, str]:
    return {"Retry-After": str(seconds)}


def _replayed(*, replayed: bool) -> dict[str, str]:
    return {"Idempotency-Replayed": "true"} if replayed else {}


def _amount(money: Money) -> str:
    sign = "-" if money.amount_minor < 0 else ""
    major, minor = divmod(abs(money.amount_minor), 100)
    return f"{sign}{major}.{minor:02d} {money.currency}"


UNEXPECTED: Final = Problem(
    HTTPStatus.INTERNAL_SERVER_ERROR,
    "internal-error",
    "Something went wrong on our side",
    "Send the same request again with the same Idempotency-Key: it takes effect at most once. "
    "If it goes on, tell support the correlation_id.",
)
NOT_AUTHENTICATED: Final = Problem(
    HTTPStatus.UNAUTHORIZED,
    "not-authenticated",
    "The caller is not known",
    "Send an access token of this API's issuer that has not expired: Authorization: Bearer "
    f"<token>. {_NOTHING_CHANGED}",
    headers={"WWW-Authenticate": "Bearer"},
)
ROUTE_NOT_FOUND: Final = Problem(
    HTTPStatus.NOT_FOUND,
    "route-not-found",
    "There is nothing at this path",
    "GET /openapi.json lists the operations.",
)
BODY_TOO_LARGE: Final = Problem(
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "body-too-large",
    "The request body is too large",
    f"No operation needs more than 16 KiB. {_NOTHING_CHANGED}",
)
UNSUPPORTED_MEDIA_TYPE: Final = Problem(
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "unsupported-media-type",
    "The request body is not JSON",
    f"Send JSON in UTF-8, with Content-Type: application/json. {_NOTHING_CHANGED}",
    headers={"Accept": "application/json"},
)
UNSUPPORTED_CONTENT_ENCODING: Final = Problem(
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "unsupported-content-encoding",
    "The request body is encoded",
    f"Send it as it is, without a Content-Encoding. {_NOTHING_CHANGED}",
    headers={"Accept-Encoding": "identity"},
)


class UnknownRouteError(TillError):
    """There is nothing at this path and method."""


_WHY_REFUSED: Final = {
    PromoRestriction.UNKNOWN: "There is no such code.",
    PromoRestriction.DEACTIVATED: "It has been deactivated.",
    PromoRestriction.NOT_YET_VALID: "It is not valid yet.",
    PromoRestriction.EXPIRED: "It is no longer valid.",
    PromoRestriction.MINIMUM_SUBTOTAL: "The subtotal is below what it asks for.",
    PromoRestriction.PRODUCTS: "It is not for this product.",
    PromoRestriction.CUSTOMERS: "It is not for this customer.",
    PromoRestriction.FIRST_PURCHASE: "It is for a first purchase only.",
    PromoRestriction.MAX_REDEMPTIONS: "It has been used as often as it may be.",
    PromoRestriction.MAX_REDEMPTIONS_PER_CUSTOMER: (
        "This customer has used it as often as they may."
    ),
}


def problem_for(error: TillError) -> Problem:  # noqa: PLR0912 - one row each
    """The row of an error."""
    match error:
        case NotAuthenticatedError():
            return NOT_AUTHENTICATED
        case UnknownRouteError():
            return ROUTE_NOT_FOUND
        case NotAllowedError(needed=needed):
            return Problem(
                HTTPStatus.FORBIDDEN,
                "not-allowed",
                "The caller may not do this",
                f"It takes one of these roles: {', '.join(sorted(needed))}. {_NOTHING_CHANGED}",
            )
        case IdentityUnavailableError():
            return Problem(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "identity-unavailable",
                "Callers cannot be identified at the moment",
                f"The issuer of access tokens does not answer. Try again. {_NOTHING_CHANGED}",
                headers=_retry_after(5),
            )
        case AmountAboveLimitError(amount=amount, limit=limit):
            return Problem(
                HTTPStatus.FORBIDDEN,
                "amount-above-limit",
                "More than you may move at once",
                f"{_amount(amount)} are above your limit of {_amount(limit)} for one operation. "
                f"A caller with the role admin can do it. {_NOTHING_CHANGED}",
                {
                    "amount": amount.amount_minor,
                    "limit": limit.amount_minor,
                    "currency": limit.currency,
                },
            )
        case PreconditionRequiredError():
            return Problem(
                HTTPStatus.PRECONDITION_REQUIRED,
                "precondition-required",
                "If-Match is missing",
                f"Read it, and send its ETag as If-Match. {_NOTHING_CHANGED}",
            )
        case InvalidIfMatchError():
            message = 'must be "*" or a list of entity tags in quotes, such as "7"'
            return invalid_request([FieldErrorResponse(field="If-Match", message=message)])
        case CustomerNotFoundError():
            return Problem(
                HTTPStatus.NOT_FOUND,
                "customer-not-found",
                "There is no such customer",
                f"Check the customer's id. {_NOTHING_CHANGED}",
            )
        case ProductNotFoundError():
            return Problem(
                HTTPStatus.NOT_FOUND,
                "product-not-found",
                "There is no such product",
                f"Check product_id. {_NOTHING_CHANGED}",
                {"errors": [FieldErrorResponse(field="product_id", message="does not exist")]},
            )
        case PurchaseNotFoundError():
            return Problem(
                HTTPStatus.NOT_FOUND,
                "purchase-not-found",
                "There is no such purchase",
                f"Check the purchase's id. {_NOTHING_CHANGED}",
            )
        case AttemptNotFoundError():
            return Problem(
                HTTPStatus.NOT_FOUND,
                "attempt-not-found",
                "There is no such purchase attempt",
                f"Check the attempt's id. {_NOTHING_CHANGED}",
            )
        case AmountOutOfBoundsError():
            message = "the total is larger than one purchase may be"
            return invalid_request([FieldErrorResponse(field="quantity", message=message)])
        case InvalidCursorError():
            message = "is not a cursor of this list; start again without one"
            return invalid_request([FieldErrorResponse(field="cursor", message=message)])
        case InsufficientCreditError(needed=needed, available=available):
            return Problem(
                HTTPStatus.CONFLICT,
                "insufficient-credit",
                "Not enough credit",
                f"{_amount(needed)} are needed and {_amount(available)} are available. "
                f"{_NOTHING_CHANGED}",
                {
                    "needed": needed.amount_minor,
                    "available": available.amount_minor,
                    "currency": needed.currency,
                },
            )
        case BalanceLimitError():
            return Problem(
                HTTPStatus.CONFLICT,
                "balance-limit",
                "The balance would grow too large",
                f"Credit a smaller amount. {_NOTHING_CHANGED}",
            )
        case TotalChangedError(expected=expected, total=total):
            return Problem(
                HTTPStatus.CONFLICT,
                "total-changed",
                "The total has risen",
                f"It is {_amount(total)} now, not {_amount(expected)}. To buy at that price, "
                f"send it as expected_total. {_NOTHING_CHANGED}",
                {
                    "expected_total": expected.amount_minor,
                    "total": total.amount_minor,
                    "currency": total.currency,
                },
            )
        case RefundExceedsPurchaseError(refundable=refundable):
            return Problem(
                HTTPStatus.CONFLICT,
                "refund-exceeds-purchase",
                "More than what is left to refund",
                f"{_amount(refundable)} of this purchase can still be refunded. {_NOTHING_CHANGED}",
                {"refundable": refundable.amount_minor, "currency": refundable.currency},
            )
        case RefundQuantityExceededError(refundable_quantity=left):
            return Problem(
                HTTPStatus.CONFLICT,
                "refund-quantity-exceeded",
                "More units than are left to refund",
                f"{left} {'unit' if left == 1 else 'units'} of this purchase can still be refunded "
                f"as units. {_NOTHING_CHANGED}",
                {"refundable_quantity": left},
            )
        case PromoCodeNotFoundError():
            return Problem(
                HTTPStatus.NOT_FOUND,
                "promo-code-not-found",
                "There is no such promo code",
                f"Check the code. {_NOTHING_CHANGED}",
            )
        case PromoCodeExistsError():
            return Problem(
                HTTPStatus.CONFLICT,
                "promo-code-exists",
                "The promo code is taken",
                f"Codes are the same in upper and lower case. Choose another. {_NOTHING_CHANGED}",
            )
        case PromoCodeDeactivatedError():
            return Problem(
                HTTPStatus.CONFLICT,
                "promo-code-deactivated",
                "A deactivated promo code stays as it is",
                f"Make a new code. {_NOTHING_CHANGED}",
            )
        case StaleVersionError(version=version):
            return Problem(
                HTTPStatus.PRECONDITION_FAILED,
                "stale-version",
                "It has been changed since",
                f"Read it again, and send its ETag as If-Match. {_NOTHING_CHANGED}",
                {"version": version},
            )
        case InvalidPromoTermsError(field=field_name, message=message):
            return invalid_request([FieldErrorResponse(field=field_name, message=message)])
        case PromoCodeRefusedError(code=code, restriction=restriction):
            return Problem(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "promo-code-refused",
                "The promo code cannot be used for this purchase",
                f"{_WHY_REFUSED[restriction]} Buy without it, or with another. {_NOTHING_CHANGED}",
                {"promo_code": code, "restriction": restriction},
            )
        case AttemptAlreadyResolvedError(state=state):
            return Problem(
                HTTPStatus.CONFLICT,
                "attempt-already-resolved",
                "The attempt has its final outcome",
                f"It is {state}, and an attempt is resolved once. {_NOTHING_CHANGED}",
                {"state": state},
            )
        case CarrierAnsweredOtherwiseError(outcome=outcome, shipment_id=shipment_id):
            what = f"shipped it as {shipment_id}" if shipment_id else "did not ship it"
            return Problem(
                HTTPStatus.CONFLICT,
                "carrier-answered-otherwise",
                "The carrier's answer says otherwise",
                f"The carrier answered that it {what}. The attempt is settled by that answer "
                f"within minutes. {_NOTHING_CHANGED}",
                {"carrier_outcome": outcome, "shipment_id": shipment_id},
            )
        case ShipmentIdTakenError(purchase_id=purchase_id):
            return Problem(
                HTTPStatus.CONFLICT,
                "shipment-id-taken",
                "The shipment id belongs to another purchase",
                f"It is the shipment of purchase {purchase_id}. Check the id with the carrier. "
                f"{_NOTHING_CHANGED}",
                {"purchase_id": purchase_id},
            )
        case NoOrphanShipmentError():
            return Problem(
                HTTPStatus.CONFLICT,
                "no-orphan-shipment",
                "The attempt has no possible orphan shipment",
                "Only an attempt that was voided although a parcel may exist has one. "
                f"{_NOTHING_CHANGED}",
            )
        case OrphanAlreadyClosedError():
            return Problem(
                HTTPStatus.CONFLICT,
                "orphan-already-closed",
                "The orphan shipment was closed before",
                f"Read the attempt to see by whom and why. {_NOTHING_CHANGED}",
            )
        case AttemptStillPendingError():
            return Problem(
                HTTPStatus.CONFLICT,
                "attempt-still-pending",
                "The attempt is under way",
                "Its outcome may still become known by itself. If the run that makes it has "
                f"died, the attempt becomes UNKNOWN within minutes. {_NOTHING_CHANGED}",
                {"state": "PENDING"},
                _retry_after(60),
            )
        case UnresolvedAttemptError(attempt_id=attempt_id):
            return Problem(
                HTTPStatus.CONFLICT,
                "unresolved-attempt",
                "The same order was sent before, and its outcome is still unknown",
                "A parcel may already be on its way. Wait until that attempt is resolved, or "
                f"repeat it with its own Idempotency-Key. {_NOTHING_CHANGED}",
                {"attempt_id": attempt_id},
            )
        case TooManyOpenAttemptsError(limit=limit):
            return Problem(
                HTTPStatus.CONFLICT,
                "too-many-open-attempts",
                "The customer has too many open purchases",
                f"{limit} purchases of this customer are under way or of unknown outcome, and that "
                f"is the most there may be. Wait until one is settled. {_NOTHING_CHANGED}",
                {"limit": limit},
            )
        case IdempotencyKeyReusedError():
            return Problem(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "idempotency-key-reused",
                "The Idempotency-Key belongs to another request",
                f"Use a new key for a new request. {_NOTHING_CHANGED}",
            )
        case RequestInFlightError(retry_after_seconds=seconds):
            return Problem(
                HTTPStatus.CONFLICT,
                "request-in-flight",
                "The same request is being worked on",
                "Send it again with the same Idempotency-Key in a moment to get its answer.",
                headers=_retry_after(seconds),
            )
        case ShipmentFailedError(attempt_id=attempt_id, message=said, replayed=replayed):
            return Problem(
                HTTPStatus.BAD_GATEWAY,
                "shipment-failed",
                "The shipment was not made",
                f"The carrier says: {said} Nothing was bought and no credit was deducted. "
                "To try again, use a new Idempotency-Key.",
                {"attempt_id": attempt_id},
                _replayed(replayed=replayed),
            )
        case ShipmentOutcomeUnknownError(attempt_id=attempt_id, replayed=replayed):
            return Problem(
                HTTPStatus.GATEWAY_TIMEOUT,
                "shipment-outcome-unknown",
                "The outcome of the shipment is unknown",
                "The amount is held, not charged. The attempt will be completed or voided; "
                "repeat the request with the same Idempotency-Key to learn which.",
                {"attempt_id": attempt_id},
                _replayed(replayed=replayed),
            )
        case UpstreamUnavailableError(api=api):
            return Problem(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "upstream-unavailable",
                "A system that Till depends on is not available",
                f"Trouble with {api}. Try again in a moment. {_NOTHING_CHANGED}",
                headers=_retry_after(5),
            )
        case UpstreamContractError(api=api):
            return Problem(
                HTTPStatus.BAD_GATEWAY,
                "upstream-contract",
                "A system that Till depends on gave an answer that makes no sense",
                f"It was {api}. {_NOTHING_CHANGED}",
            )
        case BusyError() | ReadAgainError():
            return Problem(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "busy",
                "Too busy at this moment",
                "Send the same request again, with the same Idempotency-Key if it has one. "
                "A request with a key takes effect at most once.",
                headers=_retry_after(random.randint(1, 4)),  # noqa: S311 - spreads the retries
            )
        case _:
            return UNEXPECTED
