"""Filling the double and looking at it directly: no HTTP, no hooks."""

import base64
from collections.abc import Sequence
from typing import Any, Optional, Union

from tests.doubles.lazy import describer
from tests.doubles.stash_core import Core
from tests.doubles.stash_disk import Arrival
from tests.doubles.stash_loss import lose
from tests.doubles.stash_model import Library, Scene, snapshot


class Seeding:
    """Needs `core` and `library`."""

    core: Core
    library: Library

    def add_scene(
        self,
        path: str,
        size: int = 1000,
        studio: Optional[str] = None,
        performers: Sequence[str] = (),
        tags: Sequence[str] = (),
        cover: Union[bytes, str, None] = None,
        **fields: Any,
    ) -> str:
        """Seeds a scene and gives its id; relations by name, `cover` as bytes (or base64 text)."""
        with self.core.lock:
            library = self.library
            scene = library.new_scene()
            library.new_file(scene, path, size)
            self._write(scene, {"studio": studio, "performers": performers, "tags": tags, "cover": cover, **fields})
        return scene.id

    def portray(self, performer: str, picture: Optional[bytes]) -> str:
        """Gives the performer of that name this picture, or takes it away, and gives the performer's id."""
        with self.core.lock:
            named = self.library.ensure_named("performer", [performer])[0]
            named.picture, named.updated_at = picture, self.library.now()
        return named.id

    def promise_scenes(self, count: int, described: str) -> None:
        """As if `add_scene` were called so often, for the nth with what `described` (``module:function``) says of n.

        Each scene is made when somebody looks at it; `path` and `size` must be said.
        """
        with self.core.lock:
            self.library.promise_scenes(count, describer(described), self._write)

    def change(self, scene_id: Any, touch: bool = True, **fields: Any) -> None:
        """Changes a scene as auto-tag does: no hook, only `updated_at` moves (unless `touch` is off)."""
        with self.core.lock:
            scene = self.library.scene(scene_id)
            self._write(scene, fields)
            if touch:
                self.library.touch(scene)

    def _write(self, scene: Scene, fields: dict[str, Any]) -> None:
        for key, value in fields.items():
            if not hasattr(scene, key):
                raise TypeError(f"a scene has no {key}")
            if key == "studio":
                self.library.relate(scene, key, self.library.ensure_named(key, [value])[0] if value else None)
            elif key in ("performers", "tags"):
                self.library.relate(scene, key, self.library.ensure_named(key[:-1], value))
            elif key == "cover":
                scene.cover = base64.b64decode(value) if isinstance(value, str) else value
            else:
                setattr(scene, key, value)

    def scene(self, scene_id: Any) -> dict[str, Any]:
        with self.core.lock:
            return snapshot(self.library.scene(scene_id))

    def scenes(self) -> dict[str, dict[str, Any]]:
        with self.core.lock:
            return {scene.id: snapshot(scene) for scene in self.library.scenes.values()}

    def id_of(self, kind: str, name: str) -> str:
        """The id of the tag, performer or studio of that name; KeyError without one."""
        found = self.library.find_name(kind, name)
        if found is None:
            raise KeyError(f"no {kind} {name}")
        return found.id

    # what the next job finds

    def add_file(self, path: str, size: int = 1000, picture: Optional[bytes] = None) -> None:
        """A new file on disk: the next scan makes a scene of it. Its cover will be made of the picture."""
        self.core.disk.arrivals.append(Arrival("new", path, size, picture=picture))

    def copy_file(self, scene_id: Any, path: str, size: int = 0) -> None:
        """A second file with the same fingerprint: the next scan gives it to the scene."""
        self.core.disk.arrivals.append(Arrival("copy", path, size, scene_id))

    def move_file(self, scene_id: Any, path: str, with_folder: bool = False) -> None:
        """A file renamed on disk (alone or with its folder): the next scan sees it."""
        self.core.disk.arrivals.append(Arrival("folder" if with_folder else "moved", path, 0, scene_id))

    def modify_file(self, scene_id: Any, size: int) -> None:
        """A file that got other bytes: the next scan sees it."""
        self.core.disk.arrivals.append(Arrival("modified", "", size, scene_id))

    def delete_file(self, path: str) -> None:
        """A file gone from the disk: the next clean sees it."""
        self.core.disk.deleted.add(path)

    def film(self, scene_id: Any, picture: bytes) -> None:
        """What a cover that Stash makes of the scene's first file will show."""
        self.core.library.scene(scene_id).files[0].picture = picture

    def let_box_know(self, scene_id: Any, **fields: Any) -> None:
        """What identify finds of a scene (fields as in `add_scene`); `several=True`: too many matches."""
        self.core.disk.boxes[int(scene_id)] = fields

    def let_box_name(self, kind: str, name: str, other: str) -> None:
        """What the batch tagger will call this performer or studio."""
        self.core.disk.renamed[kind, int(self.id_of(kind, name))] = other

    def configure(self, plugin_id: str, settings: dict[str, Any]) -> None:
        self.core.settings[plugin_id] = dict(settings)

    def set_status(self, status: str) -> None:
        """OK, or what a Stash is in that has no database (SETUP, NEEDS_MIGRATION): it knows no scene meanwhile."""
        with self.core.lock:
            self.core.status = status

    def lose_database(self) -> None:
        """All scenes, files and names are gone and ids start anew; settings are kept elsewhere."""
        with self.core.lock:
            lose(self.library)

    def set_enabled(self, plugin_id: str, enabled: bool) -> None:
        (self.plugins.disabled.discard if enabled else self.plugins.disabled.add)(plugin_id)
