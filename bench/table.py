"""The one table that every bench prints: what was measured, its floor, the ratio, the bar, and whether it is held.

Where a row says what its measurement took besides time, requests and peak memory have columns of their own.
"""

from __future__ import annotations

import math
import os
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass

HEAD = ("", "measured", "floor", "ratio", "bar", "", "Plex", "Stash", "peak")
SIDES = "<>>>><>>>"
BESIDES = 3  # of the columns, those that are left out where they are empty
OK, OVER = "ok", "OVER"


@dataclass(frozen=True)
class Bar:
    """A limit on the measured value, or with ``of_ratio`` on its ratio to the floor."""

    limit: float
    of_ratio: bool = False
    at_least: bool = False

    def held(self, value: float) -> bool:
        """Whether the value keeps to the limit."""
        return value >= self.limit if self.at_least else value <= self.limit


@dataclass(frozen=True)
class Row:
    """One measurement, in ``unit``. Without a bar it is for information only; ``must`` makes a bench fail over its bar.

    ``plex`` and ``stash`` are the requests that it took of each side, ``peak_mb`` the most memory of what was measured.
    """

    what: str
    value: float
    unit: str = ""
    floor: float | None = None
    bar: Bar | None = None
    plex: int | None = None
    stash: int | None = None
    peak_mb: float | None = None
    must: bool = False

    @property
    def ratio(self) -> float | None:
        """The value against its floor, None without one."""
        return self.value / self.floor if self.floor else None

    @property
    def verdict(self) -> str:
        """``ok``, ``OVER``, or "" without a bar."""
        if self.bar is None:
            return ""
        compared = self.ratio if self.bar.of_ratio else self.value
        return OK if compared is not None and self.bar.held(compared) else OVER

    @property
    def failed(self) -> bool:
        """Whether this is no matter of speed but simply wrong."""
        return self.must and self.verdict == OVER

    def cells(self) -> tuple[str, ...]:
        """The row as texts, in the order of HEAD."""
        floor = "" if self.floor is None else _number(self.floor, self.unit)
        ratio = "" if self.ratio is None else f"{self.ratio:.2f} x"
        besides = ("" if count is None else f"{count:,}" for count in (self.plex, self.stash))
        peak = "" if self.peak_mb is None else f"{self.peak_mb:.0f} MB"
        return (self.what, _number(self.value, self.unit), floor, ratio, self._bar_text(), self.verdict, *besides, peak)

    def _bar_text(self) -> str:
        if self.bar is None:
            return ""
        sign = ">=" if self.bar.at_least else "<="
        unit = "x" if self.bar.of_ratio else self.unit
        return f"{sign} {self.bar.limit:g} {unit}".rstrip()


def table(rows: Sequence[Row]) -> str:
    """The rows as aligned text with a heading; texts to the left, numbers to the right."""
    lines = shortened([HEAD, *(row.cells() for row in rows)])
    return aligned(lines, SIDES[: len(lines[0])])


def shortened(lines: Sequence[Sequence[str]]) -> list[Sequence[str]]:
    """The lines, without the last columns when only their heading says anything."""
    said = any(cell for line in lines[1:] for cell in line[-BESIDES:])
    return [line if said else line[:-BESIDES] for line in lines]


def aligned(lines: Sequence[Sequence[str]], sides: str) -> str:
    """Lines of cells as columns, the first line as heading; ``sides`` holds ``<`` or ``>`` for each column."""
    widths = [max(len(line[column]) for line in lines) for column in range(len(sides))]
    texts = [
        "  ".join(f"{cell:{side}{width}}" for cell, side, width in zip(line, sides, widths)).rstrip() for line in lines
    ]
    rule = "  ".join("-" * width for width in widths).rstrip()
    return "\n".join([texts[0], rule, *texts[1:]])


def machine() -> str:
    """Python and machine in a few words, with a warning when others are at work: then ratios suffer too."""
    cores = os.cpu_count() or 1
    busy = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    warning = f"; BUSY: {busy:.1f} processes want to run, so measure again later" if busy > cores else ""
    return f"Python {sys.version.split()[0]}, {cores} cores{warning}"


def median(values: Sequence[float]) -> float:
    """The middle value."""
    return statistics.median(values)


def p95(values: Sequence[float]) -> float:
    """The value that 95 of 100 do not exceed (nearest rank)."""
    return sorted(values)[math.ceil(0.95 * len(values)) - 1]


def _number(value: float, unit: str) -> str:
    digits = 0 if value >= 1000 or value == int(value) else 3 if abs(value) < 0.1 else 1 if value >= 10 else 2
    return f"{value:,.{digits}f} {unit}".rstrip()
