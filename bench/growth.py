"""How time and memory grow with the library: ``python -m bench growth``.

Sync All and a reconcile, each with everything unchanged, at several sizes. The exponent is that of size in time between
the last two: 1 is linear. A plot and a table go into docs/performance.md with ``--write-docs``.
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import page, plot
from bench.library import Library, Run, healthy_library
from bench.reconcile import reconcile
from bench.sync_all import sync_all
from bench.table import aligned, machine, median

SIZES = (1_000, 10_000, 100_000)
ROUNDED = 10_000  # a run of more scenes is long enough to be looked at once
ROUNDS = 3
EXPONENT_BAR = 1.05
WHAT: dict[str, Callable[[Library, str], Run]] = {"Sync All": sync_all, "Reconcile": reconcile}
HEAD = ("", "scenes", "seconds", "floor", "own CPU", "Plex", "Stash", "peak")
SIDES = "<>>>>>>>"
PLOT = page.PAGE.parent / "growth.svg"


@dataclass(frozen=True)
class Point:
    """One operation at one size; times are the middle ones of its runs, in seconds."""

    what: str
    scenes: int
    seconds: float
    floor_s: float
    cpu_s: float
    peak_mb: float
    plex: int
    stash: int

    def cells(self) -> tuple[str, ...]:
        """The point as texts, in the order of HEAD."""
        times = (f"{seconds:.2f} s" for seconds in (self.seconds, self.floor_s, self.cpu_s))
        return (self.what, f"{self.scenes:,}", *times, f"{self.plex:,}", f"{self.stash:,}", f"{self.peak_mb:.0f} MB")


def measure(folder: Path, sizes: Sequence[int], rounds: int) -> list[Point]:
    """Every operation at every size."""
    return [point for size in sizes for point in _at(folder / str(size), size, rounds if size <= ROUNDED else 1)]


def _at(folder: Path, scenes: int, rounds: int) -> list[Point]:
    points = []
    with healthy_library(folder, scenes) as library:
        for what, run in WHAT.items():
            runs = [run(library, f"{what} {number}") for number in range(rounds)]
            points.append(_point(what, scenes, runs))
            print(f"{what} of {scenes:,} scenes: {points[-1].seconds:.1f} s", file=sys.stderr, flush=True)
    return points


def _point(what: str, scenes: int, runs: Sequence[Run]) -> Point:
    seconds, floor_s, cpu_s = (median([getattr(run, name) for run in runs]) for name in ("seconds", "floor_s", "cpu_s"))
    peak_mb = max(run.peak_bytes for run in runs) / 1e6
    return Point(what, scenes, seconds, floor_s, cpu_s, peak_mb, runs[-1].plex, runs[-1].stash)


def lines(points: Sequence[Point]) -> list[tuple[str, ...]]:
    """The table: operation by operation, and after each the exponents of its times."""
    found: list[tuple[str, ...]] = [HEAD]
    for what in dict.fromkeys(point.what for point in points):
        mine = [point for point in points if point.what == what]
        found += [point.cells() for point in mine]
        if len(mine) > 1:
            found.append(_exponents(*mine[-2:]))
    return found


def _exponents(smaller: Point, larger: Point) -> tuple[str, ...]:
    per = math.log(larger.scenes / smaller.scenes)
    named = ("seconds", "floor_s", "cpu_s")
    grown = [math.log(getattr(larger, name) / getattr(smaller, name)) / per for name in named]
    title = f"… exponent, {'ok' if grown[0] <= EXPONENT_BAR else 'OVER'} (<= {EXPONENT_BAR})"
    return (title, f"{smaller.scenes:,} to {larger.scenes:,}", *(f"{exponent:.2f}" for exponent in grown), "", "", "")


def main(arguments: list[str] | None = None) -> int:
    """Measure, print the table, and write it down with the plot if asked to."""
    parser = argparse.ArgumentParser(prog="bench growth", description="Time and memory against the library's size.")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, metavar="SCENES", help="(default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"up to {ROUNDED:,} scenes (default: %(default)s)")
    parser.add_argument("--folder", help="where to put what is written: the disk counts (default: the system's)")
    parser.add_argument("--write-docs", action="store_true", help="renew table and plot of docs/performance.md")
    options = parser.parse_args(arguments)
    print(machine(), flush=True)
    with tempfile.TemporaryDirectory(prefix="stash2plex-bench-", dir=options.folder) as folder:
        points = measure(Path(folder), sorted(options.sizes), options.rounds)
    print("\n" + aligned(lines(points), SIDES))
    if options.write_docs:
        page.write(page.GROWTH_BLOCK, lines(points), SIDES)
        PLOT.write_bytes(plot.svg(points).encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
