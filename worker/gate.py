"""When to leave Plex alone: the breaker while it is away, pauses while it or Stash asks for one."""

from __future__ import annotations

from dataclasses import replace

from plex.client import PlexClient
from stash import log
from sync_queue.store import Store
from validation.errors import Kind, Trouble
from worker import policy
from worker.breaker import Breaker, recall
from worker.executor import COMPONENT
from worker.policy import Outcome

BREAKER = "breaker"
REFUSED_S = 60.0
STASH_PAUSE_S = 5.0


class Gate:
    """Open while nothing is in the way. What it knows of an outage survives a restart."""

    def __init__(self, store: Store, plex: PlexClient) -> None:
        self._store, self._plex = store, plex
        self._breaker = recall(store.fact(BREAKER))
        self._paused_until = float("-inf")
        self._pause = ""

    @property
    def state(self) -> str:
        """Why nothing is sent at the moment, "" when nothing is in the way."""
        if self._breaker.failures:
            return f"Plex is away: {self._breaker.cause}"
        return self._pause

    @property
    def away(self) -> bool:
        """Whether Plex has to answer a probe before anything is sent."""
        return self._breaker.opened

    def held_s(self, now: float) -> float:
        """How long nothing may be sent, 0 for not at all."""
        if self._breaker.holds(now):
            return self._breaker.probe_at - now
        wait = self._paused_until - now
        return wait if 0 < wait <= policy.BUSY_LONGEST_S else 0.0

    def probe(self, now: float) -> bool:
        """Whether Plex is back, perhaps as another server. It stays on probation until a job is settled."""
        try:
            self._plex.identity()
            return True
        except Trouble as trouble:
            self._keep(self._breaker.failed(now, trouble.message))
            return False

    def resume(self) -> None:
        """Whatever a person had to do may be done: try again at the next step."""
        self._paused_until, self._pause = float("-inf"), ""
        self._keep(replace(self._breaker, probe_at=0.0))

    def clear(self, now: float, waited: int) -> None:
        """Plex works; ``waited`` scenes did without it until now."""
        if self._breaker.opened:
            self._store.outage_ended(now, waited)
            log.info(COMPONENT, f"Plex is back after {now - self._breaker.since:.0f} s; {waited} scenes waited for it")
        self._keep(self._breaker.succeeded())
        self._pause = ""

    def hold(self, outcome: Outcome, now: float) -> bool:
        """Somebody is away or busy, as this outcome shows; whether an outage of Plex began with it."""
        if outcome.trouble is Kind.UNREACHABLE:
            return self._keep(self._breaker.failed(now, outcome.reason))
        self._pause_for(outcome, now)
        return False

    def _pause_for(self, outcome: Outcome, now: float) -> None:
        if outcome.trouble is Kind.BUSY:
            delay = policy.busy_pause_s(outcome.retry_after_s)
        else:
            delay = REFUSED_S if outcome.trouble is Kind.REFUSED else STASH_PAUSE_S
        if self._pause != outcome.reason:
            write = log.error if outcome.trouble is Kind.REFUSED else log.warning
            write(COMPONENT, f"{outcome.reason}. Sending pauses, nothing is lost{_advice(outcome.trouble)}")
        self._pause, self._paused_until = outcome.reason, now + delay

    def _keep(self, breaker: Breaker) -> bool:
        """Remember it; whether it just opened."""
        if breaker == self._breaker:
            return False
        opened, self._breaker = breaker.opened and not self._breaker.opened, breaker
        self._store.remember(BREAKER, breaker.remembered())
        if opened:
            self._store.outage_began(breaker.since, breaker.cause)
            log.warning(COMPONENT, f"{breaker.cause}. Nothing is lost: sending goes on by itself when Plex is back")
        return opened


def _advice(kind: Kind | None) -> str:
    if kind is Kind.REFUSED:
        return "; check plex_token and plex_library under Settings > Plugins > Stash2Plex"
    return ""
