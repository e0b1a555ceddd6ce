"""The operations that only look at what we keep."""

from __future__ import annotations

from typing import Any

from sync_queue import lease, marks
from worker import outages
from worker.session import Session
from worker.tasks_base import AtOnce
from worker.tasks_outage import standing

SHOWN_DEAD_LETTERS = 10
SHOWN_WAITING = 10
SHOWN_RUNS = 10
LISTED_DEAD_LETTERS = 1_000


class QueueStatus(AtOnce):
    """What is queued, waiting, given up; what the worker does; whether Plex can be reached. Changes nothing."""

    looks = True

    def act(self, now: float) -> dict[str, Any]:
        """The whole status."""
        session, store = self._session, self._session.store
        away = store.outages()
        return {
            "state": session.state or "ok",
            "worker": _doing(session),
            "breaker": standing(session, now),
            "inbox": marks.count(session.data_dir) - session.ingest.unaccepted,
            "queued": session.queue.scenes,
            **store.numbers(),
            "next_due": store.next_due(),
            "next_reconcile": session.reconciler.next_due(session.settings, now),
            "next_waiting": store.waiting(SHOWN_WAITING),
            "newest_dead_letters": store.dead_letters(SHOWN_DEAD_LETTERS),
            "outages": outages.described(away, now),
            **outages.figures(away, now),
            "reconcile_runs": session.reconciler.runs()[:SHOWN_RUNS],
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


def _doing(session: Session) -> str:
    """What the worker does now; without one we look at a copy, beside which nobody holds a lease."""
    if not lease.held(session.data_dir):
        return "none is running; the next change starts one"
    if session.state:
        return "waits until nothing is in the way"
    if session.queue.scenes:
        return f"sends what is ready, {session.queue.scenes} scenes"
    if session.reconciler.running:
        return "compares both sides"
    return "has nothing to do now" if session.store.next_due() is None else "waits for the next scene that is due"
