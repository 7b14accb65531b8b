"""The Shipment API. What each answer means is step 4 of the purchase protocol."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import httpx
from aws_lambda_powertools import Logger

from till.adapters.upstream.connections import UnreadableAnswerError
from till.adapters.upstream.contract import ErrorAnswer, ShipmentAnswer
from till.adapters.upstream.credential import CredentialUnavailableError
from till.adapters.upstream.deadline import Deadline
from till.adapters.upstream.http import Answer, BrokenAnswerError, exchange
from till.domain.purchase import NotShipped, OutcomeUnknown, Shipped

if TYPE_CHECKING:
    from uuid import UUID

    from till.domain.catalogue import Address
    from till.domain.purchase import Order, ShipmentOutcome

_NEVER_SENT: Final = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
)
"""No connection, so no request: nothing can have been shipped."""

_REFUSED_BY_SERVER: Final = frozenset(
    {
        HTTPStatus.INTERNAL_SERVER_ERROR,
        HTTPStatus.NOT_IMPLEMENTED,
        HTTPStatus.SERVICE_UNAVAILABLE,
    }
)
_MESSAGE_CHARACTERS: Final = 300

logger = Logger(child=True)


class HttpCarrier:
    """``till.services.ports.upstream.Carrier`` over HTTP."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def create_shipment(
        self, order: Order, *, attempt_id: UUID, timeout_seconds: float
    ) -> ShipmentOutcome:
        """Call CreateShipment once; see the port. It raises no Exception.

        A line in the log right before and right after the call: if the function ends before the
        outcome is written down, the log still says what was shipped.
        """
        attempt = {"attempt_id": str(attempt_id)}
        logger.info("calling CreateShipment", extra=attempt)
        try:
            outcome = self._outcome(order, attempt_id, Deadline(timeout_seconds))
        except Exception as error:  # noqa: BLE001 - the request may have been sent
            # Its message may hold an address.
            failure = {**attempt, "error": type(error).__name__}
            logger.error("CreateShipment failed unexpectedly", extra=failure)  # noqa: TRY400
            outcome = OutcomeUnknown(message="The call of the Shipment API failed.")
        shipment_id = outcome.shipment_id if isinstance(outcome, Shipped) else None
        logger.info(
            "called CreateShipment",
            extra={**attempt, "outcome": type(outcome).__name__, "shipment_id": shipment_id},
        )
        return outcome

    def _outcome(self, order: Order, attempt_id: UUID, deadline: Deadline) -> ShipmentOutcome:
        try:
            answer = exchange(
                self._client,
                "POST",
                "shipments",
                # An API without idempotency ignores it; a later one may use it.
                headers={"Idempotency-Key": str(attempt_id)},
                body={
                    "shippingAddress": _address(order.shipping_address),
                    "products": [{"sku": order.product.sku, "quantity": order.quantity}],
                },
                deadline=deadline,
            )
        except CredentialUnavailableError:
            return NotShipped(message="The Shipment API could not be asked.")
        except _NEVER_SENT:
            return NotShipped(message="The Shipment API could not be reached.")
        except (BrokenAnswerError, UnreadableAnswerError) as error:
            return outcome_of(Answer(error.status, b""))
        except httpx.TimeoutException:
            return OutcomeUnknown(message="The Shipment API did not answer in time.")
        except httpx.TransportError as error:
            return OutcomeUnknown(
                message=f"The connection to the Shipment API broke ({type(error).__name__})."
            )
        return outcome_of(answer)


def outcome_of(answer: Answer) -> ShipmentOutcome:
    """What an answer of CreateShipment means for the parcel."""
    status = answer.status
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        try:
            shipment_id = ShipmentAnswer.model_validate(answer.json()).id
        except ValueError:
            return OutcomeUnknown(
                message=f"The Shipment API answered {status} without a usable id."
            )
        return Shipped(shipment_id=shipment_id)
    client_error = HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
    if status in _REFUSED_BY_SERVER or (client_error and status != HTTPStatus.REQUEST_TIMEOUT):
        return NotShipped(message=_message(answer))
    return OutcomeUnknown(message=f"The Shipment API answered {status}.")


def _message(answer: Answer) -> str:
    try:
        text = ErrorAnswer.model_validate(answer.json()).Message
    except ValueError:
        text = ""
    printable = "".join(c if c.isprintable() else " " for c in text).strip()
    return printable[:_MESSAGE_CHARACTERS] or f"The Shipment API answered {answer.status}."


def _address(address: Address) -> dict[str, str]:
    fields = {
        "line1": address.line1,
        "line2": address.line2,
        "city": address.city,
        "postalCode": address.postal_code,
        "state": address.state,
        "country": address.country,
    }
    return {name: value for name, value in fields.items() if value is not None}
