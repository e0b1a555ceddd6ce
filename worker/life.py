"""Whether this worker should still live: Stash is there, the plugin is as it was when we started, nobody said stop."""

from __future__ import annotations

import hashlib
import os
import select
import signal
import threading
from collections.abc import Callable

STASH_GONE = "Stash is gone"
UPDATED = "the plugin was updated"
REMOVED = "the plugin was removed"
STOPPED = "asked to stop"

ABSENT_S = 10.0  # an update of the plugin deletes its files for a moment
SETTLED_S = 2.0  # and writes them one after the other: the successor needs all of them


class Life:
    """Collects the signs. ``over`` is the reason to leave, "" while there is none; ``changed`` wakes who waits.

    ``sees_stash`` tells whether this system shows us when Stash dies.
    """

    def __init__(self, manifest: str, stdout: int = 1) -> None:
        self.over = ""
        self.changed = threading.Event()
        self._manifest = manifest
        self._digest = self._seen = _digest(manifest)
        self._seen_since = float("-inf")
        self._parent = os.getppid()
        self.sees_stash = hasattr(select, "poll")
        self._reader_gone = _watch(stdout)

    def listen_to_signals(self) -> None:
        """Leave on SIGTERM and SIGINT; only in the main thread."""
        for name in ("SIGTERM", "SIGINT"):
            signal.signal(getattr(signal, name), lambda number, frame: self.leave(STOPPED))

    def leave(self, reason: str) -> None:
        """The worker must end; the first reason counts."""
        self.over = self.over or reason
        self.changed.set()

    def look(self, now: float) -> None:
        """Look at all signs once."""
        if self._reader_gone() or (os.name != "nt" and os.getppid() != self._parent):
            self.leave(STASH_GONE)
        self._look_at_manifest(now)

    def _look_at_manifest(self, now: float) -> None:
        digest = _digest(self._manifest)
        if digest != self._seen:
            self._seen, self._seen_since = digest, now
        elif digest != self._digest and not 0 <= now - self._seen_since < (SETTLED_S if digest else ABSENT_S):
            self.leave(UPDATED if digest else REMOVED)


def _digest(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()
    except OSError:
        return ""


def _watch(descriptor: int) -> Callable[[], bool]:
    """A function that tells whether nobody reads this pipe any more: POLLERR comes as soon as Stash is gone.

    Windows has no poll; there a Stash that stays silent ends the worker (see `worker.loop`).
    """
    if not hasattr(select, "poll"):
        return lambda: False
    poll = select.poll()
    poll.register(descriptor, 0)

    def gone() -> bool:
        return any(event & (select.POLLERR | select.POLLHUP | select.POLLNVAL) for _, event in poll.poll(0))

    return gone
