"""Refund a purchase."""

import till.cold_start

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from till import bootstrap
from till.http.admission import amount_limit, caller
from till.http.app import RESOLVER, answer, entry_point
from till.http.documentation import MOVE, documented
from till.http.parameters import KeyHeader, PathId
from till.http.wire.refund_requests import CreateRefundRequest
from till.http.wire.refunds import RefundResponse

app = APIGatewayRestResolver(**RESOLVER)


@app.post(
    "/purchases/<purchase_id>/refunds",
    status_code=201,
    summary="Refund a purchase",
    description="Gives back an amount, a number of units, or, without either, everything that "
    "is left; never more than was paid. If `expected_amount` is given and the refund comes to "
    "another amount, it is refused (409 `refund-amount-changed`). A rep can refund up to their "
    "limit (403 `amount-above-limit`).",
    operation_id="refund_purchase",
    tags=["refunds"],
    responses=documented(HTTPStatus.CREATED, RefundResponse, *MOVE),
)
def refund_purchase(
    purchase_id: PathId, body: Annotated[CreateRefundRequest, Body()], idempotency_key: KeyHeader
) -> Response[RefundResponse]:
    """Refund a purchase."""
    refunded = bootstrap.refund_purchase()(
        body.refund_request(
            purchase_id=purchase_id,
            actor=caller(app).actor,
            limit=amount_limit(app),
            idempotency_key=idempotency_key,
        ),
        bootstrap.deadline(app.lambda_context),
    )
    return answer(
        RefundResponse.of(refunded.refund, names=True),
        HTTPStatus.CREATED,
        replayed=refunded.replayed,
    )


lambda_handler = entry_point(app, bootstrap.admission_policy, bootstrap.refund_purchase)
till.cold_start.end()
