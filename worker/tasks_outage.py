"""The operations about outages: what they amount to, and a new chance for dead letters that one can have caused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from worker import outages
from worker.drain import Step
from worker.gate import remembered_standing
from worker.session import Session
from worker.tasks_base import AtOnce
from worker.tasks_drain import ProcessQueue

KINDS = "kinds"


def standing(session: Session, now: float) -> dict[str, Any]:
    """How things stand with Plex, see `worker.gate.Gate.standing`."""
    return session.drain.standing(now) if session.drain else remembered_standing(session.store, now)


class OutageSummary(AtOnce):
    """When Plex was away, how long, why, and how often that happens. Changes nothing."""

    looks = True

    def act(self, now: float) -> dict[str, Any]:
        """The state of the breaker, the figures, and the outages, newest first."""
        store = self._session.store
        rows = store.outages()
        return {
            "state": self._session.state or "ok",
            "note": "" if rows else "Plex was never away",
            "breaker": standing(self._session, now),
            **outages.figures(rows, now),
            "outages": outages.described(rows, now),
        }


class RecoverOutageJobs(ProcessQueue):
    """Give dead letters of chosen kinds a new chance at once, and drain.

    The argument ``kinds`` names them, see `worker.outages.kinds`; without it they are those that an outage can cause.
    """

    def __init__(self, session: Session, args: Mapping[str, str]) -> None:
        super().__init__(session, args)
        self.accepted = False
        self._kinds = outages.kinds(args[KINDS]) if KINDS in args else outages.BY_OUTAGE
        self._recovered: Counter[str] = Counter()
        self._left: Counter[str] = Counter()

    def advance(self, now: float) -> None:
        """Queue them first and forget that they were given up after, so that a crash between loses none."""
        if self.accepted:
            return
        letters = self._session.store.dead_letters()
        chosen = [letter for letter in letters if letter["kind"] in {kind.value for kind in self._kinds}]
        scenes = [letter["scene"] for letter in chosen]
        self._session.queue.put(scenes, "recovered", now, force=True)
        self._session.store.revive(scenes)
        self._recovered = Counter(letter["kind"] for letter in chosen)
        self._left = Counter(letter["kind"] for letter in letters) - self._recovered
        self.accepted = True

    def finished(self, step: Step) -> bool:
        """Like Process Queue, once they are queued."""
        return self.accepted and super().finished(step)

    def result(self) -> dict[str, Any]:
        """Like Process Queue, with how many got a new chance and how many were not chosen, by kind."""
        names = sorted(kind.value for kind in self._kinds)
        return {
            "note": "" if self._recovered else f"No dead letter is of these kinds: {', '.join(names)}",
            "recovered": dict(sorted(self._recovered.items())),
            "not_chosen": dict(sorted(self._left.items())),
            **super().result(),
        }
