"""The drain: inbox → queue → a small group of scenes → Plex → settlements. One step at a time, with the time given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from plex.client import PlexClient
from plex.index import PathIndex
from plex.paths import base_name
from stash import log
from sync_queue.queue import Job, JobQueue
from sync_queue.settlement import Settlement, Verdict
from sync_queue.store import Store
from validation.errors import Kind, Trouble
from worker import policy
from worker.breaker import Breaker, recall
from worker.executor import COMPONENT, Executor
from worker.policy import Outcome
from worker.summary import Summary

BREAKER = "breaker"
ADDED_AT = "plex_added_at"
DUE_AT_ONCE = 500
QUEUED_AGAIN_S = 3_600.0
REFUSED_S = 60.0
NOTICE_NEW_S = 300.0
STASH_PAUSE_S = 5.0


@dataclass(frozen=True)
class Step:
    """What one step did: how many scenes it settled, and how long nothing can be done (0: go on at once)."""

    settled: int
    rest_s: float
    state: str = ""


class Drain:
    """Takes ready jobs and settles their scenes; knows when to leave Plex alone."""

    def __init__(
        self,
        store: Store,
        queue: JobQueue,
        executor: Executor,
        plex: PlexClient,
        index: PathIndex,
        tally: Counter[str],
        summary: Summary,
        max_retries: int = 5,
    ) -> None:
        self._store, self._queue, self._executor = store, queue, executor
        self._plex, self._index, self._tally = plex, index, tally
        self._max_retries, self._summary = max_retries, summary
        self._breaker = recall(store.fact(BREAKER))
        self._paused_until = float("-inf")
        self._pause = ""
        self._noticed_at = float("-inf")
        self._suspects: dict[int, int] = {}
        self._successes = 0

    @property
    def state(self) -> str:
        """Why nothing is sent at the moment, "" when nothing is in the way."""
        if self._breaker.failures:
            return f"Plex is away: {self._breaker.cause}"
        return self._pause

    def step(self, now: float) -> Step:
        """Queue what is due, then settle one job unless something is in the way."""
        self._queue_due(now)
        rest_s = self._held_s(now)
        if rest_s > 0:
            return Step(0, rest_s, self.state)
        if self._breaker.opened and not self._probe(now):
            return Step(0, max(0.0, self._breaker.probe_at - now), self.state)
        self._notice_new_items(now)
        job = self._queue.claim()
        if job is None:
            self._clear_if_unused(now)
            return Step(0, float("inf"), self.state)
        return Step(self._run(job, now), 0.0, self.state)

    def resume(self) -> None:
        """Whatever a person had to do may be done: try again at the next step."""
        self._paused_until, self._pause = float("-inf"), ""
        self._keep(replace(self._breaker, probe_at=0.0))

    # what is due

    def _queue_due(self, now: float) -> None:
        due = self._store.due(now, DUE_AT_ONCE)
        if due:
            self._queue.put(due, "due", now)
            self._store.snooze(due, now + QUEUED_AGAIN_S)

    def _notice_new_items(self, now: float) -> None:
        """Scenes whose file Plex lacked go back to the queue when one page of its newest items shows the file."""
        if 0 <= now - self._noticed_at < NOTICE_NEW_S:
            return
        self._noticed_at = now
        missing = self._store.missing_files()
        if not missing:
            return
        try:
            items, newest = self._index.newly_added(int(self._store.fact(ADDED_AT) or 0), now)
        except Trouble:
            return  # the next job meets the same trouble, and deals with it
        names = {base_name(file.path) for item in items for file in item.files}
        scenes = [scene for name in names for scene in missing.get(name, ())]
        if scenes:
            self._queue.put(scenes, "now in Plex", now)
            self._store.revive(scenes)
        self._store.remember(ADDED_AT, newest)

    # what is in the way

    def _held_s(self, now: float) -> float:
        if self._breaker.holds(now):
            return self._breaker.probe_at - now
        wait = self._paused_until - now
        if 0 < wait <= policy.BUSY_LONGEST_S:
            return wait
        return 0.0

    def _probe(self, now: float) -> bool:
        """Whether Plex is back, perhaps as another server. It stays on probation until a job is settled."""
        try:
            self._plex.identity()
            self._executor.check_server_again()
            return True
        except Trouble as trouble:
            self._keep(self._breaker.failed(now, trouble.message))
            return False

    def _keep(self, breaker: Breaker) -> None:
        if breaker == self._breaker:
            return
        opened, self._breaker = breaker.opened and not self._breaker.opened, breaker
        self._store.remember(BREAKER, breaker.remembered())
        if opened:
            self._suspects.clear()  # that others went through before says nothing about now
            self._store.outage_began(breaker.since, breaker.cause)
            log.warning(COMPONENT, f"{breaker.cause}. Nothing is lost: sending goes on by itself when Plex is back")

    # one job

    def _run(self, job: Job, now: float) -> int:
        """Each group is settled as soon as it is done: if the next one kills us, nobody else is charged with that."""
        begun = self._store.begun(job.scenes)
        outcomes: list[Outcome] = []
        for group in _groups(job.scenes, begun):
            began = self._summary.clock()
            tried = self._attempt(group, begun.get(group[0], 0), job, now)
            self._successes += sum(1 for outcome in tried if outcome.result == policy.PUSHED)
            outcomes += [self._blame(outcome) for outcome in tried]
            self._settle(outcomes[-len(tried) :], began, now)
            if tried[-1].trouble in policy.NOT_CHARGED:
                break
        self._judge(outcomes, now)
        return self._finish(job, outcomes, now)

    def _attempt(self, group: Sequence[int], kills: int, job: Job, now: float) -> list[Outcome]:
        if kills >= policy.KILLS_TO_POISON:
            reason = f"the worker died {policy.KILLS_TO_POISON} times while it worked on this scene"
            return [Outcome(group[0], trouble=Kind.POISON, reason=reason)]
        self._store.begin(group, now)
        return self._executor.execute(group, job.force, self._queue.scenes + len(group), now)

    def _judge(self, outcomes: Sequence[Outcome], now: float) -> None:
        """What these outcomes say about Plex and Stash."""
        away = next((outcome for outcome in outcomes if outcome.trouble in policy.NOT_CHARGED), None)
        if away is None:
            self._clear(now, self._queue.scenes + len(outcomes))
        elif away.trouble is Kind.UNREACHABLE:
            self._keep(self._breaker.failed(now, away.reason))
        else:
            self._pause_for(away, now)

    def _clear(self, now: float, waited: int) -> None:
        """Plex works; ``waited`` scenes did without it until now."""
        if self._breaker.opened:
            self._store.outage_ended(now, waited)
            log.info(COMPONENT, f"Plex is back after {now - self._breaker.since:.0f} s; {waited} scenes waited for it")
        self._keep(self._breaker.succeeded())
        self._pause = ""

    def _clear_if_unused(self, now: float) -> None:
        """With nothing to send, a probe that Plex answered is all the proof there can be."""
        if self._breaker.opened:
            self._clear(now, 0)

    def _pause_for(self, outcome: Outcome, now: float) -> None:
        if outcome.trouble is Kind.BUSY:
            delay = policy.busy_pause_s(outcome.retry_after_s)
        else:
            delay = REFUSED_S if outcome.trouble is Kind.REFUSED else STASH_PAUSE_S
        if self._pause != outcome.reason:
            write = log.error if outcome.trouble is Kind.REFUSED else log.warning
            write(COMPONENT, f"{outcome.reason}. Sending pauses, nothing is lost{_advice(outcome.trouble)}")
        self._pause, self._paused_until = outcome.reason, now + delay

    def _blame(self, outcome: Outcome) -> Outcome:
        """A scene at which Plex fails again although others went through meanwhile is itself to blame."""
        if outcome.trouble is not Kind.UNREACHABLE or not outcome.tried:
            self._suspects.pop(outcome.scene, None)
            return outcome
        before = self._suspects.setdefault(outcome.scene, self._successes)
        if before == self._successes:
            return outcome
        return Outcome(outcome.scene, trouble=Kind.UNEXPECTED, reason=outcome.reason, file=outcome.file)

    def _settle(self, outcomes: Sequence[Outcome], began: float, now: float) -> None:
        waits = self._store.waits([outcome.scene for outcome in outcomes])
        settlements = [self._decide(outcome, waits, now) for outcome in outcomes]
        self._summary.settle(settlements, waits, began, now)
        for outcome, settlement in zip(outcomes, settlements):
            self._tell(outcome, settlement, now, known=outcome.scene in waits)

    def _decide(self, outcome: Outcome, waits: dict[int, tuple[int, float]], now: float) -> Settlement:
        attempts, since = waits.get(outcome.scene, (0, now))
        return policy.settle(outcome, attempts, since, now, self._max_retries)

    def _finish(self, job: Job, outcomes: Sequence[Outcome], now: float) -> int:
        """Queue again what nobody is to blame for, and what was not reached; returns how many scenes are settled."""
        again = [outcome for outcome in outcomes if outcome.trouble in policy.NOT_CHARGED]
        left = [scene for scene in job.scenes if scene not in {outcome.scene for outcome in outcomes}]
        self._queue.put([o.scene for o in again if not o.tried] + left, job.why, now, job.force)
        self._queue.put([o.scene for o in again if o.tried], job.why, now, job.force)
        self._queue.acknowledge(job)
        return len(outcomes) - len(again)

    def _tell(self, outcome: Outcome, settlement: Settlement, now: float, known: bool) -> None:
        """One line per scene; that it still waits for the same is no news."""
        if settlement.verdict is Verdict.AGAIN:
            return
        self._tally[settlement.result] += 1
        who = f"Scene {settlement.scene}"
        if settlement.verdict is Verdict.DEAD:
            log.error(COMPONENT, f"{who} is given up ({settlement.result}): {outcome.reason}")
        elif settlement.verdict is Verdict.LATER:
            write = log.debug if known else log.warning
            write(COMPONENT, f"{who} waits {settlement.due - now:.0f} s ({settlement.result}): {outcome.reason}")
        elif settlement.result == policy.PUSHED:
            log.info(COMPONENT, f"{who} synced: {outcome.reason}")
        else:
            log.debug(COMPONENT, f"{who} {settlement.result} {outcome.reason}".rstrip())


def _groups(scenes: Sequence[int], begun: dict[int, int]) -> list[list[int]]:
    """Scenes that a killed worker left behind run alone, so that only the one that kills is charged."""
    fresh = [scene for scene in scenes if scene not in begun]
    return ([fresh] if fresh else []) + [[scene] for scene in scenes if scene in begun]


def _advice(kind: Kind | None) -> str:
    if kind is Kind.REFUSED:
        return "; check plex_token and plex_library under Settings > Plugins > Stash2Plex"
    return ""
