"""What Plex must show once all is quiet: a description of its own of what the project promises, scene by scene.

Not equal by nature, and so not asked for:

- An item that has the files of several scenes shows the one with the lowest id among those that say something.
- An item whose scene is gone, or says nothing any more, keeps what it showed last.
- A scene without a title leaves Plex's title alone, and one without a cover Plex's pictures.
- Collections that are no studio's are people's, and stay. But a Plex that replaces lists loses one that a person makes
  while we send the others: it is asked for only where Plex appends.
- A 200 without a word is what Plex says of an edit that is done: somebody else's 200 without a word is believed. So no
  storm has one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from tests.processes.convergence_world import Library, folds, in_plex

SCALARS = {"studio": "studio", "summary": "details", "tagline": "code", "originallyAvailableAt": "date"}
LISTS = {"actor": "actors", "genre": "genres", "director": "directors"}
PICTURES = {"thumb": "posters", "art": "arts"}


class Truth:
    """Both sides at one moment.

    Of the scenes that say something, ``speaking``, those without an item are ``missing``, those without a file
    ``fileless``, and those whose item shows another scene ``outdone``.
    """

    def __init__(self, library: Library) -> None:
        self._library = library
        with library.stash.core.lock:
            self._scenes = library.stash.scenes()
            self._covers = {id: library.stash.library.scene(id).cover for id in self._scenes}
        self._items = library.plex.items()
        speaking = {id: row for id, row in self._scenes.items() if _speaks(row)}
        shown = {file for item in self._items.values() for file in item["files"]}
        self._scene_of_file = {file: id for id, row in speaking.items() for file in _files(row)}
        self.winners = self._winners()
        self.fileless = {int(id) for id, row in speaking.items() if not row["files"]}
        with_item = {int(id) for id, row in speaking.items() if any(file in shown for file in _files(row))}
        self.speaking = {int(id) for id in speaking}
        self.missing = self.speaking - self.fileless - with_item
        self.outdone = with_item - {int(id) for id in self.winners.values()}

    def _winners(self) -> Mapping[str, str]:
        """The scene that each item has to show, by the item's key."""
        claims = {
            key: [int(self._scene_of_file[file]) for file in item["files"] if file in self._scene_of_file]
            for key, item in self._items.items()
        }
        return {key: str(min(scenes)) for key, scenes in claims.items() if scenes}

    def differences(self) -> list[str]:
        """One sentence per field in which an item differs from what it has to show."""
        found = []
        for key, scene in self.winners.items():
            where = f"scene {scene}, item {key}"
            found += [f"{where}: {text}" for text in self._one(self._scenes[scene], self._items[key], scene)]
        return found + list(self._lost_shelves())

    def places(self) -> str:
        """Where the files of all scenes and items are, to look at after a failure."""
        scenes = [f"scene {id}: {[file['path'] for file in row['files']]}" for id, row in self._scenes.items()]
        return "\n".join([*scenes, *(f"item {key}: {item['files']}" for key, item in self._items.items())])

    def _one(self, row: Mapping[str, Any], item: Mapping[str, Any], scene: str) -> Iterator[str]:
        wanted = {name: row[field] or "" for name, field in SCALARS.items()}
        wanted["originallyAvailableAt"] += {4: "-01-01", 7: "-01"}.get(len(wanted["originallyAvailableAt"]), "")
        if row["title"]:
            wanted["title"] = row["title"]
        if self._library.seed % 2:
            wanted["userRating"] = str(max(1, int(row["rating100"] / 10 + 0.5))) if row["rating100"] else ""
        lists = {
            "actor": row["performers"],
            "genre": row["tags"],
            "director": [row["director"]] * bool(row["director"]),
        }
        for name, value in wanted.items():
            if item[name] != value:
                yield f"{name} is {item[name]!r}, not {value!r}"
        for kind, plural in LISTS.items():
            if folds(item[plural]) != folds(lists[kind]):
                yield f"{plural} are {item[plural]}, not {lists[kind]}"
        yield from self._collections(row, item)
        yield from self._pictures(item, self._covers[scene])
        said = {name for name, value in {**wanted, **lists}.items() if value and name != "userRating"}
        unlocked = said - set(item["locks"])
        if unlocked:
            yield f"not locked: {sorted(unlocked)}"

    def _collections(self, row: Mapping[str, Any], item: Mapping[str, Any]) -> Iterator[str]:
        ours = folds(item["collections"]) & folds(self._library.studios)
        if ours != folds([row["studio"]] if row["studio"] else []):
            yield f"studio collections are {sorted(ours)}, not {row['studio']!r}"

    def _pictures(self, item: Mapping[str, Any], cover: Any) -> Iterator[str]:
        if not cover:
            return
        sha1 = hashlib.sha1(cover, usedforsecurity=False).hexdigest()
        for lock, kind in PICTURES.items():
            shown = next((picture["ratingKey"] for picture in item[kind] if picture["selected"]), "the file's own")
            if not shown.endswith(sha1):
                yield f"of its {kind} it shows {shown}, not {sha1}"
            if lock not in item["locks"]:
                yield f"not locked: {lock}"

    def _lost_shelves(self) -> Iterator[str]:
        for key, name in sorted(self._library.shelves):
            if (
                self._library.plex.mode == "append"
                and key in self._items
                and name not in self._items[key]["collections"]
            ):
                yield f"item {key}: a person's collection {name} is gone"


def _speaks(row: Mapping[str, Any]) -> bool:
    return bool(row["studio"] or row["performers"] or row["tags"] or row["details"] or row["date"])


def _files(row: Mapping[str, Any]) -> list[str]:
    return [in_plex(file["path"]) for file in row["files"]]
