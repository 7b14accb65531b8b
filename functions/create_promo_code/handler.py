"""Create a promo code."""

import till.cold_start

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from till import bootstrap
from till.http.admission import caller
from till.http.app import RESOLVER, answer, entry_point
from till.http.documentation import READ, documented
from till.http.wire.promo_codes import CreatePromoCodeRequest, PromoCodeResponse

app = APIGatewayRestResolver(**RESOLVER)


@app.post(
    "/promo-codes",
    status_code=201,
    summary="Create a promo code",
    description="The code is active immediately. Each restriction is optional. There is no "
    "Idempotency-Key: a code can be created once (409 `promo-code-exists`).",
    operation_id="create_promo_code",
    tags=["promo codes"],
    responses=documented(
        HTTPStatus.CREATED,
        PromoCodeResponse,
        *READ,
        HTTPStatus.CONFLICT,
        HTTPStatus.SERVICE_UNAVAILABLE,
    ),
)
def create_promo_code(
    body: Annotated[CreatePromoCodeRequest, Body()],
) -> Response[PromoCodeResponse]:
    """Create a promo code."""
    promo = bootstrap.promo_codes().create(
        body.code,
        body.terms(),
        actor=caller(app).actor,
        deadline=bootstrap.deadline(app.lambda_context),
    )
    return answer(PromoCodeResponse.of(promo), HTTPStatus.CREATED, version=promo.version)


lambda_handler = entry_point(app, bootstrap.admission_policy, bootstrap.promo_codes)
till.cold_start.end()
