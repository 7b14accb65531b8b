"""Get a purchase of a customer."""

import till.cold_start

from http import HTTPStatus

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response

from till import bootstrap
from till.http.admission import sees_names
from till.http.app import RESOLVER, answer, entry_point
from till.http.documentation import READ, documented
from till.http.parameters import PathId
from till.http.wire.purchases import PurchaseDetailResponse

app = APIGatewayRestResolver(**RESOLVER)


@app.get(
    "/customers/<customer_id>/purchases/<purchase_id>",
    summary="Get a purchase of a customer",
    description="With its newest 100 refunds. A purchase of another customer is not found.",
    operation_id="get_customer_purchase",
    tags=["purchases"],
    responses=documented(HTTPStatus.OK, PurchaseDetailResponse, *READ, HTTPStatus.NOT_FOUND),
)
def get_customer_purchase(
    customer_id: PathId, purchase_id: PathId
) -> Response[PurchaseDetailResponse]:
    """Get a purchase of a customer."""
    purchase, refunds = bootstrap.read_purchases().one(purchase_id, customer_id=customer_id)
    found = PurchaseDetailResponse.with_refunds(purchase, refunds, names=sees_names(app))
    return answer(found, HTTPStatus.OK)


lambda_handler = entry_point(app, bootstrap.admission_policy, bootstrap.read_purchases)
till.cold_start.end()
