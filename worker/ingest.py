"""From the inbox to the queue: what each mark means for which scenes."""

from __future__ import annotations

from stash import log
from stash.client import StashClient
from sync_queue import marks
from sync_queue.marks import Mark
from sync_queue.queue import JobQueue
from sync_queue.store import Store

COMPONENT = "Worker"
MARKS_AT_ONCE = 500
OF_SCENES = ("scene", "created")
EXPANDED = ("performer", "studio", "tag")


class Ingest:
    """Moves marks into the queue; a mark's file goes only when what it asks for is durable elsewhere.

    ``requests`` are what tasks asked for and nobody took up yet; ``created`` are scenes that are new in Stash.
    """

    def __init__(self, data_dir: str, queue: JobQueue, store: Store, stash: StashClient) -> None:
        self._data_dir, self._queue, self._store, self._stash = data_dir, queue, store, stash
        self._seen: set[str] = set()
        self.requests: list[Mark] = []
        self.created: list[int] = []

    def step(self, now: float) -> None:
        """Take the oldest marks; requests among them go to ``requests`` and stay in the inbox until `accepted`.

        Raises Trouble when Stash does not say which scenes a performer, studio or tag has; its mark then stays.
        """
        found, damaged = marks.read(self._data_dir, MARKS_AT_ONCE)
        for name in damaged:
            log.warning(COMPONENT, f"Mark {name} is damaged and was set aside; the cursor sweep makes up for it")
        self._take_scenes([mark for mark in found if mark.kind in OF_SCENES], now)
        self._take_destroyed([mark for mark in found if mark.kind == "destroyed"])
        self._take_requests([mark for mark in found if mark.kind == "request"])
        self._expand([mark for mark in found if mark.kind in EXPANDED], now)

    def queue_changed(self, scenes: list[int], why: str, now: float) -> None:
        """Something is new about these scenes: queue them, and no longer let them wait or lie dead."""
        self._queue.put(scenes, why, now)
        self._store.revive(scenes)
        if scenes:
            log.debug(COMPONENT, f"Scenes {', '.join(map(str, scenes))} queued: {why}")

    @property
    def unaccepted(self) -> int:
        """How many requests lie in the inbox because what they ask for is not durable yet."""
        return len(self._seen)

    def accepted(self, request: Mark) -> None:
        """The request is being answered and must not be taken again."""
        marks.remove(self._data_dir, [request])
        self._seen.discard(request.file)

    def _take_requests(self, found: list[Mark]) -> None:
        self.requests += [mark for mark in found if mark.file not in self._seen]
        self._seen.update(mark.file for mark in found)

    def _take_scenes(self, found: list[Mark], now: float) -> None:
        if found:
            self.queue_changed([mark.id for mark in found], "saved", now)
            self.created += [mark.id for mark in found if mark.kind == "created"]
            marks.remove(self._data_dir, found)

    def _take_destroyed(self, found: list[Mark]) -> None:
        for mark in found:
            self._store.forget(mark.id)
            log.debug(COMPONENT, f"Scene {mark.id} is gone from Stash and forgotten; Plex keeps its item")
        marks.remove(self._data_dir, found)

    def _expand(self, found: list[Mark], now: float) -> None:
        for kind, id in dict.fromkeys((mark.kind, mark.id) for mark in found):
            for scenes in self._stash.scenes_of(kind, id):
                self.queue_changed(scenes, kind, now)
            marks.remove(self._data_dir, [mark for mark in found if (mark.kind, mark.id) == (kind, id)])
