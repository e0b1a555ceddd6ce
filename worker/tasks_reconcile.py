"""The operations that compare both sides: one repairs what it finds, the other only reports it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconcile.scan import ALL, DEEP, DONE, UPDATED, Cursor, Plan
from reconcile.schedule import ASKED
from validation.errors import Trouble
from worker.drain import Step
from worker.reconciler import scan
from worker.runs import COUNTS, take_in
from worker.session import Session
from worker.tasks_drain import ProcessQueue

COMPARED = 0.8  # of the work of a run, the rest is for the drain


class Reconcile(ProcessQueue):
    """Compare every scene with its items, queue those with a gap, and drain."""

    def __init__(self, session: Session, args: Mapping[str, str]) -> None:
        super().__init__(session, args)
        self.accepted = False
        self._plan = Plan(args.get("scope", ALL), DEEP, args.get("by", UPDATED), ASKED)
        self._run = 0

    def advance(self, now: float) -> None:
        """Begin a run, even if one is under way: what that one passed may differ now. The session does the rest."""
        if not self.accepted:
            self._run, self.accepted = self._session.reconciler.begin(self._plan, now), True

    def finished(self, step: Step) -> bool:
        """Like Process Queue, once the run is over."""
        waits = bool(step.state) and super().finished(step)
        return self.accepted and (waits or (self._over and super().finished(step)))

    def fraction(self) -> float:
        """Most of it is the comparison."""
        compared = COMPARED * self._session.reconciler.fraction(self._run) if self.accepted else 0.0
        return compared + (1 - COMPARED) * super().fraction() if self._over else compared

    def result(self) -> dict[str, Any]:
        """What the run found, and what came of it."""
        found = self._session.reconciler.run(self._run)
        note = "" if self._over else "It goes on by itself"
        shown = {name: found[name] for name in (*COUNTS, "gaps", "examples") if name in found}
        return {**shown, "note": found.get("note") or note, **super().result()}

    @property
    def _over(self) -> bool:
        return self.accepted and self._session.reconciler.running != self._run


class ReconcileDryRun:
    """Compare every scene with its items, and only say what differs."""

    drains = False
    looks = True

    def __init__(self, session: Session, args: Mapping[str, str]) -> None:
        self.accepted = False
        self._session = session
        self._plan = Plan(args.get("scope", ALL), DEEP, args.get("by", UPDATED), ASKED, dry=True)
        self._cursor = Cursor()
        self._content: dict[str, Any] = {**dict.fromkeys(COUNTS, 0), "gaps": {}, "examples": []}
        self._state = "ok"

    def advance(self, now: float) -> None:
        """Compare the next page."""
        session, tools = self._session, self._session.tools
        if tools is None:
            self._state, self.accepted = session.state or "ok", True
            return
        plex, stash = tools.plex.requests, session.stash.requests
        try:
            self._cursor, page = scan(0, self._plan, tools, session.stash, session.store).step(self._cursor, now)
            take_in(self._content, page)
        except Trouble as trouble:
            self._state = trouble.message
        self._content["plex_requests"] += tools.plex.requests - plex
        self._content["stash_requests"] += session.stash.requests - stash
        self.accepted = self._cursor.stage == DONE or self._state != "ok"

    def finished(self, step: Step) -> bool:
        """Once every scene was compared, or when Plex or Stash is away."""
        return self.accepted

    def fraction(self) -> float:
        """Compared scenes."""
        return min(1.0, self._content["checked"] / self._cursor.total) if self._cursor.total else 0.0

    def result(self) -> dict[str, Any]:
        """The counts, and the first examples of each kind."""
        left_out = ("repairs", "under_way")  # nothing is queued, and nobody asked what is
        shown = {name: self._content[name] for name in (*COUNTS, "gaps", "examples") if name not in left_out}
        return {"state": self._state, **shown, "note": "Nothing was sent and nothing was changed"}
