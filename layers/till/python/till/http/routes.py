"""The one table of the API's routes.

The CDK app makes one Lambda function and one role per row, the OpenAPI check compares the
generated document with it, and tests walk over it. Standard library only: the CDK app imports
it without the rest of the layer.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Route:
    """One operation of the API.

    ``operation`` names the folder under ``functions/`` and, with dashes, the Lambda function.
    ``path`` is written as API Gateway writes it: ``/customers/{customer_id}/credit``.
    """

    operation: str
    method: str
    path: str


ROUTES: tuple[Route, ...] = (
    Route("get_customer", "GET", "/customers/{customer_id}"),
    Route("get_product", "GET", "/products/{product_id}"),
    Route("get_credit", "GET", "/customers/{customer_id}/credit"),
    Route("grant_credit", "POST", "/customers/{customer_id}/credit/grants"),
    Route("deduct_credit", "POST", "/customers/{customer_id}/credit/deductions"),
    Route("list_entries", "GET", "/customers/{customer_id}/credit/entries"),
    Route("create_purchase", "POST", "/customers/{customer_id}/purchases"),
    Route("list_customer_purchases", "GET", "/customers/{customer_id}/purchases"),
    Route("get_customer_purchase", "GET", "/customers/{customer_id}/purchases/{purchase_id}"),
    Route("list_purchases", "GET", "/purchases"),
    Route("get_purchase", "GET", "/purchases/{purchase_id}"),
    Route("refund_purchase", "POST", "/purchases/{purchase_id}/refunds"),
    Route("list_refunds", "GET", "/purchases/{purchase_id}/refunds"),
    Route("list_attempts", "GET", "/purchase-attempts"),
    Route("get_attempt", "GET", "/purchase-attempts/{attempt_id}"),
    Route("resolve_attempt", "POST", "/purchase-attempts/{attempt_id}/resolution"),
    Route("create_quote", "POST", "/customers/{customer_id}/quotes"),
    Route("create_promo_code", "POST", "/promo-codes"),
    Route("list_promo_codes", "GET", "/promo-codes"),
    Route("get_promo_code", "GET", "/promo-codes/{code}"),
    Route("update_promo_code", "PATCH", "/promo-codes/{code}"),
    Route("deactivate_promo_code", "POST", "/promo-codes/{code}/deactivation"),
    Route("get_openapi", "GET", "/openapi.json"),
    Route("get_health", "GET", "/health"),
)
"""Every operation reachable over HTTP, in the order in which the documentation shows them."""

SCHEDULED_OPERATIONS: tuple[str, ...] = ("recover_attempts",)
"""Operations that no caller can reach: EventBridge runs them every minute."""
