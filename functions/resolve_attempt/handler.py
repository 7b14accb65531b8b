"""Resolve a purchase attempt of unknown outcome."""

import till.cold_start

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from till import bootstrap
from till.http.admission import amount_limit, caller
from till.http.app import RESOLVER, answer, entry_point
from till.http.documentation import MOVE, documented
from till.http.parameters import KeyHeader, PathId
from till.http.wire.attempt_requests import ResolveAttemptRequest
from till.http.wire.attempts import AttemptResponse

app = APIGatewayRestResolver(**RESOLVER)


@app.post(
    "/purchase-attempts/<attempt_id>/resolution",
    summary="Resolve a purchase attempt",
    description="For an attempt whose shipment outcome is unknown. `shipped` charges the held "
    "amount and creates the purchase; `not_shipped` releases it. Final. A shipment id belongs to "
    "one purchase, and the carrier's own answer, if it is noted on the attempt, cannot be "
    "contradicted.",
    operation_id="resolve_attempt",
    tags=["purchase attempts"],
    responses=documented(HTTPStatus.OK, AttemptResponse, *MOVE),
)
def resolve_attempt(
    attempt_id: PathId, body: Annotated[ResolveAttemptRequest, Body()], idempotency_key: KeyHeader
) -> Response[AttemptResponse]:
    """Resolve a purchase attempt."""
    resolved = bootstrap.resolve_attempt()(
        body.resolution_request(
            attempt_id=attempt_id,
            limit=amount_limit(app),
            actor=caller(app).actor,
            idempotency_key=idempotency_key,
        ),
        bootstrap.deadline(app.lambda_context),
    )
    return answer(AttemptResponse.of(resolved.attempt), HTTPStatus.OK, replayed=resolved.replayed)


lambda_handler = entry_point(app, bootstrap.admission_policy, bootstrap.resolve_attempt)
till.cold_start.end()
