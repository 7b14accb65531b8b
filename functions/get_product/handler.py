"""Read a product, to show it."""

from http import HTTPStatus

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response

from till import bootstrap
from till.http.app import READ, UPSTREAM, PathId, answer, documented, entry_point
from till.http.wire.catalogue import ProductResponse

app = APIGatewayRestResolver(enable_validation=True, response_validation_error_http_code=500)


@app.get(
    "/products/<product_id>",
    summary="Read a product",
    description="To be shown: it may be some seconds old, and the header Age says how many. When "
    "the Product API does not answer, it may be minutes old, and says so (stale). A purchase "
    "always reads it anew.",
    operation_id="get_product",
    tags=["catalogue"],
    responses=documented(HTTPStatus.OK, ProductResponse, *READ, *UPSTREAM),
)
def get_product(product_id: PathId) -> Response[ProductResponse]:
    """Read a product."""
    shown = bootstrap.showcase().product(product_id)
    return answer(ProductResponse.of(shown), HTTPStatus.OK, age_seconds=shown.age_seconds)


lambda_handler = entry_point(app, bootstrap.settings, bootstrap.showcase)
