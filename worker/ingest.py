"""From the inbox to the queue: what each mark means for which scenes."""

from __future__ import annotations

from stash import log
from stash.client import StashClient
from sync_queue import marks
from sync_queue.marks import Mark
from sync_queue.queue import JobQueue
from sync_queue.store import Store
from worker.expansion import Expansion

COMPONENT = "Worker"
MARKS_AT_ONCE = 500
OF_SCENES = ("scene", "created")
EXPANDED = ("performer", "studio", "tag")
ANY = "any"
WANTED = "comparison_wanted"  # since when, as Unix time, any scene may have changed without a sign of its own


class Ingest:
    """Moves marks into the queue; a mark's file goes only when what it asks for is durable elsewhere.

    ``requests`` are what tasks asked for and nobody took up yet; ``created`` are scenes that are new in Stash.
    """

    def __init__(self, data_dir: str, queue: JobQueue, store: Store, stash: StashClient) -> None:
        self._data_dir, self._queue, self._store = data_dir, queue, store
        self._seen: set[str] = set()
        self._expansion = Expansion(data_dir, stash, self.queue_changed)
        self.requests: list[Mark] = []
        self.created: list[int] = []

    def step(self, now: float) -> None:
        """Take the oldest marks; requests among them go to ``requests`` and stay in the inbox until `accepted`.

        Of the scenes of performers, studios and tags it queues one page, so that others are served between two pages.
        Raises Trouble when Stash does not say which these are; the mark then stays, and the next step asks again.
        """
        found, damaged = marks.read(self._data_dir, MARKS_AT_ONCE, self._seen | self._expansion.files)
        for name in damaged:
            log.warning(COMPONENT, f"Mark {name} is damaged and was set aside; the cursor sweep makes up for it")
        self._take_scenes([mark for mark in found if mark.kind in OF_SCENES], now)
        self._take_destroyed([mark for mark in found if mark.kind == "destroyed"])
        self._take_requests([mark for mark in found if mark.kind == "request"])
        self._take_losses([mark for mark in found if mark.kind == ANY], now)
        self._expansion.take([mark for mark in found if mark.kind in EXPANDED])
        self._expansion.step(now)

    def queue_changed(self, scenes: list[int], why: str, now: float) -> None:
        """Something is new about these scenes: queue them, and no longer let them wait or lie dead."""
        self._queue.put(scenes, why, now)
        self._store.revive(scenes)
        if scenes:
            log.debug(COMPONENT, f"Scenes {', '.join(map(str, scenes))} queued: {why}")

    @property
    def expanding(self) -> bool:
        """Whether pages of scenes of a performer, studio or tag are still to be read."""
        return bool(self._expansion.files)

    @property
    def unaccepted(self) -> int:
        """How many requests lie in the inbox because what they ask for is not durable yet."""
        return len(self._seen)

    def accepted(self, request: Mark) -> None:
        """The request is being answered and must not be taken again."""
        marks.remove(self._data_dir, [request])
        self._seen.discard(request.file)

    def forget(self, found: list[Mark]) -> None:
        """These marks are not to be ingested after all; whatever is being expanded ends too."""
        self._expansion.forget()
        marks.remove(self._data_dir, found)

    def _take_requests(self, found: list[Mark]) -> None:
        self.requests += found
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

    def _take_losses(self, found: list[Mark], now: float) -> None:
        """Performers, studios or tags are gone, and nobody can say which scenes had them."""
        if found:
            self._store.remember(WANTED, now)
            marks.remove(self._data_dir, found)
            log.debug(
                COMPONENT, f"Names deleted in Stash: {len(found)}; any scene may have had them, so all are compared"
            )
