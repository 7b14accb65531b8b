"""Serve the OpenAPI document."""

import till.cold_start

from http import HTTPStatus
from pathlib import Path

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response

from till.http.app import CACHE_HEADER, RESOLVER, public_entry_point

app = APIGatewayRestResolver(**RESOLVER)

_DOCUMENT = Path(__file__).with_name("openapi.json")


@app.get(
    "/openapi.json",
    summary="Get this document",
    description="The OpenAPI 3.1 document of the API.",
    operation_id="get_openapi",
    tags=["about"],
    responses={
        200: {
            "description": "The OpenAPI 3.1 document",
            "content": {"application/json": {"schema": {"type": "object"}}},
        }
    },
)
def get_openapi() -> Response[str]:
    """Get this document."""
    return Response(
        status_code=HTTPStatus.OK.value,
        content_type="application/json",
        headers={CACHE_HEADER: "no-cache"},
        body=_DOCUMENT.read_text(encoding="utf-8"),
    )


lambda_handler = public_entry_point(app)
till.cold_start.end()
