"""The keys of the items of both tables, and the partitions of their indexes."""

from __future__ import annotations

from typing import Final
from uuid import UUID

INDEX_SHARDS: Final = 4
"""Over how many partitions of the index each state is spread, so that none runs hot."""
VERSION_PREFIX: Final = "VERSION#"
REFUND_PREFIX: Final = "REFUND#"
PURCHASE_SORT_KEY: Final = "PURCHASE"
SHIPMENT_SORT_KEY: Final = "SHIPMENT"
PROMO_SORT_KEY: Final = "PROMO"


def account_key(customer_id: UUID) -> str:
    """The partition of a customer's account in the ledger table."""
    return f"ACCOUNT#{customer_id}"


def owner_of(key: str) -> UUID:
    """The customer whose account has this key."""
    return UUID(key.removeprefix("ACCOUNT#"))


def version_key(version: int) -> str:
    """The sort key of a version of an account. Its width makes text sort like numbers."""
    return f"{VERSION_PREFIX}{version:016d}"


def version_of(key: str) -> int:
    """The version that ``version_key`` made the key of."""
    return int(key.removeprefix(VERSION_PREFIX))


def request_key(operation: str, idempotency_key: str) -> str:
    """The sort key of a remembered request."""
    return f"REQUEST#{operation}#{idempotency_key}"


def purchase_key(attempt_id: UUID) -> str:
    """The partition of an attempt, the purchase it became, and its refunds."""
    return f"PURCHASE#{attempt_id}"


def short_id(attempt_id: UUID) -> str:
    """The first 8 characters of an id: how people see it in a list."""
    return str(attempt_id)[:8]


def purchase_id_of(key: str) -> UUID:
    """The id in the key that ``purchase_key`` made."""
    return UUID(key.removeprefix("PURCHASE#"))


def refund_key(number: int) -> str:
    """The sort key of a refund of a purchase."""
    return f"{REFUND_PREFIX}{number:08d}"


def shipment_key(shipment_id: str) -> str:
    """The partition of the claim of a shipment id."""
    return f"SHIPMENT#{shipment_id}"


def promo_key(code: str) -> str:
    """The partition of a promo code, its history and its redemptions."""
    return f"PROMO#{code}"


def redemptions_key(customer_id: UUID) -> str:
    """The sort key of a customer's redemptions of a promo code."""
    return f"CUSTOMER#{customer_id}"


OPENED_SHARDS: Final = tuple(f"ACCOUNT#{shard}" for shard in range(INDEX_SHARDS))
"""The partitions of the index in which the accounts are found."""


def opened_shard(customer_id: UUID) -> str:
    """The partition of the index in which a customer's account is found."""
    return OPENED_SHARDS[customer_id.int % INDEX_SHARDS]
