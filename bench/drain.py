"""How fast the drain is and what it asks of Plex and Stash: ``python -m bench.drain``.

Stash and Plex are doubles in processes of their own, the drain runs in a third (see `bench.steps`). The floor is the
same PUTs, taken from Plex's request log, sent by a bare loop over one connection. Every run gets a fresh Plex, so that
both ask the same of it, and the runs take turns so that the machine's moods hit both.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench import steps
from bench.doubles import TOKEN, plex_with, stash_with
from bench.library import NO_PICTURES
from bench.parts import main
from bench.table import Bar, Row, median
from sync_queue import inbox
from tests.doubles.plex_remote import RemotePlexDouble
from tests.doubles.stash_client import RemoteStashDouble

QUICK = {"scenes": 60, "rounds": 1, "queued": 200}
SPEED_BAR = Bar(0.75, of_ratio=True, at_least=True)
COLD_BAR, WARM_BAR, UNCHANGED_BAR, COMPARED_BAR = Bar(1.1), Bar(1.05), Bar(0.02), Bar(0.02)
AT_ONCE = 500
MEMORY_BAR, QUEUEING_BAR = Bar(80), Bar(2)


@dataclass
class Figures:
    """What the rounds gave. Seconds are per run, requests are those of one run."""

    drain_s: list[float] = field(default_factory=list)
    requests_s: list[float] = field(default_factory=list)
    raw_s: list[float] = field(default_factory=list)
    peak_bytes: int = 0
    plex: dict[str, int] = field(default_factory=dict)
    stash: dict[str, int] = field(default_factory=dict)


def measure(folder: Path, *, scenes: int = 10_000, rounds: int = 3, queued: int = 10_000) -> list[Row]:
    """All rows; ``queued`` scenes are only queued."""
    figures = Figures()
    with stash_with(scenes) as stash:
        for number in range(rounds):
            _one_round(folder / str(number), scenes, stash, figures, last=number == rounds - 1)
        queue_s = steps.run("queue", str(folder / "queue"), str(queued))["seconds"]
        ingest_s = steps.run("ingest", _marked(folder / "ingest", queued), stash.url)["seconds"]
    speed, loop, raw = (scenes / median(seconds) for seconds in (figures.drain_s, figures.requests_s, figures.raw_s))
    title, peak_mb = "drain (floor: the same PUTs, bare loop)", figures.peak_bytes / 1e6
    return [
        Row(title, speed, "scenes/s", loop, SPEED_BAR, figures.plex["cold"], figures.stash["cold"], peak_mb),
        Row("… (floor: the same, http.client)", speed, "scenes/s", raw),
        Row("Plex requests per changed scene, never seen before", figures.plex["cold"] / scenes, "", 1, COLD_BAR),
        Row("… once Plex's items are known", figures.plex["warm"] / scenes, "", 1, WARM_BAR),
        Row("Plex requests per unchanged scene", figures.plex["unchanged"] / scenes, "", None, UNCHANGED_BAR),
        Row("… when everything is compared anew", figures.plex["forced"] / scenes, "", None, COMPARED_BAR),
        Row("Stash requests per changed scene", figures.stash["cold"] / scenes, ""),
        Row("Stash requests per unchanged scene", figures.stash["unchanged"] / scenes, ""),
        Row("memory of the drain, peak", peak_mb, "MB", None, MEMORY_BAR),
        Row(f"queueing {queued:,} scenes", queue_s, "s", None, QUEUEING_BAR),
        Row(f"from {queued:,} marks to the queue", ingest_s, "s"),
    ]


def _one_round(folder: Path, scenes: int, stash: RemoteStashDouble, figures: Figures, last: bool) -> None:
    """One cold drain and the two bare loops with the same PUTs; the last round also measures what comes after."""
    data_dir = _marked(folder, scenes)
    with plex_with(scenes) as plex:
        stash.configure("Stash2Plex", {"plex_url": plex.url, "plex_token": TOKEN, **NO_PICTURES})
        cold = _drain("cold", "process_queue", data_dir, plex, stash, figures)
        figures.drain_s.append(cold["seconds"])
        puts = folder / "puts"
        puts.write_text("\n".join(_puts(plex)), encoding="ascii")
        if last:
            _change(stash, scenes)
            _marked(folder, scenes)
            _drain("warm", "process_queue", data_dir, plex, stash, figures)
            _marked(folder, scenes)
            _drain("unchanged", "process_queue", data_dir, plex, stash, figures)
            _drain("forced", "sync_all", data_dir, plex, stash, figures)
    for step, into in (("replay_with_requests", figures.requests_s), ("replay_raw", figures.raw_s)):
        with plex_with(scenes) as plex:
            into.append(steps.run(step, str(puts), plex.url)["seconds"])


def _drain(
    name: str, operation: str, data_dir: str, plex: RemotePlexDouble, stash: RemoteStashDouble, figures: Figures
) -> dict[str, Any]:
    plex.clear_requests()
    measured = steps.run("drain", data_dir, stash.url, operation)
    if measured["result"].get("state") != "ok" or measured["result"].get("queued"):
        raise RuntimeError(f"the drain did not end well: {measured['result']}")
    figures.plex[name], figures.stash[name] = plex.count(), measured["stash_requests"]
    figures.peak_bytes = max(figures.peak_bytes, measured["peak_bytes"])
    return measured


def _change(stash: RemoteStashDouble, scenes: int) -> None:
    """Give every scene another title."""
    for start in range(1, scenes + 1, AT_ONCE):
        numbers = range(start, min(start + AT_ONCE, scenes + 1))
        stash.batch(
            [{"call": "change", "args": [number], "options": {"title": f"Anew {number}"}} for number in numbers]
        )


def _puts(plex: RemotePlexDouble) -> list[str]:
    return [f"{entry.path}?{entry.query}" for entry in plex.requests() if entry.method == "PUT"]


def _marked(folder: Path, scenes: int) -> str:
    """A data folder whose inbox holds a mark for each scene, as hooks leave them."""
    data_dir = str(folder / "data")
    for scene in range(1, scenes + 1):
        inbox.put(data_dir, {"kind": "scene", "id": scene, "event": "Scene.Update.Post", "fields": ["title"]})
    return data_dir


if __name__ == "__main__":
    sys.exit(main(["drain", *sys.argv[1:]]))
