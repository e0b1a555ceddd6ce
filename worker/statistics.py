"""What is counted: totals that survive restarts, how long scenes take, and the lines that sum up a batch. No I/O.

Totals live in the store as named counters: ``synced``, ``unchanged``, ``skipped``, ``gone``, ``waiting``, ``again``,
``dead:<kind>``, ``plex_requests``, ``stash_requests``, ``cache_hits``, ``cache_misses`` and ``took:<bucket>``.

Durations are a histogram of 97 buckets, each a fifth wider than the one before, from 0.1 ms to half an hour: it never
grows, and median and 95th percentile are known within 10 % over all time. The scenes of a group share its time equally,
since they share its requests.

A batch begins with the first scene after a rest and ends when nothing has been queued for a second.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from worker.policy import PUSHED, SKIPPED, UNCHANGED

SHORTEST_S = 0.0001
PER_DOUBLING = 4
LAST_BUCKET = 96
TOOK = "took:"
DEAD = "dead:"
TIMES = (PUSHED, UNCHANGED, SKIPPED, "gone", "waiting", "again")
METERS = ("plex_requests", "stash_requests", "cache_hits", "cache_misses")

LINE_SCENES = 10
LINE_S = 30.0
LINES_APART_S = 1.0
QUIET_S = 1.0
PAUSE_S = 5.0


# totals


def totals(counters: Mapping[str, int]) -> dict[str, Any]:
    """The totals of all time, always with the same keys.

    ``scenes`` counts attempts that came to an end: ``synced``, ``unchanged``, ``skipped`` (not to be sent) and ``gone``
    (from Stash) are done, ``waiting`` is how often a scene had to wait, ``dead`` how many dead letters were ever made,
    by kind. Besides these, ``again`` counts attempts cut short because Plex or Stash was away. ``duration_s`` holds
    ``median`` and ``p95`` of the seconds per scene, None before the first one.
    """
    took = {int(name[len(TOOK) :]): count for name, count in counters.items() if name.startswith(TOOK)}
    return {
        "scenes": sum(took.values()),
        **{name: counters.get(name, 0) for name in TIMES},
        "dead": {name[len(DEAD) :]: count for name, count in counters.items() if name.startswith(DEAD)},
        **{name: counters.get(name, 0) for name in METERS},
        "duration_s": {"median": percentile(took, 50), "p95": percentile(took, 95)},
    }


def durations(scenes: int, took_s: float) -> dict[str, int]:
    """The counters that grow when a group of ``scenes`` took so many seconds."""
    return {f"{TOOK}{bucket(took_s / scenes)}": scenes} if scenes else {}


def bucket(seconds: float) -> int:
    """The number of the bucket that holds this duration; the first and the last hold all that is beyond them."""
    if seconds <= SHORTEST_S:
        return 0
    return min(LAST_BUCKET, math.ceil(math.log2(seconds / SHORTEST_S) * PER_DOUBLING))


def percentile(took: Mapping[int, int], percent: int) -> float | None:
    """The middle of the bucket that holds the nearest-rank percentile, in seconds; None of an empty histogram."""
    rank = -(-sum(took.values()) * percent // 100)
    for number in sorted(took):
        rank -= took[number]
        if rank <= 0:
            return float(f"{SHORTEST_S * 2 ** ((number - 0.5) / PER_DOUBLING):.3g}")
    return None


# what happens now


class Statistics:
    """Takes in what happens; gives the counters that are not yet written, and the lines that are due.

    ``now`` is any clock that runs evenly, in seconds.
    """

    def __init__(self) -> None:
        self.unwritten: Counter[str] = Counter()
        self._seen: dict[str, int] = {}
        self._batch: _Batch | None = None

    def meter(self, name: str, reading: int) -> None:
        """Somebody else counts: this is what his counter shows. One that shows less than before began anew."""
        before = self._seen.get(name, 0)
        self._seen[name] = reading
        self.unwritten[name] += reading - before if reading >= before else reading

    def written(self) -> None:
        """All that was unwritten is in the store."""
        self.unwritten.clear()

    def settled(self, counters: Iterable[str], took_s: float, now: float) -> None:
        """A group came to an end now, after so many seconds: the counters of those of its scenes that are news."""
        if self._batch is None:
            self._batch = _Batch(now - took_s)
        self._batch.add(counters, took_s, now)

    def due_line(self, now: float, queued: int) -> str:
        """The line to log now, "" for none.

        While ``queued`` scenes are to come: after 10 more scenes, or 30 s after the last line, if a second has passed
        since that one; so a bulk of 50 scenes/s gets a line per second. At the end of the batch: the last line.
        """
        if self._batch is None:
            return ""
        if not queued and now - self._batch.at >= QUIET_S:
            return self.end()
        return self._batch.due_line(now, queued)

    def line_ahead(self, done: int, began: float, now: float, queued: int) -> str:
        """The line to log now, while a group is at work: ``done`` of its scenes are through and not counted yet."""
        if self._batch is None:
            self._batch = _Batch(began)
        return self._batch.due_line(now, queued, done, now - began)

    def end(self) -> str:
        """End the batch, if there is one, and sum it up. A single scene has said all in its own line: ""."""
        batch, self._batch = self._batch, None
        return batch.last_line() if batch and batch.scenes > 1 else ""


class _Batch:
    """One run of work: what came of its scenes, and the time spent, which pauses of more than 5 s are no part of."""

    def __init__(self, began: float) -> None:
        self.began = self.at = self._line_at = began
        self.scenes = self._line_scenes = 0
        self._worked_s = 0.0
        self._results: Counter[str] = Counter()

    def add(self, counters: Iterable[str], took_s: float, now: float) -> None:
        gap_s = now - took_s - self.at
        self._worked_s += took_s + (gap_s if 0 <= gap_s < PAUSE_S else 0.0)
        self._results.update("given up" if name.startswith(DEAD) else name for name in counters)
        self.scenes, self.at = sum(self._results.values()), now

    def due_line(self, now: float, queued: int, ahead: int = 0, ahead_s: float = 0.0) -> str:
        """``ahead`` scenes more are through than were added, in ``ahead_s``; what came of them is not known yet."""
        scenes, worked_s = self.scenes + ahead, self._worked_s + ahead_s
        new, since_s = scenes - self._line_scenes, now - self._line_at
        if not queued or since_s < LINES_APART_S or not (new >= LINE_SCENES or (new and since_s >= LINE_S)):
            return ""
        self._line_scenes, self._line_at = scenes, now
        came_of = f" ({self._came_of()})" if self._results else ""
        line = f"Batch: {scenes} of {scenes + queued} scenes{came_of}{_rate(scenes, worked_s)}"
        return f"{line}, about {_time(queued * worked_s / scenes)} left" if worked_s else line

    def last_line(self) -> str:
        whole_s = self.at - self.began
        paused_s = whole_s - self._worked_s
        paused = f", {_time(paused_s)} of it paused" if paused_s >= PAUSE_S else ""
        rate = _rate(self.scenes, self._worked_s)
        return f"Batch ended: {self.scenes} scenes in {_time(whole_s)}{paused} ({self._came_of()}){rate}"

    def _came_of(self) -> str:
        words = [*TIMES, *sorted(set(self._results) - {*TIMES, "given up"}), "given up"]
        return ", ".join(f"{self._results[word]} {word}" for word in words if self._results[word])


def _rate(scenes: int, worked_s: float) -> str:
    if not worked_s:
        return ""
    per_s = scenes / worked_s
    if per_s < 1:
        return f", {per_s * 60:.2g} scenes/min"
    return f", {per_s:.1f} scenes/s" if per_s < 9.95 else f", {per_s:.0f} scenes/s"


def _time(seconds: float) -> str:
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5_400 else f"{seconds / 3_600:.1f} h"
