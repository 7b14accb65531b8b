"""What all stored items have in common."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from pydantic import BaseModel, ConfigDict

from till.domain.errors import TillError
from till.domain.instant import format_instant, parse_instant

UNREADABLE: Final = (
    ArithmeticError,
    AttributeError,
    LookupError,
    TillError,
    TypeError,
    ValueError,
)
"""What reading an item can raise that is not what it should be (pydantic's ``ValidationError`` is a
``ValueError``). Anything else is our own mistake, and must not look like a bad item."""


def written(instant: datetime | None) -> str | None:
    """An instant as it is stored, if there is one."""
    return format_instant(instant) if instant else None


def read(text: str | None) -> datetime | None:
    """The instant that ``written`` wrote, if it wrote one."""
    return parse_instant(text) if text else None


class StoredItem(BaseModel):
    """An item, or a part of one."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    def values(self) -> dict[str, object]:
        """The attributes to store; what is None is not stored."""
        return self.model_dump(mode="json", exclude_none=True)
