"""From a request to an answer: who may ask, which address, which part of the model."""

from __future__ import annotations

from typing import Any, Callable, Optional

from tests.doubles import plex_elements as elements
from tests.doubles.plex_answers import Answer, HttpError, finish, menu, segments, shape, trim
from tests.doubles.plex_art import ArtStore
from tests.doubles.plex_faults import maintenance
from tests.doubles.plex_filters import Page, ids, page, select
from tests.doubles.plex_http import Request, Response, error
from tests.doubles.plex_model import TAG_KINDS, Collection, Item, PlexState, Section
from tests.doubles.plex_render import Element
from tests.doubles.plex_root import root_attrs, root_directories
from tests.doubles.plex_settings import PlexSettings
from tests.doubles.plex_tree import tree

_DETAIL_ATTRS = (
    "allowSync",
    "identifier",
    "librarySectionID",
    "librarySectionTitle",
    "librarySectionUUID",
    *elements.FLAGS,
)


class Reads:
    """Every address that is only read. Addresses with side effects are added by ``Routes``."""

    def __init__(self, state: PlexState, settings: PlexSettings, art: ArtStore) -> None:
        self.state = state
        self.settings = settings
        self.art = art
        self.table: dict[tuple[str, str], Callable[[Request, list[str]], Answer]] = {
            ("GET", ""): self._root,
            ("GET", "identity"): self._identity,
            ("GET", "activities"): self._nothing,
            ("GET", "status/sessions"): self._nothing,
            ("GET", "library"): self._library,
            ("GET", "library/all"): self._everything,
            ("GET", "library/sections"): self._sections,
            ("GET", "library/sections/*"): self._section,
            ("GET", "library/sections/*/all"): self._all,
            ("GET", "library/sections/*/collections"): self._collections,
            ("GET", "library/collections/*"): self._metadata,
            ("GET", "library/collections/*/children"): self._children,
            ("GET", "library/metadata/*"): self._metadata,
            ("GET", "library/metadata/*/children"): self._children,
            ("GET", "library/metadata/*/tree"): self._tree,
        }
        # Addresses that ask somebody else, who may ask us meanwhile: they take the lock themselves.
        self.asking: dict[tuple[str, str], Callable[[Request, list[str]], Answer]] = {}
        for kind in TAG_KINDS:
            self.table.setdefault(("GET", f"library/sections/*/{kind}"), self._choices)

    def respond(self, request: Request) -> Response:
        """Answer one request; every refusal is an answer too."""
        refused = self._refuse(request)
        if refused:
            return refused
        keys = segments(request.path)
        address = (request.method, shape(keys))
        handler, asking = self.table.get(address), self.asking.get(address)
        try:
            if asking:
                return finish(request, asking(request, keys))
            if handler is None:
                raise HttpError(404)
            with self.state.lock:
                answer = handler(request, keys)
        except HttpError as problem:
            return error(problem.status)
        return finish(request, answer)

    def _refuse(self, request: Request) -> Optional[Response]:
        settings = self.settings
        if settings.url_limit is not None and len(request.target) > settings.url_limit:
            return error(settings.url_limit_status)
        if settings.maintenance:
            return maintenance()
        if request.path == "/identity":
            return None
        token = request.plex("X-Plex-Token")
        if token == settings.token:
            return None
        if token is None or token != settings.guest_token:
            return error(401)
        return None if request.method == "GET" else error(403)

    def item(self, key: str) -> Item:
        """Return an item by its rating key, or end with 404."""
        found = self.state.items.get(int(key)) if key.isdigit() else None
        if found is None:
            raise HttpError(404)
        return found

    def section(self, key: str) -> Section:
        """Return a section by its key, or end with 404."""
        found = self.state.sections.get(key)
        if found is None:
            raise HttpError(404)
        return found

    def _root(self, _: Request, __: list[str]) -> Answer:
        children = elements.directories(root_directories())
        return Element("MediaContainer", {"size": len(children), **root_attrs(self.settings)}, children)

    def _identity(self, _: Request, __: list[str]) -> Answer:
        settings = self.settings
        return Element(
            "MediaContainer",
            {
                "size": 0,
                "claimed": settings.claimed,
                "machineIdentifier": settings.machine_id,
                "version": settings.version,
            },
        )

    def _nothing(self, _: Request, __: list[str]) -> Answer:
        return Element("MediaContainer", {"size": 0})

    def _library(self, _: Request, __: list[str]) -> Answer:
        children = elements.directories(
            (
                ("sections", "Library Sections"),
                ("recentlyAdded", "Recently Added Content"),
                ("onDeck", "On Deck Content"),
            )
        )
        attrs = {
            "size": 3,
            "allowSync": False,
            "art": "/:/resources/library-art.png",
            "content": "",
            "identifier": elements.LIBRARY,
            **elements.FLAGS,
            "title1": "Plex Library",
            "title2": "",
        }
        return Element("MediaContainer", attrs, children)

    def _sections(self, _: Request, __: list[str]) -> Answer:
        children = [elements.section(each) for each in self.state.sections.values()]
        return menu("Plex Library", children)

    def _section(self, request: Request, parts: list[str]) -> Answer:
        if parts[2] == "all":
            return self._sections(request, parts)
        shown = self.section(parts[2])
        if request.args.get("includeDetails") == "1":
            children = [elements.section(shown)]
        else:
            children = elements.directories((("all", "All Movies"), ("collection", "By Collection")))
        return menu(shown.title, children)

    def _all(self, request: Request, parts: list[str]) -> Answer:
        shown = self.section(parts[2])
        if request.args.get("type") == "18":
            return self._collections(request, parts)
        cut = self.cut(request, self._found(request, shown))
        return Element("MediaContainer", elements.section_attrs(shown, "All Movies"), self._videos(request, cut)), cut

    def _everything(self, request: Request, _: list[str]) -> Answer:
        found = [item for shown in self.state.sections.values() for item in self._found(request, shown)]
        cut = self.cut(request, found)
        return Element("MediaContainer", {"identifier": elements.LIBRARY}, self._videos(request, cut)), cut

    def _found(self, request: Request, shown: Section) -> list[Item]:
        args = request.args
        if "file" in args and "type" not in args and self.settings.file_needs_type:
            raise HttpError(500)
        return select(shown, args, self.settings.comma_means_or) if args.get("type", "1") == "1" else []

    def _videos(self, request: Request, cut: Page) -> list[Element]:
        extras = self.settings.listing_extras
        return trim(request, [elements.video(item, False, extras) for item in cut.items])

    def cut(self, request: Request, found: list[Any]) -> Page:
        """Cut the page that the request asks for."""
        start, size = request.number("X-Plex-Container-Start"), request.number("X-Plex-Container-Size")
        if size is None and self.settings.require_size:
            raise HttpError(400)
        limit = request.args.get("limit", "")
        return page(found, start, size, int(limit) if limit.isdigit() else None, self.settings.page_cap)

    def _collections(self, request: Request, parts: list[str]) -> Answer:
        shown = self.section(parts[2])
        shown.items.make_all()
        counted = [(each, len(each.members())) for each in shown.collections.values()]
        cut = self.cut(request, [pair for pair in counted if pair[1]])
        children = [elements.collection(each, count) for each, count in cut.items]
        return Element("MediaContainer", elements.section_attrs(shown, "Collections"), children), cut

    def collection(self, key: str) -> Collection:
        """Return a collection that has items, or end with 404."""
        found = self.state.collections.get(int(key)) if key.isdigit() else None
        if found is None or not found.members():
            raise HttpError(404)
        return found

    def _children(self, request: Request, parts: list[str]) -> Answer:
        shown = self.collection(parts[2])
        cut = self.cut(request, shown.members())
        children = [elements.video(item, False) for item in cut.items]
        return Element("MediaContainer", elements.section_attrs(shown.section, shown.tag.name), children), cut

    def _metadata(self, request: Request, parts: list[str]) -> Answer:
        children = [self._detail(key) for key in ids(parts[2])]
        known = [child for child in children if child]
        if not known:
            raise HttpError(404)
        start, size = request.number("X-Plex-Container-Start"), request.number("X-Plex-Container-Size")
        cut = page(known, start, size, None, None)
        shown = self.state.sections[str(known[0].attrs["librarySectionID"])]
        attrs = elements.section_attrs(shown, "")
        kept = {name: attrs[name] for name in _DETAIL_ATTRS}
        return Element("MediaContainer", kept, trim(request, list(cut.items))), cut

    def _detail(self, key: int) -> Optional[Element]:
        item, shown = self.state.items.get(key), self.state.collections.get(key)
        if item:
            return elements.video(item, True)
        count = len(shown.members()) if shown else 0
        return elements.collection(shown, count) if shown and count else None

    def _tree(self, _: Request, parts: list[str]) -> Answer:
        return Element(
            "MediaContainer", {"size": 1, "identifier": elements.LIBRARY, **elements.FLAGS}, [tree(self.item(parts[2]))]
        )

    def _choices(self, _: Request, parts: list[str]) -> Answer:
        shown = self.section(parts[2])
        tags = {tag.id: tag for item in shown.items.values() for tag in getattr(item, parts[3])}
        children = [elements.tag_choice(shown, tag) for tag in tags.values()]
        return menu(shown.title, children)
