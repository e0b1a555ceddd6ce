"""The addresses that Plex asks, relative to the registered one."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import NamedTuple, Optional

from cachetools import LRUCache
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from provider import contract, question
from provider.catalogue import Catalogue
from provider.contract import Contained, Container, Malformed, Movie, Provider, Root
from provider.match import Matcher, Outcome, asked_for
from provider.metadata import Mapping
from provider.metrics import Metrics
from provider.misses import AWAY, Misses
from provider.question import Question
from provider.scene import Entry
from provider.settings import Settings
from validation.errors import Trouble
from validation.text import private

record = logging.getLogger("stash2plex.routes")

JSON = "application/json"
START, SIZE = "X-Plex-Container-Start", "X-Plex-Container-Size"
TOTAL = "X-Plex-Container-Total-Size"
MOST_MADE = 4_096
PAGE = 20  # what Plex's own provider takes when it is told nothing


class Page(NamedTuple):
    """Which part of a list is asked for."""

    start: int
    size: int


class Routes:
    """Plex's routes. Trouble with Stash goes on to the gate, which answers for it."""

    def __init__(
        self, settings: Settings, catalogue: Catalogue, matcher: Matcher, misses: Misses, metrics: Metrics, version: str
    ) -> None:
        self._catalogue, self._matcher = catalogue, matcher
        self._misses, self._metrics = misses, metrics
        self._mapping = Mapping(settings)
        self._set_base = settings.image_base_url or settings.base_url
        self._made: LRUCache[tuple[int, str, Optional[int]], tuple[Entry, bytes]] = LRUCache(MOST_MADE)
        self._root = Root(MediaProvider=Provider(version=version)).body()

    def routes(self) -> list[Route]:
        """What to put into the application."""
        item = contract.METADATA + "/{key}"
        return [
            Route("/", self.root),
            Route(contract.MATCHES, self.match, methods=["POST"]),
            Route(item, self.metadata),
            Route(item + "/images", self.images),
            Route(item + "/{rest:path}", self.nothing),
        ]

    async def root(self, request: Request) -> Response:
        """What we are and can do."""
        return Response(self._root, media_type=JSON)

    async def match(self, request: Request) -> Response:
        """The scenes that a file or a person's words may mean; an empty list is no error."""
        try:
            asked = question.read(await request.body())
        except Malformed as fault:
            self._metrics.matched("malformed")
            return refused(fault)
        outcome = await self._outcome(asked)
        self._note(asked, outcome)
        base, page, total = self._base(request), paging(request), len(outcome.ranked)
        shown = outcome.ranked[page.start : page.start + page.size]
        if len(shown) != 1 or total != 1:
            found = [self._mapping.candidate(entry, score, base) for entry, score in shown]
            return _answer(_items(found, total, page.start))
        entry, score = shown[0]
        return self._about(entry, base, score, lambda: self._mapping.candidate(entry, score, base))

    async def metadata(self, request: Request) -> Response:
        """Everything about one scene."""
        entry = await self._entry(request)
        if isinstance(entry, Response):
            return entry
        base = self._base(request)
        return self._about(entry, base, None, lambda: self._mapping.whole(entry, base))

    async def images(self, request: Request) -> Response:
        """The pictures of one scene, for Plex's picker."""
        entry = await self._entry(request)
        if isinstance(entry, Response):
            return entry
        every, page = self._mapping.images(entry, self._base(request)), paging(request)
        shown = every[page.start : page.start + page.size]
        return _answer(Container(offset=page.start, totalSize=len(every), size=len(shown), Image=shown or None))

    async def nothing(self, request: Request) -> Response:
        """Extras, children, grandchildren and whatever Plex may ask for one day: there is none of it."""
        scene = _scene(request)
        return scene if isinstance(scene, Response) else _answer(_items([], 0, paging(request).start))

    async def _entry(self, request: Request) -> Entry | Response:
        """The scene that is asked about, or the answer when there is none."""
        scene = _scene(request)
        if isinstance(scene, Response):
            return scene
        return await self._catalogue.entry(scene) or unknown()

    def _about(self, entry: Entry, base: str, score: Optional[int], make: Callable[[], Movie]) -> Response:
        """An answer with one scene in it; its text is made once for as long as the scene is the same."""
        kept = self._made.get((entry.id, base, score))
        if kept is None or kept[0] is not entry:
            kept = self._made[entry.id, base, score] = entry, _body(_items([make()], 1, 0))
        return _response(kept[1], 0, 1)

    async def _outcome(self, asked: Question) -> Outcome:
        """What the matcher finds; a file that cannot be looked for is a miss too, since Plex will not ask again."""
        try:
            return await self._matcher.match(asked)
        except Trouble:
            if asked.type == contract.MOVIE and not asked.manual:
                self._misses.record(asked.filename or asked.title, AWAY)
            raise

    def _note(self, asked: Question, outcome: Outcome) -> None:
        self._metrics.matched(outcome.route)
        for name in asked.unknown:
            self._metrics.unknown_key(name)
        if asked.unknown:
            record.debug("The match request has fields nobody has described: %s", private(", ".join(asked.unknown)))
        if outcome.ranked:
            record.debug("Matched %s by %s: scene %d", asked_for(asked), outcome.route, outcome.ranked[0][0].id)
        elif asked.type == contract.MOVIE and not asked.manual:
            self._misses.record(asked.filename or asked.title, outcome.why)
            record.info("No match for %s: %s", asked_for(asked), outcome.why)

    def _base(self, request: Request) -> str:
        """The address for pictures: as it is set, else as whoever asks has reached us."""
        return self._set_base or f"{request.scope['scheme']}://{request.headers.get('host', '')}"


def paging(request: Request) -> Page:
    """The page asked for, by query or by header; Plex uses both. What is no number counts as not said."""
    return Page(_number(request, START, 0), _number(request, SIZE, PAGE))


def refused(fault: Malformed) -> Response:
    """400, with the reason."""
    return Response(_error(str(fault)), 400, media_type=JSON)


def unknown() -> Response:
    """404 for a scene that Stash does not have."""
    return Response(_error("Stash has no such scene"), 404, media_type=JSON)


def _scene(request: Request) -> int | Response:
    """The number of the scene in the address, or the answer to an address that cannot have one."""
    try:
        return contract.scene_at(request.path_params["key"]) or unknown()
    except Malformed as fault:
        return refused(fault)


def _number(request: Request, name: str, otherwise: int) -> int:
    asked = request.query_params.get(name) if request.scope["query_string"] else None
    text = asked or request.headers.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else otherwise


def _items(shown: Sequence[Movie], total: int, start: int) -> Container:
    return Container(offset=start, totalSize=total, size=len(shown), Metadata=shown)


def _answer(container: Container) -> Response:
    return _response(_body(container), container.offset, container.totalSize)


def _response(body: bytes, start: int, total: int) -> Response:
    return Response(body, media_type=JSON, headers={START: str(start), TOTAL: str(total)})


def _body(container: Container) -> bytes:
    return Contained(MediaContainer=container).body()


def _error(text: str) -> bytes:
    return contract.Refusal(error=text).body()
