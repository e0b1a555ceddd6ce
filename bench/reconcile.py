"""What a reconcile of a healthy library costs: ``python -m bench.reconcile``.

Stash and Plex are doubles in processes of their own, filled as if every scene had been pushed (see `bench.healthy`);
that nothing is left to push is proved on a sample before anything is measured. The floor is a bare loop over one
connection that makes the same reads of both sides again, and parses them. Every run begins with the same data folder.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from time import time
from typing import Any

from bench import steps
from bench.doubles import TOKEN, plex_with, stash_with
from bench.drain import NO_PICTURES
from bench.table import Bar, Row, machine, median, table
from sync_queue.queue import JobQueue
from tests.doubles.plex_remote import RemotePlexDouble
from tests.doubles.stash_client import RemoteStashDouble
from worker.policy import UNCHANGED

SAMPLE = 200
PER_SCENES = 10_000  # what the bars on requests are for
PLEX_BAR, STASH_BAR, WRITES_BAR = Bar(300), Bar(100), Bar(0)
MEMORY_BAR, LARGE_MEMORY_BAR = Bar(80), Bar(150)  # of a library of up to PER_SCENES, and of a larger one


@dataclass
class Figures:
    """What the rounds gave. Seconds are per run, requests are those of the last one, writes those of all.

    ``again`` is what the last round's second run took.
    """

    scenes: int
    seconds: list[float] = field(default_factory=list)
    floor_s: list[float] = field(default_factory=list)
    idle_bytes: int = 0
    peak_bytes: int = 0
    plex: int = 0
    stash: int = 0
    writes: int = 0
    again_s: float = 0.0
    again_plex: int = 0

    def per_bar(self, requests: int) -> float:
        """So many requests would be made for as many scenes as the bars are for."""
        return requests * PER_SCENES / self.scenes


def measure(folder: Path, scenes: int, rounds: int) -> list[Row]:
    """All rows; a library with pictures is only looked at once."""
    plain = _library(folder / "plain", scenes, rounds, pictures=False)
    covered = _library(folder / "covered", scenes, 1, pictures=True)
    seconds, floor_s = median(plain.seconds), median(plain.floor_s)
    return [
        Row("reconcile (floor: the same reads, parsed)", scenes / seconds, "scenes/s", scenes / floor_s),
        Row(f"… of {scenes:,} scenes", seconds, "s", floor_s),
        *_rows(plain, ""),
        Row("once more, by what listings show", scenes / plain.again_s, "scenes/s"),
        Row(f"… Plex requests per {PER_SCENES:,} scenes", plain.per_bar(plain.again_plex), "", None, PLEX_BAR),
        Row("with pictures", scenes / covered.seconds[0], "scenes/s", scenes / covered.floor_s[0]),
        *_rows(covered, "… "),
    ]


def _rows(figures: Figures, before: str) -> list[Row]:
    """The rows with a bar."""
    per, (peak, idle) = f"per {PER_SCENES:,} scenes", (figures.peak_bytes / 1e6, figures.idle_bytes / 1e6)
    memory_bar = MEMORY_BAR if figures.scenes <= PER_SCENES else LARGE_MEMORY_BAR
    return [
        Row(f"{before}Plex requests {per}", figures.per_bar(figures.plex), "", None, PLEX_BAR),
        Row(f"{before}Stash requests {per}", figures.per_bar(figures.stash), "", None, STASH_BAR),
        Row(f"{before}writes to Plex", figures.writes, "", None, WRITES_BAR),
        Row(f"{before}memory, peak (floor: nothing to send)", peak, "MB", idle, memory_bar),
    ]


def _library(folder: Path, scenes: int, rounds: int, pictures: bool) -> Figures:
    """Fill both sides and our own notes, prove that they agree, and reconcile."""
    figures, healthy = Figures(scenes), folder / "healthy"
    with stash_with(scenes, pictures) as stash, plex_with(scenes, True, pictures) as plex:
        chosen = {} if pictures else NO_PICTURES
        stash.configure("Stash2Plex", {"plex_url": plex.url, "plex_token": TOKEN, **chosen})
        written = steps.run("write_log", str(healthy), stash.url, str(scenes))["written"]
        if written != scenes:
            raise RuntimeError(f"the sync log got {written} rows for {scenes} scenes")
        figures.idle_bytes = _prove(str(healthy), scenes, plex, stash)
        for number in range(rounds):
            data_dir = shutil.copytree(healthy, folder / str(number))
            _one_round(data_dir, plex, stash, figures)
        _once_more(data_dir, plex, stash, figures)
    return figures


def _prove(data_dir: str, scenes: int, plex: RemotePlexDouble, stash: RemoteStashDouble) -> int:
    """Nothing is to be sent of a sample: neither by what we noted, nor when it is compared with Plex itself.

    Returns the memory that a process needs to find out the former, in bytes.
    """
    sample = range(1, scenes + 1, max(1, scenes // SAMPLE))
    peaks = []
    for force in (False, True):
        jobs = JobQueue(os.path.join(data_dir, "queue"))
        jobs.put(sample, "bench", time(), force)
        jobs.close()
        plex.clear_requests()
        measured = steps.run("drain", data_dir, stash.url, "process_queue")
        result, done = measured["result"], measured["result"].get("done", {})
        # More than the sample when the scenes are so young that the first sweep still finds them.
        if set(done) != {UNCHANGED} or done[UNCHANGED] < len(sample) or _writes(plex):
            raise RuntimeError(f"the library is not healthy: {_writes(plex)} writes, {result}")
        peaks.append(int(measured["peak_bytes"]))
    return peaks[0]


def _one_round(data_dir: Path, plex: RemotePlexDouble, stash: RemoteStashDouble, figures: Figures) -> None:
    """One reconcile, and then the bare loop with the same reads."""
    asked, read = data_dir.with_suffix(".stash"), data_dir.with_suffix(".plex")
    plex.clear_requests()
    measured = steps.run("reconcile", str(data_dir), stash.url, str(asked))
    _check(measured["result"], figures.scenes)
    figures.seconds.append(measured["seconds"])
    figures.peak_bytes = max(figures.peak_bytes, measured["peak_bytes"])
    figures.plex, figures.stash = plex.count(), measured["stash_requests"]
    figures.writes += _writes(plex)
    read.write_text(json.dumps(_reads(plex)), encoding="utf-8")
    repeated = steps.run("read_and_parse", str(read), str(asked))
    figures.floor_s.append(repeated["seconds"])


def _once_more(data_dir: Path, plex: RemotePlexDouble, stash: RemoteStashDouble, figures: Figures) -> None:
    """A second run that only reads whole what looks otherwise than after the first."""
    plex.clear_requests()
    measured = steps.run("reconcile_again", str(data_dir), stash.url)
    _check(measured["result"], figures.scenes)
    figures.again_s, figures.again_plex = measured["seconds"], plex.count()
    figures.writes += _writes(plex)


def _check(result: dict[str, Any], scenes: int) -> None:
    if result.get("healthy") != scenes or result.get("note"):
        raise RuntimeError(f"the reconcile did not find all healthy: {result}")


def _writes(plex: RemotePlexDouble) -> int:
    return int(plex.count()) - int(plex.count("GET"))


def _reads(plex: RemotePlexDouble) -> list[tuple[str, dict[str, str]]]:
    """Address and headers of each read, from Plex's request log."""
    reads = []
    for entry in plex.requests():
        page = zip(("X-Plex-Container-Start", "X-Plex-Container-Size"), entry.page)
        headers = {name: str(value) for name, value in page if value is not None}
        if entry.method == "GET":
            reads.append((f"{plex.url}{entry.path}?{entry.query}", {"X-Plex-Token": TOKEN, **headers}))
    return reads


def main(arguments: list[str] | None = None) -> int:
    """Measure and print the table; fails when a healthy library was written to."""
    parser = argparse.ArgumentParser(prog="bench reconcile", description="A reconcile of a library that is in sync.")
    parser.add_argument("--scenes", type=int, default=10_000, help="(default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="(default: %(default)s)")
    options = parser.parse_args(arguments)
    print(f"reconcile: {options.scenes:,} healthy scenes, {options.rounds} rounds, {machine()}", flush=True)
    with tempfile.TemporaryDirectory(prefix="stash2plex-bench-") as folder:
        rows = measure(Path(folder), options.scenes, options.rounds)
    print("\n" + table(rows))
    return int(any(row.value for row in rows if "writes" in row.what))


if __name__ == "__main__":
    sys.exit(main())
