"""What happens to random libraries unseen, in Stash and in Plex; and the names that their scenes and items have."""

from __future__ import annotations

from random import Random
from typing import Any

from tests.doubles.plex_edits import seed as write
from tests.worker.reconciling import NOTHING
from tests.worker.steps import Stage

PICTURES = {"posters": "thumb", "arts": "art"}
MINE = "A person's"  # as a tag; no scene has it
NAMES = ("Ann", "Bea", "Comma, Inc.", "É", "R&B")
SILENT: dict[str, Any] = {"details": "", "date": None, "studio": None, "performers": [], "tags": []}
BY_PEOPLE: tuple[dict[str, Any], ...] = (
    {},
    {},
    {"genres": [MINE], "collections": [MINE]},
    {"summary": MINE, "locks": ["summary", "genre"]},
)
ACTS = (
    "destroy", "retitle", "rewrite", "silence", "move_in_stash", "rename_in_stash", "move_in_plex", "remove",
    "recreate", "copy", "wipe", "retag", "unlock", "picture",
)  # fmt: skip


class Acts:
    """A stage on which things happen; every choice comes from ``random``. ``acts`` are the last ones, by scene."""

    def __init__(self, stage: Stage, random: Random) -> None:
        self.stage, self.random = stage, random
        self.sections = [stage.section, stage.plex.add_section("Also", ["/media"])]
        self.acts: dict[int, set[str]] = {}

    def items(self, scene: int) -> dict[str, dict[str, Any]]:
        """The items that have a file of the scene, by key: here files are told by their names alone."""
        names = {file["path"].rpartition("/")[2] for file in self.stage.stash.scene(scene)["files"]}
        every = self.stage.plex.items().items()
        return {key: item for key, item in every if names & {path.rpartition("/")[2] for path in item["files"]}}

    def _item(self, section: str, **values: Any) -> None:
        self.stage.plex.add_item(section, title="a file", **values, **self.random.choice(BY_PEOPLE))

    def _fields(self) -> dict[str, Any]:
        random = self.random
        return {
            "details": random.choice(("Words", "Other words")),
            "code": random.choice(("", "C-1")),
            "date": random.choice((None, "2024-02-03")),
            "director": random.choice(("", "Dee")),
            "studio": random.choice((None, "One", "Two")),
            "performers": random.sample(NAMES, random.randint(0, 3)),
            "tags": random.sample(NAMES, random.randint(0, 3)),
        }

    def happen(self) -> None:
        """To most scenes something happens of which there is no sign, to some two things."""
        self.acts = {}
        for scene in [int(id) for id in self.stage.stash.scenes()]:
            for _ in range(self.random.choice((0, 0, 1, 1, 1, 2))):
                if str(scene) in self.stage.stash.scenes():
                    act = self.random.choice(ACTS)
                    self.acts.setdefault(scene, set()).add(act)
                    getattr(self, f"_{act}")(scene)

    def _destroy(self, scene: int) -> None:
        self.stage.stash.destroy(scene)

    def _retitle(self, scene: int) -> None:
        self.stage.stash.change(scene, touch=False, title=f"Retitled {self.random.random()}")

    def _rewrite(self, scene: int) -> None:
        self.stage.stash.change(scene, touch=False, **self._fields())

    def _silence(self, scene: int) -> None:
        self.stage.stash.change(scene, touch=False, **SILENT)

    def _move_in_stash(self, scene: int) -> None:
        for file in self.stage.stash.library.scene(scene).files:
            file.path = file.path.replace("/data", f"/data/{self.random.randint(0, 9)}")

    def _rename_in_stash(self, scene: int) -> None:
        files = self.stage.stash.library.scene(scene).files
        if len(files) == 1:
            files[0].path = f"/data/renamed {scene} {self.random.randint(0, 9)}.mp4"

    def _move_in_plex(self, scene: int) -> None:
        folder = f"/media/{self.random.randint(0, 9)}/"
        for key, item in self.items(scene).items():
            self.stage.plex.move_item(key, folder + item["file"].rpartition("/")[2])

    def _remove(self, scene: int) -> None:
        for key in self._some(scene):
            self.stage.plex.remove_item(key)

    def _recreate(self, scene: int) -> None:
        for key in self._some(scene):
            item = self.stage.plex.item(key)
            if len(item["files"]) == 1:
                self.stage.plex.remove_item(key)
                self._item(item["section"], file=item["file"], size=item["size"])

    def _copy(self, scene: int) -> None:
        """The same file in the other library too."""
        items = list(self.items(scene).values())
        if len(items) == 1 and len(items[0]["files"]) == 1:
            (other,) = {*self.sections} - {items[0]["section"]}
            self._item(other, file=items[0]["file"], size=items[0]["size"])

    def _wipe(self, scene: int) -> None:
        self._edit(scene, NOTHING)

    def _retag(self, scene: int) -> None:
        self._edit(scene, {"genres": [MINE], "actors": [MINE, "Ann"], "collections": [MINE]})

    def _unlock(self, scene: int) -> None:
        self._edit(scene, {"locks": ["title"]})

    def _picture(self, scene: int) -> None:
        for key in self._some(scene):
            self.stage.plex.give_picture(key, self.random.choice(list(PICTURES)), f"{MINE} {self.random.random()}")

    def _edit(self, scene: int, values: dict[str, Any]) -> None:
        with self.stage.plex._state.lock:
            for key in self._some(scene):
                write(self.stage.plex._state, self.stage.plex._find(key), values)

    def _some(self, scene: int) -> list[str]:
        keys = sorted(self.items(scene))
        return self.random.sample(keys, self.random.randint(1, len(keys))) if keys else []
