"""A promo code, as callers write it."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from till.domain.promo import CODE_PATTERN, canonical_code

PromoCodeText = Annotated[
    str,
    Field(pattern=CODE_PATTERN, description="Case-insensitive"),
    AfterValidator(canonical_code),
]
"""Upper and lower case are the same code."""
