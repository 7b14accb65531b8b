"""Change a promo code."""

import till.cold_start

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from till import bootstrap
from till.http.admission import caller
from till.http.app import RESOLVER, answer, entry_point
from till.http.documentation import READ, documented
from till.http.parameters import IfMatch
from till.http.preconditions import expected_versions
from till.http.promo_parameters import PathCode
from till.http.wire.promo_codes import PromoCodeResponse, UpdatePromoCodeRequest

app = APIGatewayRestResolver(**RESOLVER)


@app.patch(
    "/promo-codes/<code>",
    summary="Change a promo code",
    description="Fields that are left out stay as they are; null removes a restriction; "
    "`discount` is replaced as a whole. Purchases made under earlier terms keep "
    "them. Requires `If-Match`.",
    operation_id="update_promo_code",
    tags=["promo codes"],
    responses=documented(
        HTTPStatus.OK,
        PromoCodeResponse,
        *READ,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.CONFLICT,
        HTTPStatus.PRECONDITION_FAILED,
        HTTPStatus.PRECONDITION_REQUIRED,
        HTTPStatus.SERVICE_UNAVAILABLE,
    ),
)
def update_promo_code(
    code: PathCode, body: Annotated[UpdatePromoCodeRequest, Body()], if_match: IfMatch = None
) -> Response[PromoCodeResponse]:
    """Change a promo code."""
    versions = expected_versions(if_match)
    promo = bootstrap.promo_codes().change(
        code,
        body.change,
        versions=versions,
        actor=caller(app).actor,
        deadline=bootstrap.deadline(app.lambda_context),
    )
    return answer(PromoCodeResponse.of(promo), HTTPStatus.OK, version=promo.version)


lambda_handler = entry_point(app, bootstrap.admission_policy, bootstrap.promo_codes)
till.cold_start.end()
