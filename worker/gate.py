"""When to leave Plex alone: the breaker while it is away, pauses while it or Stash asks for one, and a slow start."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from plex.client import PlexClient
from stash import log
from sync_queue.store import Store
from validation.errors import Kind, Trouble
from worker import policy
from worker.breaker import Breaker, recall
from worker.executor import COMPONENT, MACHINE
from worker.policy import Outcome
from worker.ramp import ENDLESS, Ramp

BREAKER = "breaker"
REFUSED_S = 60.0
STASH_PAUSE_S = 5.0
RAMPING = "Plex was away: sending speeds up again step by step"


class Gate:
    """Open while nothing is in the way. What it knows of an outage survives a restart.

    After an outage Plex first has to answer a probe, is then on probation until it did what one scene asked of it, and
    then gets scenes at a growing rate. `allowed` says how many may be sent now.
    """

    def __init__(self, store: Store, plex: PlexClient) -> None:
        self._store, self._plex = store, plex
        self._breaker = recall(store.fact(BREAKER))
        self._open_record = any(outage["ended"] is None for outage in store.outages())
        self._answers = False
        self._asked_before = 0
        self._ramp: Ramp | None = None
        self._noticed: set[str] = set()
        self._paused_until = float("-inf")
        self._pause = self._said = ""

    @property
    def state(self) -> str:
        """Why nothing is sent at the moment, "" when nothing is in the way."""
        if self._breaker.failures and not (self._answers and self._pause):
            return f"Plex is away: {self._breaker.cause}"
        return self._pause

    @property
    def away(self) -> bool:
        """Whether Plex has to answer a probe before anything is sent."""
        return self._breaker.opened and not self._answers

    @property
    def on_probation(self) -> bool:
        """Whether Plex answered a probe and has done nothing yet."""
        return self._breaker.opened and self._answers

    def ramping(self, now: float) -> bool:
        """Whether sending still speeds up after an outage."""
        return self._breaker.ramping(now)

    def standing(self, now: float) -> dict[str, Any]:
        """How things stand: state of the breaker, failures in a row, when Plex is asked again, when a pause ends."""
        return _standing(self._breaker, self._answers, self._paused_until, now)

    def held_s(self, now: float) -> float:
        """How long nothing may be sent, 0 for not at all."""
        if self._breaker.holds(now) and not self._answers:
            return self._breaker.probe_at - now
        wait = self._paused_until - now
        return wait if 0 < wait <= policy.BUSY_LONGEST_S else 0.0

    def gathering_s(self, now: float, queued: int) -> float:
        """How long to wait until more may be sent after an outage; ``queued`` is how much there is to send."""
        return self._ramped(now).wait_s(now, queued) if self._breaker.ramping(now) else 0.0

    def allowed(self, now: float) -> int:
        """How many scenes may be sent now; `sent` has to be told how many were. One while Plex is on probation."""
        self._asked_before = self._plex.requests
        if self._breaker.opened:
            return 1
        return self._ramped(now).allowed(now) if self._breaker.ramping(now) else ENDLESS

    def sent(self, scenes: int, now: float) -> None:
        """So many scenes were worked on. What asked nothing of Plex uses nothing up."""
        if self._asked and self._breaker.ramping(now):
            self._ramp = self._ramped(now).spent(scenes, now)

    def probe(self, now: float) -> bool:
        """Whether Plex is back, perhaps as another server. It stays on probation until it did what a scene asked."""
        try:
            machine = self._plex.identity()
        except Trouble as trouble:
            self._answers = trouble.kind is Kind.REFUSED  # by a proxy: the probe has no token, so the next job decides
            if trouble.kind is Kind.BUSY:
                self._notice(f"Plex answers but is still starting ({trouble.message})")
            if not self._answers:
                self._keep(self._breaker.failed(now, trouble.message))
            return self._answers
        known = self._store.fact(MACHINE)
        if known and known != machine:
            self._notice("Plex is up but is another server")
        self._answers = True
        return True

    def resume(self) -> None:
        """Whatever a person had to do may be done: try again at the next step."""
        self._paused_until, self._pause, self._said = float("-inf"), "", ""
        self._keep(replace(self._breaker, probe_at=0.0))

    def settled(self, now: float, waited: int) -> None:
        """A job went through since `allowed` was called; ``waited`` scenes did without Plex until now.

        If all of its scenes were unchanged, Plex was asked for nothing: that ends no outage.
        """
        self._pause = ""
        if self._asked:
            self.clear(now, waited)
        elif not self._breaker.opened:
            self._succeeded(now, waited)

    def clear(self, now: float, waited: int) -> None:
        """Plex did what was asked of it."""
        self._pause = self._said = ""
        self._succeeded(now, waited)

    def quiet(self, now: float) -> None:
        """Nothing is to be sent: an answer to the probe is all the proof there can be that Plex is back."""
        self._pause = ""
        if self._breaker.failures and (self._answers or self.probe(now)):
            self._succeeded(now, 0)

    def hold(self, outcome: Outcome, now: float, waited: int) -> bool:
        """Somebody is away or busy, as this outcome shows; whether an outage of Plex began with it, or began again."""
        if outcome.trouble is Kind.UNREACHABLE:
            self._answers = False
            return self._keep(self._breaker.failed(now, outcome.reason))
        if outcome.trouble is Kind.REFUSED or (outcome.trouble is Kind.BUSY and not self._breaker.opened):
            self._succeeded(now, waited)  # it is there, and says what is wrong
        self._pause_for(outcome, now)
        return False

    # inside

    @property
    def _asked(self) -> bool:
        return self._plex.requests > self._asked_before

    def _ramped(self, now: float) -> Ramp:
        if self._ramp is None or self._ramp.began != self._breaker.recovered or self._ramp.at > now:
            self._ramp = Ramp(self._breaker.recovered, now)
        return self._ramp

    def _succeeded(self, now: float, waited: int) -> None:
        if self._breaker.opened or self._open_record:
            self._store.outage_ended(now, waited)
            self._open_record = False
        if self._breaker.opened:
            took_s = max(0.0, now - self._breaker.since)
            log.info(COMPONENT, f"Plex is back after {took_s:.0f} s; {waited} scenes waited for it")
        self._answers = False
        self._keep(self._breaker.succeeded(now))

    def _pause_for(self, outcome: Outcome, now: float) -> None:
        if outcome.trouble is Kind.BUSY:
            delay = policy.busy_pause_s(outcome.retry_after_s)
        else:
            delay = REFUSED_S if outcome.trouble is Kind.REFUSED else STASH_PAUSE_S
        if self._breaker.opened and outcome.trouble is Kind.BUSY:
            self._notice(f"Plex answers but is still starting ({outcome.reason})")
        elif self._said != outcome.reason:
            write = log.error if outcome.trouble is Kind.REFUSED else log.warning
            write(COMPONENT, f"{outcome.reason}. Sending pauses, nothing is lost{_advice(outcome.trouble)}")
        if self._breaker.ramping(now) and outcome.trouble is Kind.BUSY:
            self._keep(replace(self._breaker, recovered=now + delay))  # it was too much already: from the start again
        self._pause = self._said = outcome.reason
        self._paused_until = now + delay

    def _notice(self, sentence: str) -> None:
        """Say it once in an outage."""
        if sentence not in self._noticed:
            self._noticed.add(sentence)
            log.info(COMPONENT, sentence)

    def _keep(self, breaker: Breaker) -> bool:
        """Remember it; whether it just opened."""
        if breaker == self._breaker:
            return False
        opened, relapsed = breaker.opened and not self._breaker.opened, breaker.relapses > 0
        if opened:
            self._record(breaker, relapsed)
        self._breaker = breaker
        self._store.remember(BREAKER, breaker.remembered())
        return opened

    def _record(self, breaker: Breaker, relapsed: bool) -> None:
        """Before the breaker is remembered, so that a kill in between cannot lose the outage."""
        self._open_record = True
        if relapsed:
            self._store.outage_goes_on(breaker.since, breaker.cause)
            log.info(COMPONENT, f"Plex is away again, and the same outage goes on: {breaker.cause}")
            return
        self._noticed.clear()
        self._store.outage_began(breaker.since, breaker.cause)
        log.warning(COMPONENT, f"{breaker.cause}. Nothing is lost: sending goes on by itself when Plex is back")


def remembered_standing(store: Store, now: float) -> dict[str, Any]:
    """Like `Gate.standing`, from what was remembered, for whoever sends nothing."""
    return _standing(recall(store.fact(BREAKER)), False, float("-inf"), now)


def _standing(breaker: Breaker, answers: bool, paused_until: float, now: float) -> dict[str, Any]:
    state = "closed"
    if breaker.opened:
        state = "on probation" if answers else "open"
    elif breaker.ramping(now):
        state = "ramping"
    return {
        "state": state,
        "failures": breaker.failures,
        "next_probe": breaker.probe_at if breaker.holds(now) and not answers else None,
        "paused_until": paused_until if 0 < paused_until - now <= policy.BUSY_LONGEST_S else None,
    }


def _advice(kind: Kind | None) -> str:
    if kind is Kind.REFUSED:
        return "; check plex_token and plex_library under Settings > Plugins > Stash2Plex"
    return ""
