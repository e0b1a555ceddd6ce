"""Where counting meets the store and the log: each group is settled together with its numbers, each batch summed up."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from stash import log
from sync_queue.settlement import Settlement, Verdict
from sync_queue.store import Store
from worker import statistics
from worker.statistics import Statistics

COMPONENT = "Worker"


class Summary:
    """The numbers of one session.

    ``readings`` gives what the counters of others show, in the order of `statistics.METERS`; ``clock`` tells how long
    things take and only has to run evenly. Nothing is written but with a group: what is asked between two groups goes
    with the next, and the end of the session, however it comes, loses what was asked after the last.
    """

    def __init__(
        self, store: Store, readings: Callable[[], Sequence[int]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.clock = clock
        self._store, self._readings, self._statistics = store, readings, Statistics()

    def meter(self) -> None:
        """Take the readings; to be called before and after one of the counters is replaced."""
        for name, reading in zip(statistics.METERS, self._readings()):
            self._statistics.meter(name, reading)

    def settle(self, settlements: Sequence[Settlement], waited: Mapping[int, object], began: float, now: float) -> None:
        """Write what was decided about a group, and its numbers, in one transaction.

        ``waited`` holds the scenes that waited before, ``began`` is what the clock showed when work on the group began.
        """
        took_s = max(0.0, self.clock() - began)
        ended = [settlement for settlement in settlements if settlement.verdict is not Verdict.AGAIN]
        self.meter()
        share_s = took_s * len(ended) / max(1, len(settlements))
        counts = self._statistics.unwritten + Counter(statistics.durations(len(ended), share_s))
        self._store.settle(settlements, now, counts)
        self._statistics.written()
        news = [one.counter for one in ended if one.verdict is not Verdict.LATER or one.scene not in waited]
        if news:
            self._statistics.settled(news, took_s, self.clock())

    def ahead(self, queued: int) -> Callable[[], None]:
        """What to call after each scene of a group that begins now, so that a slow group says how far it is."""
        began, done = self.clock(), 0

        def one_more() -> None:
            nonlocal done
            done += 1
            _say(self._statistics.line_ahead(done, began, self.clock(), queued - done))

        return one_more

    def look(self, queued: int) -> None:
        """Log the line that is due while so many scenes are queued."""
        _say(self._statistics.due_line(self.clock(), queued))

    def totals(self) -> dict[str, Any]:
        """What is written, as `statistics.totals` describes it."""
        return statistics.totals(self._store.counters())

    def close(self) -> None:
        """The session ends, and with it the batch."""
        _say(self._statistics.end())


def _say(line: str) -> None:
    if line:
        log.info(COMPONENT, line)
