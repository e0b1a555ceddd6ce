"""What one pass over scenes hands on: from work through what was found for it to what was pushed. All frozen."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from plex.edits import Edit, Owned
from plex.model import PlexFile, PlexItem
from plex.projection import Projection
from sync_queue.settlement import LogEntry
from validation.scene import Scene
from validation.text import folded


@dataclass(frozen=True)
class Work:
    """A scene that may have something to push, and what we knew of it before.

    ``files`` are the scene's files under their paths as Plex should see them, ``place`` is a digest of where Stash has
    them. ``inherited`` are rows of other scenes whose items are this one's now.
    """

    scene: Scene
    projection: Projection
    fingerprint: str
    known: tuple[LogEntry, ...]
    files: tuple[PlexFile, ...]
    place: str = ""
    inherited: tuple[LogEntry, ...] = ()

    def before(self, key: str) -> LogEntry | None:
        """What we knew of this item."""
        return next((entry for entry in self.known if entry.item == key), None)

    def owned(self, item: PlexItem) -> Owned:
        """The tags that we added to this item, for any scene, with those that arrived though we did not see it."""
        rows = [row for row in (*self.known, *self.inherited) if row.item == item.key]
        return frozenset(tag for row in rows for tag in (*row.owned, *shown_of(row.intended, item)))

    def heir(self, rows: tuple[LogEntry, ...]) -> Work:
        """The same work, which knows what other scenes left on its items."""
        return replace(self, inherited=rows) if rows else self

    @property
    def unchanged(self) -> bool:
        """Whether exactly this was pushed before, to every item that we know of; says nothing about the cover."""
        return bool(self.known) and all(entry.fingerprint == self.fingerprint for entry in self.known)

    @property
    def moved(self) -> bool:
        """Whether the scene's files are elsewhere, or others, than when it was pushed."""
        return any(entry.place not in ("", self.place) for entry in self.known)

    @property
    def cover_unchanged(self) -> bool:
        """Whether the cover must be the one that was pushed: no cover changes without the scene's ``updated_at``."""
        stamps = {entry.updated_at for entry in self.known}
        return not self.projection.pictures or stamps == {self.scene.updated_at}


def shown_of(tags: Collection[tuple[str, str]], item: PlexItem) -> Owned:
    """Those of the tags, as (kind, tag), that the item shows."""
    if not tags:
        return frozenset()
    shown = {(kind, folded(tag)) for kind, names in item.lists.items() for tag in names}
    return frozenset((kind, tag) for kind, tag in tags if (kind, folded(tag)) in shown)


@dataclass(frozen=True)
class Found:
    """The items that show a scene; ``why`` is a sentence when that is no more than likely, else "".

    ``inherited`` is what we know of these items from scenes that they showed before. ``partly`` says that Plex listed
    one more that it does not show.
    """

    items: tuple[PlexItem, ...]
    why: str = ""
    inherited: tuple[LogEntry, ...] = ()
    partly: bool = False


@dataclass(frozen=True)
class Push:
    """One item and the edit that makes it show the scene."""

    work: Work
    item: PlexItem
    edit: Edit


@dataclass(frozen=True)
class Pushed:
    """What came of a push: the names of the fields that changed, those that failed with the reason, the log's row."""

    entry: LogEntry
    fields: tuple[str, ...] = ()
    failed: Mapping[str, str] = field(default_factory=dict)
