"""Many small questions asked at once become few large ones."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Batch(Generic[K, V]):
    """Collects keys while others are being asked for, and asks for them together.

    ``ask`` takes at most ``most`` keys and returns a value for each. With nothing under way a question leaves at once,
    so that a lonely one never waits; at most ``at_once`` are under way. The same key is asked for once.
    """

    def __init__(self, ask: Callable[[Sequence[K]], Awaitable[dict[K, V]]], most: int, at_once: int) -> None:
        self._ask, self._most, self._free = ask, most, at_once
        self._waiting: dict[K, asyncio.Future[V]] = {}
        self._under_way: dict[K, asyncio.Future[V]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def get(self, key: K) -> V:
        """The value of one key; raises what ``ask`` raised. Who is cancelled takes nothing from the others."""
        future = self._under_way.get(key) or self._waiting.get(key)
        if future is None:
            loop = asyncio.get_running_loop()
            future = self._waiting[key] = loop.create_future()
            loop.call_soon(self._send)
        return await asyncio.shield(future)

    def _send(self) -> None:
        while self._free and self._waiting:
            keys = list(self._waiting)[: self._most]
            group = {key: self._waiting.pop(key) for key in keys}
            self._under_way.update(group)
            self._free -= 1
            task = asyncio.ensure_future(self._run(group))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _run(self, group: dict[K, asyncio.Future[V]]) -> None:
        try:
            values = await self._ask(list(group))
            for key, future in group.items():
                future.set_result(values[key])
        except Exception as error:  # noqa: BLE001 - whoever asked gets it
            for future in group.values():
                _fail(future, error)
        finally:
            self._free += 1
            for key, future in group.items():
                self._under_way.pop(key, None)
                future.cancel()  # does nothing to one that has a result
            self._send()


def _fail(future: asyncio.Future[V], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
        future.exception()  # whoever asked may have gone away: nothing to complain about
