"""Close a possible orphan shipment."""

import till.cold_start

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from till import bootstrap
from till.http.admission import caller
from till.http.app import RESOLVER, answer, entry_point
from till.http.documentation import MOVE, documented
from till.http.parameters import KeyHeader, PathId
from till.http.wire.attempt_requests import CloseOrphanShipmentRequest
from till.http.wire.attempts import AttemptResponse

app = APIGatewayRestResolver(**RESOLVER)


@app.post(
    "/purchase-attempts/<attempt_id>/orphan-closing",
    summary="Close a possible orphan shipment",
    description="A voided attempt whose parcel may exist stays on the list of orphan shipments "
    "until a person says what became of it, and why. It moves no money, and is done once.",
    operation_id="close_orphan_shipment",
    tags=["purchase attempts"],
    responses=documented(HTTPStatus.OK, AttemptResponse, *MOVE),
)
def close_orphan_shipment(
    attempt_id: PathId,
    body: Annotated[CloseOrphanShipmentRequest, Body()],
    idempotency_key: KeyHeader,
) -> Response[AttemptResponse]:
    """Close a possible orphan shipment."""
    closed = bootstrap.close_orphan_shipment()(
        body.closing_request(
            attempt_id=attempt_id, actor=caller(app).actor, idempotency_key=idempotency_key
        ),
        bootstrap.deadline(app.lambda_context),
    )
    return answer(AttemptResponse.of(closed.attempt), HTTPStatus.OK, replayed=closed.replayed)


lambda_handler = entry_point(app, bootstrap.admission_policy, bootstrap.close_orphan_shipment)
till.cold_start.end()
