"""Quote a purchase."""

import till.cold_start

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from till import bootstrap
from till.http.app import RESOLVER, answer, entry_point, problem_in
from till.http.documentation import READ, UPSTREAM, documented
from till.http.parameters import PathId
from till.http.wire.purchase_requests import CreatePurchaseRequest
from till.http.wire.quotes import QuoteResponse

app = APIGatewayRestResolver(**RESOLVER)


@app.post(
    "/customers/<customer_id>/quotes",
    summary="Quote a purchase",
    description="Takes the body of a purchase. Returns what it would cost now and whether it "
    "would go through. Reserves and creates nothing.",
    operation_id="create_quote",
    tags=["purchases"],
    responses=documented(HTTPStatus.OK, QuoteResponse, *READ, *UPSTREAM),
)
def create_quote(
    customer_id: PathId, body: Annotated[CreatePurchaseRequest, Body()]
) -> Response[QuoteResponse]:
    """Quote a purchase."""
    quote = bootstrap.create_quote()(body.intent(customer_id=customer_id))
    problem = problem_in(quote.refusal) if quote.refusal is not None else None
    return answer(QuoteResponse.of(quote, problem), HTTPStatus.OK)


lambda_handler = entry_point(app, bootstrap.admission_policy, bootstrap.create_quote)
till.cold_start.end()
