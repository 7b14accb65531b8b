"""What the models are made of, and the kinds of values that they share."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Final, TypeVar
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    PlainSerializer,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, core_schema

from till.domain.instant import format_instant
from till.domain.money import MAX_AMOUNT_MINOR

T = TypeVar("T")


class _RefuseNull:
    """Accept the type without null: only leaving the field out means that there is no value."""

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        nullable = handler(source)
        if nullable["type"] != "nullable":
            raise TypeError("Omittable takes a type that is not optional by itself")
        return core_schema.no_info_before_validator_function(_not_null, nullable["schema"])


def _not_null(value: object) -> object:
    if value is None:
        raise ValueError("must not be null: leave the field out")
    return value


Omittable = Annotated[T | None, _RefuseNull()]
"""An optional field of a request, None when it was left out. An explicit null is refused.

``JSON.stringify({amount: NaN})`` is ``{"amount": null}``: a bug of the caller must not turn "this
much" into "everything" or "no limit".
"""

Removable = Annotated[T | None, Field(description="null removes this restriction")]
"""An optional field of a PATCH that null removes. Leaving it out keeps what is there."""

_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def _canonical_uuid(value: object) -> object:
    # UUID() also takes braces, URNs and 32 bare digits: one spelling is enough.
    if isinstance(value, str) and not _UUID.fullmatch(value):
        raise ValueError("must be a UUID such as 123e4567-e89b-12d3-a456-426614174000")
    return value


_JSON_INTEGER: Final = re.compile(r"0|-?[1-9][0-9]{0,18}", re.ASCII)


def _json_integer(value: object) -> object:
    # int() also takes "5.0", "1_0", "+5", " 5" and digits of other scripts.
    if isinstance(value, str) and not _JSON_INTEGER.fullmatch(value):
        raise ValueError("must be an integer, written as in JSON")
    return value


WRITTEN_AS_JSON: Final = BeforeValidator(_json_integer)
"""For an integer in a query: it is written as JSON writes one."""


Id = Annotated[UUID, BeforeValidator(_canonical_uuid), Field(strict=False)]
"""A UUID in its usual spelling. Upper and lower case are the same id."""

Instant = Annotated[
    datetime,
    PlainSerializer(format_instant, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}, mode="serialization"),
]
"""An instant, written as RFC 3339 in UTC."""

_RFC_3339: Final = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)


def _instant_text(value: object) -> object:
    # Pydantic would also take seconds since the epoch, days without a time, and more.
    if not isinstance(value, str) or not _RFC_3339.fullmatch(value):
        raise ValueError("must be an RFC 3339 time, such as 2026-12-24T18:00:00Z")
    return value


def _in_utc(instant: datetime) -> datetime:
    try:
        return instant.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("must lie within the calendar") from error


InstantText = Annotated[
    AwareDatetime,
    BeforeValidator(_instant_text),
    AfterValidator(_in_utc),
    Field(strict=False, description="RFC 3339"),
]
"""An instant in a request, with its offset from UTC."""

StaffName = Annotated[
    str | None,
    Field(
        description="What they were called, as their token said then. null for customers and "
        "programs, and in answers to customers"
    ),
]
"""The name of a member of staff."""

Amount = Annotated[int, Field(gt=0, le=MAX_AMOUNT_MINOR, description="Minor units (cents)")]
"""A positive amount of minor units."""

IdempotencyKey = Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,255}$")]
"""1 to 255 visible ASCII characters."""


class WireRequest(BaseModel):
    """What every request body is: strict, and without fields that are not known."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", defer_build=True)


class WireResponse(BaseModel):
    """What every response body is."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)
