"""Random libraries in both, random things that happen to them unseen, and which scenes have a gap then.

`Library.gaps` is a second description of what a comparison has to find: from what both doubles hold and from what Plex
showed when a scene was pushed, without a word of the code under test.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from random import Random
from typing import Any

from reconcile.gaps import DRIFTED, EMPTY, MISSING, MOVED, ORPHANED, STALE
from tests.worker.random_acts import MINE, PICTURES, SILENT, Acts
from tests.worker.steps import SHOWN_SCALARS, Stage

DAY_S = 86_400.0
LISTS = {"actors": "actor", "genres": "genre", "directors": "director", "collections": "collection"}
COVERS = (None, b"\xff\xd8\xff\xe0" + b"a" * 50, b"\xff\xd8\xff\xe0" + b"b" * 50)


@dataclass
class Pushed:
    """What was true when a scene was last pushed: its row in Stash, its cover, the locks of its items by key."""

    row: dict[str, Any]
    cover: bytes | None
    locks: dict[str, set[str]]

    @property
    def keys(self) -> set[str]:
        return {*self.locks}


class Library(Acts):
    """Both libraries, and what was pushed from one to the other."""

    def __init__(self, stage: Stage, random: Random, preserve: bool) -> None:
        super().__init__(stage, random)
        self.preserve = preserve
        self.pushed: dict[int, Pushed] = {}

    # scenes

    def add(self, count: int, days_old: int) -> list[int]:
        """Scenes with one or two files, and with none, one or several items."""
        self.stage.clock.now -= days_old * DAY_S
        made = [self._scene() for _ in range(count)]
        self.stage.clock.now += days_old * DAY_S
        return made

    def _scene(self) -> int:
        random, stage = self.random, self.stage
        scene = stage.scene(in_plex=False, cover=random.choice(COVERS), **self._fields())
        files = [(f"/media/s{scene}.mp4", 1_000 + scene)]
        if random.random() < 0.3:
            path, size = f"/data/s{scene}b.mp4", 5_000 + scene
            stage.stash.library.new_file(stage.stash.library.scene(scene), path, size)
            files.append((f"/media/s{scene}b.mp4", size))
        self._items(files)
        return scene

    def _items(self, files: list[tuple[str, int]]) -> None:
        """Plex has nothing of it, one item, one with two versions, one for each file, or one in each library."""
        random, how = self.random, self.random.choice(("none", "each", "each", "each", "versions", "both libraries"))
        rows = [{"file": path, "size": size} for path, size in files]
        if how == "versions":
            self._item(self.sections[0], **rows[0], versions=rows[1:])
        elif how != "none":
            for section in self.sections if how == "both libraries" else random.sample(self.sections, 1):
                for row in rows:
                    self._item(section, **row)

    # what is so

    def listed(self, scene: int) -> Any:
        """What a scene is in Stash, and what listings show of the items that it was pushed to."""
        rows, every = self.stage.stash.scenes(), self.stage.plex.items()
        items = [every.get(key) for key in sorted(self.pushed[scene].keys)] if scene in self.pushed else []
        return rows.get(str(scene)), [{**item, "locks": ()} if item else None for item in items]

    def note(self, but: Iterable[int] = ()) -> None:
        """All that can be pushed was pushed, but these scenes."""
        for id, row in self.stage.stash.scenes().items():
            scene, items = int(id), self.items(int(id))
            if items and not _silent(row) and scene not in but:
                before = self.pushed.get(scene)
                cover = self.stage.stash.library.scene(scene).cover or (before.cover if before else None)
                self.pushed[scene] = Pushed(row, cover, {key: {*item["locks"]} for key, item in items.items()})

    def gaps(self) -> list[tuple[int, str]]:
        """The gaps, each as scene and kind, in order; of an orphan one for each item."""
        rows, every = self.stage.stash.scenes(), self.stage.plex.items()
        gone = {scene: before for scene, before in self.pushed.items() if str(scene) not in rows}
        found = [(scene, ORPHANED) for scene, before in gone.items() for key in before.keys if key in every]
        found += [(int(id), self._gap(int(id), row)) for id, row in rows.items() if not _silent(row)]
        return sorted(gap for gap in found if gap[1])

    def _gap(self, scene: int, row: dict[str, Any]) -> str:
        items, before = self.items(scene), self.pushed.get(scene)
        if not items:
            return MISSING
        if before and before.row["files"] != row["files"]:
            return MOVED
        if before and before.row != row:
            return STALE
        wrong = [item for key, item in items.items() if self._wrong(scene, item, before)]
        if wrong:
            return DRIFTED if any(self._says_something(scene, item) for item in wrong) else EMPTY
        return MOVED if before and before.keys - items.keys() else ""

    def _wrong(self, scene: int, item: dict[str, Any], before: Pushed | None) -> bool:
        wanted, locks = self.stage.wanted(scene), {*item["locks"]}
        known = before is not None and item["key"] in before.keys
        if self.preserve:
            ours = {*LISTS.values()} - before.locks[item["key"]] if before and known else set()  # and may be taken away
            empty = {name for name in SHOWN_SCALARS if wanted[name] and not item[name]}
            lacking = {lock for kind, lock in LISTS.items() if {*wanted[kind]} - _folds(item[kind])} - ours
            return bool((empty | lacking) - locks)
        other = any(item[name] != wanted[name] for name in SHOWN_SCALARS)
        shown = {kind: _folds(item[kind]) for kind in LISTS}
        shown["collections"].discard(MINE.casefold())
        retagged = any(shown[kind] != {*wanted[kind]} for kind in LISTS)
        return other or retagged or not self._wanted_locks(wanted) <= locks or (known and self._pictures(item, before))

    def _wanted_locks(self, wanted: dict[str, Any]) -> set[str]:
        names = {name for name in SHOWN_SCALARS if wanted[name]}
        return names | {lock for kind, lock in LISTS.items() if wanted[kind]}

    def _pictures(self, item: dict[str, Any], before: Pushed | None) -> bool:
        """Whether a picture is not the one that was sent, or not locked."""
        if before is None or before.cover is None:
            return False
        sha1 = hashlib.sha1(before.cover, usedforsecurity=False).hexdigest()
        shown = {kind: [one["ratingKey"] for one in item[kind] if one["selected"]] for kind in PICTURES}
        ours = all(key.endswith(sha1) for keys in shown.values() for key in keys) and all(shown.values())
        return not (ours and {*PICTURES.values()} <= {*item["locks"]})

    def _says_something(self, scene: int, item: dict[str, Any]) -> bool:
        wanted = self.stage.wanted(scene)
        return any(item[name] for name in (*SHOWN_SCALARS, *LISTS) if name != "title" and wanted[name])


def _silent(row: dict[str, Any]) -> bool:
    return not any(row[name] for name in SILENT) or not row["files"]


def _folds(names: list[str]) -> set[str]:
    return {name.casefold() for name in names}
