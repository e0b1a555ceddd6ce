"""What the double's mutations change, and which hooks they fire afterwards."""

import base64
import binascii
from typing import Any

from tests.doubles import stash_events as events
from tests.doubles.stash_core import Core
from tests.doubles.stash_model import Library, NotFound, Scene

TEXTS = ("title", "code", "details", "director")


class SceneMutations:
    """Mutations of scenes, one method per root field, named after it in snake case."""

    def __init__(self, core: Core) -> None:
        self.core, self.library = core, core.library

    def scene_create(self, info: Any, input: dict[str, Any]) -> Scene:
        with self.core.lock:
            scene = self.library.new_scene()
            apply_scene(self.library, scene, input)
            for number in input.get("file_ids") or []:
                self._move_file(number, scene)
        self._fire("Scene.Create.Post", scene, None, (), info)
        return scene

    def scene_update(self, info: Any, input: dict[str, Any]) -> Scene:
        scene = self._commit(input)
        self._fire("Scene.Update.Post", scene, events.scene_update(input), input, info)
        return scene

    def scenes_update(self, info: Any, input: list[dict[str, Any]]) -> list[Scene]:
        with self.core.lock:
            scenes = [self._commit(item) for item in input]
        everything = [events.scene_update(item) for item in input]
        for scene, item in zip(scenes, input):
            self._fire("Scene.Update.Post", scene, everything, item, info)
        return scenes

    def bulk_scene_update(self, info: Any, input: dict[str, Any]) -> list[Scene]:
        with self.core.lock:
            scenes = [self.library.scene(number) for number in input.get("ids") or []]
            for scene in scenes:
                apply_scene(self.library, scene, merge_modes(scene, input))
                self.library.touch(scene)
        for scene in scenes:
            self._fire("Scene.Update.Post", scene, events.sent(input), input, info)
        return scenes

    def scene_destroy(self, info: Any, input: dict[str, Any]) -> bool:
        return self._destroy([input["id"]], input, info)

    def scenes_destroy(self, info: Any, input: dict[str, Any]) -> bool:
        return self._destroy(input["ids"], input, info)

    def _destroy(self, numbers: list[str], given: dict[str, Any], info: Any) -> bool:
        with self.core.lock:
            scenes = [self.library.scene(number) for number in numbers]
            for scene in scenes:
                self.library.destroy_scene(scene)
        for scene in scenes:
            self._fire("Scene.Destroy.Post", scene, events.destroyed(given, scene), (), info)
        return True

    def scene_merge(self, info: Any, input: dict[str, Any]) -> Scene:
        """Moves the sources' files over and removes the sources; no hook at all."""
        with self.core.lock:
            target = self.library.scene(input["destination"])
            for source in [self.library.scene(number) for number in input["source"]]:
                target.files.extend(source.files)
                self.library.locate(target)
                source.files = []
                self.library.destroy_scene(source)
            apply_scene(self.library, target, input.get("values") or {})
            self.library.touch(target)
        return target

    def scene_assign_file(self, info: Any, input: dict[str, Any]) -> bool:
        """No hook, and the scene's `updated_at` stays."""
        with self.core.lock:
            self._move_file(input["file_id"], self.library.scene(input["scene_id"]))
        return True

    def _move_file(self, number: str, scene: Scene) -> None:
        file = self.library.files.get(int(number))
        if file is None:
            raise NotFound(f"file with id {number} not found")
        owner = self.library.owner(file)
        if owner:
            owner.files.remove(file)
        scene.files.append(file)
        self.library.locate(scene)

    def _commit(self, given: dict[str, Any]) -> Scene:
        with self.core.lock:
            scene = self.library.scene(given["id"])
            apply_scene(self.library, scene, given)
            self.library.touch(scene)
        return scene

    def _fire(self, trigger: str, scene: Scene, given: Any, fields: Any, info: Any) -> None:
        self.core.plugins.fire(trigger, scene.number, given, list(fields), info.context)


def apply_scene(library: Library, scene: Scene, given: dict[str, Any]) -> None:
    """Writes the fields that were sent; null clears."""
    relations = _relations(library, given)  # an unknown id must fail before anything is written
    for key in TEXTS:
        if key in given:
            setattr(scene, key, given[key] or "")
    for key in ("date", "rating100"):
        if key in given:
            setattr(scene, key, given[key])
    for key in ("urls", "stash_ids"):
        if key in given:
            setattr(scene, key, _with_time(library, given[key] or []))
    if given.get("organized") is not None:
        scene.organized = given["organized"]
    if given.get("cover_image"):
        scene.cover = _image(given["cover_image"])
    for field, value in relations.items():
        library.relate(scene, field, value)


def _relations(library: Library, given: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if "studio_id" in given:
        found["studio"] = library.one("studio", given["studio_id"]) if given["studio_id"] else None
    for kind in ("performer", "tag"):
        if kind + "_ids" in given:
            unique = dict.fromkeys(given[kind + "_ids"] or [])
            found[kind + "s"] = [library.one(kind, number) for number in unique]
    return found


def _with_time(library: Library, rows: list[Any]) -> list[Any]:
    now = library.now()
    return [{"updated_at": now, **row} if isinstance(row, dict) else row for row in rows]


def _image(text: str) -> bytes:
    """A data URL or bare base64 as bytes; an address is refused, nothing is fetched here."""
    try:
        return base64.b64decode(text.partition(",")[2] if text.startswith("data:") else text, validate=True)
    except binascii.Error as error:
        raise ValueError(f"error processing cover image: {error}") from error


def merge_modes(scene: Scene, given: dict[str, Any]) -> dict[str, Any]:
    """A bulk input as this scene's own input: {ids, mode} becomes the resulting list."""
    lists = {"performer_ids": (scene.performers, "ids"), "tag_ids": (scene.tags, "ids"), "urls": (scene.urls, "values")}
    merged = dict(given)
    for key, (rows, inner) in lists.items():
        if given.get(key) is not None:
            before = [getattr(row, "id", row) for row in rows]
            merged[key] = _by_mode(before, given[key].get(inner) or [], given[key]["mode"])
        elif key in given:
            del merged[key]
    return merged


def _by_mode(before: list[str], named: list[str], mode: str) -> list[str]:
    if mode == "SET":
        return named
    rest = [item for item in before if item not in named]
    return rest if mode == "REMOVE" else before + [item for item in named if item not in before]
