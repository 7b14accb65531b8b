"""Read a customer, to show it."""

from http import HTTPStatus

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response

from till import bootstrap
from till.http.app import READ, UPSTREAM, PathId, answer, documented, entry_point
from till.http.wire.catalogue import CustomerResponse

app = APIGatewayRestResolver(enable_validation=True, response_validation_error_http_code=500)


@app.get(
    "/customers/<customer_id>",
    summary="Read a customer",
    description="To be shown: it may be some seconds old, and the header Age says how many. When "
    "the Customer API does not answer, it may be minutes old, and says so (stale). A purchase "
    "always reads it anew.",
    operation_id="get_customer",
    tags=["catalogue"],
    responses=documented(HTTPStatus.OK, CustomerResponse, *READ, *UPSTREAM),
)
def get_customer(customer_id: PathId) -> Response[CustomerResponse]:
    """Read a customer."""
    shown = bootstrap.showcase().customer(customer_id)
    return answer(CustomerResponse.of(shown), HTTPStatus.OK, age_seconds=shown.age_seconds)


lambda_handler = entry_point(app, bootstrap.settings, bootstrap.showcase)
