"""Get a purchase attempt."""

import till.cold_start

from http import HTTPStatus

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response

from till import bootstrap
from till.http.app import RESOLVER, answer, entry_point
from till.http.documentation import READ, documented
from till.http.parameters import PathId
from till.http.wire.attempts import AttemptResponse

app = APIGatewayRestResolver(**RESOLVER)


@app.get(
    "/purchase-attempts/<attempt_id>",
    summary="Get a purchase attempt",
    description="What was tried and when, what the carrier answered, and how it ended.",
    operation_id="get_attempt",
    tags=["purchase attempts"],
    responses=documented(HTTPStatus.OK, AttemptResponse, *READ, HTTPStatus.NOT_FOUND),
)
def get_attempt(attempt_id: PathId) -> Response[AttemptResponse]:
    """Get a purchase attempt."""
    attempt = bootstrap.read_purchases().attempt(attempt_id)
    return answer(AttemptResponse.of(attempt), HTTPStatus.OK)


lambda_handler = entry_point(app, bootstrap.admission_policy, bootstrap.read_purchases)
till.cold_start.end()
