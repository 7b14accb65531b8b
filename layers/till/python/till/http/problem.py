"""Problems (RFC 9457) before they are put on the wire, and those that belong to no operation."""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from till.http.wire.problem import FieldErrorResponse, ProblemResponse

if TYPE_CHECKING:
    from collections.abc import Mapping

PROBLEM_CONTENT_TYPE: Final = "application/problem+json"
_TYPE_PREFIX: Final = "urn:problem-type:till:"


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem before it is put on the wire.

    ``extra`` goes into the body by its names. ``nothing_changed`` is whether a caller who wanted to
    change something is told that nothing was changed.
    """

    status: HTTPStatus
    slug: str
    title: str
    detail: str
    extra: Mapping[str, object] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    nothing_changed: bool = True

    def response(self, correlation_id: str, *, to_read: bool = False) -> ProblemResponse:
        """The body; ``to_read`` is whether the request could not have changed anything."""
        reassurance = " Nothing was changed." if self.nothing_changed and not to_read else ""
        return ProblemResponse.model_validate(
            {
                "type": _TYPE_PREFIX + self.slug,
                "title": self.title,
                "status": self.status.value,
                "detail": self.detail + reassurance,
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
        "Check the fields listed in errors.",
        {"errors": field_errors},
    )


UNEXPECTED: Final = Problem(
    HTTPStatus.INTERNAL_SERVER_ERROR,
    "internal-error",
    "Something went wrong on our side",
    "Send the same request again with the same Idempotency-Key: it takes effect at most once. "
    "If it goes on, tell support the correlation_id.",
    nothing_changed=False,
)
NOT_AUTHENTICATED: Final = Problem(
    HTTPStatus.UNAUTHORIZED,
    "not-authenticated",
    "The caller is not known",
    "Send an access token of this API's issuer that has not expired: Authorization: Bearer "
    "<token>.",
    headers={"WWW-Authenticate": "Bearer"},
)
ROUTE_NOT_FOUND: Final = Problem(
    HTTPStatus.NOT_FOUND,
    "route-not-found",
    "There is nothing at this path",
    "GET /openapi.json lists the operations.",
    nothing_changed=False,
)
BODY_TOO_LARGE: Final = Problem(
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "body-too-large",
    "The request body is too large",
    "No operation needs more than 16 KiB.",
)
UNSUPPORTED_MEDIA_TYPE: Final = Problem(
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "unsupported-media-type",
    "The request body is not JSON",
    "Send JSON in UTF-8, with Content-Type: application/json.",
    headers={"Accept": "application/json"},
)
UNSUPPORTED_CONTENT_ENCODING: Final = Problem(
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "unsupported-content-encoding",
    "The request body is encoded",
    "Send it as it is, without a Content-Encoding.",
    headers={"Accept-Encoding": "identity"},
)
