"""CloudFormation's limits of a template, which a deploy meets and neither synth nor linters know.

Source: AWS CloudFormation User Guide, "CloudFormation quotas". A template at 85 % of a limit gets a
warning at every synth, and one beyond it ends the synth.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

WARN_AT: Final = 0.85

_DYNAMIC_REFERENCE: Final = re.compile(r"\{\{resolve:")


class LimitError(Exception):
    """A template is beyond a limit. The message is for the person who synthesizes it."""


@dataclass(frozen=True, slots=True)
class Usage:
    """How much of one limit a template uses."""

    template: str
    what: str
    used: int
    limit: int

    @property
    def is_near(self) -> bool:
        """Whether it is time to do something about it."""
        return self.used >= self.limit * WARN_AT

    @property
    def is_over(self) -> bool:
        """Whether CloudFormation refuses the template."""
        return self.used > self.limit

    def __str__(self) -> str:
        return f"{self.template} has {self.used:,} of {self.limit:,} {self.what}"


def usages(name: str, text: str) -> Iterator[Usage]:
    """How much of each limit a template uses, by its text."""
    document: dict[str, dict[str, object]] = json.loads(text)
    for what, used, limit in (
        ("resources", len(document.get("Resources", {})), 500),
        ("bytes", len(text.encode()), 1_000_000),
        ("dynamic references", len(_DYNAMIC_REFERENCE.findall(text)), 60),
        ("parameters", len(document.get("Parameters", {})), 200),
        ("outputs", len(document.get("Outputs", {})), 200),
        ("mappings", len(document.get("Mappings", {})), 200),
    ):
        yield Usage(name, what, used, limit)


def check_limits(assembly: Path) -> list[str]:
    """Check every template in a cloud assembly; gives back a warning for each limit that is near.

    Raises:
        LimitError: a template is beyond a limit, and could not be deployed.
    """
    found = [
        usage
        for path in sorted(assembly.glob("*.template.json"))
        for usage in usages(path.name.removesuffix(".template.json"), path.read_text("utf-8"))
    ]
    over = [str(usage) for usage in found if usage.is_over]
    if over:
        raise LimitError(
            f"CloudFormation would refuse this: {'; '.join(over)}. Move something into a stack of "
            "its own."
        )
    return [f"{usage}. CloudFormation takes no more." for usage in found if usage.is_near]
