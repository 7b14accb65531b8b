"""Get a balance."""

import till.cold_start

from http import HTTPStatus

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response

from till import bootstrap
from till.http.app import RESOLVER, answer, entry_point
from till.http.documentation import READ, UPSTREAM, documented
from till.http.parameters import PathId
from till.http.wire.credit import BalanceResponse

app = APIGatewayRestResolver(**RESOLVER)


@app.get(
    "/customers/<customer_id>/credit",
    summary="Get a balance",
    description="All amounts are 0 for a customer who exists and never had credit. Reading "
    "creates nothing.",
    operation_id="get_credit",
    tags=["credit"],
    responses=documented(HTTPStatus.OK, BalanceResponse, *READ, *UPSTREAM),
)
def get_credit(customer_id: PathId) -> Response[BalanceResponse]:
    """Get a balance."""
    account = bootstrap.read_credit().balance(customer_id)
    return answer(BalanceResponse.of(account), HTTPStatus.OK)


lambda_handler = entry_point(app, bootstrap.admission_policy, bootstrap.read_credit)
till.cold_start.end()
