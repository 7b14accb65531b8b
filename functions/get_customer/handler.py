"""Get a customer."""

import till.cold_start

from http import HTTPStatus

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response

from till import bootstrap
from till.http.app import RESOLVER, answer, entry_point
from till.http.documentation import READ, UPSTREAM, documented
from till.http.parameters import PathId
from till.http.wire.catalogue import CustomerResponse

app = APIGatewayRestResolver(**RESOLVER)


@app.get(
    "/customers/<customer_id>",
    summary="Get a customer",
    description="The customer as the Customer API had them some seconds ago (header `Age`). If "
    "that API does not answer, an older copy is returned with `stale: true`. For "
    "display only: a purchase always reads the customer again.",
    operation_id="get_customer",
    tags=["catalogue"],
    responses=documented(HTTPStatus.OK, CustomerResponse, *READ, *UPSTREAM),
)
def get_customer(customer_id: PathId) -> Response[CustomerResponse]:
    """Get a customer."""
    shown = bootstrap.get_customer()(customer_id)
    return answer(CustomerResponse.of(shown), HTTPStatus.OK, age_seconds=shown.age_seconds)


lambda_handler = entry_point(app, bootstrap.admission_policy, bootstrap.get_customer)
till.cold_start.end()
