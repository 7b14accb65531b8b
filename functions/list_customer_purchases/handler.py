"""List a customer's purchases."""

import till.cold_start

from http import HTTPStatus

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response

from till import bootstrap
from till.http.admission import sees_names
from till.http.app import RESOLVER, answer, entry_point
from till.http.cursor import decode_number, encode_cursor
from till.http.documentation import READ, UPSTREAM, documented
from till.http.parameters import Cursor, Limit, PathId
from till.http.purchase_parameters import StatusFilter
from till.http.wire.purchases import PurchaseListResponse, PurchaseResponse

app = APIGatewayRestResolver(**RESOLVER)


@app.get(
    "/customers/<customer_id>/purchases",
    summary="List a customer's purchases",
    description="Newest first. With `status`, a page may hold fewer items than `limit` and "
    "still have a `next_cursor`.",
    operation_id="list_customer_purchases",
    tags=["purchases"],
    responses=documented(HTTPStatus.OK, PurchaseListResponse, *READ, *UPSTREAM),
)
def list_customer_purchases(
    customer_id: PathId,
    status: StatusFilter = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response[PurchaseListResponse]:
    """List a customer's purchases."""
    scope = ("customer-purchases", customer_id, status)
    before = decode_number(scope, cursor)
    page = bootstrap.read_purchases().of_customer(
        customer_id, status=status, before=before, limit=limit
    )
    return answer(
        PurchaseListResponse(
            items=[
                PurchaseResponse.of(purchase, names=sees_names(app)) for purchase in page.purchases
            ],
            next_cursor=encode_cursor(scope, page.before),
        ),
        HTTPStatus.OK,
    )


lambda_handler = entry_point(app, bootstrap.admission_policy, bootstrap.read_purchases)
till.cold_start.end()
