"""The one way in which tests wait: for a condition, with a deadline so generous that only a fault reaches it."""

from __future__ import annotations

import time
from typing import Callable, TypeVar

Found = TypeVar("Found")

LOOK_S = 0.01


def until(condition: Callable[[], Found], timeout_s: float = 30.0, what: str = "the condition") -> Found:
    """The first true value of ``condition``; an AssertionError that names ``what`` when none came in time."""
    end = time.monotonic() + timeout_s
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"waited {timeout_s:.0f} s in vain for {what}")
        time.sleep(LOOK_S)
