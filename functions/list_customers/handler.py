"""List customers."""

import till.cold_start

from http import HTTPStatus

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response

from till import bootstrap
from till.http.app import RESOLVER, answer, entry_point
from till.http.cursor import decode_place, encode_cursor
from till.http.documentation import READ, documented
from till.http.parameters import Cursor, Limit
from till.http.wire.catalogue import CustomerListResponse, KnownCustomerResponse

app = APIGatewayRestResolver(**RESOLVER)


@app.get(
    "/customers",
    summary="List customers",
    description="Customers who have an account, newest account first. To find one by name, use "
    "`GET /search`.",
    operation_id="list_customers",
    tags=["catalogue"],
    responses=documented(HTTPStatus.OK, CustomerListResponse, *READ),
)
def list_customers(
    *,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response[CustomerListResponse]:
    """List customers."""
    scope = ("customers",)
    before = decode_place(scope, cursor)
    page = bootstrap.list_customers()(before=before, limit=limit)
    return answer(
        CustomerListResponse(
            items=[KnownCustomerResponse.of(customer) for customer in page.customers],
            next_cursor=encode_cursor(scope, page.before),
        ),
        HTTPStatus.OK,
    )


lambda_handler = entry_point(app, bootstrap.admission_policy, bootstrap.list_customers)
till.cold_start.end()
