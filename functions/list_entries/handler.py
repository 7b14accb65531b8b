"""List ledger entries."""

import till.cold_start

from http import HTTPStatus

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response

from till import bootstrap
from till.http.admission import sees_names
from till.http.app import RESOLVER, answer, entry_point
from till.http.cursor import decode_number, encode_cursor
from till.http.documentation import READ, UPSTREAM, documented
from till.http.parameters import Cursor, Limit, PathId
from till.http.wire.credit import EntryListResponse, NamedEntryResponse

app = APIGatewayRestResolver(**RESOLVER)


@app.get(
    "/customers/<customer_id>/credit/entries",
    summary="List ledger entries",
    description="Newest first. Entries are never changed or deleted: together they are the "
    "history of the balance, chained by hash.",
    operation_id="list_entries",
    tags=["credit"],
    responses=documented(HTTPStatus.OK, EntryListResponse, *READ, *UPSTREAM),
)
def list_entries(
    customer_id: PathId, limit: Limit = 50, cursor: Cursor = None
) -> Response[EntryListResponse]:
    """List ledger entries."""
    scope = ("entries", customer_id)
    before = decode_number(scope, cursor)
    page = bootstrap.read_credit().entries(customer_id, before=before, limit=limit)
    return answer(
        EntryListResponse(
            items=[
                NamedEntryResponse.named(change.entry, names=sees_names(app))
                for change in page.changes
                if change.entry is not None
            ],
            next_cursor=encode_cursor(scope, page.before),
        ),
        HTTPStatus.OK,
    )


lambda_handler = entry_point(app, bootstrap.admission_policy, bootstrap.read_credit)
till.cold_start.end()
