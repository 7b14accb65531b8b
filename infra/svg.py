"""Writes an SVG picture of boxes, arrows and text, in a light and a dark scheme."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple
from xml.sax.saxutils import escape


class PictureError(Exception):
    """Something cannot be drawn as it is. The message is for the person who tried."""


@dataclass(frozen=True, slots=True)
class Style:
    """A kind of text, and how wide its letters are at most, on average."""

    name: str
    size: float
    em: float

    def width(self, text: str) -> float:
        """How much room a text may take, whichever font of its kind is there."""
        return len(text) * self.size * self.em

    @property
    def line(self) -> float:
        """From one line to the next."""
        return self.size + 3.5


TITLE: Final = Style("title", 17, 0.6)
HEADING: Final = Style("heading", 12.5, 0.6)
NAME: Final = Style("name", 11.5, 0.59)
SMALL: Final = Style("small", 10.5, 0.54)
CODE: Final = Style("code", 10.5, 0.605)
TINY: Final = Style("tiny", 10, 0.54)

HEADS: Final = ("call", "rail")
"""The kinds of lines that may have a head."""


def wrap(text: str, style: Style, width: float) -> list[str]:
    """Break a text into lines.

    Raises:
        PictureError: a word is too wide for any line.
    """
    lines: list[str] = []
    for word in text.split():
        if style.width(word) > width:
            raise PictureError(f"{word!r} does not fit into {width:g} px in docs/architecture.svg.")
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and style.width(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


class Area(NamedTuple):
    """Where something is."""

    x: float
    y: float
    width: float
    height: float


class Canvas:
    """What has been drawn so far: what lies behind first, text and labels last."""

    def __init__(self, width: float) -> None:
        self._width: Final = width
        self._cards: Final[list[str]] = []
        self._lines: Final[list[str]] = []
        self._boxes: Final[list[str]] = []
        self._labels: Final[list[str]] = []

    def card(self, area: Area, kind: str) -> None:
        """The ground of a whole part of the picture."""
        self._cards.append(_rect(area, 8, f"card {kind}"))

    def box(self, area: Area, kind: str) -> None:
        """One thing."""
        self._boxes.append(_rect(area, 4, f"box {kind}"))

    def pill(self, x: float, y: float, word: str, kind: str) -> None:
        """A word in the middle of a line."""
        width = TINY.width(word) + 8
        area = Area(x - width / 2, y - 7.5, width, 15)
        self._labels.append(_rect(area, 7.5, f"pill {kind}"))
        self.text(x, y + 3.5, word, TINY, kind=kind, anchor="middle")

    def line(self, *points: tuple[float, float], kind: str, arrow: bool = True) -> None:
        """Straight pieces from point to point, with a head at the end."""
        path = "M" + "L".join(f"{x:g} {y:g}" for x, y in points)
        head = f' marker-end="url(#{kind})"' if arrow else ""
        self._lines.append(f'<path class="line {kind}" d="{path}"{head}/>')

    def text(
        self,
        x: float,
        y: float,
        text: str,
        style: Style,
        *,
        kind: str = "",
        anchor: str = "start",
    ) -> None:
        """One line of text; ``y`` is what the letters stand on."""
        placed = "" if anchor == "start" else f' text-anchor="{anchor}"'
        classes = f"{style.name} {kind}".strip()
        self._labels.append(
            f'<text class="{classes}" x="{x:g}" y="{y:g}"{placed}>{escape(text)}</text>'
        )

    def paragraph(
        self,
        x: float,
        y: float,
        width: float,
        text: str,
        style: Style,
        *,
        kind: str = "",
        anchor: str = "start",
    ) -> float:
        """Text in as many lines as it takes. Gives back where the next line would stand."""
        for line in wrap(text, style, width):
            self.text(x, y, line, style, kind=kind, anchor=anchor)
            y += style.line
        return y

    def render(self, height: float, *, title: str, description: str) -> str:
        """The whole picture."""
        heads = "".join(
            f'<marker id="{kind}" class="head {kind}" viewBox="0 0 8 8" refX="7" refY="4" '
            'markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0.5L8 4L0 7.5z"/></marker>'
            for kind in HEADS
        )
        size = f"{self._width:g} {height:g}"
        parts: Sequence[str] = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" width="{self._width:g}" '
            f'height="{height:g}" role="img" aria-labelledby="title description">',
            f'<title id="title">{escape(title)}</title>',
            f'<desc id="description">{escape(description)}</desc>',
            f"<style>{_STYLE}</style>",
            f"<defs>{heads}</defs>",
            _rect(Area(0.5, 0.5, self._width - 1, height - 1), 10, "ground"),
            *self._cards,
            *self._lines,
            *self._boxes,
            *self._labels,
            "</svg>",
        )
        return "\n".join(parts) + "\n"


def _rect(area: Area, radius: float, kind: str) -> str:
    return (
        f'<rect class="{kind}" x="{area.x:g}" y="{area.y:g}" width="{area.width:g}" '
        f'height="{area.height:g}" rx="{radius:g}"/>'
    )


_STYLE: Final = """
:root{--ground:#ffffff;--edge:#d0d7de;--ink:#1f2328;--soft:#59636e;--line:#6e7781;--lead:#d0d7de;
--box:#ffffff;--c-edge:#8250df;--g-edge:#f8f4ff;--c-compute:#bc6a1d;--g-compute:#fff8f0;
--c-data:#1f6bc4;--g-data:#f0f7ff;--c-account:#818b98;--g-account:#f6f8fa;
--read:#ddf0ff;--on-read:#0a5294;--append:#d4f5dc;--on-append:#116329;--write:#ffe3cc;
--on-write:#8f3d00;--quiet:#eaeef2;--on-quiet:#454c54;--call:#efe5ff;--on-call:#5e30b5}
@media(prefers-color-scheme:dark){:root{--ground:#0d1117;--edge:#30363d;--ink:#e6edf3;--soft:#9aa4af;
--line:#8b949e;--lead:#30363d;--box:#161b22;--c-edge:#a67df0;--g-edge:#15111f;--c-compute:#d68c45;
--g-compute:#1a140d;--c-data:#539bf5;--g-data:#0c1829;--c-account:#6e7681;--g-account:#12161c;
--read:#12395f;--on-read:#b6dcff;--append:#12441f;--on-append:#a5ecb6;--write:#5a2f0d;
--on-write:#ffd2ac;--quiet:#2a3038;--on-quiet:#c9d1d9;--call:#3b2370;--on-call:#e0d0ff}}
text{fill:var(--ink);font-family:-apple-system,"Segoe UI","Noto Sans",Helvetica,Arial,sans-serif}
.title{font-size:17px;font-weight:700}.heading{font-size:12.5px;font-weight:700}
.name{font-size:11.5px;font-weight:600}.small{font-size:10.5px}.tiny{font-size:10px}
.code{font-size:10.5px;font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,
"Liberation Mono",monospace}
.soft{fill:var(--soft)}
.ground{fill:var(--ground);stroke:var(--edge)}
.card,.box{stroke-width:1}.box{fill:var(--box)}
.card.edge{fill:var(--g-edge);stroke:none}.card.compute{fill:var(--g-compute);stroke:none}
.card.data{fill:var(--g-data);stroke:none}.card.account{fill:var(--g-account);stroke:none}
.box.edge{stroke:var(--c-edge)}.box.compute{stroke:var(--c-compute)}.box.data{stroke:var(--c-data)}
.box.outside{fill:none;stroke:var(--line);stroke-dasharray:4 3}
.line{fill:none;stroke:var(--line);stroke-width:1.2}.line.rail{stroke:var(--c-data);stroke-opacity:.6}
.line.lead{stroke:var(--lead)}
.head{fill:var(--line)}.head.rail{fill:var(--c-data)}
.pill{fill:var(--quiet)}.tiny.decrypt,.tiny.encrypt{fill:var(--on-quiet)}
.pill.read,.pill.follow{fill:var(--read)}.tiny.read,.tiny.follow{fill:var(--on-read)}
.pill.append,.pill.publish{fill:var(--append)}.tiny.append,.tiny.publish{fill:var(--on-append)}
.pill.write{fill:var(--write)}.tiny.write{fill:var(--on-write)}
.pill.call{fill:var(--call)}.tiny.call{fill:var(--on-call)}
"""
