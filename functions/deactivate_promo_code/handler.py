"""Deactivate a promo code."""

import till.cold_start

from http import HTTPStatus

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response

from till import bootstrap
from till.http.admission import caller
from till.http.app import RESOLVER, answer, entry_point
from till.http.documentation import READ, documented
from till.http.promo_parameters import PathCode
from till.http.wire.promo_codes import PromoCodeResponse

app = APIGatewayRestResolver(**RESOLVER)


@app.post(
    "/promo-codes/<code>/deactivation",
    summary="Deactivate a promo code",
    description="Permanent. Purchases in progress keep the code. Deactivating it again changes "
    "nothing.",
    operation_id="deactivate_promo_code",
    tags=["promo codes"],
    responses=documented(
        HTTPStatus.OK,
        PromoCodeResponse,
        *READ,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.SERVICE_UNAVAILABLE,
    ),
)
def deactivate_promo_code(code: PathCode) -> Response[PromoCodeResponse]:
    """Deactivate a promo code."""
    promo = bootstrap.promo_codes().deactivate(
        code, actor=caller(app).actor, deadline=bootstrap.deadline(app.lambda_context)
    )
    return answer(PromoCodeResponse.of(promo), HTTPStatus.OK, version=promo.version)


lambda_handler = entry_point(app, bootstrap.admission_policy, bootstrap.promo_codes)
till.cold_start.end()
