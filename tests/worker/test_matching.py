"""Part I and part II have files of the same name in two folders: each item shows its own scene, or none at all."""

from __future__ import annotations

from typing import Any

import pytest

from tests.worker.steps import Stage

PARTS = {"Part I": 1_000, "Part II": 2_000}
UNKNOWN = dict.fromkeys(PARTS, 0)


class Series:
    """Two scenes with files of the same name, and their items in Plex."""

    def __init__(self, stage: Stage, root: str, sizes: dict[str, int], more: str = "") -> None:
        self.stage, self.root, self.sizes, self.more = stage, root, sizes, more
        self.scenes: dict[str, int] = {}
        for part, size in PARTS.items():
            path = f"/data/series/{part}/scene.mp4"
            fields: dict[str, Any] = {"title": f"Title of {part}", "details": part, "tags": [part], "studio": part}
            self.scenes[part] = int(stage.stash.add_scene(path=path, size=size, **fields))

    def give_plex(self, *parts: str) -> None:
        """Let Plex have these parts."""
        for part in parts or PARTS:
            self.stage.give_plex(
                self.scenes[part], file=f"{self.root}/{part}{self.more}/scene.mp4", size=self.sizes[part], title="scene"
            )

    def titles(self) -> dict[str, str]:
        """The title that Plex shows of each part."""
        return {part: self.stage.item(scene)["title"] for part, scene in self.scenes.items()}

    def tags(self) -> dict[str, list[str]]:
        """The tags that Plex shows of each part."""
        return {part: self.stage.item(scene)["genres"] for part, scene in self.scenes.items()}


RIGHT = {part: f"Title of {part}" for part in PARTS}
# How Plex and Stash can agree: by size, by path, by path after a rule.
AGREE: dict[str, tuple[str, dict[str, int], dict[str, Any]]] = {
    "sizes": ("/media/other", PARTS, {}),
    "sizes, without strict matching": ("/media/other", PARTS, {"strict_matching": False}),
    "paths": ("/data/series", UNKNOWN, {}),
    "a pair of folders": ("/media/films/series", UNKNOWN, {"path_rules": "/data => /media/films"}),
    "a regular expression": (
        "/media/films",
        UNKNOWN,
        {"path_rules": r"/data/series/(.+) => /media/films/\1 | /media/films/(.+) => /data/series/\1"},
    ),
    "a rule, on Windows": (r"D:\films\series", UNKNOWN, {"path_rules": r"/data => D:\films"}),
}


@pytest.mark.parametrize("at_once", [True, False], ids=["both at once", "one after the other"])
@pytest.mark.parametrize("how", AGREE)
def test_each_part_gets_its_own_metadata_when_these_agree(stage: Stage, how: str, at_once: bool) -> None:
    root, sizes, settings = AGREE[how]
    stage.configure(**settings)
    series = Series(stage, root, sizes)
    if at_once:
        series.give_plex()
        stage.settle(*series.scenes.values())
    else:
        for part, scene in series.scenes.items():
            series.give_plex(part)
            stage.settle(scene)
            stage.clock.now += 700
    assert series.titles() == RIGHT and stage.differing() == {} and stage.dead() == {}


def test_a_path_beats_a_size(stage: Stage) -> None:
    series = Series(stage, "/data/series", dict(zip(PARTS, reversed(PARTS.values()))))
    series.give_plex()
    stage.settle(*series.scenes.values())
    assert series.titles() == RIGHT and stage.differing() == {}


@pytest.mark.parametrize("how", [how for how, (_, _, settings) in AGREE.items() if "strict_matching" not in settings])
def test_a_part_that_plex_lacks_is_not_taken_for_the_other_one(stage: Stage, how: str) -> None:
    root, sizes, settings = AGREE[how]
    stage.configure(**settings)
    series = Series(stage, root, sizes)
    series.give_plex("Part I")
    stage.settle(series.scenes["Part II"])
    assert stage.item(series.scenes["Part I"])["title"] == "scene"
    assert stage.dead()[series.scenes["Part II"]]["kind"] == "ambiguous"

    series.give_plex("Part II")
    stage.clock.now += 700
    stage.settle(*series.scenes.values())
    assert series.titles() == RIGHT and stage.dead() == {}


def test_without_sizes_and_strictness_the_folders_decide_and_the_log_says_so(
    stage: Stage, capfd: pytest.CaptureFixture[str]
) -> None:
    stage.configure(strict_matching=False)
    series = Series(stage, "/media/other", UNKNOWN)
    series.give_plex()
    stage.settle(*series.scenes.values())
    assert series.titles() == RIGHT and stage.differing() == {}
    said = capfd.readouterr().err
    for (part, scene), other in zip(series.scenes.items(), reversed(PARTS)):
        assert (
            f"\x01i\x02[Stash2Plex Worker] Scene {scene} matched by name and 1 folder name: scene "
            f"(/media/other/{part}/scene.mp4), rather than scene (/media/other/{other}/scene.mp4)\n"
        ) in said


def test_without_sizes_the_strict_leave_both_alone_and_name_the_candidates(
    stage: Stage, capfd: pytest.CaptureFixture[str]
) -> None:
    series = Series(stage, "/media/other", UNKNOWN)
    series.give_plex()
    stage.settle(*series.scenes.values())
    _untouched(series)
    assert capfd.readouterr().err.count("is given up (ambiguous): several files in Plex have the same name: ") == 2


@pytest.mark.parametrize("sizes", [UNKNOWN, dict.fromkeys(PARTS, 1_000)], ids=["sizes unknown", "sizes alike"])
def test_two_that_agree_equally_far_are_both_left_alone(stage: Stage, sizes: dict[str, int]) -> None:
    stage.configure(strict_matching=False)
    series = Series(stage, "/media/other", sizes, more=" (remastered)")
    series.give_plex()
    stage.settle(series.scenes["Part I"])
    _untouched(series, "Part I")


def test_the_only_file_of_that_name_is_taken_without_strictness_and_the_log_says_so(
    stage: Stage, capfd: pytest.CaptureFixture[str]
) -> None:
    stage.configure(strict_matching=False)
    series = Series(stage, "/media/other", UNKNOWN)
    series.give_plex("Part II")
    stage.settle(series.scenes["Part II"])
    assert stage.item(series.scenes["Part II"])["title"] == "Title of Part II"
    said = "matched by the file name alone: scene (/media/other/Part II/scene.mp4)"
    assert f"Scene {series.scenes['Part II']} {said}" in capfd.readouterr().err


def test_when_the_right_item_comes_later_the_guess_is_taken_back(stage: Stage) -> None:
    stage.configure(strict_matching=False)
    series = Series(stage, "/media/other", UNKNOWN)
    series.give_plex("Part II")
    stage.settle(series.scenes["Part I"])
    assert stage.item(series.scenes["Part II"])["title"] == "Title of Part I", "the only one of that name"
    series.give_plex("Part I")
    stage.clock.now += 700
    for scene in series.scenes.values():
        stage.save(scene, code="Edited")
    stage.run()
    assert series.titles() == RIGHT and series.tags() == {part: [part] for part in PARTS}


def test_two_items_that_swap_their_files_swap_their_metadata(stage: Stage) -> None:
    series = Series(stage, "/data/series", UNKNOWN)
    series.give_plex()
    stage.settle(*series.scenes.values())
    one, two = series.scenes.values()
    for scene, part in ((one, "Part II"), (two, "Part I")):
        stage.plex.move_item(stage.keys[scene], f"/data/series/{part}/scene.mp4")
    stage.keys[one], stage.keys[two] = stage.keys[two], stage.keys[one]
    stage.clock.now += 700
    for scene in series.scenes.values():
        stage.save(scene, code="Edited")
    stage.run()
    assert series.titles() == RIGHT and series.tags() == {part: [part] for part in PARTS}


def _untouched(series: Series, *parts: str) -> None:
    """Neither item was touched, and each dead letter names both files."""
    assert series.titles() == dict.fromkeys(PARTS, "scene") and series.stage.puts() == 0
    for part in parts or PARTS:
        letter = series.stage.dead()[series.scenes[part]]
        assert letter["kind"] == "ambiguous"
        assert all(f"{series.root}/{name}{series.more}/scene.mp4" in letter["reason"] for name in PARTS)
