"""The parameters that operations share, as Powertools reads them."""

from __future__ import annotations

from typing import Annotated, Literal

from aws_lambda_powertools.event_handler.openapi.params import Header, Path, Query
from pydantic import Field

from till.http.wire.types import (
    WRITTEN_AS_JSON,
    Id,
    IdempotencyKey,
    InstantText,
)

PathId = Annotated[Id, Path()]
IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        description="The ETag of the version to change, a list of ETags, or * for any version. "
        "Without it the answer is 428",
    ),
]
KeyHeader = Annotated[
    IdempotencyKey,
    Header(
        alias="Idempotency-Key",
        description="Names this request: the same key and body take effect once, permanently. 1 to "
        "255 visible ASCII characters, compared as they are, quotes included",
    ),
]
Include = Annotated[
    Literal["customer_names"] | None,
    Query(
        description="customer_names: each item has its customer's name, as the Customer API had "
        "it seconds ago; null where that API could not be asked"
    ),
]
FromFilter = Annotated[
    InstantText | None, Query(description="Created at or after this RFC 3339 time with an offset")
]
UntilFilter = Annotated[
    InstantText | None, Query(description="Created before this RFC 3339 time with an offset")
]
AtFilter = Annotated[
    InstantText | None,
    Query(
        description="The balance as it was at this RFC 3339 time with an offset, which must not be "
        "in the future; left out: the balance now"
    ),
]
VerificationFlag = Annotated[
    bool,
    Query(description="Whether to tell, too, how far the account was verified by the watcher"),
]
PeriodStart = Annotated[
    InstantText | None,
    Query(
        alias="from",
        description="From this RFC 3339 time with an offset on; left out: from the first entry",
    ),
]
PeriodEnd = Annotated[
    InstantText | None,
    Query(
        alias="to",
        description="Until before this RFC 3339 time with an offset, which must not be in the "
        "future; left out: until the newest entry",
    ),
]
Limit = Annotated[
    int, Field(ge=1, le=100), WRITTEN_AS_JSON, Query(description="The most items on a page")
]
Cursor = Annotated[
    str | None,
    Query(max_length=512, description="next_cursor of the previous page of the same list"),
]
