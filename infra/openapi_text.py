"""What the OpenAPI document says in words, apart from each operation's own description.

A property is described by its name: one name has one meaning in the whole API. Where a model
describes a property itself, that stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

DESCRIPTION: Final = """\
Till sells products for customer credit and keeps the ledger of that credit.

**Money** is an integer of minor units (cents) next to an ISO 4217 currency.

**Access.** Send `Authorization: Bearer <access token>`. The `security` of an operation lists the
roles that may call it; one of them is enough. A customer may call an operation only with their own
`customer_id`, and gets 404 for any other.

**Idempotency.** The operations that move money (grant, deduction, purchase, refund, resolution of
an attempt) and the closing of an orphan shipment require an `Idempotency-Key`. The same key with
the same body takes effect once, permanently: sending it again returns the first answer, with
`Idempotency-Replayed: true`. The same key with another body is refused with 422. After a timeout, a
lost connection, a 429, or a 5xx, send the same request with the same key. The key is compared as it
is, quotes included: `abc` and `"abc"` (the form of the IETF draft) are two keys.

**Problems.** Every refusal is an `application/problem+json` document (RFC 9457). Tell problems
apart by `type`; ignore members that you do not know. `correlation_id` names the request in Till's
log; a request may choose it with `X-Correlation-Id`.

**Lists** are paged: send `next_cursor` as `cursor` to get the next page, until it is null. A cursor
belongs to one list with its filters.

**Input** is strict: numbers are JSON integers, unknown fields and parameters are refused, and null
is refused unless a field says what it means. Bodies are JSON in UTF-8, at most 16 KiB.
"""

SERVER: Final = "The stage, on the host that serves this document"

TAGS: Final[Mapping[str, str]] = {
    "catalogue": "Customers and products as their own APIs have them, to be shown",
    "credit": "Balances and the ledger",
    "purchases": "Quotes and purchases",
    "refunds": "Refunds and their quotes",
    "purchase attempts": "Purchases in progress, above all those of unknown outcome",
    "promo codes": "Codes that take something off a purchase",
    "search": "One search for everything",
    "about": "The API itself",
}

PROBLEMS: Final[Mapping[HTTPStatus, str]] = {
    HTTPStatus.BAD_REQUEST: "The request is not valid: `errors` lists the fields",
    HTTPStatus.UNAUTHORIZED: "The access token is missing, expired or not from the issuer",
    HTTPStatus.FORBIDDEN: "The caller's roles do not allow this, or not this amount",
    HTTPStatus.NOT_FOUND: "There is no such customer, product, purchase, attempt or promo code",
    HTTPStatus.CONFLICT: "The request does not fit the present state: `type` says why",
    HTTPStatus.PRECONDITION_FAILED: "The version in If-Match is not the current one",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body is larger than 16 KiB",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "The body is not `application/json`, or is encoded",
    HTTPStatus.UNPROCESSABLE_ENTITY: (
        "The Idempotency-Key was used for another request, or the promo code cannot be used"
    ),
    HTTPStatus.PRECONDITION_REQUIRED: "If-Match is missing",
    HTTPStatus.TOO_MANY_REQUESTS: "Too many requests: wait as long as Retry-After says",
    HTTPStatus.INTERNAL_SERVER_ERROR: "Till failed. A write with its Idempotency-Key can be sent "
    "again: it takes effect at most once",
    HTTPStatus.BAD_GATEWAY: "An external API failed or made no sense, and nothing was charged; or "
    "a function ended without an answer (`internal-error`), and a write with its Idempotency-Key "
    "can be sent again",
    HTTPStatus.SERVICE_UNAVAILABLE: "Not possible at the moment: wait as long as Retry-After says",
    HTTPStatus.GATEWAY_TIMEOUT: "There was no answer in time, or the outcome of a shipment is "
    "unknown (`shipment-outcome-unknown`): the amount is held until the attempt is resolved",
}
"""What each status of a problem means."""

SUCCESS: Final[Mapping[HTTPStatus, str]] = {
    HTTPStatus.OK: "Done",
    HTTPStatus.CREATED: "Created",
}

PARAMETERS: Final[Mapping[str, str]] = {
    "customer_id": "The customer's id in the Customer API",
    "product_id": "The product's id in the Product API",
    "purchase_id": "The purchase's id",
    "attempt_id": "The purchase attempt's id",
    "code": "The promo code; upper and lower case are the same code",
}

HEADERS: Final[Mapping[str, str]] = {
    "X-Correlation-Id": "Names the request in Till's log: the request's own X-Correlation-Id, or "
    "one that Till made",
    "Cache-Control": "no-store, or no-cache for this document",
    "ETag": "The version of the promo code; send it as If-Match to change that version",
    "Link": "Of CSV alone: the next page, with rel=next",
    "Age": "Seconds since this was read from the external API",
    "Retry-After": "Seconds to wait before the same request is sent again",
    "Idempotency-Replayed": "true: this key already had its effect, and this is its first answer",
    "WWW-Authenticate": "Bearer",
    "Accept": "The media type that a body may have",
    "Accept-Encoding": "identity: a body must not be encoded",
}

PROPERTIES: Final[Mapping[str, str]] = {
    "action": "What was done to the code",
    "actor": "Who did it: the subject of their access token, or the name of the system's part",
    "amount": "In minor units",
    "answered_at": "When the answer came, or was given up",
    "at": "When",
    "attempt_id": "The purchase attempt that this is about",
    "available": "What can be spent: posted less held, in minor units",
    "balance": "The balance right after the entry",
    "billing_address": "Where invoices go",
    "carrier": "What the carrier answered; null while there is no answer",
    "carrier_outcome": "What the carrier answered: shipped or not_shipped",
    "changes": "The versions of the code, oldest first; at most the newest 100",
    "city": "The city",
    "closed_at": "When it was closed",
    "closed_by": "Who closed it: the subject of their access token",
    "closing": "What became of it; null while it is open",
    "code": "The code, in upper case",
    "country": "The country, as the Customer API has it",
    "created_at": "When it was created",
    "created_by": "Who created it: the subject of their access token",
    "currency": "ISO 4217",
    "customer_id": "The customer",
    "customer_ids": "Only these customers may use the code; null: everyone",
    "description": "As the Product API has it",
    "detail": "What happened and what to do, for people",
    "discount": "What was taken off, in minor units",
    "email": "The e-mail address",
    "entry": "The ledger entry that was made",
    "errors": "Each field that is wrong",
    "expected_total": "The highest total that the buyer agrees to, in minor units. A higher total "
    "is refused with 409, a lower one is charged. Left out, any total is charged",
    "expected_amount": "The amount that the refund must come to, in minor units. Any other is "
    "refused with 409, for example after another refund. Left out, any amount is refunded",
    "field": "The field or parameter, by its path from the root of the body",
    "first_purchase_only": "Only for a customer's first purchase",
    "held": "Reserved for purchases in progress, in minor units",
    "id": "The id",
    "idempotency_key": "The key of the request that made the entry",
    "items": "The items of this page",
    "kind": "What moved the credit",
    "last_modified_at": "When the external API last changed it",
    "limit": "The most that the caller may move in one operation, in minor units",
    "line1": "Street and number",
    "line2": "More of the address",
    "max_amount": "The most that is taken off, in minor units; null: no maximum",
    "max_redemptions": "How often the code can be used; null: without limit",
    "max_redemptions_per_customer": "How often one customer can use it; null: without limit",
    "message": "What is wrong, or what was said",
    "minimum_subtotal": "The least subtotal that the code is for, in minor units; null: any",
    "name": "The name",
    "needed": "What the purchase or deduction needs, in minor units",
    "next_cursor": "Send it as cursor to get the next page; null at the end of the list",
    "outcome": "Whether the shipment was made",
    "parcel_possible": "Whether a parcel may have been sent although nothing was bought: do not "
    "buy it again then",
    "percent": "Percent of the subtotal",
    "postal_code": "The postal code",
    "posted": "The balance of the ledger, in minor units",
    "previous_hash": "The hash of the entry before; 64 zeros for the first one",
    "problem": "What the request would be refused with",
    "product": "The product as it was when it was sold",
    "product_id": "The product",
    "product_ids": "Only these products; null: every product",
    "promo_code": "The promo code that is used",
    "purchase_id": "The purchase",
    "quantity": "How many units",
    "reason": "Why, as a person or the system gave it",
    "refund_id": "The refund that made the entry",
    "refundable": "What can still be refunded, in minor units",
    "refundable_quantity": "How many units can still be refunded: the money that is left is enough "
    "for them",
    "refunded": "What was refunded so far, in minor units",
    "refunds": "The refunds, oldest first; at most the newest 100",
    "resolution": "Who or what resolved an attempt of unknown outcome, and why",
    "restriction": "Why the promo code cannot be used",
    "shipment_id": "The carrier's id of the shipment",
    "shipping_address": "Where it is shipped, as it was then",
    "since": "When the attempt was voided",
    "sku": "The stock keeping unit, as the Product API has it",
    "state": "The state",
    "status": "The status",
    "subtotal": "Unit price times quantity, in minor units",
    "terms": "The terms from this version on",
    "title": "What kind of problem it is, for people",
    "total": "What is charged: subtotal less discount, in minor units",
    "type": "The kind",
    "unit_price": "The price of one unit, in minor units",
    "unknown_since": "When the outcome became unknown",
    "updated_at": "When it last changed",
    "updated_by": "Who last changed it: the subject of their access token",
    "valid_from": "Valid from this instant on; null: from the beginning",
    "valid_until": "Valid before this instant; null: without end",
    "version": "The version",
    "would_succeed": "Whether the request would go through now",
}

OF_A_MODEL: Final[Mapping[tuple[str, str], str]] = {
    ("AddressResponse", "state"): "The state or province",
    ("OrphanClosingResponse", "outcome"): "RECALLED: the parcel was called back. WRITTEN_OFF: the "
    "customer keeps it. NOT_REAL: no parcel was sent",
    ("OrphanShipmentResponse", "status"): "OPEN until a person closes it",
    ("AttemptResponse", "state"): "PENDING and UNKNOWN hold the total; the others are final",
    ("CustomerResponse", "shipping_address"): "Where purchases are shipped",
    ("ProblemResponse", "state"): "The state that the attempt is in",
    ("ProblemResponse", "shipment_id"): "The shipment id that the carrier told",
    ("ProblemResponse", "purchase_id"): "The purchase that the shipment id belongs to",
    ("ProblemResponse", "amount"): "What was to be moved, in minor units",
    ("ProblemResponse", "status"): "The HTTP status",
    ("ProblemResponse", "version"): "The current version",
    ("ProblemResponse", "total"): "What the purchase costs now, in minor units",
    ("ProblemResponse", "expected_amount"): "The amount that the request expected, in minor units",
    ("ProblemResponse", "expected_total"): "The total that the request expected, in minor units",
    ("HealthResponse", "status"): "ok",
    **{
        (model, "discount"): "What the code takes off"
        for model in (
            "CreatePromoCodeRequest",
            "UpdatePromoCodeRequest",
            "PromoCodeResponse",
            "PromoCodeDetailResponse",
            "PromoTermsResponse",
        )
    },
    **{
        ("CreatePromoCodeRequest", name): text
        for name, text in {
            "customer_ids": "Only these customers may use the code; left out: everyone",
            "product_ids": "Only for these products; left out: for every product",
            "max_redemptions": "How often the code can be used; left out: without limit",
            "max_redemptions_per_customer": "How often one customer can use it; left out: without "
            "limit",
            "minimum_subtotal": "The least subtotal that the code is for, in minor units; left "
            "out: any",
            "valid_from": "Valid from this instant on (RFC 3339); left out: from now",
            "valid_until": "Valid before this instant (RFC 3339); left out: without end",
            "first_purchase_only": "Only for a customer's first purchase; left out: for any",
        }.items()
    },
    ("PercentageDiscountRequest", "max_amount"): "The most that is taken off, in minor units; "
    "left out: no maximum",
    **{
        (model, name): text
        for model in ("CreateRefundRequest", "CreateRefundQuoteRequest")
        for name, text in {
            "amount": "How much to give back, in minor units. Send this or quantity; without "
            "either, everything that is left is refunded",
            "quantity": "How many units to give back. Send this or amount",
        }.items()
    },
    ("CreatePurchaseRequest", "promo_code"): "A promo code to use; upper and lower case are the "
    "same code",
}
"""Where a model means something more exact by a name."""
