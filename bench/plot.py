"""Two panels as SVG, all axes logarithmic: seconds and memory against the size of the library.

By hand, so that it is small and its text is text. Grey and two colours that can be read on light and on dark ground,
since an image does not know the page that shows it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

WIDE, HIGH, PANEL_WIDE = 760, 320, 290
TOP, BOTTOM = 40, 240
INSET, ROOM = 18, 56  # from a panel's side to its first point, and after the last one, where its figure stands
COLOURS = ("#2f8fd0", "#d9712b")
STYLE = (
    "text{font:12px sans-serif;fill:#7a7a7a}.title{font-weight:bold;font-size:13px}"
    ".grid{stroke:#888;stroke-opacity:.3}.line{fill:none;stroke-width:2.5}.floor{fill:none;stroke-dasharray:2 4}"
    ".bar{stroke:#7a7a7a;stroke-dasharray:7 4}"
)
FLOOR_SAYS = "dotted: the same reads by a bare loop"


class Shown(Protocol):
    """What a plot shows of a point; the names are those of `bench.growth.Point`."""

    @property
    def what(self) -> str: ...

    @property
    def scenes(self) -> int: ...

    @property
    def seconds(self) -> float: ...

    @property
    def floor_s(self) -> float: ...

    @property
    def peak_mb(self) -> float: ...


@dataclass(frozen=True)
class Panel:
    """Where it stands, which value it shows and, dotted, its floor. Bars are values with the sizes they hold for."""

    left: int
    title: str
    unit: str
    value: str
    floor: str
    bars: tuple[tuple[float, int, int], ...] = ()


PANELS = (
    Panel(70, "seconds", "s", "seconds", "floor_s"),
    Panel(440, "peak memory of the process", "MB", "peak_mb", "", ((80, 1_000, 10_000), (150, 10_000, 100_000))),
)


def svg(points: Sequence[Shown], panels: Sequence[Panel] = PANELS) -> str:
    """The whole image."""
    named = list(dict.fromkeys(point.what for point in points))
    drawn = [line for panel in panels for line in _Drawing(panel, points).lines(named)]
    label = f"{' and '.join(named)}: {' and '.join(panel.title for panel in panels)} against the number of scenes"
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {HIGH}" role="img" aria-label="{label}">'
    return "\n".join([head, f"<style>{STYLE}</style>", *drawn, *_legend(named), "</svg>", ""])


def _legend(named: Sequence[str]) -> Iterator[str]:
    at = PANELS[0].left
    for name, colour in zip(named, COLOURS):
        yield f'<path class="line" stroke="{colour}" d="M{at} {HIGH - 18}h28"/>'
        yield _text(at + 36, HIGH - 14, name)
        at += 130
    yield _text(at, HIGH - 14, f"{FLOOR_SAYS}; dashed: the bar")


class _Drawing:
    """One panel: from values to places."""

    def __init__(self, panel: Panel, points: Sequence[Shown]) -> None:
        self._panel, self._points = panel, points
        self._sizes = sorted({point.scenes for point in points})
        shown = [getattr(point, name) for name in (panel.value, panel.floor) if name for point in points]
        powers = [math.log10(value) for value in (*shown, *(value for value, _, _ in panel.bars))]
        self._low = math.floor(min(powers))
        self._high = max(math.ceil(max(powers)), self._low + 1)

    def lines(self, named: Sequence[str]) -> Iterator[str]:
        """Everything of the panel, what lies below first."""
        yield _text(self._panel.left, TOP - 16, self._panel.title, "start", "title")
        yield from self._grid()
        for value, first, last in self._panel.bars:
            yield f'<path class="bar" d="M{self._x(first)} {self._y(value)}H{self._x(last)}"/>'
        for name, colour in zip(named, COLOURS):
            mine = [point for point in self._points if point.what == name]
            if self._panel.floor:
                yield f'<path class="floor" stroke="{colour}" d="{self._path(mine, self._panel.floor)}"/>'
            yield f'<path class="line" stroke="{colour}" d="{self._path(mine, self._panel.value)}"/>'
            yield from (self._dot(point, colour) for point in mine)
        yield from self._ends()

    def _grid(self) -> Iterator[str]:
        left, right = self._panel.left, self._panel.left + PANEL_WIDE
        for power in range(self._low, self._high + 1):
            y = self._y(10.0**power)
            yield f'<path class="grid" d="M{left} {y}H{right}"/>'
            yield _text(left - 8, y + 4, f"{10.0**power:,g} {self._panel.unit}", "end")
        for size in self._sizes:
            yield _text(self._x(size), BOTTOM + 22, f"{size:,}", "middle")
        yield _text((left + right) / 2, BOTTOM + 42, "scenes", "middle")

    def _dot(self, point: Shown, colour: str) -> str:
        x, y = self._x(point.scenes), self._y(getattr(point, self._panel.value))
        return f'<circle cx="{x}" cy="{y}" r="3.5" fill="{colour}"/>'

    def _ends(self) -> Iterator[str]:
        """The figures of the largest library, the greater one above the other."""
        largest = (point for point in self._points if point.scenes == self._sizes[-1])
        values = sorted((getattr(point, self._panel.value) for point in largest), reverse=True)
        for place, value in enumerate(values):
            shown = f"{value:.{0 if value >= 10 else 1}f} {self._panel.unit}"
            yield _text(self._x(self._sizes[-1]) + 9, self._y(value) + (12 if place else -2), shown)

    def _path(self, mine: Sequence[Shown], name: str) -> str:
        return "M" + "L".join(f"{self._x(point.scenes)} {self._y(getattr(point, name))}" for point in mine)

    def _x(self, scenes: int) -> float:
        """Beyond the sizes that were measured lies nothing."""
        first, last = self._sizes[0], self._sizes[-1]
        scenes = min(max(scenes, first), last)
        part = math.log(scenes / first) / math.log(last / first) if last > first else 0.5
        return round(self._panel.left + INSET + part * (PANEL_WIDE - INSET - ROOM), 1)

    def _y(self, value: float) -> float:
        return round(BOTTOM - (math.log10(value) - self._low) / (self._high - self._low) * (BOTTOM - TOP), 1)


def _text(x: float, y: float, words: str, anchor: str = "start", kind: str = "") -> str:
    styled = f' class="{kind}"' if kind else ""
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}"{styled}>{words}</text>'
