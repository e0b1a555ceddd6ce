"""What a worker costs that has nothing to do, and how soon one is at work: ``python -m bench.idle``. Only on Linux.

Plex is a double, and Stash, too, unless the environment variable STASH_BINARY names a real one. What the worker's
process used is read from /proc, after it had time to be sure of the last change (see `reconcile.watch`).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from subprocess import PIPE

from bench.household import Household, household
from bench.launch import base_python, run
from bench.parts import main
from bench.table import Bar, Row, median, p95
from bench.usage import Usage, usage
from bench.visited import HOME
from sync_queue import lease

LOOK_S = 0.0005
QUICK = {"scenes": 50, "seconds": 1, "settle": 0, "starts": 1, "launches": 1}
CPU_BAR, LEASE_BAR, PUSH_BAR = Bar(1), Bar(40), Bar(1)
FEW = 20


def measure(
    folder: Path, *, scenes: int = 100_000, seconds: int = 60, settle: int = 45, starts: int = 20, launches: int = 10
) -> list[Row]:
    """All rows: a worker that idles for so long, after it was left alone; and so many starts and launches of one."""
    with household(folder, scenes) as home:
        home.edit(home.scenes[:FEW])
        home.settle()
        home.save(home.scenes[0])
        home.settle()
        time.sleep(settle)
        rows = _idling(home, scenes, seconds)
        pushes = [_push_s(home, home.scenes[number % FEW]) for number in range(launches)]
        lost = len(home.lost())
        home.rest()
        leases, floors = zip(*((_lease_ms(home), _bare_ms()) for _ in range(starts)))
    return [
        *rows,
        Row("worker's start to its lease (floor: bare Python)", median(leases), "ms", median(floors), LEASE_BAR),
        Row("… p95", p95(leases), "ms", p95(floors)),
        Row("save without a worker to Plex changed", median(pushes), "s", None, PUSH_BAR),
        Row("… slowest", max(pushes), "s"),
        Row("scenes that Plex does not show as saved", lost, "", None, Bar(0), must=True),
    ]


def _idling(home: Household, scenes: int, seconds: int) -> list[Row]:
    pids = (home.worker(), home.stash.pid)
    home.plex.clear_requests()
    asked, before = home.stash.requests(), [usage(pid) for pid in pids]
    time.sleep(seconds)
    after = [usage(pid) for pid in pids]
    plex, since = home.plex.count(), None if asked is None else (home.stash.requests() or 0) - asked
    if home.worker() != pids[0]:
        raise RuntimeError("the worker was replaced while it idled")
    worker, stash = (_per_second(*pair, seconds) for pair in zip(before, after))
    what = f"idle worker, {scenes:,} scenes ({home.stash.name}), of one core"
    rows = [
        Row(what, 100 * worker.cpu_s, "%", None, CPU_BAR, plex=plex, stash=since, peak_mb=worker.peak_mb),
        Row("… requests to Plex", plex, "", None, Bar(0)),
        Row("… wake-ups per second", worker.woken),
        Row("… memory", worker.memory_mb, "MB"),
        Row("… Stash at the same time, of one core", 100 * stash.cpu_s, "%"),
    ]
    return rows if since is None else [*rows, Row("… requests to Stash per minute", 60 * since / seconds)]


def _per_second(before: Usage | None, after: Usage | None, seconds: int) -> Usage:
    if before is None or after is None:
        raise RuntimeError("needs Linux: it reads /proc")
    return after._replace(
        cpu_s=(after.cpu_s - before.cpu_s) / seconds, woken=round((after.woken - before.woken) / seconds)
    )


def _push_s(home: Household, scene: str) -> float:
    """A save that finds no worker; returns the seconds until Plex had the write."""
    home.rest()
    return home.arrival_s(scene)


def _lease_ms(home: Household) -> float:
    """Start a worker as Stash does; returns the milliseconds until it holds the lease, and sees it end again."""
    host, _, port = home.stash.url.rpartition("/")[2].partition(":")
    server = {"Scheme": "http", "Host": host, "Port": int(port), "SessionCookie": None}
    plugin = os.path.dirname(home.data)
    given = json.dumps({"server_connection": {**server, "PluginDir": plugin}, "args": {"mode": "worker"}}).encode()
    command = [sys.executable, "-I", "-S", plugin + "/Stash2Plex.py"]
    at = time.perf_counter()
    with subprocess.Popen(command, env=HOME, stdin=PIPE, stdout=PIPE, stderr=subprocess.DEVNULL) as worker:
        assert worker.stdin
        worker.stdin.write(given)
        worker.stdin.close()
        while not lease.held(home.data) and worker.poll() is None:
            time.sleep(LOOK_S)
        took = time.perf_counter() - at
        worker.kill()
    return 1000 * took


def _bare_ms() -> float:
    return 1000 * run([base_python(), "-I", "-S", "-c", "pass"], b"", HOME).seconds


if __name__ == "__main__":
    sys.exit(main(["idle", *sys.argv[1:]]))
