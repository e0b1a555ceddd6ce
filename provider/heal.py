"""Gives items in Plex the match that they lack, gently and one after the other, and looks whether they took it.

A refresh in Plex never matches again, so what a scan met while Stash was away stays unmatched without this.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from plex.client import BATCH_ITEMS
from plex.model import Section
from provider.contract import guid, scene_of
from provider.gaps import Comparison, Wanted
from provider.library import Library
from validation.errors import Trouble

log = logging.getLogger("stash2plex.heal")

GIVE_UP = 5  # failures in a row: then it is not the items
EXAMPLES = 100
NOT_TAKEN = "not_taken"
NO_AGENT, STASH_AWAY, IN_A_ROW = "no_agent", "stash_away", "in_a_row"


@dataclass(frozen=True)
class Pace:
    """Seconds between two items, and before each look whether those took it that have not yet."""

    between_s: float = 0.1
    looks_s: tuple[float, ...] = (1.0, 5.0, 20.0, 60.0)


@dataclass(frozen=True)
class Failed:
    """An item that could not be healed; ``why`` is NOT_TAKEN or what Plex said."""

    item: str
    scene: int
    title: str
    why: str


@dataclass(frozen=True)
class Healing:
    """What came of it. ``stopped`` says why not all was tried: "", NO_AGENT, STASH_AWAY, IN_A_ROW, or a trouble.

    ``examples`` are some of the ``failed``.
    """

    healed: int = 0
    failed: int = 0
    examples: tuple[Failed, ...] = ()
    stopped: str = ""


class Healer:
    """One round over what a comparison found healable. What a person has matched since is left alone."""

    def __init__(self, library: Library, comparison: Comparison, away: Callable[[], bool], pace: Pace) -> None:
        self._library, self._comparison = library, comparison
        self._away, self._pace = away, pace
        self._asked: dict[str, Wanted] = {}  # items that Plex was told to match, until one is seen to be
        self._in_a_row = self._healed = self._failed = 0
        self._examples: list[Failed] = []
        self._stopped = ""

    @property
    def done(self) -> int:
        """How many items were tried so far."""
        return len(self._asked) + self._healed + self._failed

    async def heal(self, sections: Sequence[Section]) -> Healing:
        """Heal what can be in those of these libraries that have our agent; never raises Trouble."""
        try:
            ours = {section.key for section in await self._library.with_our_agent(sections)}
            self._stopped = "" if ours else NO_AGENT
            for keys in _batches(self._comparison.to_heal(ours)):
                if not self._stopped:
                    await self._match(keys)
            await self._verify()
        except Trouble as trouble:
            self._stopped = trouble.message
        for key, wanted in self._asked.items():
            self._fail(key, wanted, NOT_TAKEN)
        return Healing(self._healed, self._failed, tuple(self._examples), self._stopped)

    async def _match(self, keys: Sequence[str]) -> None:
        """Read anew what is to be matched: hours may have passed since the comparison."""
        for item in (await self._library.items(keys)).values():
            wanted = self._comparison.wanted(item)
            if wanted and not self._stops():
                await self._match_one(item.key, wanted)
                await asyncio.sleep(self._pace.between_s)

    def _stops(self) -> bool:
        """An item that is matched while Stash is away would stay without metadata."""
        if not self._stopped:
            self._stopped = STASH_AWAY if self._away() else IN_A_ROW if self._in_a_row >= GIVE_UP else ""
        return bool(self._stopped)

    async def _match_one(self, key: str, wanted: Wanted) -> None:
        try:
            await self._library.match(key, guid(wanted.scene), wanted.title)
        except Trouble as trouble:
            self._in_a_row += 1
            self._fail(key, wanted, trouble.message)
        else:
            self._in_a_row = 0
            self._asked[key] = wanted

    async def _verify(self) -> None:
        for pause_s in self._pace.looks_s:
            if self._asked:
                await asyncio.sleep(pause_s)
            for keys in _batches(list(self._asked)):
                for item in (await self._library.items(keys)).values():
                    wanted = self._asked.get(item.key)
                    if wanted and scene_of(item.guid) == wanted.scene:
                        del self._asked[item.key]
                        self._healed += 1

    def _fail(self, key: str, wanted: Wanted, why: str) -> None:
        self._failed += 1
        if len(self._examples) < EXAMPLES:
            self._examples.append(Failed(key, wanted.scene, wanted.title, why))


def _batches(keys: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(keys)
    return iter(lambda: list(islice(rest, BATCH_ITEMS)), [])
