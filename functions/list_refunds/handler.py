"""List the refunds of a purchase."""

import till.cold_start

from http import HTTPStatus

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response

from till import bootstrap
from till.http.app import RESOLVER, answer, entry_point
from till.http.cursor import decode_number, encode_cursor
from till.http.documentation import READ, documented
from till.http.parameters import Cursor, Limit, PathId
from till.http.wire.refunds import RefundListResponse, RefundResponse

app = APIGatewayRestResolver(**RESOLVER)


@app.get(
    "/purchases/<purchase_id>/refunds",
    summary="List the refunds of a purchase",
    description="Newest first.",
    operation_id="list_refunds",
    tags=["refunds"],
    responses=documented(HTTPStatus.OK, RefundListResponse, *READ, HTTPStatus.NOT_FOUND),
)
def list_refunds(
    purchase_id: PathId, limit: Limit = 50, cursor: Cursor = None
) -> Response[RefundListResponse]:
    """List the refunds of a purchase."""
    scope = ("refunds", purchase_id)
    before = decode_number(scope, cursor)
    page = bootstrap.read_purchases().refunds(purchase_id, before=before, limit=limit)
    return answer(
        RefundListResponse(
            items=[RefundResponse.of(refund, names=True) for refund in page.refunds],
            next_cursor=encode_cursor(scope, page.before),
        ),
        HTTPStatus.OK,
    )


lambda_handler = entry_point(app, bootstrap.admission_policy, bootstrap.read_purchases)
till.cold_start.end()
