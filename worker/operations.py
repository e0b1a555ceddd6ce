"""What a person can ask for: small state machines that run the same way in a task's process and in the worker."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, Protocol

from sync_queue import marks
from validation.errors import Trouble
from worker.drain import Step
from worker.session import Session

SHOWN_DEAD_LETTERS = 10
VAIN_READS = 30  # each after a rest of up to a second
BLOCKED_S = 3.0  # shorter rests are part of one attempt


class Operation(Protocol):
    """One request being carried out."""

    drains: bool
    """Whether the drain has to run for it."""
    accepted: bool
    """Whether all that it asks for is durable, so that its mark may go."""

    def advance(self, now: float) -> None:
        """Do the next small part of its own work."""

    def finished(self, step: Step) -> bool:
        """Whether there is nothing more to do, or nothing that can be done now."""

    def fraction(self) -> float:
        """How much is done, 0 to 1."""

    def result(self) -> dict[str, Any]:
        """What came of it, complete."""


class ProcessQueue:
    """Drain until nothing is ready. Scenes that are due later do not keep it open; it says how many and when."""

    drains = True

    def __init__(self, session: Session) -> None:
        self.accepted = True
        self._session = session
        self._before = _tally(session)
        self._most = 1

    def advance(self, now: float) -> None:
        """Nothing of its own: the drain does the work."""

    def finished(self, step: Step) -> bool:
        """Whether nothing is ready, or Plex, Stash or a setting is in the way."""
        if step.state and step.rest_s >= BLOCKED_S:
            return True
        return not self._ready()

    def fraction(self) -> float:
        """Settled scenes against the most that were ready at once."""
        ready = self._ready()
        self._most = max(self._most, ready + self._settled())
        return self._settled() / self._most

    def result(self) -> dict[str, Any]:
        """Counts by result, what is left, and why nothing is sent if so."""
        numbers = self._session.store.numbers()
        return {
            "done": dict(_tally(self._session) - self._before),
            "queued": self._ready(),
            "waiting": numbers["waiting"],
            "next_due": self._session.store.next_due(),
            "dead_letters": numbers["dead_letters"],
            "state": self._session.state or "ok",
        }

    def _ready(self) -> int:
        unread = marks.count(self._session.data_dir) - self._session.ingest.unaccepted
        return self._session.queue.scenes + max(0, unread)

    def _settled(self) -> int:
        return sum((_tally(self._session) - self._before).values())


class SyncAll(ProcessQueue):
    """Queue every scene, to be compared with Plex even if nothing seems to have changed, and drain."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.accepted = False
        self._vain = 0
        self._page = 1
        self._seen = 0

    def advance(self, now: float) -> None:
        """Queue the next page of scenes; when Stash does not answer, the same page again at the next call."""
        if self.accepted:
            return
        try:
            scenes, total = self._session.stash.page(self._page)
        except Trouble as trouble:
            self._vain, self._session.silence = self._vain + 1, trouble.message
            return
        self._vain = 0
        self._session.queue.put(scenes, "sync all", now, force=True)
        self._page, self._seen = self._page + 1, self._seen + len(scenes)
        self._most = max(self._most, total)
        self.accepted = not scenes or self._seen >= total

    def finished(self, step: Step) -> bool:
        """Like Process Queue, once every page is queued; or when Stash does not give the next page at all."""
        return self._vain >= VAIN_READS or (self.accepted and super().finished(step))

    def result(self) -> dict[str, Any]:
        """Like Process Queue, with an error when not every scene could be queued."""
        if not self.accepted:
            return {"error": f"Only {self._seen} scenes were queued: {self._session.silence}"}
        return super().result()


class QueueStatus:
    """What is queued, waiting, given up; whether Plex can be reached. Changes nothing."""

    drains = False

    def __init__(self, session: Session) -> None:
        self.accepted = True
        self._session = session

    def advance(self, now: float) -> None:
        """Nothing to do."""

    def finished(self, step: Step) -> bool:
        """At once."""
        return True

    def fraction(self) -> float:
        """All of it."""
        return 1.0

    def result(self) -> dict[str, Any]:
        """The whole status."""
        session, store = self._session, self._session.store
        return {
            "state": session.state or "ok",
            "inbox": marks.count(session.data_dir),
            "queued": session.queue.scenes,
            **store.numbers(),
            "next_due": store.next_due(),
            "newest_dead_letters": store.dead_letters(SHOWN_DEAD_LETTERS),
            "outages": store.outages(),
            "totals": store.counters(),
        }


OPERATIONS: dict[str, Callable[[Session], Operation]] = {
    "process_queue": ProcessQueue,
    "sync_all": SyncAll,
    "queue_status": QueueStatus,
}


def _tally(session: Session) -> Counter[str]:
    return Counter(session.tally)
