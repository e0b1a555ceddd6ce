"""The drain: inbox → queue → a small group of scenes → Plex → settlements. One step at a time, with the time given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from stash import log
from sync_queue.queue import Job, JobQueue
from sync_queue.settlement import Settlement, Verdict
from sync_queue.store import Store
from validation.errors import Kind, Trouble
from worker import policy
from worker.arrivals import Arrivals
from worker.executor import COMPONENT, Executor
from worker.gate import RAMPING, Gate
from worker.policy import Outcome
from worker.summary import Summary
from worker.tools import Tools


@dataclass(frozen=True)
class Step:
    """What one step did: how many scenes it settled, and how long nothing can be done (0: go on at once)."""

    settled: int
    rest_s: float
    state: str = ""


class Drain:
    """Takes ready jobs and settles their scenes; knows when to leave Plex alone."""

    def __init__(
        self, store: Store, queue: JobQueue, executor: Executor, tools: Tools, tally: Counter[str], summary: Summary
    ) -> None:
        self._store, self._queue, self._executor = store, queue, executor
        self._tally, self._summary = tally, summary
        self._max_retries = tools.settings.max_retries
        self._gate = Gate(store, tools.plex)
        self._arrivals = Arrivals(store, queue, tools.index)
        self._suspects: dict[int, int] = {}
        self._successes = 0

    @property
    def state(self) -> str:
        """Why nothing is sent at the moment, "" when nothing is in the way."""
        return self._gate.state

    def step(self, now: float, more: bool = False) -> Step:
        """Queue what is due, then settle one job unless something is in the way.

        ``more`` says that somebody beside the queue has something to ask Plex, which will show whether it is well.
        """
        self._arrivals.queue_due(now)
        rest_s = self._gate.held_s(now)
        if rest_s > 0:
            return Step(0, rest_s, self.state)
        if self._gate.away:
            if not self._gate.probe(now):
                return Step(0, self._gate.held_s(now), self.state)
            self._executor.check_server_again()
        self._arrivals.notice_new_items(now)
        rest_s = self._gate.gathering_s(now, self._queue.scenes)
        if rest_s > 0 and self._queue.scenes:
            return Step(0, rest_s, RAMPING)
        job = self._queue.claim()
        if job is None:
            if not more or self._gate.on_probation:
                self._gate.quiet(now)
            return Step(0, self._gate.held_s(now) or float("inf"), self.state)
        return Step(self._run(job, now), 0.0, self.state)

    def standing(self, now: float) -> dict[str, Any]:
        """How things stand with Plex, see `Gate.standing`."""
        return self._gate.standing(now)

    def open(self, now: float) -> bool:
        """Whether Plex may be asked for something beside the queue now: not while it recovers from an outage."""
        return not self._gate.away and self._gate.held_s(now) <= 0 and not self._gate.ramping(now)

    def met(self, trouble: Trouble, now: float) -> None:
        """A request beside the queue met this: what it says about Plex and Stash counts for the queue too."""
        outcome = Outcome(0, trouble=trouble.kind, reason=trouble.message, retry_after_s=trouble.retry_after_s)
        self._gate.hold(outcome, now, self._queue.scenes)

    def went_well(self, now: float) -> None:
        """A request beside the queue was answered as it should be."""
        self._gate.clear(now, self._queue.scenes)

    def resume(self) -> None:
        """Whatever a person had to do may be done: try again at the next step."""
        self._gate.resume()

    # one job

    def _run(self, job: Job, now: float) -> int:
        """As much of it as may be sent now; the rest is queued again.

        Each group is settled as soon as it is done: if the next one kills us, nobody else is charged with that.
        """
        scenes = job.scenes[: self._gate.allowed(now)]
        begun = self._store.begun(scenes)
        outcomes: list[Outcome] = []
        for group in _groups(scenes, begun):
            began = self._summary.clock()
            left = self._queue.scenes + len(job.scenes) - len(outcomes)
            tried = self._attempt(group, begun.get(group[0], 0), job.force, left, now)
            self._successes += sum(1 for outcome in tried if outcome.result == policy.PUSHED)
            outcomes += [self._blame(outcome) for outcome in tried]
            self._settle(outcomes[-len(tried) :], began, now)
            if tried[-1].trouble in policy.NOT_CHARGED:
                break
        self._gate.sent(len(outcomes), now)
        self._judge(outcomes, len(job.scenes), now)
        return self._finish(job, outcomes, now)

    def _attempt(self, group: Sequence[int], kills: int, force: bool, left: int, now: float) -> list[Outcome]:
        if kills >= policy.KILLS_TO_POISON:
            reason = f"the worker died {policy.KILLS_TO_POISON} times while it worked on this scene"
            return [Outcome(group[0], trouble=Kind.POISON, reason=reason)]
        self._store.begin(group, now)
        return self._executor.execute(group, force, left, now, self._summary.ahead(left))

    def _judge(self, outcomes: Sequence[Outcome], claimed: int, now: float) -> None:
        """What these outcomes of ``claimed`` scenes say about Plex and Stash."""
        away = next((outcome for outcome in outcomes if outcome.trouble in policy.NOT_CHARGED), None)
        waited = self._queue.scenes + claimed
        if away is None:
            self._gate.settled(now, waited)
        elif self._gate.hold(away, now, waited):  # that others went through before says nothing about now
            self._suspects = {scene: seen for scene, seen in self._suspects.items() if seen == self._successes}

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
