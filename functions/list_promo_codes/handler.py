"""List promo codes."""

import till.cold_start

from http import HTTPStatus

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response

from till import bootstrap
from till.http.app import RESOLVER, answer, entry_point
from till.http.cursor import decode_place, encode_cursor
from till.http.documentation import READ, documented
from till.http.parameters import Cursor, Limit
from till.http.promo_parameters import PromoStateFilter
from till.http.wire.promo_codes import PromoCodeListResponse, PromoCodeResponse

app = APIGatewayRestResolver(**RESOLVER)


@app.get(
    "/promo-codes",
    summary="List promo codes",
    description="Newest first.",
    operation_id="list_promo_codes",
    tags=["promo codes"],
    responses=documented(HTTPStatus.OK, PromoCodeListResponse, *READ),
)
def list_promo_codes(
    state: PromoStateFilter = None, limit: Limit = 50, cursor: Cursor = None
) -> Response[PromoCodeListResponse]:
    """List promo codes."""
    scope = ("promo-codes", state)
    before = decode_place(scope, cursor)
    page = bootstrap.promo_codes().list(state=state, before=before, limit=limit)
    return answer(
        PromoCodeListResponse(
            items=[PromoCodeResponse.of(promo) for promo in page.promos],
            next_cursor=encode_cursor(scope, page.before),
        ),
        HTTPStatus.OK,
    )


lambda_handler = entry_point(app, bootstrap.admission_policy, bootstrap.promo_codes)
till.cold_start.end()
