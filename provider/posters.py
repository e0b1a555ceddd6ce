"""Posters that were made, kept as long as there is room; each is made once, by one of two threads."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import cached_property
from typing import NamedTuple, Optional

from cachetools import LRUCache

from provider import poster
from provider.poster import Unfit

record = logging.getLogger("stash2plex.posters")

MOST_BYTES = 16 << 20
ENTRY_BYTES = 512  # what an entry takes besides its bytes
AT_ONCE = 2


class Poster(NamedTuple):
    """Made of the cover with this ETag; without content that cover is handed on as it is."""

    etag: str
    content: Optional[bytes]


class Posters:
    """Makes them in one mode; ``load`` gives ETag and bytes of a scene's cover, and may raise."""

    def __init__(
        self, mode: str, load: Callable[[int], Awaitable[tuple[str, bytes]]], most_bytes: int = MOST_BYTES
    ) -> None:
        self._mode, self._load = mode, load
        self._kept: LRUCache[tuple[int, str], Poster] = LRUCache(most_bytes, getsizeof=_taken)
        self._made: dict[tuple[int, str], asyncio.Task[Poster]] = {}

    async def get(self, scene: int, etag: str) -> Poster:
        """The poster of the scene whose cover has this ETag; all who ask meanwhile wait for the same."""
        key = (scene, etag)
        kept = self._kept.get(key) if etag else None
        if kept is not None:
            return kept
        task = self._made.get(key)
        if task is None:
            task = self._made[key] = asyncio.ensure_future(self._make(key))
            task.add_done_callback(_look_at)
        return await asyncio.shield(task)

    @cached_property
    def _room(self) -> asyncio.Semaphore:
        """Made at the first use: Python 3.9 binds it to the loop that is there then."""
        return asyncio.Semaphore(AT_ONCE)

    async def _make(self, key: tuple[int, str]) -> Poster:
        try:
            async with self._room:
                etag, cover = await self._load(key[0])
                made = Poster(etag, await asyncio.to_thread(self._rendered, key[0], cover))
            self._keep((key[0], etag), made)
            return made
        finally:
            del self._made[key]

    def _rendered(self, scene: int, cover: bytes) -> bytes | None:
        try:
            return poster.render(cover, self._mode)
        except Unfit as reason:
            record.warning("Scene %d's cover is handed on as it is, no poster can be made of it: %s", scene, reason)
            return None

    def _keep(self, key: tuple[int, str], made: Poster) -> None:
        if _taken(made) <= self._kept.maxsize // 4:  # one alone shall not drive out all others
            self._kept[key] = made


def _taken(made: Poster) -> int:
    return ENTRY_BYTES + len(made.content or b"")


def _look_at(task: asyncio.Task[Poster]) -> None:
    """Nobody may be left who wants to know what went wrong."""
    if not task.cancelled():
        task.exception()
