"""The one table of the API's routes, and of who may use them.

The CDK app makes one Lambda function and one role per row, the authorizer makes each caller's
policy from it, every function checks its caller by it, the OpenAPI document gets its ``security``
from it, and tests walk over it. Standard library only: the CDK app imports it without the rest of
the layer.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """What an access token says its bearer is. One may be several."""

    CUSTOMER = "customer"
    """A customer, in their own affairs only."""
    SUPPORT = "support"
    """A customer-service rep: reads all, moves credit up to a limit, resolves attempts."""
    ADMIN = "admin"
    """Everything, without that limit, and promo codes."""
    SERVICE = "service"
    """A program of the platform: sells, and moves credit for everybody."""


BASE_PATH: Final = "v1"
"""What stands before every path: the API's stage, and the base path under a name of its own."""

PUBLIC: Final[frozenset[Role]] = frozenset()
"""No role is needed, nor any token."""

_OWN: Final = frozenset(Role)
"""Everybody; but a customer only where ``customer_id`` in the path is their own."""
_BUYERS: Final = frozenset({Role.CUSTOMER, Role.ADMIN, Role.SERVICE})
STAFF: Final = frozenset({Role.SUPPORT, Role.ADMIN})
_STAFF_AND_SERVICE: Final = STAFF | {Role.SERVICE}
_ADMIN: Final = frozenset({Role.ADMIN})


@dataclass(frozen=True, slots=True)
class Route:
    """One operation of the API.

    ``operation`` names the folder under ``functions/`` and, with dashes, the Lambda function; one
    function may answer several routes.
    ``path`` is written as API Gateway writes it: ``/customers/{customer_id}/credit``. ``roles``
    are those that may call it; one of them is enough, and if there are none anyone may. A caller
    who is a customer and nothing more sees only what lies under their own ``customer_id``.
    """

    operation: str
    method: str
    path: str
    roles: frozenset[Role]


ROUTES: tuple[Route, ...] = (
    Route("list_customers", "GET", "/customers", _STAFF_AND_SERVICE),
    Route("get_customer", "GET", "/customers/{customer_id}", _OWN),
    Route("get_product", "GET", "/products/{product_id}", _OWN),
    Route("get_credit", "GET", "/customers/{customer_id}/credit", _OWN),
    Route("grant_credit", "POST", "/customers/{customer_id}/credit/grants", _STAFF_AND_SERVICE),
    Route(
        "deduct_credit", "POST", "/customers/{customer_id}/credit/deductions", _STAFF_AND_SERVICE
    ),
    Route("list_entries", "GET", "/customers/{customer_id}/credit/entries", _OWN),
    Route("get_statement", "GET", "/customers/{customer_id}/credit/statement", _OWN),
    Route("create_purchase", "POST", "/customers/{customer_id}/purchases", _BUYERS),
    Route("list_customer_purchases", "GET", "/customers/{customer_id}/purchases", _OWN),
    Route("get_customer_purchase", "GET", "/customers/{customer_id}/purchases/{purchase_id}", _OWN),
    Route("list_purchases", "GET", "/purchases", _STAFF_AND_SERVICE),
    Route("get_purchase", "GET", "/purchases/{purchase_id}", _STAFF_AND_SERVICE),
    Route(
        "create_refund_quote",
        "POST",
        "/purchases/{purchase_id}/refund-quotes",
        _STAFF_AND_SERVICE,
    ),
    Route("refund_purchase", "POST", "/purchases/{purchase_id}/refunds", _STAFF_AND_SERVICE),
    Route("list_refunds", "GET", "/purchases/{purchase_id}/refunds", _STAFF_AND_SERVICE),
    Route("list_attempts", "GET", "/purchase-attempts", STAFF),
    Route("get_attempt", "GET", "/purchase-attempts/{attempt_id}", STAFF),
    Route("resolve_attempt", "POST", "/purchase-attempts/{attempt_id}/resolution", STAFF),
    Route("close_orphan_shipment", "POST", "/purchase-attempts/{attempt_id}/orphan-closing", STAFF),
    Route("create_quote", "POST", "/customers/{customer_id}/quotes", _BUYERS),
    Route("create_promo_code", "POST", "/promo-codes", _ADMIN),
    Route("list_promo_codes", "GET", "/promo-codes", STAFF),
    Route("get_promo_code", "GET", "/promo-codes/{code}", STAFF),
    Route("update_promo_code", "PATCH", "/promo-codes/{code}", _ADMIN),
    Route("deactivate_promo_code", "POST", "/promo-codes/{code}/deactivation", _ADMIN),
    Route("search_everything", "GET", "/search", STAFF),
    Route("get_openapi", "GET", "/openapi.json", PUBLIC),
    Route("get_signing_keys", "GET", "/.well-known/jwks.json", PUBLIC),
    Route("get_health", "GET", "/health", PUBLIC),
    Route("get_health", "HEAD", "/health", PUBLIC),
)
"""Every operation reachable over HTTP, in the order in which the documentation shows them."""

OPERATIONS: Final[tuple[str, ...]] = tuple(dict.fromkeys(route.operation for route in ROUTES))
"""The operations of the routes, each once."""

SCHEDULED_OPERATIONS: tuple[str, ...] = ("recover_attempts",)
"""Operations that no caller can reach: EventBridge runs them every minute."""

STREAM_OPERATIONS: tuple[str, ...] = ("publish_events", "watch_ledger")
"""Operations that no caller can reach either: the ledger table's stream runs them. The watcher also
follows the purchases table's, and audits every minute."""

PROBE: Final = "probe_api"
"""The operation that calls the API from outside every minute, in stages that are told to."""

AUTHORIZER: Final = "authorize_request"
"""The operation that API Gateway asks who a caller is."""


def route_at(method: str, path: str) -> Route | None:
    """The route of a method and a path as API Gateway writes it."""
    return _BY_PLACE.get((method, path))


_BY_PLACE: Final = {(route.method, route.path): route for route in ROUTES}
