"""From a performer, studio or tag to its scenes: one page at a time, so that others are served between two pages."""

from __future__ import annotations

from collections.abc import Callable

from stash.client import PAGE_SCENES, StashClient
from sync_queue import marks
from sync_queue.marks import Mark

QUESTIONS_AT_ONCE = 50

Queue = Callable[[list[int], str, float], None]


class Expansion:
    """Keeps in memory which names are to be expanded, and how far the first one is: a new worker starts over.

    ``queue`` makes scenes durable, given their ids, why, and the time. A mark's file goes only after its last page.
    """

    def __init__(self, data_dir: str, stash: StashClient, queue: Queue) -> None:
        self._data_dir, self._stash, self._queue = data_dir, stash, queue
        self._left: dict[str, Mark] = {}
        self._begun: list[Mark] = []
        self._after = 0

    @property
    def files(self) -> set[str]:
        """The marks that were taken and are still in the inbox."""
        return {mark.file for mark in self._begun} | set(self._left)

    def take(self, found: list[Mark]) -> None:
        """Expand these in their turn. A mark of the name that is under way begins it once more after that."""
        self._left.update((mark.file, mark) for mark in found)

    def forget(self) -> None:
        """Expand nothing of what was taken: the marks are gone."""
        self._left, self._begun, self._after = {}, [], 0

    def step(self, now: float) -> None:
        """Queue one page of scenes, or several names that do not fill one. Raises Trouble, and goes on there later."""
        seen = asked = 0
        while (self._begun or self._left) and seen < PAGE_SCENES and asked < QUESTIONS_AT_ONCE:
            seen, asked = seen + self._queue_page(now), asked + 1

    def _queue_page(self, now: float) -> int:
        """How many scenes the page had."""
        if not self._begun:
            self._begin()
        mark = self._begun[0]
        scenes, last = self._stash.page_of(mark.kind, mark.id, self._after)
        self._queue(scenes, mark.kind, now)
        self._after = last
        if not last:
            marks.remove(self._data_dir, self._begun)
            self._begun = []
        return len(scenes)

    def _begin(self) -> None:
        """The oldest mark, and all others that ask for the same."""
        first = next(iter(self._left.values()))
        self._begun = [mark for mark in self._left.values() if (mark.kind, mark.id) == (first.kind, first.id)]
        for mark in self._begun:
            del self._left[mark.file]
