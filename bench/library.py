"""A library that is in sync, whatever its size, for whoever measures what it costs to look at it.

Stash and Plex are doubles in processes of their own, filled as if every scene had been pushed (see `bench.healthy`);
that nothing is left to push is proved on a sample before anything is measured. Every run begins with the same data
folder. Its floor is a bare loop over one connection that makes the same reads of both sides again, and parses them.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import time
from typing import Any

from bench import steps
from bench.doubles import TOKEN, plex_with, stash_with
from sync_queue.queue import JobQueue
from tests.doubles.plex_remote import RemotePlexDouble
from tests.doubles.stash_client import RemoteStashDouble
from worker.policy import UNCHANGED

SAMPLE = 200
# A picture is an upload of its own, as large as somebody's cover: it would drown what is measured.
NO_PICTURES = {"sync_poster": False, "sync_background": False}


@dataclass(frozen=True)
class Run:
    """What one run took, in seconds, bytes and requests, and its result. ``floor_s`` is 0 where it was not measured.

    ``cpu_s`` is the time that our own process was at work and not waiting.
    """

    seconds: float
    cpu_s: float
    floor_s: float
    peak_bytes: int
    plex: int
    stash: int
    writes: int
    result: dict[str, Any]


@dataclass(frozen=True)
class Library:
    """Both sides, and our notes in the folder "healthy"; ``idle_bytes`` is what a process holds with nothing to do."""

    folder: Path
    scenes: int
    stash: RemoteStashDouble
    plex: RemotePlexDouble
    idle_bytes: int = 0

    def copy(self, name: str) -> Path:
        """A data folder as after the last push, for one run."""
        return shutil.copytree(self.folder / "healthy", self.folder / name)

    def run(self, step: str, data_dir: Path, floor: bool = True) -> Run:
        """One step of `bench.steps` on this data folder; ``floor`` repeats its reads afterwards."""
        asked = self.folder / "asked"
        self.plex.clear_requests()
        measured = steps.run(step, str(data_dir), self.stash.url, str(asked))
        counts = (self.plex.count(), measured["stash_requests"], _writes(self.plex))
        floor_s = self._read_again(asked) if floor else 0.0
        times = (measured["seconds"], measured["cpu_s"], floor_s)
        return Run(*times, measured["peak_bytes"], *counts, measured["result"])

    def _read_again(self, asked: Path) -> float:
        read = self.folder / "read"
        read.write_text("\n".join(json.dumps(pair) for pair in _reads(self.plex)), encoding="ascii")
        return float(steps.run("read_and_parse", str(read), str(asked))["seconds"])

    def prove(self) -> int:
        """Nothing is to be sent of a sample: neither by what we noted, nor when it is compared with Plex itself.

        Returns the memory that a process needs to find out the former, in bytes; raises RuntimeError.
        """
        sample, data_dir = range(1, self.scenes + 1, max(1, self.scenes // SAMPLE)), str(self.folder / "healthy")
        peaks = []
        for force in (False, True):
            jobs = JobQueue(os.path.join(data_dir, "queue"))
            jobs.put(sample, "bench", time(), force)
            jobs.close()
            self.plex.clear_requests()
            measured = steps.run("drain", data_dir, self.stash.url, "process_queue")
            result, done = measured["result"], measured["result"].get("done", {})
            # More than the sample when the scenes are so young that the first sweep still finds them.
            if set(done) != {UNCHANGED} or done[UNCHANGED] < len(sample) or _writes(self.plex):
                raise RuntimeError(f"the library is not healthy: {_writes(self.plex)} writes, {result}")
            peaks.append(int(measured["peak_bytes"]))
        return peaks[0]


@contextmanager
def healthy_library(folder: Path, scenes: int, pictures: bool = False, described: str = "") -> Iterator[Library]:
    """Fill both sides and our own notes, and prove that they agree.

    ``described`` names what Plex shows (see `bench.doubles.plex_with`), when it is not what was pushed.
    """
    described = described or f"bench.doubles:{'covered_item' if pictures else 'synced_item'}"
    with stash_with(scenes, pictures) as stash, plex_with(scenes, described) as plex:
        settings = {"plex_url": plex.url, "plex_token": TOKEN, **({} if pictures else NO_PICTURES)}
        stash.configure("Stash2Plex", settings)
        written = steps.run("write_log", str(folder / "healthy"), stash.url, str(scenes))["written"]
        if written != scenes:
            raise RuntimeError(f"the sync log got {written} rows for {scenes} scenes")
        library = Library(folder, scenes, stash, plex)
        yield Library(folder, scenes, stash, plex, library.prove())


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
