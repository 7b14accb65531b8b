"""If-Match (RFC 9110, 13.1.1): which versions of a resource a change is for."""

from __future__ import annotations

import re
from typing import Final

from till.domain.errors import TillError

_TAG: Final = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
_SEPARATOR: Final = re.compile(r"[ \t]*,[ \t,]*")
_VERSION: Final = re.compile(r"[1-9][0-9]{0,8}")


class PreconditionRequiredError(TillError):
    """A change without If-Match could undo someone else's change."""


class InvalidIfMatchError(TillError):
    """The header is neither ``*`` nor a list of entity tags."""


def expected_versions(if_match: str | None) -> frozenset[int] | None:
    """The versions that an If-Match names; None for ``*``, which is any version.

    A tag that no version has, and a weak tag, match nothing: If-Match compares strongly.

    Raises:
        PreconditionRequiredError: there is no If-Match.
        InvalidIfMatchError: it is not one.
    """
    if if_match is None:
        raise PreconditionRequiredError
    text = if_match.strip(" \t")
    if text == "*":
        return None
    versions = set()
    position = 0
    while True:
        tag = _TAG.match(text, position)
        if tag is None:
            raise InvalidIfMatchError
        weak, opaque = tag.groups()
        if weak is None and _VERSION.fullmatch(opaque):
            versions.add(int(opaque))
        if tag.end() == len(text):
            return frozenset(versions)
        separator = _SEPARATOR.match(text, tag.end())
        if separator is None:
            raise InvalidIfMatchError
        position = separator.end()
        if position == len(text):
            return frozenset(versions)


def entity_tag(version: int) -> str:
    """The ETag of a version."""
    return f'"{version}"'
