"""Jobs that change the library by themselves, each with the hooks that Stash fires for it, and no others."""

import base64
import re
from collections.abc import Iterable, Sequence
from typing import Any, Optional

from tests.doubles import stash_events as events
from tests.doubles.stash_disk import Arrival
from tests.doubles.stash_jobs import Job
from tests.doubles.stash_loss import import_anew
from tests.doubles.stash_model import KINDS, Named, Scene
from tests.doubles.stash_named_mutations import NamedMutations
from tests.doubles.stash_plugins import Call, Cancelled
from tests.doubles.stash_scene_mutations import apply_scene

UPDATED, CREATED, DESTROYED = "Scene.Update.Post", "Scene.Create.Post", "Scene.Destroy.Post"
# A hook that is to run once the job changed something: trigger, scene, input, names of fields.
Event = tuple[str, Scene, Any, Sequence[str]]


class JobMutations(NamedMutations):
    """Scan, identify, auto-tag, clean, import, generate, and the batch tagger of stash-box."""

    # -- scan ----------------------------------------------------------------

    def metadata_scan(self, info: Any, input: dict[str, Any]) -> str:
        return self._job("Scanning...", info, lambda fire: self._scan(input, fire))

    def _scan(self, wanted: dict[str, Any], fire: Any) -> None:
        """A new scene's hook runs before its cover is made, and the cover moves `updated_at` without a hook."""
        seen: set[int] = set()
        arrivals, self.core.disk.arrivals = self.core.disk.arrivals, []
        for arrival in arrivals:
            with self.core.lock:
                trigger, scene = self._arrive(arrival)
            seen.add(scene.number)
            if trigger:
                fire(trigger, scene, None, ())
        if wanted.get("rescan"):
            for scene in [s for s in self.library.scenes.values() if s.number not in seen and _below(s, wanted)]:
                fire(UPDATED, scene, None, ())
        if wanted.get("scanGenerateCovers"):
            self._make_covers([self._owner(a.path) for a in arrivals if a.what == "new" and a.picture], False)

    def _arrive(self, arrival: Arrival) -> tuple[str, Scene]:
        """The hook that this fires, "" for none, and its scene."""
        if arrival.what == "new":
            scene = self.library.new_scene()
            self.library.new_file(scene, arrival.path, arrival.size).picture = arrival.picture
            return CREATED, scene
        scene = self.library.scene(arrival.scene_id)
        if arrival.what == "copy":
            self.library.new_file(scene, arrival.path, arrival.size or scene.files[0].size)
            self.library.touch(scene)
        elif arrival.what == "modified":
            scene.files[0].size = arrival.size
        else:
            scene.files[0].path = arrival.path
            self.library.locate(scene)
        return "" if arrival.what == "folder" else UPDATED, scene

    def _owner(self, path: str) -> Scene:
        return next(s for s in self.library.scenes.values() if any(f.path == path for f in s.files))

    # -- covers ----------------------------------------------------------------

    def metadata_generate(self, info: Any, input: dict[str, Any]) -> str:
        """No hook; a scene whose cover is made is touched."""
        numbers = input.get("sceneIDs") or list(self.library.scenes)

        def work(fire: Any) -> None:
            if input.get("covers"):
                self._make_covers([self.library.scene(n) for n in numbers], bool(input.get("overwrite")))

        return self._job("Generating...", info, work)

    def scene_generate_screenshot(self, info: Any, id: str, at: Optional[float] = None) -> str:
        """Always makes one, by a job; no hook."""
        return self._job("Generating screenshot", info, lambda fire: self._make_covers([self.library.scene(id)], True))

    def _make_covers(self, scenes: Iterable[Scene], overwrite: bool) -> None:
        for scene in scenes:
            with self.core.lock:
                picture = scene.files[0].picture if scene.files else None
                if picture and (overwrite or scene.cover is None):
                    scene.cover = picture
                    self.library.touch(scene)

    # -- identify ----------------------------------------------------------------

    def metadata_identify(self, info: Any, input: dict[str, Any]) -> str:
        """One hook after each scene that changed; none for what is created for it, nor for the tag of doubtful ones."""
        numbers = [int(n) for n in input.get("sceneIDs") or self.library.scenes]
        doubtful = (input.get("options") or {}).get("skipMultipleMatchTag")

        def work(fire: Any) -> None:
            for number in numbers:
                with self.core.lock:
                    event = self._identify(self.library.scene(number), doubtful)
                if event:
                    fire(*event)

        return self._job("Identifying...", info, work)

    def _identify(self, scene: Scene, doubtful: Optional[str]) -> Optional[Event]:
        found = self.core.disk.boxes.get(scene.number, {})
        if found.get("several"):
            tags = [self.library.one("tag", doubtful)] if doubtful else []
            self._add(scene, "tags", tags)
            return None
        changed = self._as_input(scene, found)
        if not changed:
            return None
        given = {"id": scene.id, **changed}
        apply_scene(self.library, scene, given)
        self.library.touch(scene)
        return UPDATED, scene, events.scene_update(given), list(given)

    def _as_input(self, scene: Scene, found: dict[str, Any]) -> dict[str, Any]:
        """What differs as a SceneUpdateInput; names become ids of what exists, or is created without a hook."""
        given: dict[str, Any] = {}
        for key, value in found.items():
            if key == "studio":
                given["studio_id"] = self.library.ensure_named(key, [value])[0].id
            elif key in ("performers", "tags"):
                held = [named.id for named in getattr(scene, key)]
                more = [named.id for named in self.library.ensure_named(key[:-1], value)]
                given[key[:-1] + "_ids"] = [*held, *(id for id in more if id not in held)]
            elif key == "cover":
                given["cover_image"] = base64.b64encode(value).decode() if value != scene.cover else None
            else:
                given[key] = value
        same = {"studio_id": scene.studio and scene.studio.id, "cover_image": None}
        same.update({f"{kind}_ids": [n.id for n in getattr(scene, kind + "s")] for kind in ("performer", "tag")})
        return {key: value for key, value in given.items() if value != same.get(key, getattr(scene, key, None))}

    # -- auto-tag ----------------------------------------------------------------

    def metadata_auto_tag(self, info: Any, input: dict[str, Any]) -> str:
        """Adds what is named in a path; no hook, only `updated_at` moves."""

        def work(fire: Any) -> None:
            for kind in KINDS:
                for named in self._asked(kind, input.get(kind + "s") or []):
                    for scene in [s for s in self.library.scenes.values() if _named_in(s, named.name)]:
                        with self.core.lock:
                            self._add(scene, "studio" if kind == "studio" else kind + "s", [named])

        return self._job("Auto-tagging...", info, work)

    def _asked(self, kind: str, ids: Sequence[str]) -> list[Named]:
        return list(self.library.named[kind].values()) if "*" in ids else [self.library.one(kind, id) for id in ids]

    def _add(self, scene: Scene, relation: str, more: list[Named]) -> None:
        held = getattr(scene, relation)
        if relation == "studio":
            new = more[0] if more and held is None else held
        else:
            new = [*held, *(named for named in more if named not in held)]
        if new != held:
            self.library.relate(scene, relation, new)
            self.library.touch(scene)

    # -- clean ----------------------------------------------------------------

    def metadata_clean(self, info: Any, input: dict[str, Any]) -> str:
        """A scene without files goes, with a hook whose input has an empty id; one that keeps some fires none."""

        def work(fire: Any) -> None:
            for scene in [] if input["dryRun"] else list(self.library.scenes.values()):
                with self.core.lock:
                    event = self._clean(scene)
                if event:
                    fire(*event)

        return self._job("Cleaning...", info, work)

    def _clean(self, scene: Scene) -> Optional[Event]:
        left = [file for file in scene.files if file.path not in self.core.disk.deleted]
        if len(left) == len(scene.files):
            return None
        if not left:
            self.library.destroy_scene(scene)
            return DESTROYED, scene, events.destroyed({"id": ""}, scene), ()
        primary_stays = left[0] is scene.files[0]
        scene.files = left
        if not primary_stays:
            self.library.touch(scene)
        return None

    # -- import and batches ----------------------------------------------------------------

    def metadata_import(self, info: Any) -> str:
        """Everything is wiped and made anew, under other ids and with the times of old; no hook."""

        def work(fire: Any) -> None:
            with self.core.lock:
                import_anew(self.library)

        return self._job("Importing...", info, work)

    def stash_box_batch_performer_tag(self, info: Any, input: dict[str, Any]) -> str:
        return self._job("Batch stash-box performer tag", info, lambda fire: self._rename_as_known("performer"))

    def stash_box_batch_studio_tag(self, info: Any, input: dict[str, Any]) -> str:
        return self._job("Batch stash-box studio tag", info, lambda fire: self._rename_as_known("studio"))

    def _rename_as_known(self, kind: str) -> None:
        """No hook."""
        with self.core.lock:
            for (which, number), name in self.core.disk.renamed.items():
                if which == kind:
                    self.library.rename(self.library.one(kind, number), name)

    # -- what all share ----------------------------------------------------------------

    def _job(self, description: str, info: Any, work: Any) -> str:
        """Queue a job; what it fires runs on behalf of who asked for it, until the job is stopped."""
        user = info.context.user

        def run(job: Job) -> None:
            call = Call(user, job.stopping.is_set)

            def fire(trigger: str, scene: Scene, given: Any, fields: Sequence[str]) -> None:
                self.core.plugins.fire(trigger, scene.number, given, list(fields), call)

            try:
                work(fire)
            except Cancelled:
                return

        return self.core.jobs.add(description, run)


def _below(scene: Scene, wanted: dict[str, Any]) -> bool:
    """Whether a scan of the wanted paths, or of everything, meets a file of the scene."""
    folders = wanted.get("paths")
    return not folders or any(file.path.startswith(folder) for file in scene.files for folder in folders)


def _named_in(scene: Scene, name: str) -> bool:
    """Whether the name stands in a path of the scene, with any of the usual separators between its words."""
    pattern = r"[ ._\-]*".join(map(re.escape, name.split()))
    return any(re.search(rf"(?<!\w){pattern}(?!\w)", file.path, re.IGNORECASE) for file in scene.files)
