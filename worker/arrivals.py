"""What comes back to the queue by itself: scenes whose time has come, and scenes whose file Plex got meanwhile."""

from __future__ import annotations

from plex.index import PathIndex
from plex.paths import base_name
from sync_queue.queue import JobQueue
from sync_queue.store import Store
from validation.errors import Trouble

ADDED_AT = "plex_added_at"
DUE_AT_ONCE = 500
QUEUED_AGAIN_S = 3_600.0
NOTICE_NEW_S = 300.0


class Arrivals:
    """Moves them from the waiting scenes and the dead letters into the queue."""

    def __init__(self, store: Store, queue: JobQueue, index: PathIndex) -> None:
        self._store, self._queue, self._index = store, queue, index
        self._noticed_at = float("-inf")

    def queue_due(self, now: float) -> None:
        """Queue the waiting scenes that are due."""
        due = self._store.due(now, DUE_AT_ONCE)
        if due:
            self._queue.put(due, "due", now)
            self._store.snooze(due, now + QUEUED_AGAIN_S)

    def notice_new_items(self, now: float) -> None:
        """Scenes whose file Plex lacked go back to the queue when one page of its newest items shows the file."""
        if 0 <= now - self._noticed_at < NOTICE_NEW_S:
            return
        self._noticed_at = now
        missing = self._store.missing_files()
        if not missing:
            return
        try:
            items, newest = self._index.newly_added(int(self._store.fact(ADDED_AT) or 0), now)
        except Trouble:
            return  # the next job meets the same trouble, and deals with it
        names = {base_name(file.path) for item in items for file in item.files}
        scenes = [scene for name in names for scene in missing.get(name, ())]
        if scenes:
            self._queue.put(scenes, "now in Plex", now)
            self._store.revive(scenes)
        self._store.remember(ADDED_AT, newest)
