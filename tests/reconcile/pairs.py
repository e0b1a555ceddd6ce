"""A scene, the item that shows it, and what we know of both: what pure tests of the comparison begin with."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from plex.model import LIST_ELEMENTS, SCALARS, PlexFile, PlexItem
from plex.rules import PathRules
from reconcile.compare import Comparer, place
from reconcile.gaps import Shown
from reconcile.work import Found, Work
from sync_queue.settlement import LogEntry
from validation.scene import Scene, parse
from validation.settings import Settings

WHEN = "2024-01-01T00:00:00Z"
FULL = {
    "title": "Title",
    "details": "Details",
    "code": "C-1",
    "date": "2024-02-03",
    "director": "Dee",
    "studio": {"name": "Studio"},
    "performers": [{"name": "Ann"}],
    "tags": [{"name": "Blue"}],
}
LOCKS = (*SCALARS, *LIST_ELEMENTS, "thumb", "art")
MARKS = {"posters": "/thumb/1", "arts": "/art/1"}


def comparer(**settings: Any) -> Comparer:
    return Comparer(PathRules.parse(""), Settings(**settings))


def scene(id: int = 1, file: str = "/data/a.mp4", size: int = 100, **fields: Any) -> Scene:
    files = [{"path": file, "size": size}] if file else []
    return parse({"id": id, "updated_at": WHEN, "files": files, **FULL, **fields})


def item_of(work: Work, key: str = "10", **values: Any) -> PlexItem:
    """An item that shows the scene as it should; with values instead of these."""
    projection, locks = work.projection, frozenset(values.pop("locks", LOCKS))
    marks = values.pop("marks", MARKS)
    scalars = {name: values.get(name, projection.scalars.get(name, "")) for name in SCALARS}
    lists = {kind: tuple(values.get(kind, projection.lists.get(kind, ()))) for kind in LIST_ELEMENTS}
    return PlexItem(key, "1", scalars["title"], work.files, 0, "", scalars, lists, locks, "", marks)


def bare(work: Work, key: str = "10") -> PlexItem:
    """An item that only knows its name."""
    return PlexItem(key, "1", "a", work.files, 0, "", {**dict.fromkeys(SCALARS, ""), "title": "a"},
                    dict.fromkeys(LIST_ELEMENTS, ()), frozenset())  # fmt: skip


def sent(work: Work, key: str = "10", **values: Any) -> Work:
    """The same work once exactly this was pushed to the item; with values instead of these in the log's row."""
    owned = tuple((kind, tag) for kind, tags in work.projection.lists.items() for tag in tags)
    row = LogEntry(work.scene.id, key, "1", work.fingerprint, owned, work.scene.updated_at, "sha", "etag", MARKS)
    return replace(work, known=(*work.known, replace(row, **{"place": place(work.scene), **values})))


def found(*items: PlexItem) -> Found:
    return Found(tuple(items))


def beside(by: Comparer, work: Work, *items: PlexItem) -> list[Shown]:
    """Each item compared with the scene, as a run does it."""
    pushes = [by.compare(work, item) for item in items]
    pictures = [tuple(by.other_pictures(work, item)) for item in items]
    locks = [tuple(by.picture_locks(work, item)) if work.before(item.key) else () for item in items]
    return [Shown(*one) for one in zip(pushes, pictures, locks)]


def file(path: str, size: int = 100) -> PlexFile:
    return PlexFile(path, size)
