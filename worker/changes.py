"""Scenes that changed, found by their date: by a watch every second, or by a sweep now and then if none can see us."""

from __future__ import annotations

from collections.abc import Sequence

from reconcile.sweep import seconds, sweep
from reconcile.watch import Read, Watch
from stash import log
from stash.client import StashClient
from sync_queue.queue import JobQueue
from sync_queue.store import Store
from validation.errors import Trouble
from worker.ingest import Ingest
from worker.presence import Presence

COMPONENT = "Worker"
CURSOR = "stash_updated_at"
SWEEP_S = 120.0
AGAIN_S = 10.0
CLOCK_BACK_S = 2.0
WHY = "changed"


class Changes:
    """Queues them; the cursor is durable, and moves only when they are. Without a presence: only sweeps.

    ``trouble`` is why Stash could not be asked the last time, "" when it could.
    """

    def __init__(
        self, stash: StashClient, store: Store, queue: JobQueue, ingest: Ingest, presence: Presence | None = None
    ) -> None:
        self._stash, self._store, self._queue, self._ingest, self._presence = stash, store, queue, ingest, presence
        self._watch: Watch | None = None
        self._looked_at = self._due = self._now = float("-inf")
        self._dozes = False
        self.trouble = ""

    def step(self, now: float, poll_s: float) -> bool:
        """Look if it is time to; whether Stash was asked. Raises Trouble, and then looks again after a while."""
        self._now = now
        if now < self._looked_at - CLOCK_BACK_S:
            self._stop()  # dates may now come before those that we have seen
        try:
            return self._step(now, poll_s)
        except Trouble as trouble:
            if trouble.message != self.trouble:
                log.warning(COMPONENT, f"Stash was asked in vain what has changed: {trouble.message}")
            self.trouble, self._due = trouble.message, now + AGAIN_S
            raise

    def _step(self, now: float, poll_s: float) -> bool:
        if self._watch is not None and not self.trouble:
            self._watch.go_on(now, self._queue)
            self._keep(self._watch.cursor)
        if self._looked_at - CLOCK_BACK_S <= now < self._due:
            return False
        self._looked_at = now
        self._look(now)
        self._due, self.trouble = now + (SWEEP_S if self._watch is None else poll_s), ""
        return True

    def _look(self, now: float) -> None:
        self._watch = self._watch or self._begin(now)
        if self._watch is not None:
            self._watch.look(now, self._queue)
        else:
            self._sweep(now)

    @property
    def looked(self) -> bool:
        """Whether Stash was ever asked."""
        return self._looked_at > float("-inf")

    def read(self, scenes: Sequence[int], found: Read) -> None:
        """These scenes were just read, to be sent."""
        if self._watch is not None:
            self._watch.read(scenes, found, self._now)

    def soon(self) -> None:
        """A person asks for something, and may just have saved what it is about: look at the next step."""
        self._due = float("-inf")

    def doze(self, now: float) -> None:
        """Nothing has happened for long: do not ask Stash every second any more, until `wake`."""
        if not self._dozes:
            self._dozes = True
            self.withdraw(now)

    def wake(self) -> None:
        """Something happens: watch again."""
        if self._dozes:
            self._dozes, self._due = False, float("-inf")

    def withdraw(self, now: float) -> bool:
        """Let every save put a mark from now on, and look a last time; whether Stash answered."""
        self._stop()
        self._now = now
        try:
            self._sweep(now)
        except Trouble:
            return False
        return True

    def pass_over(self) -> None:
        """Let the cursor begin anew, else every change behind it is found again. Raises Trouble."""
        self._stop()
        self._keep("")
        self._keep(self._stash.newest())

    def close(self) -> None:
        """Nobody looks any more."""
        self._stop()

    def _begin(self, now: float) -> Watch | None:
        """Watch from a cursor that is not ahead of the time, if we can be seen to."""
        if self._presence is None or self._dozes:
            return None
        kept = self._store.fact(CURSOR)
        cursor = kept if isinstance(kept, str) and kept and seconds(kept) <= now else self._sweep(now)
        if not self._presence.announce(cursor):
            return None
        return Watch(self._stash, cursor, self._queue_changed, self._presence.announce)

    def _stop(self) -> None:
        self._watch, self._due = None, float("-inf")
        if self._presence is not None:
            self._presence.retract()

    def _sweep(self, now: float) -> str:
        kept = self._store.fact(CURSOR)
        cursor = sweep(self._stash, kept if isinstance(kept, str) else "", self._queue_changed, now)
        self._keep(cursor)
        return cursor

    def _queue_changed(self, scenes: list[int]) -> None:
        self._ingest.queue_changed(scenes, WHY, self._now)

    def _keep(self, cursor: str) -> None:
        if cursor != self._store.fact(CURSOR):
            self._store.remember(CURSOR, cursor)
