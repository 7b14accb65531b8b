"""Tell that the API is up."""

from http import HTTPStatus

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response

from till.http.app import answer, documented, public_entry_point
from till.http.wire.health import HealthResponse

app = APIGatewayRestResolver(enable_validation=True, response_validation_error_http_code=500)


@app.get(
    "/health",
    summary="Tell that the API is up",
    description="Liveness of the API itself; it asks nothing of what it depends on.",
    operation_id="get_health",
    tags=["about"],
    responses=documented(HTTPStatus.OK, HealthResponse),
)
def get_health() -> Response[HealthResponse]:
    """Tell that the API is up."""
    return answer(HealthResponse(status="ok"), HTTPStatus.OK)


lambda_handler = public_entry_point(app)
