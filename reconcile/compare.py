"""One scene against what we know of it and against one item: what differs. Reads nothing and sends nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from plex import edits
from plex.model import PICTURES, PlexFile, PlexItem
from plex.projection import fingerprint, project
from plex.rules import PathRules
from reconcile.work import Push, Work
from sync_queue.settlement import LogEntry
from validation.scene import Scene
from validation.settings import Settings


class Comparer:
    """Knows the settings that shape what Plex should show, and the path rules."""

    def __init__(self, rules: PathRules, settings: Settings) -> None:
        self._rules, self._settings = rules, settings
        self._shape = settings.shape

    def work(self, scene: Scene, known: Sequence[LogEntry]) -> Work:
        """The scene with its projection, fingerprint and mapped files."""
        projection = project(scene, self._settings)
        files = tuple(PlexFile(self._rules.to_plex(file.path), file.size) for file in scene.files)
        shaped = fingerprint(scene, projection, self._shape)
        return Work(scene, projection, shaped, tuple(known), files, place(scene))

    def skips(self, scene: Scene) -> str:
        """Why nothing is sent of this scene, "" when there is no reason."""
        if not self._settings.sync_master:
            return "setting sync_master is off"
        if self._settings.organized_only and not scene.organized:
            return "not organized, and setting organized_only is on"
        return "no studio, performers, tags, details or date yet" if scene.says_nothing else ""

    def compare(self, work: Work, item: PlexItem) -> Push:
        """What differs between the scene and this item, pictures apart."""
        settings = self._settings
        owned = work.owned(item)
        edit = edits.diff(work.projection, item, owned, settings.preserve_plex_edits, settings.lock_fields)
        return Push(work, item, edit)

    def picture_locks(self, work: Work, item: PlexItem) -> list[str]:
        """The names of the picture locks that the item lacks, given that the scene has a cover."""
        if self._settings.preserve_plex_edits or not self._settings.lock_fields:
            return []
        return [PICTURES[kind] for kind in work.projection.pictures if PICTURES[kind] not in item.locks]

    def other_pictures(self, work: Work, item: PlexItem) -> list[str]:
        """The kinds of pictures that are no longer what we sent, as far as their addresses tell; people's may stay.

        None of them once Stash has no cover any more: there is nothing to send in their place.
        """
        before = work.before(item.key)
        if before is None or not before.etag or self._settings.preserve_plex_edits:
            return []
        sent = {kind: before.pictures.get(kind, "") for kind in work.projection.pictures}
        return [kind for kind, address in sent.items() if address and address != item.marks.get(kind, "")]


def place(scene: Scene) -> str:
    """A digest of where Stash has the scene's files."""
    files = sorted((file.path, file.size) for file in scene.files)
    return hashlib.sha1(json.dumps(files).encode(), usedforsecurity=False).hexdigest()
