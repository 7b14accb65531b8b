"""List purchase attempts."""

import till.cold_start

from http import HTTPStatus
from uuid import UUID

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response

from till import bootstrap
from till.http.app import RESOLVER, answer, entry_point
from till.http.cursor import decode_place, encode_cursor
from till.http.documentation import READ, documented
from till.http.parameters import Cursor, Include, Limit
from till.http.purchase_parameters import OrphanFilter, StateFilter
from till.http.wire.attempts import AttemptListResponse, NamedAttemptResponse

app = APIGatewayRestResolver(**RESOLVER)


@app.get(
    "/purchase-attempts",
    summary="List purchase attempts",
    description="Newest first. Without `state`: those that are open (PENDING or UNKNOWN). With "
    "`orphan=OPEN`: the voided ones whose parcel may exist and that no person has closed yet.",
    operation_id="list_attempts",
    tags=["purchase attempts"],
    responses=documented(HTTPStatus.OK, AttemptListResponse, *READ),
)
def list_attempts(
    *,
    state: StateFilter = None,
    orphan: OrphanFilter = None,
    include: Include = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response[AttemptListResponse]:
    """List purchase attempts."""
    scope = ("attempts", state, orphan)
    before = decode_place(scope, cursor)
    page = bootstrap.read_purchases().attempts(
        state=state, orphan=orphan, before=before, limit=limit
    )
    names: dict[UUID, str] = {}
    if include is not None:
        names = bootstrap.shown_customers()(a.customer_id for a in page.attempts).names
    return answer(
        AttemptListResponse(
            items=[NamedAttemptResponse.named(attempt, names) for attempt in page.attempts],
            next_cursor=encode_cursor(scope, page.before),
        ),
        HTTPStatus.OK,
    )


lambda_handler = entry_point(app, bootstrap.admission_policy, bootstrap.read_purchases)
till.cold_start.end()
