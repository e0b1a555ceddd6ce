"""When both sides are compared: by the interval, again after a failure, and soon after Stash was away."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

MANUAL = "manual"
INTERVALS_S = {MANUAL: 0.0, "hourly": 3_600.0, "daily": 86_400.0, "weekly": 7 * 86_400.0}
FIRST_S = 300.0  # after the start: whoever just started us has Plex look for us, and scans
SOON_S = 60.0
AGAIN_S, LONGEST_AGAIN_S = 60.0, 3_600.0
LOOK_S = 5.0


class Schedule:
    """When the next run is due, on a clock that never jumps; ``next_at`` is None when only a person begins one."""

    def __init__(self, interval: str, now: float, first_s: float = FIRST_S) -> None:
        self._every_s = INTERVALS_S[interval]
        self._failures = 0
        self.next_at: float | None = now + first_s if self._every_s else None

    def due(self, now: float) -> bool:
        """Whether a run should begin."""
        return self.next_at is not None and now >= self.next_at

    def done(self, now: float) -> None:
        """A run ended well."""
        self._failures = 0
        self.next_at = now + self._every_s if self._every_s else None

    def failed(self, now: float) -> None:
        """A run failed: the next one comes after a pause that doubles, unless only a person wanted it."""
        pause_s = min(AGAIN_S * 2.0 ** min(self._failures, 10), LONGEST_AGAIN_S)
        self._failures += 1
        if self.next_at is not None:
            self.next_at = now + pause_s

    def soon(self, now: float) -> None:
        """There is something to heal. Runs that fail keep their pauses."""
        if self.next_at is None or not self._failures:
            self.next_at = now + SOON_S if self.next_at is None else min(self.next_at, now + SOON_S)


async def forever(
    schedule: Schedule,
    run: Callable[[], Awaitable[object]],
    wanted: Callable[[], bool],
    clock: Callable[[], float],
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> None:
    """Run when it is due, until cancelled. ``run`` tells the schedule how it went; ``wanted`` says when not to wait."""
    while True:
        if wanted():
            schedule.soon(clock())
        if schedule.due(clock()):
            await run()
        await sleep(LOOK_S)
