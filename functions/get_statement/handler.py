"""Get a statement."""

import till.cold_start

from http import HTTPStatus
from urllib.parse import urlencode

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response

from till import bootstrap
from till.http.app import RESOLVER, answer, entry_point, file_answer
from till.http.content import prefers_csv
from till.http.cursor import decode_number, encode_cursor
from till.http.documentation import READ, UPSTREAM, documented
from till.http.events import header
from till.http.parameters import (
    Cursor,
    PathId,
    PeriodEnd,
    PeriodStart,
)
from till.http.wire.statement import SignedStatementResponse, StatementResponse

app = APIGatewayRestResolver(**RESOLVER)


@app.get(
    "/customers/<customer_id>/credit/statement",
    summary="Get a statement",
    description="What moved the posted balance in a period: the balance before it, every entry, "
    "oldest first, and the balance after it. Ask for it a minute after `to` or later: until then a "
    "change of the period may still be under way. It is signed, so that it can be checked without "
    "Till: `tools/verify_statement.py` does so, with the keys of `/.well-known/jwks.json`. A page "
    "has up to 500 entries and is a statement of its own, signed as well; the next one continues "
    "it. With `Accept: text/csv` it is a file for a spreadsheet, which is not signed: its first "
    "row is the opening balance, its last the closing balance, and the header Link names the next "
    "page. `Accept-Language` decides on its decimal sign and separator.",
    operation_id="get_statement",
    tags=["credit"],
    responses=documented(HTTPStatus.OK, SignedStatementResponse, *READ, *UPSTREAM, also="text/csv"),
)
def get_statement(
    customer_id: PathId,
    starts_at: PeriodStart = None,
    ends_at: PeriodEnd = None,
    cursor: Cursor = None,
) -> Response[SignedStatementResponse | str]:
    """Get a statement."""
    scope = ("statement", customer_id, starts_at, ends_at)
    after = decode_number(scope, cursor)
    page = bootstrap.read_statement().page(
        customer_id, starts_at=starts_at, ends_at=ends_at, after=after
    )
    statement = StatementResponse.of(page.statement)
    next_cursor = encode_cursor(scope, page.after)
    asked = app.current_event
    if prefers_csv(header(asked.raw_event, "Accept")):
        query = {**asked.query_string_parameters, "cursor": next_cursor}
        return file_answer(
            statement.csv(header(asked.raw_event, "Accept-Language")),
            "text/csv",
            next_page=f"?{urlencode(query)}" if next_cursor else None,
        )
    return answer(
        SignedStatementResponse(
            statement=statement,
            signature=bootstrap.signer().sign(statement.signed_bytes()),
            next_cursor=next_cursor,
        ),
        HTTPStatus.OK,
    )


def prepare() -> None:
    """Make what reads and what signs."""
    bootstrap.read_statement()
    bootstrap.signer()


lambda_handler = entry_point(app, bootstrap.admission_policy, prepare)
till.cold_start.end()
