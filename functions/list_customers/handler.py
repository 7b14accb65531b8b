"""List or search customers."""

import till.cold_start

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from till import bootstrap
from till.http.app import RESOLVER, answer, entry_point
from till.http.cursor import decode_place, encode_cursor
from till.http.documentation import READ, documented
from till.http.parameters import Cursor, Limit
from till.http.wire.catalogue import CustomerListResponse, KnownCustomerResponse
from till.http.wire.text import SearchText

app = APIGatewayRestResolver(**RESOLVER)


@app.get(
    "/customers",
    summary="List or search customers",
    description="Customers who have an account, newest account first. With `query`, those whose "
    "name or e-mail contains it: case, accents and Unicode forms make no "
    "difference. A page of a search examines a limited number of accounts: it may "
    "hold fewer items than `limit`, even none, and still have a `next_cursor`.",
    operation_id="list_customers",
    tags=["catalogue"],
    responses=documented(HTTPStatus.OK, CustomerListResponse, *READ),
)
def list_customers(
    *,
    query: Annotated[SearchText | None, Query(description="A part of a name or e-mail")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response[CustomerListResponse]:
    """List or search customers."""
    scope = ("customers", query)
    before = decode_place(scope, cursor)
    find = bootstrap.list_customers()
    page = (
        find.all(before=before, limit=limit)
        if query is None
        else find.matching(query, before=before, limit=limit)
    )
    return answer(
        CustomerListResponse(
            items=[KnownCustomerResponse.of(customer) for customer in page.customers],
            next_cursor=encode_cursor(scope, page.before),
        ),
        HTTPStatus.OK,
    )


lambda_handler = entry_point(app, bootstrap.admission_policy, bootstrap.list_customers)
till.cold_start.end()
