"""Whether Plex shows what Stash holds: the one promise of the project, scene by scene."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Optional

from plex.projection import project
from validation import scene as scenes
from validation.settings import Settings

LISTS = {"actor": "actors", "genre": "genres", "director": "directors"}


def differences(stash: Any, plex: Any, keys: Mapping[str, str], only: Optional[Iterable[str]] = None) -> list[str]:
    """One sentence per field in which an item differs from the projection of its scene.

    ``keys`` names the item of each scene; ``only`` some of the scenes. A scene with nothing to say is not compared,
    and an empty title leaves Plex's alone.
    """
    held, shown = stash.scenes(), plex.items()
    studios = {row["studio"] for row in held.values() if row["studio"]}
    found = []
    for id in keys if only is None else only:
        if id in held:
            scene = scenes.parse({**held[id], "id": int(id)})
            found += [f"scene {id}: {text}" for text in _one(scene, shown[keys[id]], studios)]
    return found


def _one(scene: scenes.Scene, item: Mapping[str, Any], studios: set[str]) -> list[str]:
    if scene.says_nothing:
        return []
    wanted, found = project(scene, Settings()), []
    for name, value in wanted.scalars.items():
        if item[name] != value and (value or name != "title"):
            found.append(f"{name} is {item[name]!r}, not {value!r}")
    for kind, plural in LISTS.items():
        if sorted(item[plural]) != sorted(wanted.lists[kind]):
            found.append(f"{plural} are {item[plural]}, not {list(wanted.lists[kind])}")
    ours = set(item["collections"]) & studios
    if ours != set(wanted.lists["collection"]):
        found.append(f"studio collections are {sorted(ours)}, not {list(wanted.lists['collection'])}")
    return found
