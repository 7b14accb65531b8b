"""Buy a product."""

import till.cold_start

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from till import bootstrap
from till.http.admission import caller, sees_names
from till.http.app import RESOLVER, answer, entry_point
from till.http.documentation import MOVE, UPSTREAM, documented
from till.http.parameters import KeyHeader, PathId
from till.http.wire.purchase_requests import CreatePurchaseRequest
from till.http.wire.purchases import PurchaseResponse

app = APIGatewayRestResolver(**RESOLVER)


@app.post(
    "/customers/<customer_id>/purchases",
    status_code=201,
    summary="Buy a product",
    description="Holds the total, has the product shipped, then charges. If the shipment was "
    "not made, nothing is charged (502 `shipment-failed`). If its outcome is "
    "unknown, the total stays held until the attempt is resolved (504 "
    "`shipment-outcome-unknown`); send the same request with the same key to learn "
    "the outcome.",
    operation_id="create_purchase",
    tags=["purchases"],
    responses=documented(
        HTTPStatus.CREATED, PurchaseResponse, *MOVE, *UPSTREAM, HTTPStatus.GATEWAY_TIMEOUT
    ),
)
def create_purchase(
    customer_id: PathId, body: Annotated[CreatePurchaseRequest, Body()], idempotency_key: KeyHeader
) -> Response[PurchaseResponse]:
    """Buy a product."""
    purchased = bootstrap.create_purchase()(
        body.purchase_request(
            customer_id=customer_id, actor=caller(app).actor, idempotency_key=idempotency_key
        ),
        bootstrap.deadline(app.lambda_context),
    )
    return answer(
        PurchaseResponse.of(purchased.purchase, names=sees_names(app)),
        HTTPStatus.CREATED,
        replayed=purchased.replayed,
    )


lambda_handler = entry_point(app, bootstrap.admission_policy, bootstrap.create_purchase)
till.cold_start.end()
