"""The one botocore session of a function, which makes all of its clients.

What a session reads to make its first client (endpoints, settings, credentials) is most of what
that client costs. A second session would read it all again.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final, cast

import botocore.session
from botocore.parsers import JSONParser, ResponseParserFactory

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore.model import MapShape
    from botocore.parsers import ResponseParser
    from botocore.session import Session

_ATTRIBUTE_VALUE: Final = "AttributeValue"


class ItemsAsSent(JSONParser):
    """Reads answers in JSON, and leaves DynamoDB's items in them as they were sent.

    botocore looks for each of ten members in every attribute: half the CPU time of reading a list.
    ``till.adapters.dynamodb.values`` reads what is sent, which differs only in binary values.
    """

    def _handle_map(self, shape: MapShape, value: Mapping[str, object]) -> Mapping[str, object]:
        if shape.value.name == _ATTRIBUTE_VALUE and isinstance(value, dict):
            return value
        # The types of botocore do not have what is not public.
        return cast("Mapping[str, object]", super()._handle_map(shape, value))  # type: ignore[misc]


class _Parsers(ResponseParserFactory):
    def create_parser(self, protocol_name: str) -> ResponseParser:
        """The parser of a protocol; DynamoDB's is "json"."""
        if protocol_name == "json":
            return ItemsAsSent()
        return super().create_parser(protocol_name)


@cache
def session() -> Session:
    """The session. It makes clients for one thread at a time; a client is for all."""
    made = botocore.session.get_session()
    made.register_component("response_parser_factory", _Parsers())
    return made
