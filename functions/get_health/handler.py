"""Check that the API is up."""

import till.cold_start

from http import HTTPStatus

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response

from till.http.app import RESOLVER, answer, public_entry_point
from till.http.documentation import documented
from till.http.wire.health import HealthResponse

app = APIGatewayRestResolver(**RESOLVER)


@app.get(
    "/health",
    summary="Check that the API is up",
    description="Liveness of the API itself: it does not ask the systems that it depends on.",
    operation_id="get_health",
    tags=["about"],
    responses=documented(HTTPStatus.OK, HealthResponse),
)
@app.route(
    "/health",
    method="HEAD",
    summary="Check that the API is up, without a body",
    description="As GET, for monitors that ask without wanting a body.",
    operation_id="head_health",
    tags=["about"],
    responses=documented(HTTPStatus.OK, HealthResponse),
)
def get_health() -> Response[HealthResponse]:
    """Check that the API is up."""
    return answer(HealthResponse(status="ok"), HTTPStatus.OK)


lambda_handler = public_entry_point(app)
till.cold_start.end()
