"""What the Plex double remembers: sections, items, tags and collections."""

from __future__ import annotations

import itertools
import threading
import time
import uuid
from collections.abc import Iterable, Iterator
from typing import Any, Callable, Optional

from tests.doubles.lazy import Lazy, Promise
from tests.doubles.plex_tags import Tag, TagTable

SCALARS = (
    "title",
    "titleSort",
    "originalTitle",
    "summary",
    "tagline",
    "studio",
    "contentRating",
    "originallyAvailableAt",
    "addedAt",
    "rating",
    "audienceRating",
    "userRating",
    "editionTitle",
    "year",
)
EDITABLE = frozenset(SCALARS) - {"year"}
PLURALS = {
    "genre": "genres",
    "collection": "collections",
    "label": "labels",
    "director": "directors",
    "writer": "writers",
    "producer": "producers",
    "country": "countries",
    "actor": "actors",
    "similar": "similar",
}
TAG_KINDS = tuple(PLURALS)
Values = dict[str, Any]
ARTWORK = ("thumb", "art", "clearLogo", "squareArt", "theme")


class MediaFile:
    """One version of an item: a Media element with one Part."""

    __slots__ = ("id", "file", "size", "media", "part")

    def __init__(self, media_id: int, file: str, size: int, media: Any = None, part: Any = None) -> None:
        self.id = media_id
        self.file = file
        self.size = size
        self.media: Optional[dict[str, Any]] = media
        self.part: Optional[dict[str, Any]] = part


class Item:
    """A movie. Scalars are strings ('' is unset), tag kinds are tuples of rows."""

    __slots__ = (
        SCALARS
        + TAG_KINDS
        + (
            "key",
            "section",
            "guid",
            "slug",
            "duration",
            "updated_at",
            "files",
            "locks",
            "roles",
            "thumb_n",
            "art_n",
            "artwork",
        )
    )
    title: str
    titleSort: str
    originalTitle: str
    summary: str
    tagline: str
    studio: str
    contentRating: str
    originallyAvailableAt: str
    addedAt: str
    rating: str
    audienceRating: str
    userRating: str
    editionTitle: str
    year: str
    genre: tuple[Tag, ...]
    collection: tuple[Tag, ...]
    actor: tuple[Tag, ...]

    def __init__(self, key: int, section: Section, files: list[MediaFile]) -> None:
        for name in SCALARS:
            setattr(self, name, "")
        for kind in TAG_KINDS:
            setattr(self, kind, ())
        self.key = key
        self.section = section
        self.files = files
        self.guid = f"local://{key}"
        self.slug = ""
        self.duration = 0
        self.updated_at = 0
        self.locks: frozenset[str] = frozenset()
        self.roles: Optional[dict[int, str]] = None
        self.thumb_n = 0
        self.art_n = 0
        self.artwork: Optional[dict[str, Any]] = None


class Collection:
    """A collection exists because items carry its tag."""

    __slots__ = ("key", "tag", "section", "summary", "added_at")

    def __init__(self, key: int, tag: Tag, section: Section, added_at: int) -> None:
        self.key = key
        self.tag = tag
        self.section = section
        self.summary = ""
        self.added_at = added_at

    def members(self) -> list[Item]:
        """Return the items that carry the tag."""
        return [item for item in self.section.items.values() if self.tag in item.collection]


class Section:
    """A library section of type movie."""

    __slots__ = (
        "key",
        "title",
        "type",
        "locations",
        "agent",
        "group",
        "uuid",
        "items",
        "collections",
        "refreshing",
        "created_at",
        "scanned_at",
        "changes",
        "basenames",
        "orders",
    )

    def __init__(self, key: str, title: str, locations: list[str], now: int, agent: str, items: Lazy[Item]) -> None:
        self.key = key
        self.title = title
        self.type = "movie"
        self.locations = locations
        self.agent = agent
        self.group = "1"  # the agent among those made of providers; this is none of them
        self.uuid = str(uuid.uuid5(uuid.NAMESPACE_URL, f"section/{key}/{title}"))
        self.items = items
        self.collections: dict[int, Collection] = {}
        self.refreshing = False
        self.created_at = self.scanned_at = now
        self.changes = 1
        self.basenames: dict[str, list[int]] = {}
        self.orders: dict[str, tuple[int, list[int]]] = {}

    def index(self, item: Item) -> None:
        """Make the item findable by the base names of its files."""
        self.index_files(item.key, (each.file for each in item.files))

    def index_files(self, key: int, files: Iterable[str]) -> None:
        """The same for an item that may be promised only."""
        for name in {basename(file) for file in files}:
            self.basenames.setdefault(name, []).append(key)

    def unindex(self, item: Item) -> None:
        """Undo ``index``."""
        for name in {basename(each.file) for each in item.files}:
            left = [other for other in self.basenames[name] if other != item.key]
            if left:
                self.basenames[name] = left
            else:
                del self.basenames[name]


class PlexState:
    """Everything the double knows. Hold ``lock`` while reading or changing it."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self.lock = threading.RLock()
        self.now = now
        self.tags = TagTable()
        self.sections: dict[str, Section] = {}
        self.items: Lazy[Item] = Lazy(self.lock)
        self.collections: dict[int, Collection] = {}
        self._section_keys = itertools.count(1)
        self._keys = itertools.count(1)
        self._media_ids = itertools.count(1)
        self._lock_sets: dict[frozenset[str], frozenset[str]] = {}

    def seconds(self) -> int:
        """Return the present as Plex writes it: whole seconds since 1970."""
        return int(self.now())

    def add_section(self, title: str, locations: Iterable[str], agent: str = "tv.plex.agents.none") -> Section:
        """Add a movie section."""
        key = str(next(self._section_keys))
        items: Lazy[Item] = Lazy(self.lock)
        section = self.sections[key] = Section(key, title, list(locations), self.seconds(), agent, items)
        return section

    def add_item(self, section: Section, versions: Iterable[dict[str, Any]]) -> Item:
        """Add an item with one Media per version (``file``, ``size``, optional ``media`` and ``part``)."""
        files = [self._media_file(version) for version in versions]
        item = _new_item(next(self._keys), section, files, self.seconds())
        self.items[item.key] = section.items[item.key] = item
        section.index(item)
        section.changes += 1
        return item

    def promise_items(
        self, section: Section, count: int, describe: Callable[[int], Values], fill: Callable[[Item, Values], None]
    ) -> None:
        """So many new items with one file each: ``describe`` gives the values of the nth, ``fill`` sets them.

        They are counted from 1. Only base names are noted now; their collections are there when they are.
        """
        keys, now = [next(self._keys) for _ in range(count)], self.seconds()

        def made(key: int) -> Item:
            changes, given = section.changes, describe(key - keys[0] + 1)
            item = _new_item(key, section, [self._media_file(given)], now)
            fill(item, {name: value for name, value in given.items() if name not in ("file", "size", "media", "part")})
            section.changes = changes
            return item

        self.items.promise(keys, Promise(made, addedAt=str(now)))
        section.items.promise(keys, Promise(self.items.__getitem__, addedAt=str(now)))
        for nth, key in enumerate(keys, 1):
            section.index_files(key, [describe(nth)["file"]])
        section.changes += 1

    def _media_file(self, version: dict[str, Any]) -> MediaFile:
        get = version.get
        return MediaFile(next(self._media_ids), version["file"], int(get("size", 0)), get("media"), get("part"))

    def remove_item(self, item: Item) -> None:
        """Forget an item, as after a scan and an emptied trash."""
        item.section.unindex(item)
        del self.items[item.key], item.section.items[item.key]
        item.section.changes += 1

    def move_item(self, item: Item, file: str) -> None:
        """Give the item's first file another path; a new Part with a new id."""
        item.section.unindex(item)
        item.files[0].file = file
        item.files[0].id = next(self._media_ids)
        item.section.index(item)
        item.section.changes += 1

    def set_tags(self, item: Item, kind: str, tags: Iterable[Tag]) -> None:
        """Set one kind of tags; a new collection tag makes the collection."""
        chosen = tuple(dict.fromkeys(tags))
        setattr(item, kind, chosen)
        if kind == "collection":
            for tag in chosen:
                self._ensure_collection(item.section, tag)
        item.section.changes += 1

    def _ensure_collection(self, section: Section, tag: Tag) -> None:
        if tag.id not in section.collections:
            made = Collection(next(self._keys), tag, section, self.seconds())
            section.collections[tag.id] = self.collections[made.key] = made

    def set_locks(self, item: Item, locks: Iterable[str]) -> None:
        """Set the locked field names; equal sets are shared between items."""
        wanted = frozenset(locks)
        item.locks = self._lock_sets.setdefault(wanted, wanted)

    def touch(self, item: Item) -> None:
        """Move ``updatedAt``, always forward, so that two edits within a second differ."""
        item.updated_at = max(self.seconds(), item.updated_at + 1)
        item.section.changes += 1


def _new_item(key: int, section: Section, files: list[MediaFile], now: int) -> Item:
    item = Item(key, section, files)
    item.updated_at = item.thumb_n = item.art_n = now
    item.addedAt = str(now)
    return item


def basename(path: str) -> str:
    """Return the last part of a path in either slash style."""
    return path.replace("\\", "/").rsplit("/", 1)[-1]


def tag_names(item: Item, kind: str) -> Iterator[str]:
    """Yield the names of one kind of tags."""
    return (tag.name for tag in getattr(item, kind))
