"""Runs of the comparison beside the drain: begun, done step by step, kept, and gone on with after a kill.

What a run finds goes into the same queue as everything else, and the run waits while that is full.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from reconcile import gaps, schedule
from reconcile.gaps import Gap
from reconcile.scan import ALL, DEEP, DONE, SENT, UPDATED, Cursor, Plan, Scan
from stash import log
from stash.client import StashClient
from sync_queue.queue import JobQueue
from sync_queue.store import Store
from validation.errors import Trouble
from validation.settings import Settings
from worker.breaker import FAILURES_TO_OPEN
from worker.drain import Drain, Step
from worker.ingest import WANTED
from worker.policy import KILLS_TO_POISON, NOT_CHARGED
from worker.runs import COUNTS, about, recalled, summary, take_in, told
from worker.tools import Tools

COMPONENT = "Reconcile"
RECONCILED = "reconciled"
HELD_UNTIL = "reconcile_held_until"
HELD_S = 3_600.0
FULL_SCENES = 1_000
AWAY_S = 1.0
VAIN_TRIES = 3 * FAILURES_TO_OPEN
WHY = "reconcile"


class Reconciler:
    """At most one run at a time. ``running`` is its number, 0 for none; it survives the process."""

    def __init__(self, store: Store, queue: JobQueue, stash: StashClient) -> None:
        self._store, self._queue, self._stash = store, queue, stash
        self._plan, self._cursor, self._content = Plan(), Cursor(), dict[str, Any]()
        self._starting = True
        self._vain = 0
        self.running = 0
        last = next(iter(store.runs()), None)
        if last and last["ended"] is None:
            self._take_up(last)

    # beginning and ending

    def begin(self, plan: Plan, now: float) -> int:
        """Start a run and return its number, which is durable then; one that is under way ends here."""
        if self.running:
            self._end(now, "another run took its place")
        self._plan, self._cursor, self._vain = plan, Cursor(), 0
        counts = dict.fromkeys((*COUNTS, "deaths"), 0)
        wanted = self._store.fact(WANTED)
        self._content = {**asdict(plan), **counts, "gaps": {}, "examples": [], "note": "", "wanted": wanted}
        self.running = self._store.run_begins(now, self._kept())
        write = log.debug if plan.depth == SENT else log.info
        write(COMPONENT, f"Reconcile begins: {about(plan)}")
        return self.running

    def begin_due(self, settings: Settings, now: float) -> None:
        """Start the run that is due by itself, if one is."""
        done = self._done()
        if not done:  # a new installation: what was there before is nobody's business unasked
            done = {schedule.BEGAN: now}
            self._store.remember(RECONCILED, done)
        held = self._store.fact(HELD_UNTIL)
        if isinstance(held, (int, float)) and 0 < held - now <= HELD_S:
            return
        wanted = self._store.fact(WANTED)
        since = float(wanted) if isinstance(wanted, (int, float)) else None
        plan = schedule.due(settings.reconcile_interval, settings.reconcile_scope, done, since, self._starting, now)
        self._starting = False
        if plan is not None:
            self.begin(plan, now)

    def cancel(self, now: float) -> None:
        """End the run that is under way, if one is: what it would still find is not wanted."""
        if self.running:
            self._end(now, "the queue was cleared")

    # a step

    def beside(self, step: Step, drain: Drain, tools: Tools, now: float, unasked: bool) -> Step:
        """Do the next part after a step of the drain, unless something is in the way or much is queued.

        ``unasked`` says whether a run may begin by itself. Returns the step with what came of it.
        """
        if not drain.open(now):
            return step
        if not self.running and unasked:
            self.begin_due(tools.settings, now)
        if not self.running or self._queue.scenes >= FULL_SCENES:
            return step
        if self._content["deaths"] >= KILLS_TO_POISON:
            self._give_up(now, f"the worker died {KILLS_TO_POISON} times at the same place")
            return step
        try:
            self.step(tools, now)
        except Trouble as trouble:
            self._vain += 1
            self._keep(at_work=False)
            if trouble.kind in NOT_CHARGED and self._vain <= VAIN_TRIES:
                drain.met(trouble, now)
            else:
                self._give_up(now, trouble.message)
            return replace(step, rest_s=min(step.rest_s, AWAY_S), state=drain.state)
        drain.went_well(now)
        return replace(step, rest_s=0.0, state=drain.state)

    def step(self, tools: Tools, now: float) -> None:
        """Do the next part of the run. Raises Trouble, and then the part is done again at the next call."""
        plex, stash = tools.plex.requests, self._stash.requests
        self._keep(at_work=True)
        if self._plan.depth == DEEP and self._cursor == Cursor():
            tools.index.forget()  # it believes what it was told up to an hour ago
        try:
            cursor, page = scan(self.running, self._plan, tools, self._stash, self._store).step(self._cursor, now)
        finally:
            self._content["plex_requests"] += tools.plex.requests - plex
            self._content["stash_requests"] += self._stash.requests - stash
        repaired = self._repair(page.gaps, tools.settings.reconcile_missing, now)
        take_in(self._content, page)
        self._content["repairs"] += repaired
        self._cursor, self._vain, self._content["deaths"] = cursor, 0, 0
        if cursor.stage == DONE:
            self._end(now)
        else:
            self._keep(at_work=False)

    def _repair(self, found: Sequence[Gap], missing_too: bool, now: float) -> int:
        """Queue what can be repaired and is not on its way already; returns how many scenes that are."""
        kinds = {gap.scene: gap.kind for gap in found if gap.kind != gaps.ORPHANED}
        waits, held_up = self._store.waits(list(kinds)), self._store.held_up(list(kinds))
        same = {scene for scene, trouble in held_up.items() if trouble == kinds[scene]}
        force, queued = self._plan.depth != SENT, self._queue.forced  # unforced, what was sent before is passed over
        under_way = {scene for scene in kinds if scene in queued and (queued[scene] or not force)}
        under_way |= waits.keys() & same
        left = {scene for scene, kind in kinds.items() if kind == gaps.MISSING and not missing_too}
        # Whose file Plex lacks comes back by itself when Plex gets it; of others a look at Stash alone says nothing.
        left |= held_up.keys() if self._plan.depth == SENT else same
        new = [scene for scene in kinds if scene not in under_way | left]
        self._queue.put(new, WHY, now, force=force)
        self._store.revive(new)
        self._content["under_way"] += len(under_way)
        return len(new)

    # what is kept

    def fraction(self, run: int) -> float:
        """How much of this run is done, 0 to 1; one that is over is done."""
        if run != self.running:
            return 1.0
        return min(1.0, self._content["checked"] / self._cursor.total) if self._cursor.total else 0.0

    def runs(self) -> list[dict[str, Any]]:
        """The last runs for people, newest first."""
        return [told(row) for row in self._store.runs()]

    def run(self, number: int) -> dict[str, Any]:
        """One run for people; {} when it is kept no more."""
        return next((told(row) for row in self._store.runs() if row["id"] == number), {})

    def next_due(self, settings: Settings, now: float) -> float | None:
        """When the next run begins by itself, None when none will."""
        if self.running:
            return None
        return schedule.next_due(settings.reconcile_interval, settings.reconcile_scope, self._done(), now)

    def _end(self, now: float, note: str = "") -> None:
        if not note:
            self._store.remember(RECONCILED, {**self._done(), **dict.fromkeys(_covered(self._plan), now)})
            if self._plan.scope == ALL and self._store.fact(WANTED) == self._content.get("wanted"):
                self._store.remember(WANTED, None)  # unless something was deleted meanwhile
        self._content["note"] = note
        if self._plan.depth == SENT and not self._content["gaps"] and not note:
            self._store.run_dropped(self.running)  # it is nothing to keep, and comes every day
        else:
            self._store.run_goes_on(self.running, self._kept(), ended=now)
            log.info(COMPONENT, f"Reconcile ends: {summary(self._content)}{f'; {note}' if note else ''}")
        self.running = 0

    def _give_up(self, now: float, why: str) -> None:
        """The run does not count: Plex, which was back in between, or Stash fails at the same place for ever.

        For an hour none begins by itself, since it would fare no better.
        """
        log.warning(COMPONENT, f"Reconcile gives up: {why}")
        self._store.remember(HELD_UNTIL, now + HELD_S)
        self._end(now, f"given up: {why}")

    def _done(self) -> dict[str, float]:
        kept = self._store.fact(RECONCILED)
        return (
            {name: float(at) for name, at in kept.items() if type(at) in (int, float)} if isinstance(kept, dict) else {}
        )

    def _keep(self, at_work: bool) -> None:
        """Before a step too: if it kills the worker, the next one shall know."""
        self._store.run_goes_on(self.running, {**self._kept(), "at_work": at_work})

    def _kept(self) -> dict[str, Any]:
        return {**self._content, "cursor": asdict(self._cursor)}

    def _take_up(self, row: dict[str, Any]) -> None:
        """Go on where the last worker was; a run whose record is damaged is over."""
        try:
            self._plan, self._cursor, self._content = recalled(row["content"])
            self.running = int(row["id"])
        except (KeyError, TypeError, ValueError, AttributeError):
            self._store.run_goes_on(int(row["id"]), {"note": "its record was damaged"}, ended=row["started"])


def _covered(plan: Plan) -> list[str]:
    """What a run that came to its end stands for, in the words of `reconcile.schedule.due`."""
    if plan.depth == SENT:
        return [SENT]
    scopes = [plan.scope] if plan.scope == ALL or plan.by == UPDATED else []
    return scopes + [DEEP] * (plan.depth == DEEP and plan.scope == ALL)


def scan(run: int, plan: Plan, tools: Tools, stash: StashClient, store: Store) -> Scan:
    """The scan of a run with what there is now."""
    return Scan(run, plan, stash, store, tools.plex, tools.finder, tools.comparer, tools.index.sections)
