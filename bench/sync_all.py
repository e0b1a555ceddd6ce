"""What Sync All costs when there is nothing to change: ``python -m bench.sync_all``. See `bench.library`."""

from __future__ import annotations

import sys
from pathlib import Path

from bench.library import Library, Run, healthy_library
from bench.parts import main
from bench.reconcile import memory_bar
from bench.table import Bar, Row, median
from worker.policy import UNCHANGED

QUICK = {"scenes": 60, "rounds": 1}
PLEX_BAR, WRITES_BAR = Bar(0.03), Bar(0)


def measure(folder: Path, *, scenes: int = 10_000, rounds: int = 3) -> list[Row]:
    """All rows."""
    with healthy_library(folder, scenes) as library:
        runs = [sync_all(library, str(number)) for number in range(rounds)]
    last, seconds, floor_s = runs[-1], median([run.seconds for run in runs]), median([run.floor_s for run in runs])
    peak, idle = max(run.peak_bytes for run in runs) / 1e6, library.idle_bytes / 1e6
    title = "Sync All (floor: the same reads, parsed)"
    return [
        Row(title, scenes / seconds, "scenes/s", scenes / floor_s, None, last.plex, last.stash, peak),
        Row(f"… of {scenes:,} scenes", seconds, "s", floor_s),
        Row("… Plex requests per scene", last.plex / scenes, "", None, PLEX_BAR),
        Row("… Stash requests per scene", last.stash / scenes),
        Row("… writes to Plex", sum(run.writes for run in runs), "", None, WRITES_BAR, must=True),
        Row("… memory, peak (floor: nothing to send)", peak, "MB", idle, memory_bar(scenes)),
    ]


def sync_all(library: Library, name: str) -> Run:
    """One of the whole library, in a data folder of this name; RuntimeError when it found something to do."""
    run = library.run("sync_all", library.copy(name))
    if run.result.get("state") != "ok" or run.result.get("done") != {UNCHANGED: library.scenes}:
        raise RuntimeError(f"the sync did not find all unchanged: {run.result}")
    return run


if __name__ == "__main__":
    sys.exit(main(["sync-all", *sys.argv[1:]]))
