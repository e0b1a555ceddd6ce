"""Scenes that can be told apart in everything, and items that Plex merges and splits."""

from __future__ import annotations

import hashlib
from typing import Any

from tests.doubles.plex_edits import seed as write
from tests.processes.living import cover
from tests.worker.reconciling import reconcile, writes
from tests.worker.steps import FULL, Stage

MINE = "A person's"
MERGE = "mutation($i:SceneMergeInput!){sceneMerge(input:$i){id}}"
ASSIGN = "mutation($s:ID!,$f:ID!){sceneAssignFile(input:{scene_id:$s,file_id:$f})}"


def scene_of(stage: Stage, name: str, **more: Any) -> int:
    """A scene that has everything under names of its own, and shares one tag with all others."""
    values = {"title": f"{name} title", "details": f"{name} details", "studio": f"{name} studio"}
    tags = {"performers": [f"{name} star"], "tags": [f"{name} tag", "Shared"], "director": f"{name} director"}
    return stage.scene(**{**FULL, **values, **tags, "cover": cover(name), **more})


def two(stage: Stage, preserve: bool = False) -> tuple[int, int]:
    """Two scenes in step, each with its own item."""
    stage.configure(preserve_plex_edits=preserve)
    scenes = scene_of(stage, "First"), scene_of(stage, "Second")
    stage.settle(*scenes)
    assert [tags(stage, scene) for scene in scenes] == [tags_of(name, preserve) for name in ("First", "Second")]
    return scenes


def merge(stage: Stage, kept: int, gone: int) -> None:
    """Let Plex show both scenes' files as versions of one item."""
    state = stage.plex._state
    with state.lock:
        item, other = stage.plex._find(stage.keys[kept]), stage.plex._find(stage.keys[gone])
        state.remove_item(other)
        item.section.unindex(item)
        item.files += other.files
        item.section.index(item)
        state.touch(item)
    stage.keys[gone] = stage.keys[kept]
    stage.clock.now += 7_200  # what was listed before is too old to count


def split(stage: Stage, scene: int) -> None:
    """Let Plex show this scene's file as an item of its own again."""
    state = stage.plex._state
    with state.lock:
        item = stage.plex._find(stage.keys[scene])
        item.section.unindex(item)
        item.files = [file for file in item.files if not file.file.endswith(f"/s{scene}.mp4")]
        item.section.index(item)
        state.touch(item)
    stage.give_plex(scene)
    stage.clock.now += 7_200


def person_adds(stage: Stage, key: str, **tags: Any) -> None:
    """Somebody adds tags of their own to what the item has."""
    shown = stage.plex.item(key)
    with stage.plex._state.lock:
        item = stage.plex._find(key)
        write(stage.plex._state, item, {name: [*shown[name], *new] for name, new in tags.items()})


def poster(stage: Stage, scene: int) -> str:
    return next(str(one["ratingKey"]) for one in stage.item(scene)["posters"] if one["selected"])


def poster_of(name: str) -> str:
    return f"upload://posters/{hashlib.sha1(cover(name), usedforsecurity=False).hexdigest()}"


def tags(stage: Stage, scene: int) -> dict[str, set[str]]:
    return tags_on(stage.item(scene))


def tags_on(item: dict[str, Any]) -> dict[str, set[str]]:
    return {name: {*item[name]} for name in ("collections", "genres", "actors", "directors")}


def tags_of(name: str, preserve: bool, **people: str) -> dict[str, set[str]]:
    """What the item of such a scene shows when people added these tags of their own; a mirror keeps collections."""
    shown = {"collections": {f"{name} studio"}, "genres": {f"{name} tag", "Shared"}}
    shown.update(actors={f"{name} star"}, directors={f"{name} director"})
    for kind, tag in people.items():
        shown[kind] |= {tag} if preserve or kind == "collections" else set()
    return shown


def settled(stage: Stage) -> None:
    """One more comparison finds nothing that it would repair, and writes nothing."""
    before = writes(stage)
    found = reconcile(stage)
    assert {*found["gaps"]} <= {"orphaned"} and writes(stage) == before
