"""The library a Stash holds: scenes, files, performers, studios and tags.

Everything here is plain state with the indexes that keep 10,000 scenes quick.
Nothing here knows GraphQL, hooks or HTTP.
"""

import bisect
import hashlib
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any, Callable, Optional

from tests.doubles.lazy import Lazy, Promise
from tests.doubles.stash_places import Places

KINDS = ("performer", "studio", "tag")


class NotFound(Exception):
    """An id that the library does not hold; the text is the one Stash gives."""


def rfc3339(at_s: float) -> str:
    """Seconds since the epoch as Stash prints times: second resolution, one fixed offset."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at_s))


class Named:
    """A performer, a studio or a tag; `scene_ids` leads back to its scenes."""

    def __init__(self, library: "Library", kind: str, number: int, name: str) -> None:
        self.library, self.kind, self.number, self.id, self.name = library, kind, number, str(number), name
        self.created_at = self.updated_at = library.now()
        self.aliases: list[str] = []
        self.urls: list[str] = []
        self.details = self.description = self.disambiguation = ""
        self.favorite = False
        self.parent_studio: Optional[Named] = None
        self.picture: Optional[bytes] = None
        self.scene_ids: set[int] = set()


class VideoFile:
    """One file of a scene; its oshash is made up from the path and never changes. A cover is made of `picture`."""

    format, width, height = "mp4", 1280, 720

    def __init__(self, number: int, path: str, size: int, now: str) -> None:
        self.id, self.path, self.size = str(number), path, size
        self.duration = 60.0
        self.picture: Optional[bytes] = None
        self.oshash = hashlib.md5(path.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        self.created_at = self.updated_at = self.mod_time = now

    @property
    def basename(self) -> str:
        return self.path.replace("\\", "/").rpartition("/")[2]


class Scene:
    """One scene; relations are lists in the order they were given."""

    interactive = False

    def __init__(self, number: int, now: str) -> None:
        self.number, self.id = number, str(number)
        self.title = self.code = self.details = self.director = ""
        self.date: Optional[str] = None
        self.rating100: Optional[int] = None
        self.organized = False
        self.play_count = self.o_counter = 0
        self.urls: list[str] = []
        self.stash_ids: list[dict[str, Any]] = []
        self.groups: list[Any] = []
        self.files: list[VideoFile] = []
        self.studio: Optional[Named] = None
        self.performers: list[Named] = []
        self.tags: list[Named] = []
        self.cover: Optional[bytes] = None
        self.created_at = self.updated_at = now

    def related(self) -> Iterator[Named]:
        if self.studio:
            yield self.studio
        yield from self.performers
        yield from self.tags


class Library:
    """All state, by id; `clock` gives seconds since the epoch.

    Scenes may be promised: they are made, with what they relate to, when somebody looks at them.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self.lock = threading.RLock()
        self.scenes: Lazy[Scene] = Lazy(self.lock)
        self.files: Lazy[VideoFile] = Lazy(self.lock)
        self.places = Places()
        self._named: dict[str, dict[int, Named]] = {kind: {} for kind in KINDS}
        self.by_update: list[tuple[str, int]] = []
        self._by_name: dict[tuple[str, str], Named] = {}
        self._next = dict.fromkeys(("scene", "file", *KINDS), 1)

    def now(self) -> str:
        return rfc3339(self._clock())

    def _number(self, kind: str) -> int:
        number = self._next[kind]
        self._next[kind] += 1
        return number

    # -- looking up ------------------------------------------------------

    def scene(self, scene_id: Any) -> Scene:
        """The scene, or NotFound with Stash's words."""
        found = self.scenes.get(int(scene_id))
        if found is None:
            raise NotFound(f"scene with id {scene_id} not found")
        return found

    def one(self, kind: str, number: Any) -> Named:
        found = self.named[kind].get(int(number))
        if found is None:
            raise NotFound(f"{kind} with id {number} not found")
        return found

    @property
    def named(self) -> dict[str, dict[int, Named]]:
        """Performers, studios and tags. Only a scene that was made knows its own, so that now all are."""
        self.scenes.make_all()
        return self._named

    def find_name(self, kind: str, name: str) -> Optional[Named]:
        self.scenes.make_all()
        return self._by_name.get((kind, name))

    # -- creating --------------------------------------------------------

    def new_scene(self) -> Scene:
        scene = Scene(self._number("scene"), self.now())
        self.scenes[scene.number] = scene
        bisect.insort(self.by_update, (scene.updated_at, scene.number))
        return scene

    def new_file(self, scene: Scene, path: str, size: int) -> VideoFile:
        self.places.add(scene.number, path)
        return self._add_file(scene, self._number("file"), path, size, self.now())

    def locate(self, scene: Scene) -> None:
        """To be called when its files got another path, or others came to them."""
        for file in scene.files:
            self.places.add(scene.number, file.path)

    def _add_file(self, scene: Scene, number: int, path: str, size: int, now: str) -> VideoFile:
        file = self.files[number] = VideoFile(number, path, size, now)
        scene.files.append(file)
        return file

    def new_named(self, kind: str, name: str) -> Named:
        made = Named(self, kind, self._number(kind), name)
        self._named[kind][made.number] = self._by_name[kind, name] = made
        return made

    def ensure_named(self, kind: str, names: Sequence[str]) -> list[Named]:
        return [self._by_name.get((kind, name)) or self.new_named(kind, name) for name in dict.fromkeys(names)]

    def promise_scenes(
        self, count: int, describe: Callable[[int], dict[str, Any]], fill: Callable[[Scene, dict[str, Any]], None]
    ) -> None:
        """So many new scenes with one file each: `describe` gives the fields of the nth, from 1, and `fill` sets them.

        `updated_at` may be among them. Names get their ids in the order in which their scenes are looked at.
        """
        first, first_file, now = self._next["scene"], self._next["file"], self.now()

        def made(number: int) -> Scene:
            given = describe(number - first + 1)
            scene = Scene(number, given.pop("updated_at", now))
            self._add_file(scene, number - first + first_file, given.pop("path"), given.pop("size"), now)
            fill(scene, given)
            return scene

        self.scenes.promise(range(first, first + count), Promise(made))
        self.places.promise(range(first, first + count), lambda number: str(describe(number - first + 1)["path"]))
        owner = first - first_file
        files = range(first_file, first_file + count)
        self.files.promise(files, Promise(lambda number: self.scenes[number + owner].files[0]))
        dates = ((describe(nth).get("updated_at", now), first + nth - 1) for nth in range(1, count + 1))
        self.by_update = sorted([*self.by_update, *dates])
        self._next.update(scene=first + count, file=first_file + count)

    # -- changing --------------------------------------------------------

    def touch(self, scene: Scene) -> None:
        """Moves `updated_at` to now and keeps the sorted index true."""
        entry = (scene.updated_at, scene.number)
        del self.by_update[bisect.bisect_left(self.by_update, entry)]
        scene.updated_at = self.now()
        bisect.insort(self.by_update, (scene.updated_at, scene.number))

    def rename(self, named: Named, name: str) -> None:
        """Gives another name; no scene's `updated_at` moves."""
        del self._by_name[named.kind, named.name]
        named.name = name
        self._by_name[named.kind, name] = named

    def relate(self, scene: Scene, field: str, value: Any) -> None:
        """Sets `studio`, `performers` or `tags` and keeps the ways back true."""
        before = list(scene.related())
        setattr(scene, field, value)
        for named in before:
            named.scene_ids.discard(scene.number)
        for named in scene.related():
            named.scene_ids.add(scene.number)

    def destroy_scene(self, scene: Scene) -> None:
        for named in scene.related():
            named.scene_ids.discard(scene.number)
        entry = (scene.updated_at, scene.number)
        del self.by_update[bisect.bisect_left(self.by_update, entry)]
        for file in scene.files:
            self.files.pop(int(file.id), None)
        del self.scenes[scene.number]

    def destroy_named(self, named: Named) -> None:
        """Takes it off its scenes without touching their `updated_at`, as Stash does."""
        for number in list(named.scene_ids):
            self._unrelate(self.scenes[number], named)
        del self.named[named.kind][named.number], self._by_name[named.kind, named.name]

    def _unrelate(self, scene: Scene, named: Named) -> None:
        if named.kind == "studio":
            self.relate(scene, "studio", None)
            return
        field = named.kind + "s"
        self.relate(scene, field, [n for n in getattr(scene, field) if n is not named])

    def renumbered(self, scenes: int) -> None:
        """Ids go on after those that are there."""
        self._next.update(scene=scenes + 1, file=len(self.files) + 1)
        self._next.update({kind: len(held) + 1 for kind, held in self.named.items()})

    def owner(self, file: VideoFile) -> Optional[Scene]:
        return next((s for s in self.scenes.values() if file in s.files), None)


def snapshot(scene: Scene) -> dict[str, Any]:
    """A plain copy of what a test compares."""
    plain = ("title", "code", "details", "director", "date", "rating100", "organized", "updated_at")
    row: dict[str, Any] = {name: getattr(scene, name) for name in plain}
    row["studio"] = scene.studio.name if scene.studio else None
    row["performers"] = [p.name for p in scene.performers]
    row["tags"] = [t.name for t in scene.tags]
    row["files"] = [{"path": f.path, "size": f.size} for f in scene.files]
    return row
