"""The addresses that change something: edits, artwork, ratings, scans."""

from __future__ import annotations

from typing import Any

from tests.doubles import plex_elements as elements
from tests.doubles.plex_answers import Answer, HttpError
from tests.doubles.plex_art import KINDS, ArtStore, fetch
from tests.doubles.plex_edits import Edit, EditError, apply_edit, apply_to_collection, refresh, seed, set_scalar
from tests.doubles.plex_filters import ids, select
from tests.doubles.plex_http import Request, Response
from tests.doubles.plex_model import Item, PlexState, Section
from tests.doubles.plex_render import Element
from tests.doubles.plex_routes import Reads
from tests.doubles.plex_settings import PlexSettings

_FILE = ("file", "size", "media", "part")
# one picture -> its list
_SINGLE = {"poster": "posters", "art": "arts", "thumb": "posters"}


class Routes(Reads):
    """All addresses of the double."""

    def __init__(self, state: PlexState, settings: PlexSettings, art: ArtStore) -> None:
        super().__init__(state, settings, art)
        self.scans: list[dict[str, str]] = []
        self.unscanned: list[dict[str, Any]] = []
        self.whole_section_edits: list[str] = []
        self.table.update(
            {
                ("PUT", "library/sections/*/all"): self._edit_section,
                ("PUT", "library/metadata/*"): self._edit_items,
                ("PUT", "library/metadata/*/refresh"): self._refresh,
                ("GET", "library/sections/*/refresh"): self._scan,
                ("POST", "library/sections/*/refresh"): self._scan,
                ("PUT", ":/rate"): self._rate,
                ("GET", "library/metadata/*/file"): self._file,
                ("GET", "library/metadata/*/thumb/*"): self._picture,
                ("GET", "library/metadata/*/art/*"): self._picture,
                ("DELETE", "library/metadata/*/thumb"): self._remove_picture,
                ("DELETE", "library/metadata/*/art"): self._remove_picture,
                ("PUT", "library/metadata/*/poster"): self._select_picture,
                ("PUT", "library/metadata/*/art"): self._select_picture,
            }
        )
        for kind in KINDS:
            self.table["GET", f"library/metadata/*/{kind}"] = self._pictures
            self.table["POST", f"library/metadata/*/{kind}"] = self._upload

    def respond(self, request: Request) -> Response:
        """Answer one request. A picture named by URL is fetched first, without holding the lock."""
        if request.method == "POST" and "url" in request.args and not request.body:
            request.body = fetch(request.args["url"]) or b""
        return super().respond(request)

    def _edit(self, request: Request) -> Edit:
        try:
            return Edit(request.pairs, self.settings.claimed, self.settings.refused_fields)
        except EditError as problem:
            raise HttpError(problem.status) from problem

    def _edit_section(self, request: Request, parts: list[str]) -> Answer:
        shown, args, edit = self.section(parts[2]), request.args, self._edit(request)
        if args.get("type") == "18":
            return self._edit_collections(edit, ids(args.get("id", "")))
        # Only the arguments that are not edits choose items: plex.md A.5. An empty id chooses nothing less than all.
        filters = {name: value for name, value in args.items() if "." not in name and (name, value) != ("id", "")}
        if "id" not in filters:
            self.whole_section_edits.append(request.target)
        chosen = select(shown, filters, self.settings.comma_means_or)
        if "id" in filters and not chosen:
            return Response(self.settings.unknown_id_status)
        return self._apply(edit, chosen)

    def _edit_items(self, request: Request, parts: list[str]) -> Answer:
        edit, keys = self._edit(request), ids(parts[2])
        chosen = [self.state.items[key] for key in keys if key in self.state.items]
        collections = [key for key in keys if key in self.state.collections]
        if not chosen and not collections:
            raise HttpError(404)
        return self._edit_collections(edit, collections) if collections else self._apply(edit, chosen)

    def _apply(self, edit: Edit, chosen: list[Item]) -> Response:
        for item in chosen:
            apply_edit(self.state, item, edit, self.settings.mode)
        return Response()

    def _edit_collections(self, edit: Edit, keys: list[int]) -> Response:
        try:
            for key in keys:
                apply_to_collection(self.state, self.collection(str(key)), edit)
        except EditError as problem:
            raise HttpError(problem.status) from problem
        return Response()

    def _refresh(self, _: Request, parts: list[str]) -> Answer:
        refresh(self.state, self.item(parts[2]))
        self.art.reset_unlocked(self.item(parts[2]))
        return Response()

    def _scan(self, request: Request, parts: list[str]) -> Answer:
        shown, args = self.section(parts[2]), request.args
        self.scans.append({"section": shown.key, "path": args.get("path", ""), "force": args.get("force", "")})
        shown.scanned_at = self.state.seconds()
        self._find_files(shown, args.get("path", ""))
        return Response()

    def _find_files(self, shown: Section, folder: str) -> None:
        """Make items of the files that lie below the folder; without one, of all that lie in the section."""
        found = [each for each in self.unscanned if each["section"] == shown.key and _below(each["file"], folder)]
        self.unscanned = [each for each in self.unscanned if each not in found]
        for each in found:
            values = {name: value for name, value in each.items() if name not in ("section", *_FILE)}
            item = self.state.add_item(shown, [{name: each[name] for name in _FILE if name in each}])
            seed(self.state, item, values)
            self._appeared(item)

    def _appeared(self, item: Item) -> None:
        """Do what follows when a scan has made an item."""

    def _rate(self, request: Request, _: list[str]) -> Answer:
        item, rating = self.item(request.args.get("key", "")), request.args.get("rating", "")
        try:
            number = float(rating)
        except ValueError:
            raise HttpError(400) from None
        if number > 10:
            raise HttpError(400)
        set_scalar(item, "userRating", "" if number < 0 else rating)
        return Response()

    def _pictures(self, _: Request, parts: list[str]) -> Answer:
        item, kind = self.item(parts[2]), parts[3]
        gallery = self.art.gallery(item, kind)
        children = [
            elements.picture(item, kind, key, key == gallery.selected, None if key.startswith("upload:") else "local")
            for key in gallery.keys
        ]
        attrs = {"size": len(children), "identifier": elements.LIBRARY, **elements.FLAGS}
        return Element("MediaContainer", attrs, children)

    def _upload(self, request: Request, parts: list[str]) -> Answer:
        item = self.item(parts[2])
        if not request.body:
            raise HttpError(400)
        self.art.upload(item, parts[3], request.body)
        return Response()

    def _select_picture(self, request: Request, parts: list[str]) -> Answer:
        item, kind = self.item(parts[2]), _SINGLE[parts[3]]
        if not self.art.select(item, kind, request.args.get("url", "")):
            raise HttpError(404)
        field, number, _ = KINDS[kind]
        path = elements.thumb_path(item, field, getattr(item, number)) or ""
        return Response(200, "text/html", path.encode())

    def _remove_picture(self, _: Request, parts: list[str]) -> Answer:
        self.art.remove(self.item(parts[2]), _SINGLE[parts[3]])
        return Response()

    def _file(self, request: Request, parts: list[str]) -> Answer:
        self.item(parts[2])
        return Response(200, "image/jpeg", self.art.data(request.args.get("url", "")))

    def _picture(self, _: Request, parts: list[str]) -> Answer:
        key = self.art.selected(self.item(parts[2]), _SINGLE[parts[3]])
        return Response(200, "image/jpeg", self.art.data(key or ""))


def _below(file: str, folder: str) -> bool:
    bare = folder.rstrip("/\\")
    return not folder or file.startswith((bare + "/", bare + "\\"))
