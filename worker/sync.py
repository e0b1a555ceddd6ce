"""One pass over a small group of scenes: read both sides, match, compare, push what differs.

Every method may raise Trouble; what that means for which scene is the executor's business.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from plex import edits, matcher, paths
from plex.client import PlexClient
from plex.edits import Edit, Owned
from plex.index import PathIndex
from plex.model import Listed, PlexFile, PlexItem
from plex.projection import Projection, fingerprint, project, shrunk
from sync_queue.settlement import LogEntry
from validation.errors import Kind, Trouble
from validation.scene import Scene
from validation.settings import Settings


@dataclass(frozen=True)
class Work:
    """A scene that may have something to push, and what we knew of it before."""

    scene: Scene
    projection: Projection
    fingerprint: str
    known: tuple[LogEntry, ...]

    @property
    def files(self) -> tuple[PlexFile, ...]:
        """The scene's files under their paths as Plex should see them."""
        return tuple(PlexFile(file.path, file.size) for file in self.scene.files)

    def owned(self, key: str) -> Owned:
        """The tags that we added to this item."""
        return frozenset(pair for entry in self.known if entry.item == key for pair in entry.owned)

    @property
    def unchanged(self) -> bool:
        """Whether exactly this was pushed before, to every item that we know of."""
        return bool(self.known) and all(entry.fingerprint == self.fingerprint for entry in self.known)


@dataclass(frozen=True)
class Push:
    """One item and the edit that makes it show the scene."""

    work: Work
    item: PlexItem
    edit: Edit

    def entry(self, owned: Owned, fingerprint: str) -> LogEntry:
        """The sync log's row for this item."""
        scene = self.work.scene
        return LogEntry(scene.id, self.item.key, self.item.section, fingerprint, tuple(sorted(owned)), scene.updated_at)


class Sync:
    """What a pass needs: Plex, where to find items in it, and the settings that shape what is pushed."""

    def __init__(self, plex: PlexClient, index: PathIndex, settings: Settings) -> None:
        self._plex = plex
        self._index = index
        self._settings = settings
        self._shape = json.dumps(
            [settings.plex_url, settings.plex_library, settings.strict_matching, settings.preserve_plex_edits]
        )

    def work(self, scene: Scene, known: Sequence[LogEntry]) -> Work:
        """The scene with its projection and fingerprint."""
        projection = project(scene)
        return Work(scene, projection, fingerprint(scene, projection, self._shape), tuple(known))

    def find(self, works: Sequence[Work], expected: int, now: float) -> dict[int, list[PlexItem] | Trouble]:
        """The items of each scene, by scene id: known keys first, then paths; whole items, read in batches.

        ``expected`` estimates how many such questions are still to come.
        """
        found = self._by_keys(works, now)
        rest = [work for work in works if work.scene.id not in found]
        if rest:
            found.update(self._by_paths(rest, expected, now))
        return found

    def compare(self, work: Work, item: PlexItem) -> Push:
        """What differs between the scene and this item."""
        edit = edits.diff(work.projection, item, work.owned(item.key), self._settings.preserve_plex_edits)
        return Push(work, item, edit)

    def apply(self, push: Push) -> None:
        """Send the edit: one PUT, more only when it is too long for one, and shorter once when Plex refuses that."""
        if push.edit.empty:
            return
        try:
            self._send(push)
        except Trouble as trouble:
            if trouble.kind is not Kind.TOO_LARGE:
                raise
            self._send_shrunk(push)

    def forget_paths(self) -> None:
        """What the path index said proved wrong."""
        self._index.forget()

    def _send(self, push: Push) -> None:
        item, parts = push.item, edits.pieces(push.edit)
        for part in parts:
            self._plex.edit(item.section, item.key, part)
        if len(parts) > 1:
            self._verify(push)

    def _verify(self, push: Push) -> None:
        """A server that replaces lists keeps only the last piece of one: then the whole goes in one request."""
        now_shown = self._plex.items([push.item.key]).get(push.item.key)
        if now_shown is None:
            raise Trouble(Kind.STALE_MATCH, "Plex lost the item while it was edited")
        left = edits.left_of(push.edit, now_shown)
        if not left.empty:
            self._plex.edit(push.item.section, push.item.key, edits.encode(left))

    def _send_shrunk(self, push: Push) -> None:
        small = shrunk(push.work.projection)
        edit = edits.diff(small, push.item, push.work.owned(push.item.key), self._settings.preserve_plex_edits)
        self._plex.edit(push.item.section, push.item.key, edits.encode(edit))

    def _by_keys(self, works: Sequence[Work], now: float) -> dict[int, list[PlexItem] | Trouble]:
        keys = list(dict.fromkeys(entry.item for work in works for entry in work.known))
        items = self._plex.items(keys) if keys else {}
        chosen = {section.key for section in self._index.sections(now)} if keys else set()
        found: dict[int, list[PlexItem] | Trouble] = {}
        for work in works:
            shown = [items.get(entry.item) for entry in work.known]
            fitting = [i for i in shown if i and i.section in chosen and matcher.still_fits(i, work.files)]
            if fitting and len(fitting) == len(work.known):
                found[work.scene.id] = fitting
        return found

    def _by_paths(self, works: Sequence[Work], expected: int, now: float) -> dict[int, list[PlexItem] | Trouble]:
        files = [file.path for work in works for file in work.files]
        candidates = self._index.candidates(files, expected, now)
        matched: dict[int, Sequence[Listed]] = {}
        found: dict[int, list[PlexItem] | Trouble] = {}
        for work in works:
            result = self._match(work, candidates)
            if isinstance(result, Trouble):
                found[work.scene.id] = result
            else:
                matched[work.scene.id] = result
        items = self._plex.items(list(dict.fromkeys(listed.key for row in matched.values() for listed in row)))
        for scene, listed_items in matched.items():
            whole = [items[listed.key] for listed in listed_items if listed.key in items]
            found[scene] = whole or Trouble(Kind.MISSING, "Plex lists an item with this file but does not show it")
        return found

    def _match(self, work: Work, candidates: dict[str, list[Listed]]) -> tuple[Listed, ...] | Trouble:
        of_scene = [item for file in work.files for item in candidates.get(paths.name_key(file.path), [])]
        result = matcher.match(work.files, of_scene, self._settings.strict_matching)
        if isinstance(result, matcher.Match):
            return result.items
        if isinstance(result, matcher.Ambiguous):
            return Trouble(Kind.AMBIGUOUS, result.why)
        return Trouble(Kind.MISSING, f"Plex has no item with the file {paths.base_name(work.files[0].path)}")
