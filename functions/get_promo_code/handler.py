"""Get a promo code."""

import till.cold_start

from http import HTTPStatus

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response

from till import bootstrap
from till.http.app import RESOLVER, answer, entry_point
from till.http.documentation import READ, documented
from till.http.promo_parameters import PathCode
from till.http.wire.promo_codes import PromoCodeDetailResponse

app = APIGatewayRestResolver(**RESOLVER)


@app.get(
    "/promo-codes/<code>",
    summary="Get a promo code",
    description="With the number of its redemptions, and its newest 100 versions. Its `ETag` "
    "is what a change needs as If-Match.",
    operation_id="get_promo_code",
    tags=["promo codes"],
    responses=documented(HTTPStatus.OK, PromoCodeDetailResponse, *READ, HTTPStatus.NOT_FOUND),
)
def get_promo_code(code: PathCode) -> Response[PromoCodeDetailResponse]:
    """Get a promo code."""
    promo, changes = bootstrap.promo_codes().read(code)
    return answer(
        PromoCodeDetailResponse.with_changes(promo, changes),
        HTTPStatus.OK,
        version=promo.version,
    )


lambda_handler = entry_point(app, bootstrap.admission_policy, bootstrap.promo_codes)
till.cold_start.end()
