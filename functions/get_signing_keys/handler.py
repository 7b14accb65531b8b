"""Get the keys that sign statements."""

import till.cold_start

from http import HTTPStatus

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response

from till import bootstrap
from till.http.app import RESOLVER, answer, public_entry_point
from till.http.documentation import documented
from till.http.wire.signing_keys import JsonWebKeyResponse, JsonWebKeySetResponse

app = APIGatewayRestResolver(**RESOLVER)


@app.get(
    "/.well-known/jwks.json",
    summary="Get the keys that sign statements",
    description="The public keys (RFC 7517) by which a statement's signature is checked. Keep a "
    "copy: who keeps one need not trust a later answer.",
    operation_id="get_signing_keys",
    tags=["about"],
    responses=documented(HTTPStatus.OK, JsonWebKeySetResponse, HTTPStatus.SERVICE_UNAVAILABLE),
)
def get_signing_keys() -> Response[JsonWebKeySetResponse]:
    """Get the keys that sign statements."""
    key = bootstrap.signer().public_key()
    return answer(JsonWebKeySetResponse(keys=[JsonWebKeyResponse.of(key)]), HTTPStatus.OK)


lambda_handler = public_entry_point(app)
till.cold_start.end()
