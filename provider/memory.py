"""Answers kept for a while: each question is asked once at a time, and an old answer is better than none."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from cachetools import LRUCache

from provider.metrics import Metrics
from validation.errors import Kind, Trouble

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(frozen=True)
class _Kept(Generic[V]):
    value: V
    until: float


class Memory(Generic[K, V]):
    """The last answers, ``most`` of them.

    ``lasts`` gives the seconds for which an answer counts. After that it is asked for again, and handed out all the
    same when Stash is away.
    """

    def __init__(
        self,
        lasts: Callable[[V], float],
        most: int,
        metrics: Metrics,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lasts, self._metrics, self._clock = lasts, metrics, clock
        self._kept: LRUCache[K, _Kept[V]] = LRUCache(most)
        self._asked: dict[K, asyncio.Task[V]] = {}

    async def get(self, key: K, ask: Callable[[K], Awaitable[V]]) -> V:
        """The answer for this key. Raises what ``ask`` raises, unless Stash is away and an old answer is here."""
        kept = self._kept.get(key)
        fresh = kept is not None and self._clock() < kept.until
        self._metrics.cache(fresh)
        if kept is not None and fresh:
            return kept.value
        try:
            return await self._once(key, ask)
        except Trouble as trouble:
            if kept is None or trouble.kind is not Kind.STASH_AWAY:
                raise
            return kept.value

    def put(self, key: K, value: V) -> None:
        """Remember an answer that came with another one."""
        self._kept[key] = _Kept(value, self._clock() + self._lasts(value))

    def doubt(self, key: K) -> None:
        """Ask for this one again next time; what is kept still helps while Stash is away."""
        kept = self._kept.get(key)
        if kept is not None:
            self._kept[key] = replace(kept, until=0.0)

    def doubt_all(self) -> None:
        """Ask for everything again."""
        for key in list(self._kept):
            self.doubt(key)

    async def _once(self, key: K, ask: Callable[[K], Awaitable[V]]) -> V:
        """Asked for by whoever comes first, and for all who come meanwhile: none of them ends it by going away."""
        task = self._asked.get(key)
        if task is None:
            task = self._asked[key] = asyncio.ensure_future(self._ask(key, ask))
            task.add_done_callback(_look_at)
        return await asyncio.shield(task)

    async def _ask(self, key: K, ask: Callable[[K], Awaitable[V]]) -> V:
        try:
            value = await ask(key)
            self.put(key, value)
            return value
        finally:
            del self._asked[key]


def _look_at(task: asyncio.Task[V]) -> None:
    """Nobody may be left who wants to know what went wrong."""
    if not task.cancelled():
        task.exception()
