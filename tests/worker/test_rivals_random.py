"""Files that change scenes and items that change files, in any order: in the end each item shows one scene alone."""

from __future__ import annotations

import os
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.worker.reconciling import reconcile, writes
from tests.worker.rivaling import ASSIGN, MERGE, MINE, person_adds, poster_of, scene_of, tags_of, tags_on
from tests.worker.steps import Killed, Stage
from worker.sync import Sync

SEED = int(os.environ.get("STASH2PLEX_SEED", "20240229"))
PLAYS, SCENES, ACTS = 2, 5, 14


class Play:
    """Scenes with two files each, an item for each file, and what people added to the items, by key."""

    def __init__(self, stage: Stage, random: Random) -> None:
        self.stage, self.random = stage, random
        self.names: dict[int, str] = {}
        self.people: set[str] = set()
        for number in range(1, SCENES + 1):
            scene = scene_of(stage, f"Name {number}")
            stage.stash.library.new_file(stage.stash.library.scene(scene), f"/data/more{scene}.mp4", 5_000 + scene)
            stage.plex.add_item(stage.section, f"/media/more{scene}.mp4", 5_000 + scene, title="a file")
            self.names[scene] = f"Name {number}"
        stage.settle(*self.names)

    @property
    def scenes(self) -> list[int]:
        return [int(id) for id in self.stage.stash.scenes()]

    def act(self) -> None:
        name = self.random.choice(("assign", "assign", "swap", "unite", "unite", "split", "add", "run", "run", "die"))
        getattr(self, f"_{name}")()
        if self.random.random() < 0.2:
            getattr(self, self.random.choice(("_destroy", "_merge_scenes")))()

    # in Stash

    def _assign(self) -> None:
        to, source = self.random.choice(self.scenes), self.stage.stash.library.scene(self.random.choice(self.scenes))
        if source.files:
            self.stage.stash.gql(ASSIGN, {"s": to, "f": self.random.choice(source.files).id})

    def _swap(self) -> None:
        one, other = (self.stage.stash.library.scene(self.random.choice(self.scenes)) for _ in range(2))
        with self.stage.stash.core.lock:
            one.files, other.files = other.files, one.files

    def _destroy(self) -> None:
        if len(self.scenes) > 2:
            self.stage.stash.destroy(self.random.choice(self.scenes))

    def _merge_scenes(self) -> None:
        if len(self.scenes) > 2:
            source, to = self.random.sample(self.scenes, 2)
            self.stage.stash.gql(MERGE, {"i": {"source": [source], "destination": to, "values": {"id": to}}})

    # in Plex

    def _unite(self) -> None:
        """Two items become versions of one."""
        state = self.stage.plex._state
        with state.lock:
            items = list(state.items.values())
            if len(items) > 2:
                kept, gone = self.random.sample(items, 2)
                state.remove_item(gone)
                kept.section.unindex(kept)
                kept.files += gone.files
                kept.section.index(kept)
                state.touch(kept)

    def _split(self) -> None:
        state = self.stage.plex._state
        with state.lock:
            item = self.random.choice(list(state.items.values()))
            if len(item.files) > 1:
                item.section.unindex(item)
                file = item.files.pop(self.random.randrange(len(item.files)))
                item.section.index(item)
                state.touch(item)
                self.stage.plex.add_item(self.stage.section, file.file, file.size, title="split")

    def _add(self) -> None:
        key = self.random.choice(list(self.stage.plex.items()))
        if key not in self.people:
            self.people.add(key)
            person_adds(self.stage, key, collections=[MINE], genres=[MINE])

    # between both

    def _run(self) -> None:
        """Some scenes are saved."""
        self.stage.clock.now += self.random.choice((5, 7_200))
        some = self.random.sample(self.scenes, self.random.randint(1, len(self.scenes)))
        self.stage.save(*some, code=f"C-{self.random.randint(1, 99)}")
        self.stage.run()

    def _die(self) -> None:
        """The same, and the worker dies at one of the items."""
        number, after, send = self.random.randint(0, 3), self.random.random() < 0.5, Sync.apply
        calls = iter(range(1_000))

        def apply(sync: Sync, push: Any, force: bool) -> Any:
            if next(calls) != number:
                return send(sync, push, force)
            if after:
                send(sync, push, force)
            raise Killed

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Sync, "apply", apply)
            try:
                self._run()
            except Killed:
                self.stage.reopen()
        self.stage.run()

    # in the end

    def wrong(self, preserve: bool) -> dict[str, Any]:
        """Items that show another scene than the one with the lowest id of those whose file they have."""
        owners: dict[str, int] = {}
        for id, row in sorted(self.stage.stash.scenes().items(), key=lambda pair: int(pair[0])):
            for file in row["files"]:
                owners.setdefault(file["path"].rpartition("/")[2], int(id))
        found = {}
        for key, item in self.stage.plex.items().items():
            claims = [owners[name] for name in (path.rpartition("/")[2] for path in item["files"]) if name in owners]
            if claims:
                name = self.names[min(claims)]
                people = {"collections": MINE, "genres": MINE} if key in self.people else {}
                wanted = tags_of(name, preserve, **people), poster_of(name)
                shown = tags_on(item), next(one["ratingKey"] for one in item["posters"] if one["selected"])
                if shown != wanted or not (preserve or item["summary"] == f"{name} details"):
                    found[key] = name, shown, item["summary"]
        return found


@pytest.mark.slow
@pytest.mark.parametrize(("mode", "preserve"), [("append", False), ("replace", True)], ids=["mirror", "preserve"])
def test_in_the_end_each_item_shows_one_of_its_scenes_alone(tmp_path: Path, mode: str, preserve: bool) -> None:
    for number in range(PLAYS):
        seed = SEED + number
        with Stage(str(tmp_path / f"data {number}"), mode=mode, preserve_plex_edits=preserve) as stage:
            play = Play(stage, Random(seed))
            for _ in range(ACTS):
                play.act()
            stage.clock.now += 7_200
            stage.run()
            reconcile(stage)
            assert play.wrong(preserve) == {}, f"seed {seed}"
            before = writes(stage)
            assert {*reconcile(stage)["gaps"]} <= {"orphaned"}, f"seed {seed}"
            dead = {letter["kind"] for letter in stage.dead().values()}
            assert writes(stage) == before and dead <= {"ambiguous", "permanent"}
