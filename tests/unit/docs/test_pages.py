"""The Markdown pages agree with the repository: links, paths, and the form of the decisions."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[3]
DECISIONS: Final = ROOT / "docs" / "decisions"
_LINK: Final = re.compile(r"(?:\]\(|src=\")([^)\s\"]+)")
_CODE: Final = re.compile(r"`([^`\n]+)`")
_FILE: Final = re.compile(r"[\w.@-]+(?:/[\w.@-]+)+\.(?:py|tsx?|js|json|ya?ml|toml|md)")
GENERATED: Final = ".d.ts"
_BASES: Final = (
    ROOT,
    ROOT / "tests",
    ROOT / "layers/till/python/till",
    ROOT / "layers/till/python",
)
"""Pages name files from here: `services/shared/settlement.py`, `unit/services/test_refund.py`."""


def _pages() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", "*.md"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return sorted(ROOT / name for name in listed.stdout.split("\0") if name)


def _name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def _anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings}


@pytest.mark.parametrize("page", _pages(), ids=_name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in _LINK.findall(page.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        if anchor:
            assert anchor in _anchors(target), link


@pytest.mark.parametrize("page", _pages(), ids=_name)
def test_every_file_that_is_named_exists(page: Path) -> None:
    bases = (*_BASES, page.parent)
    for code in _CODE.findall(page.read_text(encoding="utf-8")):
        if _FILE.fullmatch(code) and not code.endswith(GENERATED):
            assert any((base / code).exists() for base in bases), code


@pytest.mark.parametrize("page", sorted(DECISIONS.glob("[0-9]*.md")), ids=_name)
def test_a_decision_has_its_parts_and_is_listed(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    title, _, dated = text.splitlines()[:3]
    date = re.match(r"Date: (\d{4}-\d\d-\d\d)(, updated [\d-]+)?\. Status: \w+", dated)
    assert date is not None
    for part in ("**Question.**", "**Chosen.**", "**Given up.**", "**In real life.**"):
        assert part in text
    index = (DECISIONS / "README.md").read_text(encoding="utf-8")
    number = page.name.partition("-")[0]
    assert f"| [{number}]({page.name}) | {title.removeprefix('# ')} | {date[1]} |" in index


def test_every_page_of_the_docs_is_reached_from_the_index() -> None:
    docs = ROOT / "docs"
    reached: set[Path] = set()
    waiting = [docs / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached:
            continue
        reached.add(page)
        if page.suffix == ".md":
            links = _LINK.findall(page.read_text(encoding="utf-8"))
            found = ((page.parent / link.partition("#")[0]).resolve() for link in links)
            waiting += [one for one in found if one.is_relative_to(docs) and one.is_file()]
    assert set(docs.rglob("*.md")) <= reached


def test_every_screenshot_is_shown() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for picture in (ROOT / "docs" / "screenshots").glob("*.png"):
        assert f"docs/screenshots/{picture.name}" in readme
