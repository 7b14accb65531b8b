"""Whether it runs."""

from __future__ import annotations

from typing import Literal

from till.http.wire.types import WireResponse


class HealthResponse(WireResponse):
    """The API is up."""

    status: Literal["ok"]
