"""List purchases of all customers."""

import till.cold_start

from http import HTTPStatus
from uuid import UUID

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response

from till import bootstrap
from till.http.app import RESOLVER, answer, entry_point
from till.http.cursor import decode_place, encode_cursor
from till.http.documentation import READ, documented
from till.http.parameters import Cursor, FromFilter, Include, Limit, UntilFilter
from till.http.purchase_parameters import ShipmentIdFilter, StatusFilter
from till.http.wire.purchases import NamedPurchaseListResponse, NamedPurchaseResponse

app = APIGatewayRestResolver(**RESOLVER)


@app.get(
    "/purchases",
    summary="List purchases of all customers",
    description="Newest first, created from `created_from` up to, but not including, "
    "`created_to`. With `shipment_id`: the one purchase of that shipment, whatever the other "
    "filters say.",
    operation_id="list_purchases",
    tags=["purchases"],
    responses=documented(HTTPStatus.OK, NamedPurchaseListResponse, *READ),
)
def list_purchases(
    *,
    status: StatusFilter = None,
    created_from: FromFilter = None,
    created_to: UntilFilter = None,
    shipment_id: ShipmentIdFilter = None,
    include: Include = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response[NamedPurchaseListResponse]:
    """List purchases of all customers."""
    scope = ("purchases", status, created_from, created_to, shipment_id)
    before = decode_place(scope, cursor)
    read = bootstrap.read_purchases()
    if shipment_id is not None:
        page = read.of_shipment(shipment_id)
    else:
        page = read.of_all(
            status=status, since=created_from, until=created_to, before=before, limit=limit
        )
    names: dict[UUID, str] = {}
    if include is not None:
        names = bootstrap.shown_customers()(p.customer_id for p in page.purchases).names
    return answer(
        NamedPurchaseListResponse(
            items=[NamedPurchaseResponse.named(purchase, names) for purchase in page.purchases],
            next_cursor=encode_cursor(scope, page.before),
        ),
        HTTPStatus.OK,
    )


lambda_handler = entry_point(app, bootstrap.admission_policy, bootstrap.read_purchases)
till.cold_start.end()
