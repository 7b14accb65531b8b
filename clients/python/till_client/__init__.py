"""A client of Till's API.

``Till`` has a method for each operation. Requests and answers are the models of the OpenAPI
document, in ``till_client.models``.
"""

from till_client.client import Till
from till_client.intents import Intents
from till_client.problems import (
    AmountAboveLimit,
    InsufficientCredit,
    InvalidRequest,
    NoAnswer,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    Problem,
    PromoCodeRefused,
    RefundAmountChanged,
    RefundExceedsPurchase,
    ShipmentFailed,
    ShipmentOutcomeUnknown,
    StaleVersion,
    TotalChanged,
)

__all__ = [
    "AmountAboveLimit",
    "InsufficientCredit",
    "Intents",
    "InvalidRequest",
    "NoAnswer",
    "NotAllowed",
    "NotAuthenticated",
    "NotFound",
    "Problem",
    "PromoCodeRefused",
    "RefundAmountChanged",
    "RefundExceedsPurchase",
    "ShipmentFailed",
    "ShipmentOutcomeUnknown",
    "StaleVersion",
    "Till",
    "TotalChanged",
]
