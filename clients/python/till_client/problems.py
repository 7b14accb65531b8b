"""What the API refuses, as exceptions: RFC 9457 problem documents."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

_PREFIX: Final = "urn:problem-type:till:"


class NoAnswer(Exception):  # noqa: N818 - named for what happened
    """The API did not answer, or not readably: a write may or may not have had its effect.

    Send it again with the same intent: it takes effect at most once.
    """


@dataclass(frozen=True, slots=True)
class FieldError:
    """A field of the request, and what is wrong with it."""

    field: str
    message: str


class Problem(Exception):  # noqa: N818 - the name of RFC 9457
    """The API refused a request. Subclasses are the problems that callers tell apart."""

    def __init__(self, status: int, document: Mapping[str, object]) -> None:
        self.status: Final = status
        self.type: Final = str(document.get("type", "about:blank"))
        self.title: Final = str(document.get("title", f"HTTP status {status}"))
        self.detail: Final = str(document.get("detail", ""))
        self.correlation_id: Final = str(document.get("correlation_id", ""))
        """Names the request in Till's log. Tell it to support."""
        self.members: Final = document
        """The whole document, with the members of its type."""
        super().__init__(f"{self.title}. {self.detail}" if self.detail else self.title)

    @property
    def slug(self) -> str:
        """The type without its prefix, such as ``insufficient-credit``."""
        return self.type.removeprefix(_PREFIX)

    def number(self, name: str) -> int:
        """A member that is an integer.

        Raises:
            KeyError: the document does not have it.
        """
        value = self.members[name]
        if not isinstance(value, int):
            raise KeyError(name)
        return value

    def text(self, name: str) -> str:
        """A member that is text.

        Raises:
            KeyError: the document does not have it.
        """
        value = self.members[name]
        if not isinstance(value, str):
            raise KeyError(name)
        return value


class InvalidRequest(Problem):
    """400: ``errors`` names the fields."""

    @property
    def errors(self) -> list[FieldError]:
        """Each field that is wrong."""
        listed = self.members.get("errors")
        return [
            FieldError(field=str(one.get("field")), message=str(one.get("message")))
            for one in (listed if isinstance(listed, list) else [])
            if isinstance(one, dict)
        ]


class NotAuthenticated(Problem):
    """401: the access token is missing, expired or not from the issuer."""


class NotAllowed(Problem):
    """403: the caller's roles do not allow this."""


class AmountAboveLimit(NotAllowed):
    """403: more than the caller may move in one operation."""

    @property
    def limit(self) -> int:
        """The most that they may move, in minor units."""
        return self.number("limit")


class NotFound(Problem):
    """404: there is no such customer, product, purchase, attempt or promo code."""


class InsufficientCredit(Problem):
    """409: a purchase or deduction needs more than is available."""

    @property
    def needed(self) -> int:
        """In minor units."""
        return self.number("needed")

    @property
    def available(self) -> int:
        """In minor units."""
        return self.number("available")


class TotalChanged(Problem):
    """409: the purchase costs more than the expected total."""

    @property
    def total(self) -> int:
        """What it costs now, in minor units."""
        return self.number("total")


class RefundExceedsPurchase(Problem):
    """409: more than what is left to refund."""

    @property
    def refundable(self) -> int:
        """What is left, in minor units."""
        return self.number("refundable")


class RefundAmountChanged(Problem):
    """409: the refund comes to another amount than the expected one."""

    @property
    def amount(self) -> int:
        """What it comes to now, in minor units."""
        return self.number("amount")


class StaleVersion(Problem):
    """412: it has another version by now."""

    @property
    def version(self) -> int:
        """The current version."""
        return self.number("version")


class PromoCodeRefused(Problem):
    """422: the promo code cannot be used for this purchase."""

    @property
    def restriction(self) -> str:
        """Why."""
        return self.text("restriction")


class ShipmentFailed(Problem):
    """502: nothing was bought and nothing was charged. Final: try again as a new intent.

    Not if ``parcel_possible``: customer service has to find out first whether there is a parcel.
    """

    @property
    def attempt_id(self) -> str:
        """The purchase attempt."""
        return self.text("attempt_id")


class ShipmentOutcomeUnknown(Problem):
    """504: the amount is held until the attempt is resolved. Ask again with the same intent."""

    @property
    def attempt_id(self) -> str:
        """The purchase attempt."""
        return self.text("attempt_id")


BY_SLUG: Final[Mapping[str, type[Problem]]] = {
    "amount-above-limit": AmountAboveLimit,
    "insufficient-credit": InsufficientCredit,
    "total-changed": TotalChanged,
    "refund-amount-changed": RefundAmountChanged,
    "refund-exceeds-purchase": RefundExceedsPurchase,
    "stale-version": StaleVersion,
    "promo-code-refused": PromoCodeRefused,
    "shipment-failed": ShipmentFailed,
    "shipment-outcome-unknown": ShipmentOutcomeUnknown,
}
_BY_STATUS: Final[Mapping[int, type[Problem]]] = {
    400: InvalidRequest,
    401: NotAuthenticated,
    403: NotAllowed,
    404: NotFound,
}


def raise_problem(response: httpx.Response) -> None:
    """Raise the problem that an answer is; nothing for a success.

    Raises:
        Problem: the API refused the request.
        NoAnswer: the answer is not one of this API.
    """
    if response.is_success:
        return
    body = response.read()
    try:
        document = json.loads(body)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        if response.status_code >= 500:
            raise NoAnswer(f"HTTP status {response.status_code} without a problem document")
        document = {}
    slug = str(document.get("type", "")).removeprefix(_PREFIX)
    kind = BY_SLUG.get(slug) or _BY_STATUS.get(response.status_code) or Problem
    raise kind(response.status_code, document)
