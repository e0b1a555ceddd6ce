"""The queue of ready work: persist-queue's acknowledged SQLite queue inside the envelope in which it is sound.

One process opens it (the lease), JSON instead of pickle, acknowledged rows are cleared every pass, ``get(id=)`` and
``UniqueAckQ`` are never used (measured: they hand out acknowledged rows, and lose what is queued again).
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass

import persistqueue
from persistqueue.serializers import json as json_serializer

from sync_queue.files import check_database, private_file

JOB_SCENES = 50
FORCED_SCENES = 100  # of these most are only compared, and Plex shows so many at once


@dataclass(frozen=True)
class Job:
    """A small group of scenes to bring up to date. ``force`` compares with Plex even what looks unchanged."""

    id: int
    scenes: tuple[int, ...]
    why: str
    at: float
    force: bool = False


class JobQueue:
    """Ready jobs, first in, first out; a scene that is queued and not yet claimed is not queued twice.

    ``clearings`` counts how often the queue was cleared: whoever fills it page by page stops when that changes.
    """

    def __init__(self, folder: str) -> None:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        path = os.path.join(folder, "data.db")
        check_database(path)
        private_file(path)
        self._rows = persistqueue.SQLiteAckQueue(
            folder, auto_commit=True, multithreading=True, serializer=json_serializer
        )
        self._queued: dict[int, bool] = {}
        self.clearings = 0
        try:
            self._rows.clear_acked_data(keep_latest=0, max_delete=0)
            for row in self._rows.queue():
                self._note(_job(row["id"], row["data"]))
        except BaseException:
            self._rows.close()  # Windows cannot set aside what is open
            raise

    def put(self, scenes: Iterable[int], why: str, now: float, force: bool = False) -> int:
        """Queue the scenes that are not queued yet, in jobs of at most 50, or 100 with ``force``; returns how many."""
        new = [scene for scene in dict.fromkeys(scenes) if not self._covers(scene, force)]
        most = FORCED_SCENES if force else JOB_SCENES
        for start in range(0, len(new), most):
            group = new[start : start + most]
            self._rows.put({"scenes": group, "why": why, "at": now, "force": force})
            self._queued.update((scene, force or self._queued.get(scene, False)) for scene in group)
        return len(new)

    def claim(self) -> Job | None:
        """The oldest job, in flight from now on: a mark for one of its scenes makes a new job."""
        try:
            row = self._rows.get(block=False, raw=True)
        except persistqueue.Empty:
            return None
        job = _job(row["pqid"], row["data"])
        for scene in job.scenes:
            if not self._queued.get(scene, False) or job.force:
                self._queued.pop(scene, None)
        return job

    def acknowledge(self, job: Job) -> None:
        """The job's scenes are settled: forget it for good."""
        self._rows.ack(id=job.id)
        self._rows.clear_acked_data(keep_latest=0, max_delete=0)

    def give_back(self, job: Job) -> None:
        """Nothing of the job was done: it is ready again, in its old place."""
        self._rows.nack(id=job.id)
        self._note(job)

    def clear(self) -> int:
        """Drop everything that is queued; returns how many scenes that were."""
        dropped = len(self._queued)
        self.clearings += 1
        while True:
            job = self.claim()
            if job is None:
                return dropped
            self.acknowledge(job)

    @property
    def scenes(self) -> int:
        """How many scenes are queued and not claimed."""
        return len(self._queued)

    @property
    def forced(self) -> dict[int, bool]:
        """The scenes that are queued and not claimed, each with whether it is compared even if it looks unchanged."""
        return dict(self._queued)

    def __contains__(self, scene: int) -> bool:
        return scene in self._queued

    def close(self) -> None:
        """Close the files; the queue must not be used after."""
        self._rows.close()

    def _covers(self, scene: int, force: bool) -> bool:
        return scene in self._queued and (self._queued[scene] or not force)

    def _note(self, job: Job) -> None:
        self._queued.update((scene, job.force or self._queued.get(scene, False)) for scene in job.scenes)


def _job(id: int, data: dict[str, object]) -> Job:
    """Rows are input like any other: whatever is no positive integer that SQLite can hold is no scene."""
    scenes, at = data.get("scenes"), data.get("at")
    ids = tuple(s for s in scenes if type(s) is int and 0 < s < 1 << 63) if isinstance(scenes, list) else ()
    when = float(at) if isinstance(at, (int, float)) else 0.0
    return Job(id, ids, str(data.get("why", "")), when, data.get("force") is True)
