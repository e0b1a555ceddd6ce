"""What a reconcile of a healthy library costs: ``python -m bench.reconcile``. See `bench.library`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from bench.library import Library, Run, healthy_library
from bench.parts import main
from bench.table import Bar, Row, median

QUICK = {"scenes": 60, "rounds": 1}
PER_SCENES = 10_000  # what the bars on requests are for
PLEX_BAR, STASH_BAR, WRITES_BAR = Bar(300), Bar(100), Bar(0)
MEMORY_BAR, LARGE_MEMORY_BAR = Bar(80), Bar(150)  # of a library of up to PER_SCENES, and of a larger one


def measure(folder: Path, *, scenes: int = 10_000, rounds: int = 3) -> list[Row]:
    """All rows; a library with pictures is only looked at once."""
    with healthy_library(folder / "plain", scenes) as library:
        runs = [reconcile(library, str(number)) for number in range(rounds)]
        again = library.run("reconcile_again", library.folder / str(rounds - 1), floor=False)
    with healthy_library(folder / "covered", scenes, pictures=True) as covered:
        with_pictures = reconcile(covered, "0")
    for run in (*runs, again, with_pictures):
        _check(run, scenes)
    return [
        *rows(library, runs),
        Row("once more, by what listings show", scenes / again.seconds, "scenes/s", None, None, *_took(again)),
        Row(f"… Plex requests per {PER_SCENES:,} scenes", _per_bar(again.plex, scenes), "", None, PLEX_BAR),
        Row("… writes to Plex", again.writes, "", None, WRITES_BAR, must=True),
        *rows(covered, [with_pictures], "with pictures"),
    ]


def reconcile(library: Library, name: str) -> Run:
    """One of the whole library, in a data folder of this name."""
    return library.run("reconcile", library.copy(name))


def rows(library: Library, runs: Sequence[Run], title: str = "reconcile (floor: the same reads, parsed)") -> list[Row]:
    """The rows of runs that looked at everything; requests are those of the last one, writes those of all."""
    scenes, last, per = library.scenes, runs[-1], f"per {PER_SCENES:,} scenes"
    seconds, floor_s = median([run.seconds for run in runs]), median([run.floor_s for run in runs])
    peak, idle = max(run.peak_bytes for run in runs) / 1e6, library.idle_bytes / 1e6
    return [
        Row(title, scenes / seconds, "scenes/s", scenes / floor_s, None, last.plex, last.stash, peak),
        Row(f"… of {scenes:,} scenes", seconds, "s", floor_s),
        Row(f"… Plex requests {per}", _per_bar(last.plex, scenes), "", None, PLEX_BAR),
        Row(f"… Stash requests {per}", _per_bar(last.stash, scenes), "", None, STASH_BAR),
        Row("… writes to Plex", sum(run.writes for run in runs), "", None, WRITES_BAR, must=True),
        Row("… memory, peak (floor: nothing to send)", peak, "MB", idle, memory_bar(scenes)),
    ]


def memory_bar(scenes: int) -> Bar:
    """What a process may hold that looks at so many scenes, in MB."""
    return MEMORY_BAR if scenes <= PER_SCENES else LARGE_MEMORY_BAR


def _per_bar(requests: int, scenes: int) -> float:
    """So many requests would be made for as many scenes as the bars are for."""
    return requests * PER_SCENES / scenes


def _took(run: Run) -> tuple[int, int, float]:
    return run.plex, run.stash, run.peak_bytes / 1e6


def _check(run: Run, scenes: int) -> None:
    if run.result.get("healthy") != scenes or run.result.get("note"):
        raise RuntimeError(f"the reconcile did not find all healthy: {run.result}")


if __name__ == "__main__":
    sys.exit(main(["reconcile", *sys.argv[1:]]))
