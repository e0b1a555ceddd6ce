"""Mutations that change nothing a Plex item shows: play and O counts, files, markers, groups, galleries, images.

Of these objects only the id is kept; what matters is which hooks they fire, and that no scene's `updated_at` moves.
"""

from itertools import count
from typing import Any, Optional

from tests.doubles import stash_events as events
from tests.doubles.stash_core import Core
from tests.doubles.stash_model import Library, NotFound, VideoFile

_numbers = count(1)


class OtherMutations:
    """One method per root field, named after it in snake case."""

    core: Core
    library: Library

    # -- what happens to a scene while it is watched; no hook ------------------------------------------

    def scene_add_play(self, info: Any, id: str, times: Optional[list[Any]] = None) -> dict[str, Any]:
        scene = self.library.scene(id)
        scene.play_count += len(times or [None])
        return {"count": scene.play_count, "history": []}

    def scene_delete_play(self, info: Any, id: str, times: Optional[list[Any]] = None) -> dict[str, Any]:
        scene = self.library.scene(id)
        scene.play_count = max(0, scene.play_count - 1)
        return {"count": scene.play_count, "history": []}

    def scene_reset_play_count(self, info: Any, id: str) -> int:
        self.library.scene(id).play_count = 0
        return 0

    def scene_add_o(self, info: Any, id: str, times: Optional[list[Any]] = None) -> dict[str, Any]:
        scene = self.library.scene(id)
        scene.o_counter += len(times or [None])
        return {"count": scene.o_counter, "history": []}

    def scene_reset_o(self, info: Any, id: str) -> int:
        self.library.scene(id).o_counter = 0
        return 0

    def scene_save_activity(self, info: Any, id: str, **activity: Any) -> bool:
        self.library.scene(id)
        return True

    def scene_reset_activity(self, info: Any, id: str, **activity: Any) -> bool:
        self.library.scene(id)
        return True

    # -- files; no hook, and no scene is touched ------------------------------------------------------

    def move_files(self, info: Any, input: dict[str, Any]) -> bool:
        with self.core.lock:
            for number in input["ids"]:
                file = self._file(number)
                folder = input.get("destination_folder") or file.path[: -len(file.basename) - 1]
                file.path = f"{folder}/{input.get('destination_basename') or file.basename}"
                owner = self.library.owner(file)
                if owner is not None:
                    self.library.locate(owner)
        return True

    def delete_files(self, info: Any, ids: list[str]) -> bool:
        """Of files that are not a scene's primary one."""
        with self.core.lock:
            for number in ids:
                file = self._file(number)
                owner = self.library.owner(file)
                if owner is not None and owner.files[0] is file:
                    raise ValueError(f"cannot delete primary file entry {file.path}")
                if owner is not None:
                    owner.files.remove(file)
                del self.library.files[int(number)]
        return True

    def file_set_fingerprints(self, info: Any, input: dict[str, Any]) -> bool:
        self._file(input["id"])
        return True

    def _file(self, number: Any) -> VideoFile:
        file = self.library.files.get(int(number))
        if file is None:
            raise NotFound(f"file with id {number} not found")
        return file

    # -- markers, groups, galleries, images ---------------------------------------------------------------

    def scene_marker_create(self, info: Any, input: dict[str, Any]) -> dict[str, Any]:
        self.library.scene(input["scene_id"])
        return self._happened(["SceneMarker.Create.Post"], next(_numbers), events.sent(input), info)

    def scene_marker_destroy(self, info: Any, id: str) -> bool:
        self._happened(["SceneMarker.Destroy.Post"], int(id), [id], info)
        return True

    def group_create(self, info: Any, input: dict[str, Any]) -> dict[str, Any]:
        """A group is told of twice, the second time by the name it had once."""
        triggers = ["Movie.Create.Post", "Group.Create.Post"]
        return {**self._happened(triggers, next(_numbers), events.sent(input), info), "name": input["name"]}

    def group_update(self, info: Any, input: dict[str, Any]) -> dict[str, Any]:
        triggers, name = ["Movie.Update.Post", "Group.Update.Post"], input.get("name") or ""
        return {**self._happened(triggers, int(input["id"]), events.sent(input), info, input), "name": name}

    def gallery_create(self, info: Any, input: dict[str, Any]) -> dict[str, Any]:
        return self._happened(["Gallery.Create.Post"], next(_numbers), events.sent(input), info)

    def gallery_update(self, info: Any, input: dict[str, Any]) -> dict[str, Any]:
        return self._happened(["Gallery.Update.Post"], int(input["id"]), events.sent(input), info, input)

    def image_update(self, info: Any, input: dict[str, Any]) -> dict[str, Any]:
        return self._happened(["Image.Update.Post"], int(input["id"]), events.sent(input), info, input)

    def _happened(self, triggers: list[str], number: int, given: Any, info: Any, fields: Any = ()) -> dict[str, Any]:
        for trigger in triggers:
            self.core.plugins.fire(trigger, number, given, list(fields), info.context)
        return {"id": str(number)}
