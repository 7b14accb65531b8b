"""Get a product."""

import till.cold_start

from http import HTTPStatus

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response

from till import bootstrap
from till.http.app import RESOLVER, answer, entry_point
from till.http.documentation import READ, UPSTREAM, documented
from till.http.parameters import PathId
from till.http.wire.catalogue import ProductResponse

app = APIGatewayRestResolver(**RESOLVER)


@app.get(
    "/products/<product_id>",
    summary="Get a product",
    description="The product as the Product API had it some seconds ago (header `Age`). If that "
    "API does not answer, an older copy is returned with `stale: true`. For display "
    "only: a purchase always reads the product again.",
    operation_id="get_product",
    tags=["catalogue"],
    responses=documented(HTTPStatus.OK, ProductResponse, *READ, *UPSTREAM),
)
def get_product(product_id: PathId) -> Response[ProductResponse]:
    """Get a product."""
    shown = bootstrap.catalogue_view().product(product_id)
    return answer(ProductResponse.of(shown), HTTPStatus.OK, age_seconds=shown.age_seconds)


lambda_handler = entry_point(app, bootstrap.admission_policy, bootstrap.catalogue_view)
till.cold_start.end()
