"""Several scenes that lead to one item of Plex: it shows one of them, and keeps nothing of those that it showed before."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from tests.doubles.plex_edits import seed as write
from tests.processes.living import cover
from tests.worker.random_edits import _deadly as deadly
from tests.worker.reconciling import dry_run, reconcile, writes
from tests.worker.steps import FULL, Killed, Stage
from worker.rivals import Rivals
from worker.sync import Sync

MINE = "A person's"
MERGE = "mutation($i:SceneMergeInput!){sceneMerge(input:$i){id}}"
ASSIGN = "mutation($s:ID!,$f:ID!){sceneAssignFile(input:{scene_id:$s,file_id:$f})}"
preserving = pytest.mark.parametrize("preserve", [False, True], ids=["mirror", "preserve"])


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


# two scenes on one item


@pytest.mark.parametrize("order", [(0, 1), (1, 0), (0,), (1,)], ids=str)
@pytest.mark.parametrize("kept", [0, 1])
def test_an_item_that_shows_two_scenes_follows_the_one_with_the_lower_id(
    either: Stage, kept: int, order: tuple[int, ...]
) -> None:
    scenes = two(either)
    merge(either, scenes[kept], scenes[1 - kept])
    for number in order:
        either.save(scenes[number], code="NEW")
        either.run()
    reconcile(either)
    assert either.differing(scenes[0]) == {} and tags(either, scenes[0]) == tags_of("First", False)
    settled(either)
    assert reconcile(either)["doubtful"] == 1


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
@pytest.mark.parametrize("marked", [True, False], ids=["hook", "no hook"])
@pytest.mark.parametrize("kept", [0, 1])
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
def test_a_file_that_is_assigned_to_another_scene_takes_its_item_along(either: Stage, preserve: bool, by: str) -> None:
    first, second = two(either, preserve)
    person_adds(either, either.keys[second], collections=[MINE], genres=[MINE])
    file = either.stash.library.scene(second).files[0].id
    either.stash.gql(ASSIGN, {"s": first, "f": file})
    either.clock.now += 7_200
    if by == "save":
        either.save(first, code="NEW")
        either.run()
    reconcile(either)
    assert tags(either, second) == tags_of("First", preserve, collections=MINE, genres=MINE)
    assert preserve or either.item(second)["title"] == either.item(first)["title"] == "First title"
    assert poster(either, second) == poster_of("First")
    settled(either)


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
def test_the_items_of_merged_scenes_show_the_one_that_is_left(either: Stage, preserve: bool) -> None:
    first, second = two(either, preserve)
    person_adds(either, either.keys[first], collections=[MINE])
    either.stash.gql(MERGE, {"i": {"source": [first], "destination": second, "values": {"id": second}}})
    either.clock.now += 7_200
    either.run()
    reconcile(either)
    assert tags(either, first) == tags_of("Second", preserve, collections=MINE)
    assert tags(either, second) == tags_of("Second", preserve)
    settled(either)
    assert reconcile(either)["gaps"] == {}


@preserving
@pytest.mark.parametrize("order", [(), (0, 1), (1, 0)], ids=["at once", "first before second", "second before first"])
def test_scenes_that_swap_their_files_swap_their_items(either: Stage, preserve: bool, order: tuple[int, ...]) -> None:
    scenes = first, second = two(either, preserve)
    person_adds(either, either.keys[first], collections=[MINE])
    with either.stash.core.lock:
        one, other = (either.stash.library.scene(scene) for scene in scenes)
        one.files, other.files = other.files, one.files
    either.keys[first], either.keys[second] = either.keys[second], either.keys[first]
    for number in order:
        either.settle(scenes[number])
    found = reconcile(either)
    assert order or found["gaps"] == {"moved": 2}
    assert tags(either, first) == tags_of("First", preserve)
    assert tags(either, second) == tags_of("Second", preserve, collections=MINE)
    assert [poster(either, scene) for scene in scenes] == [poster_of("First"), poster_of("Second")]
    assert preserve or [either.item(scene)["title"] for scene in scenes] == ["First title", "Second title"]
    settled(either)


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
