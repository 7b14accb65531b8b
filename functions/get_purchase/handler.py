"""Get a purchase."""

import till.cold_start

from http import HTTPStatus

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response

from till import bootstrap
from till.http.app import RESOLVER, answer, entry_point
from till.http.documentation import READ, documented
from till.http.parameters import PathId
from till.http.wire.purchases import PurchaseDetailResponse

app = APIGatewayRestResolver(**RESOLVER)


@app.get(
    "/purchases/<purchase_id>",
    summary="Get a purchase",
    description="With its newest 100 refunds (`GET /purchases/{purchase_id}/refunds` lists all), "
    "and with product and address as they were when it was made.",
    operation_id="get_purchase",
    tags=["purchases"],
    responses=documented(HTTPStatus.OK, PurchaseDetailResponse, *READ, HTTPStatus.NOT_FOUND),
)
def get_purchase(purchase_id: PathId) -> Response[PurchaseDetailResponse]:
    """Get a purchase."""
    purchase, refunds = bootstrap.read_purchases().one(purchase_id)
    return answer(PurchaseDetailResponse.with_refunds(purchase, refunds, names=True), HTTPStatus.OK)


lambda_handler = entry_point(app, bootstrap.admission_policy, bootstrap.read_purchases)
till.cold_start.end()
