"""Search everything."""

import till.cold_start

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from till import bootstrap
from till.http.app import RESOLVER, answer, entry_point
from till.http.documentation import READ, documented
from till.http.wire.search import SearchResponse
from till.http.wire.text import SearchText

app = APIGatewayRestResolver(**RESOLVER)


@app.get(
    "/search",
    summary="Search everything",
    description="Finds a purchase, an attempt or a customer by its id or by the beginning of the "
    "id (at least 8 characters), a purchase by its shipment id, a promo code, and customers by "
    "the words of their name in any order (the last one may be incomplete) or by the beginning "
    "of their e-mail address. Case, accents and Unicode forms make no difference. Customers are "
    "those who have an account or whom Till has shown before; at most 20 are returned. Full "
    "matches come first.",
    operation_id="search_everything",
    tags=["search"],
    responses=documented(HTTPStatus.OK, SearchResponse, *READ),
)
def search_everything(
    query: Annotated[SearchText, Query(description="An id, a promo code, a name or an e-mail")],
) -> Response[SearchResponse]:
    """Search everything."""
    result = bootstrap.search_everything()(query)
    return answer(SearchResponse.of(result), HTTPStatus.OK)


lambda_handler = entry_point(app, bootstrap.admission_policy, bootstrap.search_everything)
till.cold_start.end()
