"""The parameters of promo codes."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Path, Query

from till.domain.promo import PromoState
from till.http.wire.promo_code import PromoCodeText

PathCode = Annotated[PromoCodeText, Path()]
PromoStateFilter = Annotated[PromoState | None, Query(description="Only codes in this state")]
