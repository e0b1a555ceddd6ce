"""The circuit breaker: when Plex is away, ask now and then whether it is back instead of failing scene by scene. Pure.

One outage is one record, from the first failure of the run that opened the breaker to the first success after.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

FAILURES_TO_OPEN = 5
PROBE_FIRST_S = 5.0
PROBE_LONGEST_S = 60.0
BETWEEN_FAILURES_S = 1.0


@dataclass(frozen=True)
class Breaker:
    """``failures`` in a row since ``since``; ``probe_at`` is when to try next, ``cause`` the latest reason."""

    opened: bool = False
    failures: int = 0
    probes: int = 0
    since: float = 0.0
    probe_at: float = 0.0
    cause: str = ""

    def failed(self, now: float, cause: str) -> Breaker:
        """Plex was unreachable once more."""
        since = self.since if self.failures else now
        if self.opened:
            delay = min(PROBE_LONGEST_S, PROBE_FIRST_S * 2.0 ** min(self.probes, 10))
            return replace(self, failures=self.failures + 1, probes=self.probes + 1, probe_at=now + delay, cause=cause)
        opened = self.failures + 1 >= FAILURES_TO_OPEN
        delay = PROBE_FIRST_S if opened else BETWEEN_FAILURES_S
        return Breaker(opened, self.failures + 1, int(opened), since, now + delay, cause)

    def succeeded(self) -> Breaker:
        """Plex answered."""
        return CLOSED

    def holds(self, now: float) -> bool:
        """Whether nothing may be sent yet. A probe time further away than can be (a clock set back) does not hold."""
        return self.failures > 0 and now < self.probe_at <= now + PROBE_LONGEST_S

    def remembered(self) -> dict[str, Any]:
        """As a value to keep; read back by `recall`."""
        return asdict(self)


CLOSED = Breaker()


def recall(value: Any) -> Breaker:
    """The breaker as it was kept; closed when what was kept cannot be read."""
    try:
        kept = Breaker(**value)
        valid = isinstance(kept.opened, bool) and all(isinstance(x, (int, float)) for x in (kept.since, kept.probe_at))
        return kept if valid and isinstance(kept.failures, int) and isinstance(kept.probes, int) else CLOSED
    except TypeError:
        return CLOSED
