"""The one serial job queue that plugin tasks and scans share."""

import threading
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Callable, Optional

from tests.doubles.stash_model import rfc3339

Work = Callable[["Job"], None]
ENDED = ("FINISHED", "CANCELLED", "FAILED")


@dataclass
class Job:
    """One job; `error` and `output` are the plugin's, which Stash itself does not keep."""

    id: str
    description: str
    work: Work
    addTime: str
    status: str = "READY"
    progress: Optional[float] = None
    progress_seen: list[float] = field(default_factory=list)
    startTime: Optional[str] = None
    endTime: Optional[str] = None
    plugin_error: Optional[str] = None
    output: Any = None
    error: Optional[str] = None
    subTasks: Optional[list[str]] = None
    stopping: threading.Event = field(default_factory=threading.Event)

    def report(self, text: str) -> None:
        """Takes a progress line: 0 to 1, clamped."""
        self.progress = min(1.0, max(0.0, float(text)))
        self.progress_seen.append(self.progress)


class Jobs:
    """Runs jobs one after the other; remembers them all, shows the last ten that ended."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._waiting: deque[Job] = deque()
        self._running: Optional[Job] = None
        self._all: dict[str, Job] = {}
        self._ended: deque[Job] = deque(maxlen=10)
        self._generation = 0

    def open(self) -> None:
        self._generation += 1
        threading.Thread(target=self._loop, args=(self._generation,), daemon=True).start()

    def close(self) -> None:
        """Forgets what waits, as a restart does; what runs is not stopped."""
        with self._changed:
            self._generation += 1
            self._waiting.clear()
            if self._running:
                self._running.stopping.set()
            self._running = None
            self._changed.notify_all()

    def add(self, description: str, work: Work) -> str:
        with self._changed:
            job = Job(str(len(self._all) + 1), description, work, rfc3339(self._clock()))
            self._all[job.id] = job
            self._waiting.append(job)
            self._changed.notify_all()
        return job.id

    def queue(self) -> Optional[list[Job]]:
        with self._changed:
            return ([self._running] if self._running else []) + list(self._waiting) or None

    def find(self, job_id: str) -> Optional[Job]:
        """What findJob shows: waiting, running, or among the last ten that ended."""
        with self._changed:
            shown = [self._running, *self._waiting, *self._ended]
        return next((job for job in shown if job and job.id == str(job_id)), None)

    def stop(self, job_id: str) -> None:
        with self._changed:
            job = self._all.get(str(job_id))
            if job in self._waiting:
                self._waiting.remove(job)
                self._end(job, "CANCELLED")
            elif job is not None and job is self._running:
                job.status = "STOPPING"
                job.stopping.set()

    def stop_all(self) -> None:
        for job in self.queue() or []:
            self.stop(job.id)

    def wait(self, job_id: str, timeout_s: float) -> Job:
        """The job once it has ended; TimeoutError otherwise."""
        with self._changed:
            job = self._all[str(job_id)]
            if not self._changed.wait_for(lambda: job.status in ENDED, timeout_s):
                raise TimeoutError(f"job {job_id} is {job.status} after {timeout_s} s")
        return job

    def _loop(self, generation: int) -> None:
        while True:
            job = self._take(generation)
            if job is None:
                return
            try:
                job.work(job)
                status = "CANCELLED" if job.stopping.is_set() else "FINISHED"
            except Exception as error:
                job.error, status = str(error), "FAILED"
            with self._changed:
                self._end(job, status)

    def _take(self, generation: int) -> Optional[Job]:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._generation != generation)
            if self._generation != generation:
                return None
            job = self._running = self._waiting.popleft()
            job.status, job.startTime = "RUNNING", rfc3339(self._clock())
            return job

    def _end(self, job: Job, status: str) -> None:
        job.status, job.endTime = status, rfc3339(self._clock())
        if self._running is job:
            self._running = None
        self._ended.append(job)
        self._changed.notify_all()
