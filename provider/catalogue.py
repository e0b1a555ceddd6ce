"""Stash's scenes for Plex's questions, from memory where that is as good.

What is remembered counts for ``cache_s``, an empty answer for a few seconds. A changed scene is noticed much sooner:
when something is asked, Stash is asked once a second at most which scenes changed last, and those are read again. That
finds no renamed performer or tag: then the scene's own date stays, and the time has to pass.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Optional

from provider.memory import Memory
from provider.metrics import Metrics
from provider.scene import Entry
from provider.upstream import Names, Upstream
from validation.errors import Trouble

MOST_ENTRIES, MOST_LOOKUPS = 4_096, 8_192
EMPTY_S = 15.0  # a file may be scanned at any moment
LOOK_S, STALE_S = 1.0, 2.0  # under load a look is always under way, and nobody waits for it
MOST_CHANGED = 500
DATE_LENGTH = 18  # of 2026-01-31T12:34:56Z, up to ten seconds: Stash compares dates as texts


class Catalogue:
    """The reads of `Upstream` with a memory. Methods raise Trouble when Stash is away and nothing old is here."""

    def __init__(
        self, upstream: Upstream, cache_s: float, metrics: Metrics, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._upstream, self._clock = upstream, clock
        empty_s = min(EMPTY_S, cache_s)
        self._entries: Memory[int, Optional[Entry]] = Memory(
            lambda entry: cache_s if entry else empty_s, MOST_ENTRIES, metrics, clock
        )
        self._ids: Memory[tuple[str, ...], tuple[int, ...]] = Memory(
            lambda ids: cache_s if ids else empty_s, MOST_LOOKUPS, metrics, clock
        )
        self._seen: dict[int, str] = {}
        self._after = self._latest = ""  # dates of Stash's own making: of the look before the last, and of the last
        self._looked_at = float("-inf")
        self._look: Optional[asyncio.Task[None]] = None

    async def entry(self, id: int) -> Entry | None:
        """One scene, None when Stash has none of this id."""
        await self._notice_changes()
        return await self._entries.get(id, self._upstream.entry)

    async def at_path(self, *paths: str) -> list[Entry]:
        """The scenes that have a file of exactly one of these paths; see `Upstream.at_path`.

        They are asked for at once and remembered as one answer: what one of them may mean is known when another was
        found, and then nobody asks again in a few seconds for those where there is nothing.
        """
        await self._notice_changes()
        return await self._known(await self._ids.get(("path", *paths), self._ids_at))

    async def by_oshash(self, oshash: str) -> list[Entry]:
        """The scenes that have a file of this OpenSubtitles hash."""
        await self._notice_changes()
        return await self._known(await self._ids.get(("oshash", oshash), self._ids_of_hash))

    async def named(self, base_name: str, folders: Sequence[str] = ()) -> Names:
        """The scenes that have a file of this base name; not remembered, since it is asked when all else failed."""
        return await self._upstream.named(base_name, folders)

    async def titled(self, words: str, limit: int) -> list[Entry]:
        """The scenes whose title or path has these words; not remembered: a person waits for what is true now."""
        return await self._upstream.titled(words, limit)

    async def looked(self) -> None:
        """Wait until the look that is under way, if there is one, is over."""
        if self._look is not None:
            await asyncio.shield(self._look)

    async def close(self) -> None:
        """End the look that is under way."""
        if self._look is not None:
            self._look.cancel()
            await asyncio.wait([self._look])

    async def _known(self, ids: tuple[int, ...]) -> list[Entry]:
        found = [await self._entries.get(id, self._upstream.entry) for id in ids]
        return [entry for entry in found if entry is not None]

    async def _ids_at(self, key: tuple[str, ...]) -> tuple[int, ...]:
        found = await asyncio.gather(*(self._upstream.at_path(path) for path in key[1:]))
        return self._keep([entry for entries in found for entry in entries])

    async def _ids_of_hash(self, key: tuple[str, ...]) -> tuple[int, ...]:
        return self._keep(await self._upstream.by_oshash(key[1]))

    def _keep(self, found: list[Entry]) -> tuple[int, ...]:
        for entry in found:
            self._entries.put(entry.id, entry)
        return tuple(dict.fromkeys(entry.id for entry in found))

    async def _notice_changes(self) -> None:
        """Forget what changed in Stash. The look is waited for, unless there was one a moment ago."""
        age_s = self._clock() - self._looked_at
        if age_s >= LOOK_S and self._look is None:
            self._look = asyncio.ensure_future(self._notice())
        if age_s >= STALE_S:
            await self.looked()

    async def _notice(self) -> None:
        try:
            rows = await self._upstream.changed(self._after[:DATE_LENGTH], MOST_CHANGED) if self._after else []
            latest = rows[-1][1] if rows else self._latest or await self._upstream.newest()
        except Trouble:
            return  # what is asked next says so, or has an old answer
        finally:
            self._looked_at, self._look = self._clock(), None
        self._doubt_changed(rows, latest)
        self._after, self._latest = self._latest or latest, latest

    def _doubt_changed(self, rows: list[tuple[int, str]], latest: str) -> None:
        """Scenes with a new date, and all of the newest second: that may have held another change after the look.

        Each look goes back to the newest date of the one before the last, and some seconds beyond: Stash dates a change
        and commits it later.
        """
        if len(rows) >= MOST_CHANGED:
            self._entries.doubt_all()
        for id, stamp in rows:
            if stamp == latest or self._seen.get(id) != stamp:
                self._entries.doubt(id)
        self._seen = dict(rows)
