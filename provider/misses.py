"""What Plex asked for and did not get, as it happens: the newest empty matches, in memory."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import islice

AWAY = "Stash was away"  # of what could not be looked up: Plex never asks again by itself
REMEMBERED = 1_000
LONGEST_ASKED, LONGEST_REASON = 1_024, 300


@dataclass(frozen=True)
class Miss:
    """One thing that Plex asked for in vain, how often, and when first and last (Unix times)."""

    asked: str
    reason: str
    count: int
    first_at: float
    last_at: float


@dataclass(frozen=True)
class Missed:
    """What is remembered: ``total`` counts every miss so far, the rest is of what is still held."""

    total: int
    held: int
    by_reason: dict[str, int]
    newest: tuple[Miss, ...]


class Misses:
    """The last ``size`` different misses; what is asked again is the newest again, and counted. Never grows further."""

    def __init__(self, size: int = REMEMBERED, clock: Callable[[], float] = time.time) -> None:
        self._size, self._clock = size, clock
        self._held: dict[str, Miss] = {}  # the oldest first
        self.total = self.away = 0

    def record(self, asked: str, reason: str) -> None:
        """Nothing was found for this; the reason is AWAY when Stash could not be asked."""
        now, asked = self._clock(), asked[:LONGEST_ASKED]
        known = self._held.pop(asked, None) or Miss(asked, "", 0, now, now)
        self._held[asked] = replace(known, reason=reason[:LONGEST_REASON], count=known.count + 1, last_at=now)
        if len(self._held) > self._size:
            del self._held[next(iter(self._held))]
        self.total += 1
        self.away += reason == AWAY

    def missed(self, limit: int) -> Missed:
        """What is remembered, with the newest ones."""
        reasons = Counter(miss.reason for miss in self._held.values())
        newest = tuple(islice(reversed(self._held.values()), limit))
        return Missed(self.total, len(self._held), dict(reasons.most_common()), newest)
