"""The one table from what can go wrong to what the caller sees (RFC 9457).

It knows the errors of all operations, so it is loaded when the first one is answered.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Final, TypeVar

from till.domain.account import (
    BalanceLimitError,
    InsufficientCreditError,
    TooManyOpenAttemptsError,
    UnresolvedAttemptError,
)
from till.domain.errors import TillError
from till.domain.instant import TimeInFutureError
from till.domain.money import AmountOutOfBoundsError, Money
from till.domain.promo import (
    InvalidPromoTermsError,
    PromoCodeDeactivatedError,
    PromoCodeExistsError,
    PromoCodeNotFoundError,
    PromoCodeRefusedError,
    PromoRestriction,
    StaleVersionError,
)
from till.domain.purchase import (
    AttemptAlreadyResolvedError,
    AttemptStillPendingError,
    CarrierAnsweredOtherwiseError,
    NoOrphanShipmentError,
    OrphanAlreadyClosedError,
    RefundAmountChangedError,
    RefundExceedsPurchaseError,
    RefundQuantityExceededError,
    ShipmentIdTakenError,
    TotalChangedError,
)
from till.domain.statement import OutsidePeriodError, PeriodReversedError
from till.http.admission import UnknownRouteError
from till.http.cursor import InvalidCursorError
from till.http.identity import (
    IdentityUnavailableError,
    NotAllowedError,
    NotAuthenticatedError,
)
from till.http.preconditions import InvalidIfMatchError, PreconditionRequiredError
from till.http.problem import (
    NOT_AUTHENTICATED,
    ROUTE_NOT_FOUND,
    UNEXPECTED,
    Problem,
    invalid_request,
)
from till.http.wire.problem import FieldErrorResponse
from till.services.errors import (
    AttemptNotFoundError,
    PurchaseNotFoundError,
    RequestInFlightError,
    ShipmentFailedError,
    ShipmentOutcomeUnknownError,
)
from till.services.ports.signing import SigningUnavailableError
from till.services.ports.store_errors import BusyError, ReadAgainError
from till.services.ports.upstream import (
    CustomerNotFoundError,
    ProductNotFoundError,
    UpstreamContractError,
    UpstreamUnavailableError,
)
from till.services.shared.amount_limit import AmountAboveLimitError
from till.services.shared.idempotency import IdempotencyKeyReusedError


def _retry_after(seconds: int) -> dict[str, str]:
    return {"Retry-After": str(seconds)}


def _replayed(*, replayed: bool) -> dict[str, str]:
    return {"Idempotency-Replayed": "true"} if replayed else {}


def _amount(money: Money) -> str:
    sign = "-" if money.amount_minor < 0 else ""
    major, minor = divmod(abs(money.amount_minor), 100)
    return f"{sign}{major}.{minor:02d} {money.currency}"


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


E = TypeVar("E", bound=TillError)

Row = tuple[type[TillError], "Callable[[TillError], Problem]"]


def _row(
    error: type[E],
    status: HTTPStatus,
    slug: str,
    title: str,
    detail: str | Callable[[E], str],
    *,
    extra: Callable[[E], Mapping[str, object]] = lambda _: {},
    headers: Callable[[E], Mapping[str, str]] = lambda _: {},
    nothing_changed: bool = True,
) -> Row:
    """An error, and the problem that it is answered with."""

    def problem(made: TillError) -> Problem:
        if not isinstance(made, error):
            raise TypeError("the row is of another error")
        text = detail if isinstance(detail, str) else detail(made)
        return Problem(status, slug, title, text, extra(made), headers(made), nothing_changed)

    return error, problem


def _field_row(error: type[E], field_name: str, message: str) -> Row:
    """An error that is about one field of the request."""
    problem = invalid_request([FieldErrorResponse(field=field_name, message=message)])
    return error, lambda _: problem


def _invalid_terms(error: TillError) -> Problem:
    if not isinstance(error, InvalidPromoTermsError):
        raise TypeError("the row is of another error")
    return invalid_request([FieldErrorResponse(field=error.field, message=error.message)])


def _time_in_future(error: TillError) -> Problem:
    if not isinstance(error, TimeInFutureError):
        raise TypeError("the row is of another error")
    message = "must not be in the future"
    return invalid_request([FieldErrorResponse(field=error.field, message=message)])


def _units(count: int) -> str:
    return f"{count} unit{'' if count == 1 else 's'}"


def _carrier_said(error: CarrierAnsweredOtherwiseError) -> str:
    what = f"shipped it as {error.shipment_id}" if error.shipment_id else "did not ship it"
    return (
        f"The carrier answered that it {what}. An attempt that is open is settled by that answer "
        "within minutes."
    )


def _why_nothing_was_bought(error: ShipmentFailedError) -> str:
    next_step = (
        "A parcel may have been sent all the same: ask customer service before you buy it again."
        if error.parcel_possible
        else "To try again, use a new Idempotency-Key."
    )
    return f"{error.message} No credit was deducted. {next_step}"


def _spread_retry_after(_: TillError) -> Mapping[str, str]:
    return _retry_after(random.randint(1, 4))  # noqa: S311 - spreads the retries


_TABLE: Final[Mapping[type, Callable[[TillError], Problem]]] = dict(
    (
        # Who calls, and what they may do
        (NotAuthenticatedError, lambda _: NOT_AUTHENTICATED),
        (UnknownRouteError, lambda _: ROUTE_NOT_FOUND),
        _row(
            NotAllowedError,
            HTTPStatus.FORBIDDEN,
            "not-allowed",
            "The caller may not do this",
            lambda e: f"It takes one of these roles: {', '.join(sorted(e.needed))}.",
        ),
        _row(
            IdentityUnavailableError,
            HTTPStatus.SERVICE_UNAVAILABLE,
            "identity-unavailable",
            "Callers cannot be identified at the moment",
            "The issuer of access tokens does not answer. Try again.",
            headers=lambda _: _retry_after(5),
        ),
        _row(
            AmountAboveLimitError,
            HTTPStatus.FORBIDDEN,
            "amount-above-limit",
            "More than you may move at once",
            lambda e: (
                f"{_amount(e.amount)} is above your limit of {_amount(e.limit)} for one operation. "
                "A caller with the role admin can do it."
            ),
            extra=lambda e: {
                "amount": e.amount.amount_minor,
                "limit": e.limit.amount_minor,
                "currency": e.limit.currency,
            },
        ),
        # Invalid requests
        _field_row(
            InvalidIfMatchError,
            "If-Match",
            'must be "*" or a list of entity tags in quotes, such as "7"',
        ),
        _field_row(
            InvalidCursorError, "cursor", "is not a cursor of this list; start again without one"
        ),
        (TimeInFutureError, _time_in_future),
        _field_row(PeriodReversedError, "to", "must be after from"),
        _field_row(
            OutsidePeriodError, "cursor", "is not a cursor of this list; start again without one"
        ),
        _field_row(
            AmountOutOfBoundsError, "quantity", "the total is larger than one purchase may be"
        ),
        (InvalidPromoTermsError, _invalid_terms),
        _row(
            PreconditionRequiredError,
            HTTPStatus.PRECONDITION_REQUIRED,
            "precondition-required",
            "If-Match is missing",
            "Read it, and send its ETag as If-Match.",
        ),
        _row(
            StaleVersionError,
            HTTPStatus.PRECONDITION_FAILED,
            "stale-version",
            "It has been changed since",
            "Read it again, and send its ETag as If-Match.",
            extra=lambda e: {"version": e.version},
        ),
        # What does not exist
        _row(
            CustomerNotFoundError,
            HTTPStatus.NOT_FOUND,
            "customer-not-found",
            "There is no such customer",
            "Check the customer's id.",
        ),
        _row(
            ProductNotFoundError,
            HTTPStatus.NOT_FOUND,
            "product-not-found",
            "There is no such product",
            "Check product_id.",
            extra=lambda _: {
                "errors": [FieldErrorResponse(field="product_id", message="does not exist")]
            },
        ),
        _row(
            PurchaseNotFoundError,
            HTTPStatus.NOT_FOUND,
            "purchase-not-found",
            "There is no such purchase",
            "Check the purchase's id.",
        ),
        _row(
            AttemptNotFoundError,
            HTTPStatus.NOT_FOUND,
            "attempt-not-found",
            "There is no such purchase attempt",
            "Check the attempt's id.",
        ),
        _row(
            PromoCodeNotFoundError,
            HTTPStatus.NOT_FOUND,
            "promo-code-not-found",
            "There is no such promo code",
            "Check the code.",
        ),
        # The same request before
        _row(
            IdempotencyKeyReusedError,
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "idempotency-key-reused",
            "The Idempotency-Key belongs to another request",
            "Use a new key for a new request.",
        ),
        _row(
            RequestInFlightError,
            HTTPStatus.CONFLICT,
            "request-in-flight",
            "The same request is being worked on",
            "Send it again with the same Idempotency-Key in a moment to get its answer.",
            headers=lambda e: _retry_after(e.retry_after_seconds),
            nothing_changed=False,
        ),
        # Credit
        _row(
            InsufficientCreditError,
            HTTPStatus.CONFLICT,
            "insufficient-credit",
            "Not enough credit",
            lambda e: f"{_amount(e.needed)} are needed and {_amount(e.available)} are available.",
            extra=lambda e: {
                "needed": e.needed.amount_minor,
                "available": e.available.amount_minor,
                "currency": e.needed.currency,
            },
        ),
        _row(
            BalanceLimitError,
            HTTPStatus.CONFLICT,
            "balance-limit",
            "The balance would grow too large",
            "Credit a smaller amount.",
        ),
        # Purchases and refunds
        _row(
            TotalChangedError,
            HTTPStatus.CONFLICT,
            "total-changed",
            "The total has risen",
            lambda e: (
                f"It is {_amount(e.total)} now, not {_amount(e.expected)}. To buy at that price, "
                "send it as expected_total."
            ),
            extra=lambda e: {
                "expected_total": e.expected.amount_minor,
                "total": e.total.amount_minor,
                "currency": e.total.currency,
            },
        ),
        _row(
            RefundExceedsPurchaseError,
            HTTPStatus.CONFLICT,
            "refund-exceeds-purchase",
            "More than what is left to refund",
            lambda e: f"{_amount(e.refundable)} of this purchase can still be refunded.",
            extra=lambda e: {
                "refundable": e.refundable.amount_minor,
                "currency": e.refundable.currency,
            },
        ),
        _row(
            RefundAmountChangedError,
            HTTPStatus.CONFLICT,
            "refund-amount-changed",
            "The refund comes to another amount",
            lambda e: (
                f"It comes to {_amount(e.amount)} now, not {_amount(e.expected)}. To refund that, "
                "send it as expected_amount."
            ),
            extra=lambda e: {
                "expected_amount": e.expected.amount_minor,
                "amount": e.amount.amount_minor,
                "currency": e.amount.currency,
            },
        ),
        _row(
            RefundQuantityExceededError,
            HTTPStatus.CONFLICT,
            "refund-quantity-exceeded",
            "More units than are left to refund",
            lambda e: (
                f"{_units(e.refundable_quantity)} of this purchase can still be refunded as units."
            ),
            extra=lambda e: {"refundable_quantity": e.refundable_quantity},
        ),
        # Promo codes
        _row(
            PromoCodeExistsError,
            HTTPStatus.CONFLICT,
            "promo-code-exists",
            "The promo code is taken",
            "Codes are the same in upper and lower case. Choose another.",
        ),
        _row(
            PromoCodeDeactivatedError,
            HTTPStatus.CONFLICT,
            "promo-code-deactivated",
            "A deactivated promo code stays as it is",
            "Make a new code.",
        ),
        _row(
            PromoCodeRefusedError,
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "promo-code-refused",
            "The promo code cannot be used for this purchase",
            lambda e: f"{_WHY_REFUSED[e.restriction]} Buy without it, or with another.",
            extra=lambda e: {"promo_code": e.code, "restriction": e.restriction},
        ),
        # Attempts
        _row(
            AttemptAlreadyResolvedError,
            HTTPStatus.CONFLICT,
            "attempt-already-resolved",
            "The attempt has its final outcome",
            lambda e: f"It is {e.state}, and an attempt is resolved once.",
            extra=lambda e: {"state": e.state},
        ),
        _row(
            CarrierAnsweredOtherwiseError,
            HTTPStatus.CONFLICT,
            "carrier-answered-otherwise",
            "The carrier's answer says otherwise",
            _carrier_said,
            extra=lambda e: {"carrier_outcome": e.outcome, "shipment_id": e.shipment_id},
        ),
        _row(
            ShipmentIdTakenError,
            HTTPStatus.CONFLICT,
            "shipment-id-taken",
            "The shipment id belongs to another purchase",
            lambda e: (
                f"It is the shipment of purchase {e.purchase_id}. Check the id with the carrier."
            ),
            extra=lambda e: {"purchase_id": e.purchase_id},
        ),
        _row(
            NoOrphanShipmentError,
            HTTPStatus.CONFLICT,
            "no-orphan-shipment",
            "The attempt has no possible orphan shipment",
            "Only an attempt that was voided although a parcel may exist has one.",
        ),
        _row(
            OrphanAlreadyClosedError,
            HTTPStatus.CONFLICT,
            "orphan-already-closed",
            "The orphan shipment was closed before",
            "Read the attempt to see by whom and why.",
        ),
        _row(
            AttemptStillPendingError,
            HTTPStatus.CONFLICT,
            "attempt-still-pending",
            "The attempt is under way",
            "Its outcome may still become known by itself. If the run that makes it has died, the "
            "attempt is UNKNOWN within minutes. Ask the carrier again then: a parcel may be sent "
            "until the run has ended.",
            extra=lambda e: {"state": e.state},
        ),
        _row(
            UnresolvedAttemptError,
            HTTPStatus.CONFLICT,
            "unresolved-attempt",
            "The same order was sent before, and its outcome is still unknown",
            "A parcel may already be on its way. Wait until that attempt is resolved, or repeat it "
            "with its own Idempotency-Key.",
            extra=lambda e: {"attempt_id": e.attempt_id},
        ),
        _row(
            TooManyOpenAttemptsError,
            HTTPStatus.CONFLICT,
            "too-many-open-attempts",
            "The customer has too many open purchases",
            lambda e: (
                f"{e.limit} purchases of this customer are under way or of unknown outcome, and "
                "that is the most there may be. Wait until one is settled."
            ),
            extra=lambda e: {"limit": e.limit},
        ),
        # The external APIs
        _row(
            ShipmentFailedError,
            HTTPStatus.BAD_GATEWAY,
            "shipment-failed",
            "Nothing was bought",
            _why_nothing_was_bought,
            extra=lambda e: {"attempt_id": e.attempt_id, "parcel_possible": e.parcel_possible},
            headers=lambda e: _replayed(replayed=e.replayed),
            nothing_changed=False,
        ),
        _row(
            ShipmentOutcomeUnknownError,
            HTTPStatus.GATEWAY_TIMEOUT,
            "shipment-outcome-unknown",
            "The outcome of the shipment is unknown",
            "The amount is held, not charged. The attempt will be completed or voided; repeat the "
            "request with the same Idempotency-Key to learn which.",
            extra=lambda e: {"attempt_id": e.attempt_id},
            headers=lambda e: _replayed(replayed=e.replayed),
            nothing_changed=False,
        ),
        _row(
            SigningUnavailableError,
            HTTPStatus.SERVICE_UNAVAILABLE,
            "signing-unavailable",
            "Statements cannot be signed at the moment",
            "The signing key does not answer. Try again.",
            headers=lambda _: _retry_after(5),
        ),
        _row(
            UpstreamUnavailableError,
            HTTPStatus.SERVICE_UNAVAILABLE,
            "upstream-unavailable",
            "A system that Till depends on is not available",
            lambda e: f"Trouble with {e.api}. Try again in a moment.",
            headers=lambda _: _retry_after(5),
        ),
        _row(
            UpstreamContractError,
            HTTPStatus.BAD_GATEWAY,
            "upstream-contract",
            "A system that Till depends on gave an invalid answer",
            lambda e: f"It was {e.api}.",
        ),
        # Contention
        *(
            _row(
                error,
                HTTPStatus.SERVICE_UNAVAILABLE,
                "busy",
                "Too busy at this moment",
                "Send the same request again, with the same Idempotency-Key if it has one. "
                "A request with a key takes effect at most once.",
                headers=_spread_retry_after,
                nothing_changed=False,
            )
            for error in (BusyError, ReadAgainError)
        ),
    )
)
"""One row for each error that a caller can cause."""


def problem_for(error: TillError) -> Problem:
    """The problem that an error is answered with: by its row, or by that of its base class."""
    for kind in type(error).__mro__:
        if kind in _TABLE:
            return _TABLE[kind](error)
    return UNEXPECTED
