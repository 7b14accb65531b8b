"""Reads the commands in docs/runbooks: those in blocks, and those with options in the text."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RUNBOOKS = ROOT / "docs" / "runbooks"
_ASSIGNMENT = re.compile(r"[A-Z_]+=\S*")
_INLINE = re.compile(r"`((?:[A-Z_]+=\S+ )?(?:aws [^`]*--[^`]*|make [^`]+))`")


@dataclass(frozen=True, slots=True)
class Command:
    """One command, which may go over several lines and be a pipeline."""

    page: str
    text: str

    @property
    def parts(self) -> list[list[str]]:
        """Its words, for each program in the pipeline; settings before a program are left out."""
        parts: list[list[str]] = [[]]
        for word in shlex.split(self.text, comments=True):
            if word == "|":
                parts.append([])
            elif parts[-1] or not _ASSIGNMENT.fullmatch(word):
                parts[-1].append(word)
        return parts

    @property
    def programs(self) -> set[str]:
        return {words[0] for words in self.parts}

    def __str__(self) -> str:
        return f"{self.page}: {' '.join(self.text.split())[:90]}"


def commands() -> list[Command]:
    """All commands of all runbooks; JSON and requests to the API are none."""
    found = (
        Command(page.name, text)
        for page in sorted(RUNBOOKS.glob("*.md"))
        for text in _all_in(page.read_text(encoding="utf-8"))
        if not text.startswith(("{", "GET ", "POST "))
    )
    return list(dict.fromkeys(found))


def _all_in(page: str) -> Iterator[str]:
    for block in _blocks(page):
        yield from _commands_in(block)
    for found in _INLINE.finditer(page):
        yield " ".join(found[1].split())


def _blocks(text: str) -> Iterator[list[str]]:
    block: list[str] = []
    fenced, paragraph = False, False
    for line in [*text.splitlines(), ""]:
        if line.lstrip().startswith("```"):
            fenced = not fenced
            inside = False
        else:
            # Four spaces make a block where no paragraph or list item goes on.
            inside = fenced or (line.startswith("    ") and not paragraph)
            paragraph = bool(line.strip()) and not inside
        if inside:
            block.append(line)
        elif block:
            yield block
            block = []


def _commands_in(block: list[str]) -> Iterator[str]:
    lines: list[str] = []
    for line in block:
        lines.append(line.strip())
        if not line.rstrip().endswith(("\\", "|")):
            text = "\n".join(lines)
            lines = []
            if text:
                yield text
