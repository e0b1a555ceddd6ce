"""The circuit breaker: when Plex is away, ask now and then whether it is back instead of failing scene by scene. Pure.

One outage is one record, from the first failure of the run that opened the breaker to the first success after. A
failure while sending still speeds up after that (see `worker.ramp`) opens it at once, and the same outage goes on.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from worker.ramp import ramping

FAILURES_TO_OPEN = 5
PROBE_FIRST_S = 5.0
PROBE_LONGEST_S = 60.0
BETWEEN_FAILURES_S = 1.0
NEVER = -1.0

LATEST = 1e11  # no time is later: the year 5138
MOST = 1 << 53  # no counter is higher; what is more than a float can tell was not counted


@dataclass(frozen=True)
class Breaker:
    """``failures`` in a row since ``since``; ``probe_at`` is when to try next, ``cause`` the latest reason.

    ``recovered`` is when the last outage ended, ``relapses`` how often that one had ended before; ``since`` is still
    when it began.
    """

    opened: bool = False
    failures: int = 0
    probes: int = 0
    since: float = 0.0
    probe_at: float = 0.0
    cause: str = ""
    recovered: float = NEVER
    relapses: int = 0

    def failed(self, now: float, cause: str) -> Breaker:
        """Plex was unreachable once more."""
        if self.ramping(now):
            delay = _delay_s(self.relapses)
            return Breaker(True, FAILURES_TO_OPEN, 1, self.since, now + delay, cause, NEVER, self.relapses + 1)
        since = self.since if self.failures else now
        if self.opened:
            delay = _delay_s(self.probes)
            return replace(self, failures=self.failures + 1, probes=self.probes + 1, probe_at=now + delay, cause=cause)
        opened = self.failures + 1 >= FAILURES_TO_OPEN
        delay = PROBE_FIRST_S if opened else BETWEEN_FAILURES_S
        return Breaker(opened, self.failures + 1, int(opened), since, now + delay, cause)

    def succeeded(self, now: float) -> Breaker:
        """Plex did what was asked."""
        if self.opened:
            return Breaker(since=self.since, recovered=now, relapses=self.relapses)
        return self if self.ramping(now) else CLOSED

    def holds(self, now: float) -> bool:
        """Whether nothing may be sent yet. A probe time further away than can be (a clock set back) does not hold."""
        return self.failures > 0 and now < self.probe_at <= now + PROBE_LONGEST_S

    def ramping(self, now: float) -> bool:
        """Whether an outage ended so short a time ago that sending still speeds up."""
        return not self.opened and self.recovered != NEVER and ramping(self.recovered, now)

    def remembered(self) -> dict[str, Any]:
        """As a value to keep; read back by `recall`."""
        return asdict(self)


CLOSED = Breaker()


def recall(value: Any) -> Breaker:
    """The breaker as it was kept; closed when what was kept is damaged."""
    try:
        kept = Breaker(**value)
    except TypeError:
        return CLOSED
    counters = (kept.failures, kept.probes, kept.relapses)
    times = (kept.since, kept.probe_at) if kept.recovered == NEVER else (kept.since, kept.probe_at, kept.recovered)
    sound = (
        isinstance(kept.opened, bool)
        and isinstance(kept.cause, str)
        and all(type(counter) is int and 0 <= counter <= MOST for counter in counters)
        and all(type(time) in (int, float) and 0 <= time <= LATEST for time in times)
    )
    return kept if sound and kept.opened == (kept.failures >= FAILURES_TO_OPEN) else CLOSED


def _delay_s(tries: int) -> float:
    return float(min(PROBE_LONGEST_S, PROBE_FIRST_S * 2.0 ** min(tries, 10)))
