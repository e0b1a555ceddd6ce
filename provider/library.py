"""Plex's libraries as the provider sees them: where they lie, what is in them, and an item's identity.

Optional: without Plex's address and token there is no `Library`, and Plex's questions are answered all the same.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import time
import uuid
from collections.abc import AsyncIterator, Iterable, Sequence
from concurrent.futures import Future
from typing import Any, Callable, Optional, TypeVar

from plex.agents import Agent
from plex.client import PlexClient
from plex.model import Listed, PlexItem, Section
from provider.contract import IDENTIFIER
from provider.settings import Settings
from validation.errors import Kind, Trouble

log = logging.getLogger("stash2plex.library")

MOVIE = "movie"
REMEMBERED_S = 600.0
AGAIN_S = 30.0  # after Plex did not answer
PATIENCE_S = 8.0  # of a question of Plex's that needs the roots and finds none remembered
TIMEOUTS = (5.0, 30.0)

Result = TypeVar("Result")
_Call = Optional[tuple["Future[Any]", Callable[[], Any]]]


def connect(settings: Settings) -> Optional[PlexClient]:
    """A client for Plex as it is set, None without its address or token."""
    token = settings.plex_token.get_secret_value()
    if not (settings.plex_url and token):
        return None
    return PlexClient(settings.plex_url, token, identifier(settings), TIMEOUTS)


def identifier(settings: Settings) -> str:
    """What this installation calls itself to Plex: the same after every restart, although nothing is kept."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"stash2plex {settings.base_url or settings.stash_url}"))


def chosen(sections: list[Section], wanted: str) -> list[Section]:
    """The movie libraries that are meant by this title or key; all of them by ""."""
    movies = [section for section in sections if section.type == MOVIE]
    if not wanted:
        return movies
    return [each for each in movies if wanted == each.key or wanted.casefold() == each.title.casefold()]


def with_ours(sections: Iterable[Section], agents: Iterable[Agent]) -> list[Section]:
    """The libraries that are set to one of these agents in which this provider comes first."""
    ours = {agent.id for agent in agents if agent.primary == IDENTIFIER}
    return [section for section in sections if section.agent_id in ours]


class Library:
    """The chosen movie libraries of one Plex. All methods are for one event loop, and raise Trouble and nothing else.

    Requests go one after the other, in a thread of their own: the client is not made for several.
    """

    def __init__(self, client: PlexClient, wanted: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._client, self._wanted, self._clock = client, wanted, clock
        self._calls: queue.SimpleQueue[_Call] = queue.SimpleQueue()
        self._thread: Optional[threading.Thread] = None
        self._roots: tuple[str, ...] = ()
        self._look_at = clock()
        self._looking: Optional[asyncio.Task[None]] = None

    @classmethod
    def of(cls, settings: Settings) -> Optional[Library]:
        """The libraries as they are set, None without Plex's address or token. Nothing is asked yet."""
        client = connect(settings)
        return cls(client, settings.plex_library) if client else None

    async def roots(self) -> tuple[str, ...]:
        """The folders of the chosen libraries as Plex sees them; never raises.

        Remembered for 10 minutes, and then shown until newer ones are there. () while Plex was never reached.
        """
        if self._clock() >= self._look_at and self._looking is None:
            self._looking = asyncio.create_task(self._look())
        if self._looking and not self._roots:
            await asyncio.wait([self._looking], timeout=PATIENCE_S)
        return self._roots

    async def sections(self) -> list[Section]:
        """The chosen movie libraries, asked now."""
        return chosen(await self._run(self._client.sections), self._wanted)

    async def with_our_agent(self, sections: Sequence[Section]) -> list[Section]:
        """Those of these libraries that are set to an agent in which this provider comes first, asked now."""
        try:
            agents = await self._run(self._client.agents.all)
        except Trouble as trouble:
            if trouble.kind is Kind.STALE_MATCH:  # a Plex without such agents
                return []
            raise
        return with_ours(sections, agents)

    async def walk(self, section: Section) -> AsyncIterator[list[Listed]]:
        """All items of a library, page by page, the oldest first."""
        pages = self._client.walk(section.key)
        while True:
            page: Optional[list[Listed]] = await self._run(lambda: next(pages, None))
            if page is None:
                return
            yield page

    async def items(self, keys: Sequence[str]) -> dict[str, PlexItem]:
        """Whole items by rating key, as they are now; keys that Plex does not know are absent."""
        return await self._run(lambda: self._client.items(keys))

    async def match(self, key: str, guid: str, title: str) -> None:
        """Give an item this identity; Plex then asks us for its metadata, after it has answered."""
        await self._run(lambda: self._client.rematch(key, guid, title))

    async def close(self) -> None:
        """End what was begun here; an answer that does not come is not waited for."""
        if self._looking:
            self._looking.cancel()
        self._calls.put((Future(), self._client.close))
        self._calls.put(None)

    async def _look(self) -> None:
        try:
            sections = await self.sections()
            self._roots = tuple(dict.fromkeys(place for section in sections for place in section.locations if place))
            self._look_at = self._clock() + REMEMBERED_S
            if not sections:
                log.warning("Plex has no movie library that plex_library could mean, so no library root is known")
        except Trouble as trouble:
            self._look_at = self._clock() + AGAIN_S
            log.warning("Plex's library roots could not be read: %s", trouble)
        finally:
            self._looking = None

    async def _run(self, call: Callable[[], Result]) -> Result:
        if self._thread is None:
            # A daemon: when the process is to end, a Plex that does not answer must not hold it back.
            self._thread = threading.Thread(target=_serve, args=(self._calls,), name="plex", daemon=True)
            self._thread.start()
        future: Future[Result] = Future()
        self._calls.put((future, call))
        return await asyncio.wrap_future(future)


def _serve(calls: queue.SimpleQueue[_Call]) -> None:
    """Run calls one after the other until there is a None; what nobody waits for any more is left out."""
    while True:
        wanted = calls.get()
        if wanted is None:
            return
        future, call = wanted
        if future.set_running_or_notify_cancel():
            try:
                future.set_result(call())
            except Exception as error:  # noqa: BLE001 - the one who waits gets it
                future.set_exception(error)
