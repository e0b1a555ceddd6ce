"""The operations that only look at what we keep."""

from __future__ import annotations

from typing import Any

from sync_queue import marks
from worker.tasks_base import AtOnce

SHOWN_DEAD_LETTERS = 10
SHOWN_WAITING = 10
LISTED_DEAD_LETTERS = 1_000


class QueueStatus(AtOnce):
    """What is queued, waiting, given up; whether Plex can be reached. Changes nothing."""

    looks = True

    def act(self, now: float) -> dict[str, Any]:
        """The whole status."""
        session, store = self._session, self._session.store
        return {
            "state": session.state or "ok",
            "inbox": marks.count(session.data_dir) - session.ingest.unaccepted,
            "queued": session.queue.scenes,
            **store.numbers(),
            "next_due": store.next_due(),
            "next_waiting": store.waiting(SHOWN_WAITING),
            "newest_dead_letters": store.dead_letters(SHOWN_DEAD_LETTERS),
            "outages": store.outages(),
            "totals": session.statistics(),
        }


class DeadLetters(AtOnce):
    """The list of scenes that were given up."""

    looks = True

    def act(self, now: float) -> dict[str, Any]:
        """The newest first, and how many there are by reason."""
        store = self._session.store
        dead = sum(store.numbers()["dead_letters"].values())
        return {
            "state": "ok",
            "note": "" if dead else "No scene was given up",
            "dead_letters": store.numbers()["dead_letters"],
            "newest_dead_letters": store.dead_letters(LISTED_DEAD_LETTERS),
        }
