"""Quote a refund."""

import till.cold_start

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from till import bootstrap
from till.http.admission import amount_limit
from till.http.app import RESOLVER, answer, entry_point, problem_in
from till.http.documentation import READ, documented
from till.http.parameters import PathId
from till.http.wire.quotes import RefundQuoteResponse
from till.http.wire.refund_requests import CreateRefundQuoteRequest

app = APIGatewayRestResolver(**RESOLVER)


@app.post(
    "/purchases/<purchase_id>/refund-quotes",
    summary="Quote a refund",
    description="What a refund would give back now, and whether it would go through. Takes the "
    "body of a refund without its reason. Changes nothing.",
    operation_id="create_refund_quote",
    tags=["refunds"],
    responses=documented(HTTPStatus.OK, RefundQuoteResponse, *READ, HTTPStatus.NOT_FOUND),
)
def create_refund_quote(
    purchase_id: PathId, body: Annotated[CreateRefundQuoteRequest, Body()]
) -> Response[RefundQuoteResponse]:
    """Quote a refund."""
    quote = bootstrap.create_refund_quote()(
        body.refund_intent(purchase_id=purchase_id, limit=amount_limit(app))
    )
    problem = problem_in(quote.refusal) if quote.refusal is not None else None
    return answer(RefundQuoteResponse.of(quote, problem), HTTPStatus.OK)


lambda_handler = entry_point(app, bootstrap.admission_policy, bootstrap.create_refund_quote)
till.cold_start.end()
