"""What a request says about bodies: its own, and the one that it would like to have."""

from __future__ import annotations

import re
from typing import Final

_WORD: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_QUOTED: Final = r'"(?:[^"\\]|\\.)*"'
_PARAMETER: Final = re.compile(rf"[ \t]*;[ \t]*(?:({_WORD})=({_WORD}|{_QUOTED}))?")
_TYPE: Final = re.compile(rf"[ \t]*({_WORD}/{_WORD})")
_UTF_8: Final = frozenset({"utf-8", "utf8", "us-ascii"})
"""JSON is UTF-8, and ASCII is a part of that."""


def is_json(content_type: str) -> bool:
    """Whether a Content-Type is ``application/json`` in UTF-8.

    Types, the names of parameters and charsets compare without regard to case. Parameters other
    than ``charset`` mean nothing for JSON and are ignored, but have to be well formed.
    """
    kind = _TYPE.match(content_type)
    if kind is None or kind[1].lower() != "application/json":
        return False
    end = kind.end()
    while (parameter := _PARAMETER.match(content_type, end)) is not None:
        name, value = parameter.groups()
        if name is not None and name.lower() == "charset":
            charset = re.sub(r"\\(.)", r"\1", value[1:-1]) if value[0] == '"' else value
            if charset.lower() not in _UTF_8:
                return False
        end = parameter.end()
    return not content_type[end:].strip(" \t")


def prefers_csv(accept: str | None) -> bool:
    """Whether an Accept (RFC 9110, 12.5.1) names ``text/csv`` before JSON and before anything."""
    for part in (accept or "").split(","):
        kind, _, parameters = part.partition(";")
        if re.search(r"(^|;)\s*q=0(\.0*)?\s*(;|$)", parameters):
            continue
        match kind.strip().lower():
            case "text/csv":
                return True
            case "application/json" | "application/*" | "*/*":
                return False
    return False


def is_plain(content_encoding: str) -> bool:
    """Whether a Content-Encoding says that the body is not encoded."""
    return all(
        coding.strip(" \t").lower() in {"", "identity"} for coding in content_encoding.split(",")
    )
