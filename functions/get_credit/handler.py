"""Get a balance."""

import till.cold_start

from http import HTTPStatus

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response

from till import bootstrap
from till.http.admission import amount_limit, caller
from till.http.app import RESOLVER, answer, entry_point
from till.http.documentation import READ, UPSTREAM, documented
from till.http.parameters import AtFilter, PathId, VerificationFlag
from till.http.routes import Role
from till.http.wire.credit import CreditResponse

app = APIGatewayRestResolver(**RESOLVER)


@app.get(
    "/customers/<customer_id>/credit",
    summary="Get a balance",
    description="All amounts are 0 for a customer who exists and never had credit. Reading "
    "creates nothing. With `at`: the balance right after the last change at or before that time, "
    "held amounts included, with that change's `version` and `updated_at`; all amounts and the "
    "version are 0 if the account did not exist yet. A balance of less than a minute ago may "
    "still change: a change counts from the time at which its request was decided.",
    operation_id="get_credit",
    tags=["credit"],
    responses=documented(HTTPStatus.OK, CreditResponse, *READ, *UPSTREAM),
)
def get_credit(
    customer_id: PathId, at: AtFilter = None, *, verification: VerificationFlag = False
) -> Response[CreditResponse]:
    """Get a balance."""
    read = bootstrap.read_credit()
    account = read.balance(customer_id) if at is None else read.balance_at(customer_id, at)
    verified = bootstrap.read_verification()(customer_id) if verification else None
    # A customer may change nothing, and has no limit to know.
    limit = amount_limit(app) if Role.SUPPORT in caller(app).roles else None
    return answer(CreditResponse.seen_by(account, verified, limit=limit), HTTPStatus.OK)


lambda_handler = entry_point(app, bootstrap.admission_policy, bootstrap.read_credit)
till.cold_start.end()
