"""What a save in Stash costs the user more with the plugin than without: ``python -m bench.doorbell``.

Two Stashes with the same library and configuration take turns, one of them with the plugin as people install it: real
ones with the environment variable STASH_BINARY, otherwise doubles. Before the next turn Plex has to show what was
saved, so that the one's worker rests while the other is measured. A save that never gets there fails the bench.
"""

from __future__ import annotations

import os
import random
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from bench.household import Household, Side, neighbours
from bench.parts import main
from bench.real_stash import BINARY
from bench.table import Bar, Row, median, p95
from bench.usage import usage

SINGLES = 20
TURN = 10
PAUSE_S = 0.03
QUICK = {"saves": 4, "bulks": 1, "scenes": 4, "launches": 1}
SINGLE_BAR, BULK_BAR, LAUNCH_BAR = Bar(2), Bar(1.5), Bar(60)


class Turns(NamedTuple):
    """Milliseconds of the same acts with the plugin and without, and of Stash's CPU during all of them together."""

    ours: list[float]
    plain: list[float]
    cpu: tuple[float, float] | None

    def rows(self, what: str, bar: Bar | None) -> list[Row]:
        """What it took, and what the plugin adds to it."""
        added = median(self.ours) - median(self.plain)
        return [
            Row(what, median(self.ours), "ms", median(self.plain)),
            Row("… added by the plugin", added, "ms", None, bar),
            Row("… p95", p95(self.ours), "ms", p95(self.plain)),
        ]

    def at_work(self, acts: int) -> list[Row]:
        """CPU time of Stash per act: other than a clock it does not mind who else is at work."""
        if self.cpu is None:
            return []
        ours, plain = (total / acts for total in self.cpu)
        return [Row("… CPU time of Stash", ours, "ms", plain)]


def measure(
    folder: Path, *, saves: int = 200, bulks: int = 10, scenes: int = 200, launches: int = 10, login: int = 0
) -> list[Row]:
    """All rows: single saves, bulk edits of so many scenes, and saves that find no worker; 1 as login sets one."""
    with neighbours(folder, scenes + SINGLES, bool(login)) as (home, plain):
        many, few = home.scenes[SINGLES:], home.scenes[:SINGLES]
        in_turns(1, home, plain, lambda side: [side.edit(side.scenes)])  # without details nothing is sent of a scene
        single = in_turns(-(-saves // TURN), home, plain, lambda side: _saves(side, few, min(saves, TURN)))
        bulk = in_turns(bulks, home, plain, lambda side: [side.edit(many) / len(many)])
        launch = in_turns(launches, home, plain, lambda side: [_first_save(side, few[0])])
        lost, errors, name = len(home.lost()), home.stash.errors(), home.stash.name
    for line in errors[:10]:
        print(line, file=sys.stderr)
    bars = (SINGLE_BAR, BULK_BAR, LAUNCH_BAR) if BINARY in os.environ else (None, None, None)  # the double is no Stash
    behind = f"{name}, {'with' if login else 'without'} a login"
    return [
        *single.rows(f"single save ({behind})", bars[0]),
        *bulk.rows(f"bulk edit of {scenes}, per scene", bars[1]),
        *bulk.at_work(bulks * scenes),
        *launch.rows("first save, starts a worker", bars[2]),
        Row("scenes that Plex does not show as saved", lost, "", None, Bar(0), must=True),
        Row("error lines in Stash's log", len(errors), "", None, Bar(0), must=True),
    ]


def in_turns(rounds: int, home: Household, plain: Side, act: Callable[[Side], Sequence[float]]) -> Turns:
    """So many rounds of an act, which returns seconds, on both sides; who begins changes."""
    times: dict[Side, list[float]] = {home: [], plain: []}
    cpu = {home: 0.0, plain: 0.0}
    for number in range(rounds):
        for side in (home, plain) if number % 2 else (plain, home):
            before = usage(side.stash.pid)
            times[side] += [1000 * seconds for seconds in act(side)]
            after = usage(side.stash.pid)
            if before and after:
                cpu[side] += 1000 * (after.cpu_s - before.cpu_s)
            side.settle()
    return Turns(times[home], times[plain], (cpu[home], cpu[plain]) if cpu[plain] else None)


def _saves(side: Side, scenes: Sequence[str], count: int) -> list[float]:
    """Saves of a person who takes a moment between them, so that they meet a worker in all that it does."""
    took = []
    for number in range(count):
        took.append(side.save(scenes[number % len(scenes)]))
        time.sleep(random.uniform(0, 2 * PAUSE_S))
    return took


def _first_save(side: Side, scene: str) -> float:
    side.rest()
    time.sleep(PAUSE_S)
    return side.save(scene)


if __name__ == "__main__":
    sys.exit(main(["doorbell", *sys.argv[1:]]))
