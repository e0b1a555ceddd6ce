"""Several scenes that lead to one item of Plex: it shows one of them, and nothing of those that it showed before."""

from __future__ import annotations

from typing import Any

import pytest

from tests.worker.random_edits import deadly
from tests.worker.reconciling import dry_run, reconcile, writes
from tests.worker.rivaling import (
    ASSIGN,
    MERGE,
    MINE,
    merge,
    person_adds,
    poster,
    poster_of,
    scene_of,
    settled,
    split,
    tags,
    tags_of,
    two,
)
from tests.worker.steps import Killed, Stage
from worker.rivals import Rivals
from worker.sync import Sync

preserving = pytest.mark.parametrize("preserve", [False, True], ids=["mirror", "preserve"])


# two scenes on one item


@pytest.mark.parametrize("order", [(0, 1), (1, 0), (1,)], ids=str)
@pytest.mark.parametrize("kept", [0, 1])
def test_an_item_that_shows_two_scenes_follows_the_one_with_the_lower_id(
    stage: Stage, kept: int, order: tuple[int, ...]
) -> None:
    scenes = two(stage)
    merge(stage, scenes[kept], scenes[1 - kept])
    for number in order:
        stage.save(scenes[number], code="NEW")
        stage.run()
    reconcile(stage)
    assert stage.differing(scenes[0]) == {} and tags(stage, scenes[0]) == tags_of("First", False)
    settled(stage)
    assert reconcile(stage)["doubtful"] == 1


def test_who_waits_behind_another_scene_is_told_so(stage: Stage) -> None:
    scenes = two(stage)
    merge(stage, *scenes)
    stage.settle(*scenes)
    stage.save(scenes[1], code="NEW")
    stage.run()
    letter = stage.dead()[scenes[1]]
    assert letter["kind"] == "ambiguous" and f"scene {scenes[0]}" in letter["reason"]


def test_many_saves_of_both_never_let_the_item_go_to_and_fro(stage: Stage) -> None:
    scenes = two(stage)
    merge(stage, *scenes)
    stage.settle(*scenes)
    uploads = stage.plex.uploads()["requests"]
    for turn in range(4):
        stage.save(scenes[turn % 2], title=f"Turn {turn}")
        stage.run()
        assert stage.item(scenes[0])["summary"] == "First details"
    assert stage.item(scenes[0])["title"] == "Turn 2" and stage.plex.uploads()["requests"] == uploads


def test_after_a_split_each_scene_has_its_item_again(stage: Stage) -> None:
    scenes = two(stage)
    merge(stage, *scenes)
    stage.settle(*scenes)
    split(stage, scenes[1])
    reconcile(stage)
    assert stage.differing() == {} and stage.dead() == {}
    settled(stage)


@pytest.mark.parametrize("settings", [{"organized_only": True}, {}], ids=["not organized", "silent"])
def test_a_scene_that_is_not_sent_leaves_the_item_to_the_other(stage: Stage, settings: dict[str, Any]) -> None:
    silent = {} if settings else {"details": "", "date": None, "studio": None, "performers": [], "tags": []}
    stage.configure(**settings)
    first, second = scene_of(stage, "First", organized=True), scene_of(stage, "Second", organized=True)
    stage.settle(first, second)
    merge(stage, first, second)
    stage.save(first, organized=False, **silent)
    stage.run()
    reconcile(stage)
    assert stage.differing(second) == {} and tags(stage, second) == tags_of("Second", False)


# the one that had it is gone


@preserving
@pytest.mark.parametrize(("kept", "marked"), [(0, True), (1, False)], ids=["hook", "no hook"])
def test_when_the_scene_that_had_the_item_is_deleted_the_other_takes_over(
    either: Stage, preserve: bool, kept: int, marked: bool
) -> None:
    scenes = two(either, preserve)
    merge(either, scenes[kept], scenes[1 - kept])
    either.settle(*scenes)
    reconcile(either)
    assert tags(either, scenes[0])["collections"] == {"First studio"}
    person_adds(either, either.keys[scenes[0]], collections=[MINE], genres=[MINE])
    either.stash.destroy(scenes[0])
    if marked:
        either.mark(scenes[0], kind="destroyed")
    found = reconcile(either)
    assert found["repairs"] == 1
    assert tags(either, scenes[1]) == tags_of("Second", preserve, collections=MINE, genres=MINE)
    assert preserve or either.differing(scenes[1])[scenes[1]][0]["collections"] == [MINE.casefold(), "second studio"]
    assert poster(either, scenes[1]) == poster_of("Second")
    settled(either)
    assert reconcile(either)["gaps"] == {} and either.dead() == {}


@preserving
@pytest.mark.parametrize("death", ["before 0", "after 0"])
def test_a_worker_that_dies_while_an_item_changes_hands_leaves_nothing_of_the_former_scene(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, preserve: bool, death: str
) -> None:
    scenes = two(stage, preserve)
    merge(stage, *scenes)
    stage.settle(*scenes)
    person_adds(stage, stage.keys[scenes[0]], collections=[MINE])
    stage.stash.destroy(scenes[0])
    stage.save(scenes[1], code="NEW")
    when, number = death.split()
    with monkeypatch.context() as patch:
        patch.setattr(Sync, "apply", deadly(when, int(number)))
        with pytest.raises(Killed):
            stage.run()
    stage.reopen()
    stage.run()
    assert tags(stage, scenes[1]) == tags_of("Second", preserve, collections=MINE)
    stage.save(scenes[1], studio="Third studio", tags=["Other"])
    stage.run()
    shown = tags(stage, scenes[1])
    assert (shown["collections"], shown["genres"]) == ({"Third studio", MINE}, {"Other"})


# files that change their scene


@preserving
@pytest.mark.parametrize("by", ["reconcile", "save"])
def test_a_file_that_is_assigned_to_another_scene_takes_its_item_along(stage: Stage, preserve: bool, by: str) -> None:
    first, second = two(stage, preserve)
    person_adds(stage, stage.keys[second], collections=[MINE], genres=[MINE])
    file = stage.stash.library.scene(second).files[0].id
    stage.stash.gql(ASSIGN, {"s": first, "f": file})
    stage.clock.now += 7_200
    if by == "save":
        stage.save(first, code="NEW")
        stage.run()
    reconcile(stage)
    assert tags(stage, second) == tags_of("First", preserve, collections=MINE, genres=MINE)
    assert preserve or stage.item(second)["title"] == stage.item(first)["title"] == "First title"
    assert poster(stage, second) == poster_of("First")
    settled(stage)


@preserving
@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=str)
def test_one_of_two_files_that_changes_its_scene_leaves_the_other_item_alone(
    stage: Stage, preserve: bool, order: tuple[int, ...]
) -> None:
    first, second = two(stage, preserve)
    more = stage.stash.library.new_file(stage.stash.library.scene(first), "/data/more.mp4", 77)
    key = stage.plex.add_item(stage.section, "/media/more.mp4", 77, title="a file")
    stage.clock.now += 7_200
    stage.settle(first)
    stage.keys[0] = key
    assert tags(stage, 0) == tags_of("First", preserve)
    before = stage.item(first)
    stage.stash.gql(ASSIGN, {"s": second, "f": more.id})
    for number in order:
        stage.save((first, second)[number], organized=True)
        stage.run()
    reconcile(stage)
    assert tags(stage, 0) == tags_of("Second", preserve) and stage.item(first) == before
    settled(stage)


@preserving
def test_the_items_of_merged_scenes_show_the_one_that_is_left(stage: Stage, preserve: bool) -> None:
    first, second = two(stage, preserve)
    person_adds(stage, stage.keys[first], collections=[MINE])
    stage.stash.gql(MERGE, {"i": {"source": [first], "destination": second, "values": {"id": second}}})
    stage.clock.now += 7_200
    stage.run()
    reconcile(stage)
    assert tags(stage, first) == tags_of("Second", preserve, collections=MINE)
    assert tags(stage, second) == tags_of("Second", preserve)
    settled(stage)
    assert reconcile(stage)["gaps"] == {}


@preserving
@pytest.mark.parametrize("order", [(), (0, 1), (1, 0)], ids=["at once", "first before second", "second before first"])
def test_scenes_that_swap_their_files_swap_their_items(stage: Stage, preserve: bool, order: tuple[int, ...]) -> None:
    scenes = first, second = two(stage, preserve)
    person_adds(stage, stage.keys[first], collections=[MINE])
    with stage.stash.core.lock:
        one, other = (stage.stash.library.scene(scene) for scene in scenes)
        one.files, other.files = other.files, one.files
    stage.keys[first], stage.keys[second] = stage.keys[second], stage.keys[first]
    for number in order:
        stage.settle(scenes[number])
    found = reconcile(stage)
    assert order or found["gaps"] == {"moved": 2}
    assert tags(stage, first) == tags_of("First", preserve)
    assert tags(stage, second) == tags_of("Second", preserve, collections=MINE)
    assert [poster(stage, scene) for scene in scenes] == [poster_of("First"), poster_of("Second")]
    assert preserve or [stage.item(scene)["title"] for scene in scenes] == ["First title", "Second title"]
    settled(stage)


# several items of a scene


@preserving
def test_of_several_items_of_a_scene_only_the_contested_one_is_another_scene_s(stage: Stage, preserve: bool) -> None:
    also = stage.plex.add_section("Also", ["/media"])
    first, second = two(stage, preserve)
    stage.keys[0] = stage.plex.add_item(also, f"/media/s{second}.mp4", 1_000 + second, title="a copy")
    merge(stage, first, second)
    reconcile(stage)
    assert (tags(stage, first), tags(stage, 0)) == (tags_of("First", preserve), tags_of("Second", preserve))
    settled(stage)
    assert reconcile(stage)["healthy"] == 2 and stage.dead() == {}
    stage.stash.destroy(first)
    reconcile(stage)
    assert tags(stage, second) == tags(stage, 0) == tags_of("Second", preserve)
    settled(stage)


def test_an_item_that_swallowed_one_of_a_scene_s_items_is_found(stage: Stage) -> None:
    second, first = scene_of(stage, "Second"), scene_of(stage, "First")
    stage.stash.library.new_file(stage.stash.library.scene(second), "/data/more.mp4", 77)
    stage.keys[0] = stage.plex.add_item(stage.section, "/media/more.mp4", 77, title="a file")
    stage.settle(first, second)
    merge(stage, first, 0)
    reconcile(stage)
    assert tags(stage, first) == tags_of("Second", False)


# Stash in the middle of it


def test_while_stash_is_away_nobody_takes_anything_over(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether the other scene is still there cannot be told then: that is no reason to take its item."""
    first, second = two(stage)
    merge(stage, first, second)
    stage.settle(first, second)
    stage.save(second, title="Second title again")
    before, ask = (writes(stage), stage.item(first)), Rivals._alive

    def away(rivals: Rivals, scenes: Any) -> Any:
        stage.stash.stop()
        return ask(rivals, scenes)

    with monkeypatch.context() as patch:
        patch.setattr(Rivals, "_alive", away)
        stage.run_until(lambda step: bool(step.state), 60)
    assert (writes(stage), stage.item(first)) == before and stage.uncharged(second) and stage.session.state
    stage.stash.start()
    stage.run_for(120)
    assert stage.item(first) == before[1] and stage.dead()[second]["kind"] == "ambiguous"
    stage.stash.destroy(first)
    assert dry_run(stage)["gaps"].keys() == {"stale", "orphaned"}
    reconcile(stage)
    assert tags(stage, second) == tags_of("Second", False)
