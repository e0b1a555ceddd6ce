"""How long after a save in Stash Plex is changed, on an idle system: ``python -m bench.latency``.

With the environment variable STASH_BINARY a real Stash, otherwise the double; Plex is a double. One save at a time: it
is timed from before the person's click until Plex has answered the write that carries it. Then all rest for a random
moment, so that a save meets the worker at any time between two of its looks.
"""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path

from bench.household import household
from bench.parts import main
from bench.table import Bar, Row, median, p95

SCENES = 20
REST_S = 1.0  # from one look of the worker to the next, unless `poll_interval` says otherwise
QUICK = {"saves": 2}
P50_BAR, P95_BAR = Bar(1.2), Bar(2.5)


def measure(folder: Path, *, saves: int = 200) -> list[Row]:
    """All rows, from so many saves."""
    with household(folder, SCENES) as home:
        home.edit(home.scenes)  # without details nothing is sent of a scene
        home.settle()
        counted = home.stash.requests()
        home.plex.clear_requests()
        times, requests = [], 0
        for number in range(saves):
            times.append(home.arrival_s(home.scenes[number % SCENES]))
            time.sleep(random.uniform(0, REST_S))
            requests += home.plex.count()
            home.plex.clear_requests()
        asked = None if counted is None else (home.stash.requests() or 0) - counted - saves
        lost, name = len(home.lost()), home.stash.name
    return [
        Row(f"save to Plex changed, p50 ({name})", median(times), "s", None, P50_BAR, plex=requests, stash=asked),
        Row("… p95", p95(times), "s", None, P95_BAR),
        Row("… slowest", max(times), "s"),
        Row("scenes that Plex does not show as saved", lost, "", None, Bar(0), must=True),
    ]


if __name__ == "__main__":
    sys.exit(main(["latency", *sys.argv[1:]]))
