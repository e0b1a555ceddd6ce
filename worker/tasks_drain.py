"""The operations that send: they fill the queue, let the drain work it off, and say what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from reconcile.sweep import stamp
from sync_queue import marks
from validation.errors import Trouble
from worker.drain import Step
from worker.session import Session

BLOCKED_S = 3.0  # shorter rests are part of one attempt
RECENT_S = 86_400.0
VAIN_READS = 30  # each after a rest of up to a second


class ProcessQueue:
    """Drain until nothing is ready. Scenes that are due later do not keep it open; it says how many and when."""

    drains = True
    looks = False

    def __init__(self, session: Session, args: Mapping[str, str]) -> None:
        self.accepted = True
        self._session = session
        self._before = Counter(session.tally)
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
        self._most = max(self._most, self._ready() + self._settled())
        return self._settled() / self._most

    def result(self) -> dict[str, Any]:
        """Counts by result, what is left, and why nothing is sent if so."""
        numbers = self._session.store.numbers()
        return {
            "done": dict(self._tally()),
            "queued": self._ready(),
            "waiting": numbers["waiting"],
            "next_due": self._session.store.next_due(),
            "dead_letters": numbers["dead_letters"],
            "state": self._session.state or "ok",
        }

    def _ready(self) -> int:
        unread = marks.count(self._session.data_dir) - self._session.ingest.unaccepted
        return self._session.queue.scenes + max(0, unread)

    def _tally(self) -> Counter[str]:
        return Counter(self._session.tally) - self._before

    def _settled(self) -> int:
        return sum(self._tally().values())


class ProcessOneJob(ProcessQueue):
    """Drain until one job is done."""

    def finished(self, step: Step) -> bool:
        """Whether something was settled, or as Process Queue says."""
        return step.settled > 0 or self._settled() > 0 or super().finished(step)


class SyncAll(ProcessQueue):
    """Queue every scene, to be compared with Plex even if nothing seems to have changed, and drain."""

    why = "sync all"
    force = True

    def __init__(self, session: Session, args: Mapping[str, str]) -> None:
        super().__init__(session, args)
        self.accepted = False
        self._clearings = session.queue.clearings
        self._vain = 0
        self._page = 1
        self._seen = 0

    def advance(self, now: float) -> None:
        """Queue the next page of scenes; when Stash does not answer, the same page again at the next call."""
        if self.accepted:
            return
        if self._session.queue.clearings != self._clearings:
            self.accepted = True  # a person cleared the queue meanwhile: that goes for what we would still put there
            return
        try:
            scenes, total = self.read(self._page, now)
        except Trouble as trouble:
            self._vain, self._session.silence = self._vain + 1, trouble.message
            return
        self._vain = 0
        self._session.queue.put(scenes, self.why, now, force=self.force)
        self._page, self._seen = self._page + 1, self._seen + len(scenes)
        self._most = max(self._most, total)
        self.accepted = not scenes or self._seen >= total

    def read(self, page: int, now: float) -> tuple[list[int], int]:
        """One page of the scenes to queue, and how many there are in all; raises Trouble."""
        return self._session.stash.page(page)

    def finished(self, step: Step) -> bool:
        """Like Process Queue, once every page is queued; or when Stash does not give the next page at all."""
        return self._vain >= VAIN_READS or (self.accepted and super().finished(step))

    def result(self) -> dict[str, Any]:
        """Like Process Queue, with an error when not every scene could be queued."""
        if not self.accepted:
            return {"error": f"Only {self._seen} scenes were queued: {self._session.silence}"}
        return super().result()


class SyncChanged(SyncAll):
    """Like Sync All, but a scene of which the same was sent under the same settings costs no request to Plex."""

    why = "settings changed"
    force = False


class SyncRecent(SyncAll):
    """Like Sync All, for the scenes that were added or changed in Stash within the last 24 hours."""

    why = "sync recent"

    def __init__(self, session: Session, args: Mapping[str, str]) -> None:
        super().__init__(session, args)
        self._after = ""

    def read(self, page: int, now: float) -> tuple[list[int], int]:
        """One page; Stash compares times as text in its own offset, which the newest scene shows."""
        if not self._after:
            self._after = stamp(now - RECENT_S, like=self._session.stash.newest())
        return self._session.stash.page(page, {"updated_at": {"value": self._after, "modifier": "GREATER_THAN"}})


class RetryDeadLetters(ProcessQueue):
    """Give every dead letter a new chance at once, and drain."""

    def __init__(self, session: Session, args: Mapping[str, str]) -> None:
        super().__init__(session, args)
        self.accepted = False
        self._retried = 0

    def advance(self, now: float) -> None:
        """Queue them first and forget that they were given up after, so that a crash between loses none."""
        if self.accepted:
            return
        scenes = [letter["scene"] for letter in self._session.store.dead_letters()]
        self._session.queue.put(scenes, "retried", now, force=True)
        self._session.store.revive(scenes)
        self._retried, self.accepted = len(scenes), True

    def finished(self, step: Step) -> bool:
        """Like Process Queue, once they are queued."""
        return self.accepted and super().finished(step)

    def result(self) -> dict[str, Any]:
        """Like Process Queue, with the number of scenes that got a new chance."""
        return {"retried": self._retried, **super().result()}
