"""When to stop asking a Stash that does not answer, and when to try again."""

from __future__ import annotations

import time
from collections.abc import Callable

OPENS_AFTER = 5
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 30.0


class Breaker:
    """Opens after so many failures in a row; then one caller at a time may try, after a pause that grows."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._pause_s = FIRST_PAUSE_S
        self._next_try = 0.0
        self._trying = False

    @property
    def open(self) -> bool:
        """Whether Stash is taken for away."""
        return self._failures >= OPENS_AFTER

    def admits(self) -> bool:
        """Whether this caller may ask. While it is open only the one that comes when a try is due may."""
        if not self.open:
            return True
        if self._trying or self._clock() < self._next_try:
            return False
        self._trying = True
        return True

    def succeeded(self) -> None:
        """It answered."""
        self._failures, self._pause_s, self._trying = 0, FIRST_PAUSE_S, False

    def failed(self) -> None:
        """It did not answer. Those that had been asked before it opened make no pause longer."""
        self._failures += 1
        if self._failures == OPENS_AFTER or self._trying:
            self._next_try = self._clock() + self._pause_s
            self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)
            self._trying = False

    def given_up(self) -> None:
        """Whoever was trying has gone away before there was an answer."""
        self._trying = False
