"""Deduct credit."""

import till.cold_start

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from till import bootstrap
from till.http.admission import amount_limit, caller
from till.http.app import RESOLVER, answer, entry_point
from till.http.documentation import MOVE, UPSTREAM, documented
from till.http.parameters import KeyHeader, PathId
from till.http.wire.credit import CreditChangeResponse
from till.http.wire.credit_requests import DeductCreditRequest

app = APIGatewayRestResolver(**RESOLVER)


@app.post(
    "/customers/<customer_id>/credit/deductions",
    status_code=201,
    summary="Deduct credit",
    description="Takes from a customer's balance, at most what is available (409 "
    "`insufficient-credit`). Returns the ledger entry and the balance right after "
    "it. A rep can deduct up to their limit (403 `amount-above-limit`).",
    operation_id="deduct_credit",
    tags=["credit"],
    responses=documented(HTTPStatus.CREATED, CreditChangeResponse, *MOVE, *UPSTREAM),
)
def deduct_credit(
    customer_id: PathId, body: Annotated[DeductCreditRequest, Body()], idempotency_key: KeyHeader
) -> Response[CreditChangeResponse]:
    """Deduct credit."""
    adjusted = bootstrap.adjust_credit().deduct(
        body.adjustment(
            customer_id=customer_id,
            actor=caller(app).actor,
            limit=amount_limit(app),
            idempotency_key=idempotency_key,
        ),
        bootstrap.deadline(app.lambda_context),
    )
    return answer(
        CreditChangeResponse.of(adjusted.change), HTTPStatus.CREATED, replayed=adjusted.replayed
    )


lambda_handler = entry_point(app, bootstrap.admission_policy, bootstrap.adjust_credit)
till.cold_start.end()
