"""The README as a program: its shell blocks, and the output it promises after some of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

_BLOCK: Final = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

_VARYING: Final = (
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"), "<time>"),
    (re.compile(r"shp_[0-9a-f]{32}"), "<shipment>"),
    (re.compile(r'"[1-9a-f][0-9a-f]{63}"|"0[0-9a-f]{63}"'), '"<hash>"'),
    (re.compile(r'(?<="correlation_id": ")[0-9a-f-]{36}'), "<correlation id>"),
)


@dataclass(frozen=True)
class Step:
    """A shell block, and the output shown below it, if any."""

    commands: str
    output: str | None


def steps(readme: Path) -> list[Step]:
    """The shell blocks in their order."""
    found: list[Step] = []
    for kind, text in _BLOCK.findall(readme.read_text(encoding="utf-8")):
        if kind == "sh":
            found.append(Step(text, None))
        elif kind == "json" and found:
            found[-1] = Step(found[-1].commands, text)
    return found


def comparable(output: str) -> str:
    """Output without what differs from run to run: times, hashes, ids made by chance."""
    for pattern, name in _VARYING:
        output = pattern.sub(name, output)
    return output.strip()
