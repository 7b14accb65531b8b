"""Examples for the OpenAPI document: what one sends to each operation, and what it answers.

They tell one story: the customer Chiara buys two notebooks, and the rep Rita refunds a part.
Every example is checked against its schema by ``tests/infra/test_openapi.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
JsonObject: TypeAlias = "dict[str, Json]"

_CUSTOMER: Final = "c0000000-0000-4000-8000-000000000003"
_PRODUCT: Final = "d0000000-0000-4000-8000-000000000003"
_PURCHASE: Final = "85cdc38b-2877-53de-82e1-d549e707e92a"
_ATTEMPT: Final = "0b0a6a2e-3c58-5f5e-9a53-7d7a3f7f1a11"
_REFUND: Final = "5b11d82e-9bbb-57ab-b229-2239171c6c57"
_ENTRY: Final = "1e69c7af-f5cd-5846-9caa-4f5f048208e6"
_SHIPMENT: Final = "shp_59904714caa2412e9f0bffca822e409d"
_BOUGHT_AT: Final = "2026-11-22T17:36:19.610487Z"
_REFUNDED_AT: Final = "2026-11-22T17:36:26.494081Z"
_CURSOR: Final = "WzQsImE3NGIwMmU3Y2NiZTQ3YWQiXQ"

_ADDRESS: Final[JsonObject] = {
    "line1": "905 Mesa Verde Drive",
    "line2": None,
    "city": "Santa Fe",
    "postal_code": "87501",
    "state": "NM",
    "country": "US",
}
_SNAPSHOT: Final[JsonObject] = {
    "id": _PRODUCT,
    "sku": "NTB-A5-DOT",
    "name": "Notebook, A5",
    "description": "192 dotted pages, lies flat when open.",
    "unit_price": 1250,
}
_BALANCE: Final[JsonObject] = {
    "customer_id": _CUSTOMER,
    "currency": "USD",
    "posted": 4000,
    "held": 0,
    "available": 4000,
    "version": 1,
    "updated_at": "2026-11-22T17:36:15.122328Z",
}
_FIRST_ENTRY: Final[JsonObject] = {
    "id": "6f7d3a52-9a63-5d0c-8a2f-4c6a2f5f7b10",
    "customer_id": _CUSTOMER,
    "sequence": 1,
    "kind": "GRANT",
    "amount": 4000,
    "currency": "USD",
    "balance_after": 4000,
    "reason": "Welcome",
    "actor": "rita",
    "purchase_id": None,
    "refund_id": None,
    "idempotency_key": "3f1c8a52-6c1e-4a3e-9c0b-2a7d6f5e4b31",
    "previous_hash": "0" * 64,
    "hash": "4cd60c20af4c876bc5340fdfea8b364eac0c36cfa7e6e934661e0f626b13221f",
    "created_at": "2026-11-22T17:36:15.122328Z",
}
_BY_RITA: Final[JsonObject] = {"actor_name": "Rita Sorensen"}
_REFUND_ENTRY: Final[JsonObject] = {
    **_FIRST_ENTRY,
    "id": _ENTRY,
    "sequence": 3,
    "kind": "REFUND",
    "amount": 1000,
    "balance_after": 2500,
    "reason": "Scratched",
    "purchase_id": _PURCHASE,
    "refund_id": _REFUND,
    "idempotency_key": "first-refund",
    "previous_hash": "4cd60c20af4c876bc5340fdfea8b364eac0c36cfa7e6e934661e0f626b13221f",
    "hash": "bd8ad8f7cb161ee7d0fc53292b4b6bf9a6a2333f8c302372208bd6fe904b0273",
    "created_at": _REFUNDED_AT,
}
_PURCHASED: Final[JsonObject] = {
    "id": _PURCHASE,
    "customer_id": _CUSTOMER,
    "product": _SNAPSHOT,
    "quantity": 2,
    "subtotal": 2500,
    "discount": 0,
    "total": 2500,
    "refunded": 0,
    "refundable": 2500,
    "currency": "USD",
    "promo_code": None,
    "promo_discount": None,
    "refunded_quantity": 0,
    "refundable_quantity": 2,
    "shipment_id": _SHIPMENT,
    "shipping_address": _ADDRESS,
    "status": "COMPLETED",
    "created_at": _BOUGHT_AT,
    "created_by": "chiara",
    "created_by_name": None,
}
_REFUNDED: Final[JsonObject] = {
    "id": _REFUND,
    "purchase_id": _PURCHASE,
    "customer_id": _CUSTOMER,
    "amount": 1000,
    "quantity": None,
    "currency": "USD",
    "reason": "Scratched",
    "created_at": _REFUNDED_AT,
    "created_by": "rita",
    "created_by_name": "Rita Sorensen",
    "refunded": 1000,
    "refundable": 1500,
    "balance_after": 2500,
    "entry_sequence": 3,
}
_PURCHASE_AFTER_REFUND: Final[JsonObject] = {
    **_PURCHASED,
    "refunded": 1000,
    "refundable": 1500,
    "refundable_quantity": 1,
    "status": "PARTIALLY_REFUNDED",
}
_DETAIL: Final[JsonObject] = {**_PURCHASE_AFTER_REFUND, "refunds": [_REFUNDED]}
_UNKNOWN_ATTEMPT: Final[JsonObject] = {
    "id": _ATTEMPT,
    "customer_id": _CUSTOMER,
    "state": "UNKNOWN",
    "product": _SNAPSHOT,
    "quantity": 2,
    "subtotal": 2500,
    "discount": 0,
    "total": 2500,
    "currency": "USD",
    "promo_code": None,
    "shipping_address": _ADDRESS,
    "created_at": _BOUGHT_AT,
    "created_by": "chiara",
    "created_by_name": None,
    "expires_at": "2026-11-22T17:37:19.610487Z",
    "unknown_since": "2026-11-22T17:36:29.610487Z",
    "deadline_at": "2026-11-23T17:36:29.610487Z",
    "settled_at": None,
    "carrier": {
        "outcome": "unknown",
        "message": "The carrier did not answer in time.",
        "shipment_id": None,
        "answered_at": "2026-11-22T17:36:29.610487Z",
    },
    "resolution": None,
    "orphan": None,
    "purchase_id": None,
    "shipment_id": None,
}
_RESOLVED_ATTEMPT: Final[JsonObject] = {
    **_UNKNOWN_ATTEMPT,
    "state": "COMPLETED",
    "settled_at": "2026-11-22T18:02:41.120934Z",
    "resolution": {
        "actor": "rita",
        "actor_name": "Rita Sorensen",
        "reason": "The carrier's portal shows the parcel",
    },
    "purchase_id": _PURCHASE,
    "shipment_id": _SHIPMENT,
}
_CLOSED_ORPHAN: Final[JsonObject] = {
    **_UNKNOWN_ATTEMPT,
    "state": "VOIDED",
    "settled_at": "2026-11-23T17:36:41.120934Z",
    "resolution": {
        "actor": "system:recovery",
        "actor_name": None,
        "reason": "Not resolved in time",
    },
    "orphan": {
        "status": "CLOSED",
        "since": "2026-11-23T17:36:41.120934Z",
        "shipment_id": None,
        "closing": {
            "outcome": "NOT_REAL",
            "reason": "The carrier has searched, and there is no parcel",
            "closed_at": "2026-11-24T09:05:12.000000Z",
            "closed_by": "rita",
            "closed_by_name": "Rita Sorensen",
        },
        "earlier_closings": [],
    },
}
_PERCENTAGE: Final[JsonObject] = {"type": "percentage", "percent": 10, "max_amount": 2000}
_TERMS: Final[JsonObject] = {
    "discount": _PERCENTAGE,
    "valid_from": "2026-11-01T00:00:00Z",
    "valid_until": "2027-01-01T00:00:00Z",
    "max_redemptions": 1000,
    "max_redemptions_per_customer": 1,
    "minimum_subtotal": 2000,
    "product_ids": [_PRODUCT],
    "customer_ids": None,
    "first_purchase_only": True,
}
_PROMO: Final[JsonObject] = {
    "code": "AUTUMN-10",
    "version": 1,
    "state": "ACTIVE",
    **_TERMS,
    "currency": "USD",
    "redemptions": 0,
    "created_at": "2026-10-20T09:12:44.000000Z",
    "created_by": "amir",
    "created_by_name": "Amir Haddad",
    "updated_at": "2026-10-20T09:12:44.000000Z",
    "updated_by": "amir",
    "updated_by_name": "Amir Haddad",
}
_PRODUCT_SHOWN: Final[JsonObject] = {
    **_SNAPSHOT,
    "currency": "USD",
    "created_at": "2026-01-05T08:00:00Z",
    "last_modified_at": "2026-06-30T14:20:00Z",
    "stale": False,
}


def _page(*items: JsonObject, next_cursor: str | None = None) -> JsonObject:
    return {"items": [*items], "next_cursor": next_cursor}


REQUESTS: Final[Mapping[str, Mapping[str, JsonObject]]] = {
    "grant_credit": {"A grant": {"amount": 4000, "reason": "Welcome"}},
    "deduct_credit": {"A deduction": {"amount": 500, "reason": "Granted by mistake"}},
    "create_purchase": {
        "Two units": {"product_id": _PRODUCT, "quantity": 2},
        "At a price that was shown, with a promo code": {
            "product_id": _PRODUCT,
            "quantity": 2,
            "expected_total": 2250,
            "promo_code": "AUTUMN-10",
        },
    },
    "create_quote": {
        "Two units": {"product_id": _PRODUCT, "quantity": 2},
        "With a promo code": {
            "product_id": _PRODUCT,
            "quantity": 2,
            "expected_total": 2250,
            "promo_code": "AUTUMN-10",
        },
    },
    "refund_purchase": {
        "An amount": {"amount": 1000, "reason": "Scratched"},
        "One unit": {"quantity": 1, "reason": "One of two came back"},
        "All that is left": {"reason": "Never arrived"},
    },
    "create_refund_quote": {
        "An amount": {"amount": 1000},
        "One unit": {"quantity": 1},
        "All that is left": {},
    },
    "resolve_attempt": {
        "It was shipped": {
            "outcome": "shipped",
            "shipment_id": _SHIPMENT,
            "reason": "The carrier's portal shows the parcel",
        },
        "It was not shipped": {
            "outcome": "not_shipped",
            "reason": "The carrier has no such parcel",
        },
    },
    "close_orphan_shipment": {
        "There was no parcel": {
            "outcome": "NOT_REAL",
            "reason": "The carrier has searched, and there is no parcel",
        },
    },
    "create_promo_code": {
        "A percentage with every restriction": {
            "code": "AUTUMN-10",
            **_TERMS,
            "customer_ids": [_CUSTOMER],
        },
        "A fixed amount for everyone": {
            "code": "WELCOME-5",
            "discount": {"type": "fixed", "amount": 500},
        },
    },
    "update_promo_code": {
        "More redemptions, and no end": {"max_redemptions": 2000, "valid_until": None},
        "Another discount": {"discount": {"type": "fixed", "amount": 500}},
        "Every term": {**_TERMS, "customer_ids": [_CUSTOMER]},
    },
}
"""For each operation with a body: a title, and a body."""

RESPONSES: Final[Mapping[str, JsonObject]] = {
    "list_customers": _page(
        {
            "id": _CUSTOMER,
            "name": "Chiara Conti",
            "email": "chiara@example.com",
            "opened_at": "2026-11-22T17:36:15.122328Z",
        }
    ),
    "get_customer": {
        "id": _CUSTOMER,
        "name": "Chiara Conti",
        "email": "chiara@example.com",
        "billing_address": _ADDRESS,
        "shipping_address": _ADDRESS,
        "created_at": "2026-01-05T08:00:00Z",
        "last_modified_at": "2026-06-30T14:20:00Z",
        "stale": False,
    },
    "search_everything": {
        "items": [
            {
                "kind": "customer",
                "id": _CUSTOMER,
                "purchase_id": None,
                "customer_id": _CUSTOMER,
                "name": "Chiara Conti",
                "email": "chiara@example.com",
                "status": None,
                "total": None,
                "currency": None,
                "created_at": "2026-01-05T08:00:00Z",
            }
        ],
        "more_customers": False,
        "customers_unavailable": False,
    },
    "get_product": _PRODUCT_SHOWN,
    "get_credit": {
        **_BALANCE,
        "adjustment_limit": 50000,
        "verification": {
            "version": 1,
            "verified_at": "2026-11-22T17:36:16.000000Z",
            "findings": 0,
        },
    },
    "grant_credit": {"entry": {**_FIRST_ENTRY, **_BY_RITA}, "balance": _BALANCE},
    "deduct_credit": {
        "entry": {
            **_FIRST_ENTRY,
            **_BY_RITA,
            "sequence": 2,
            "kind": "DEDUCTION",
            "amount": -500,
            "balance_after": 3500,
            "reason": "Granted by mistake",
        },
        "balance": {**_BALANCE, "posted": 3500, "available": 3500, "version": 2},
    },
    "list_entries": _page({**_REFUND_ENTRY, **_BY_RITA}, next_cursor=_CURSOR),
    "get_statement": {
        "statement": {
            "customer_id": _CUSTOMER,
            "currency": "USD",
            "starts_at": "2026-11-22T17:36:20.000000Z",
            "ends_at": None,
            "issued_at": "2026-11-22T17:40:00.000000Z",
            "is_first_page": True,
            "is_last_page": True,
            "opening": {
                "sequence": 2,
                "balance": 1500,
                "hash": _REFUND_ENTRY["previous_hash"],
            },
            "entries": [_REFUND_ENTRY],
            "closing": {"sequence": 3, "balance": 2500, "hash": _REFUND_ENTRY["hash"]},
        },
        "signature": "eyJhbGciOiJFUzI1NiIsImtpZCI6IjM1Y2Q4YjE2In0.."
        "RDl0Y3fD5yJZ0N1gY1oPp4a0Xb6s1l1hVb0g6r3Jr7m8qk4o7yK6q3nA5m9cZB2VbW1Q0sUuJt8YfHc3x2kPzQ",
        "next_cursor": None,
    },
    "get_signing_keys": {
        "keys": [
            {
                "kty": "EC",
                "crv": "P-256",
                "alg": "ES256",
                "use": "sig",
                "kid": "35cd8b16",
                "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
                "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
            }
        ]
    },
    "create_purchase": _PURCHASED,
    "list_customer_purchases": _page(_PURCHASE_AFTER_REFUND),
    "get_customer_purchase": _DETAIL,
    "list_purchases": _page({**_PURCHASE_AFTER_REFUND, "customer_name": "Chiara Conti"}),
    "get_purchase": _DETAIL,
    "create_refund_quote": {
        "purchase_id": _PURCHASE,
        "customer_id": _CUSTOMER,
        "amount": 1000,
        "quantity": None,
        "currency": "USD",
        "refunded_after": 1000,
        "refundable_after": 1500,
        "balance_before": 1500,
        "balance_after": 2500,
        "would_succeed": True,
        "problem": None,
    },
    "refund_purchase": _REFUNDED,
    "list_refunds": _page(_REFUNDED),
    "list_attempts": _page({**_UNKNOWN_ATTEMPT, "customer_name": "Chiara Conti"}),
    "get_attempt": _UNKNOWN_ATTEMPT,
    "resolve_attempt": _RESOLVED_ATTEMPT,
    "close_orphan_shipment": _CLOSED_ORPHAN,
    "create_quote": {
        "customer_id": _CUSTOMER,
        "product": _SNAPSHOT,
        "quantity": 2,
        "subtotal": 2500,
        "discount": 250,
        "total": 2250,
        "currency": "USD",
        "promo_code": "AUTUMN-10",
        "available": 4000,
        "would_succeed": True,
        "problem": None,
    },
    "create_promo_code": _PROMO,
    "list_promo_codes": _page(_PROMO),
    "get_promo_code": {
        **_PROMO,
        "changes": [
            {
                "version": 1,
                "action": "CREATED",
                "actor": "amir",
                "actor_name": "Amir Haddad",
                "at": "2026-10-20T09:12:44.000000Z",
                "terms": _TERMS,
            }
        ],
    },
    "update_promo_code": {
        **_PROMO,
        "version": 2,
        "max_redemptions": 2000,
        "valid_until": None,
        "updated_at": "2026-11-02T10:00:00.000000Z",
    },
    "deactivate_promo_code": {
        **_PROMO,
        "version": 3,
        "state": "DEACTIVATED",
        "updated_at": "2026-12-01T10:00:00.000000Z",
    },
    "get_health": {"status": "ok"},
}
"""For each operation with a model: what it answers when it succeeds."""
