"""From a performer, studio or tag to its scenes, and what follows when nobody can say which these are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from stash.client import PAGE_SCENES, StashClient
from sync_queue import inbox, marks
from tests.worker.asked import Asked
from tests.worker.steps import Killed, Stage
from worker.expansion import Expansion
from worker.ingest import WANTED

MANY = 3_000


def tagged(stage: Stage, count: int, name: str = "T") -> int:
    """Scenes with the tag, of which Plex has none; the tag's id. Nothing is sent, so that the queue can be counted."""
    stage.configure(enabled=False)
    with stage.stash.core.lock:
        library = stage.stash.library
        (tag,) = library.ensure_named("tag", [name])
        for _ in range(count):
            scene = library.new_scene()
            library.new_file(scene, f"/data/s{scene.number}.mp4", 1_000 + scene.number)
            library.relate(scene, "tags", [*scene.tags, tag])
    return int(tag.id)


def queued(stage: Stage) -> int:
    return stage.session.queue.scenes


def steps_until(stage: Stage, done: Callable[[], bool]) -> int:
    """How many steps it takes; each is given its time."""
    for count in range(1, 100):
        stage.step()
        if done():
            return count
        stage.clock.now += 0.1
    raise AssertionError(f"not within 100 steps: {stage.numbers()}")


def unread(stage: Stage) -> int:
    return marks.count(stage.data_dir)


def test_thousands_of_scenes_of_one_tag_are_queued_in_pages_and_others_are_served_between(stage: Stage) -> None:
    tag = tagged(stage, MANY)
    stage.clock.now += 10  # so that their own dates say nothing
    stage.mark(tag, kind="tag")
    stage.step()
    assert (queued(stage), unread(stage)) == (PAGE_SCENES, 1)
    late = stage.scene()
    stage.mark(late)
    asked = Asked(stage, "queue_status")
    assert asked.answer()["queued"] < MANY
    assert late in stage.session.queue
    assert steps_until(stage, lambda: not unread(stage)) <= MANY / PAGE_SCENES
    assert queued(stage) == MANY + 1


def test_the_scenes_of_one_tag_reach_plex(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("stash.client", "worker.expansion"):
        monkeypatch.setattr(f"{module}.PAGE_SCENES", 20)
    scenes = stage.scenes(50, tags=["Old"])
    stage.settle(*scenes)
    tag = int(stage.stash.id_of("tag", "Old"))
    stage.stash.library.rename(stage.stash.library.one("tag", tag), "New")
    stage.mark(tag, kind="tag")
    stage.run()
    assert stage.differing() == {} and stage.item(scenes[-1])["genres"] == ["New"]


def test_stash_going_away_in_the_middle_delays_the_rest_and_repeats_nothing(stage: Stage) -> None:
    stage.mark(tagged(stage, MANY), kind="tag")
    steps_until(stage, lambda: queued(stage) == 2 * PAGE_SCENES)
    stage.stash.stop()
    for _ in range(5):
        stage.step()
        stage.clock.now += 10
    assert (queued(stage), unread(stage)) == (2 * PAGE_SCENES, 1)
    stage.stash.start()
    stage.stash.clear_requests()
    steps_until(stage, lambda: not unread(stage))
    assert queued(stage) == MANY
    pages = (MANY - 2 * PAGE_SCENES) // PAGE_SCENES
    assert pages <= stage.stash.count("findScenes") <= pages + 3  # the last page is empty; the sweep asks too


def test_a_worker_killed_in_the_middle_leaves_the_rest_to_the_next(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.mark(tagged(stage, MANY), kind="tag")
    steps_until(stage, lambda: queued(stage) == 2 * PAGE_SCENES)

    def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:  # between two pages, and between the last page and the end of the mark
        patch.setattr(StashClient, "page_of", die)
        with pytest.raises(Killed):
            stage.step()
    stage.reopen()
    assert (queued(stage), unread(stage)) == (2 * PAGE_SCENES, 1)
    with monkeypatch.context() as patch:
        patch.setattr(marks, "remove", lambda folder, found: die() if found else None)
        with pytest.raises(Killed):
            steps_until(stage, lambda: not unread(stage))
    stage.reopen()
    assert (queued(stage), unread(stage)) == (MANY, 1)
    steps_until(stage, lambda: not unread(stage))
    assert queued(stage) == MANY


def test_deletions_between_two_pages_hide_no_scene(stage: Stage) -> None:
    tag = tagged(stage, 3 * PAGE_SCENES)
    stage.mark(tag, kind="tag")
    stage.step()
    for scene in range(1, 400):
        stage.stash.library.destroy_scene(stage.stash.library.scene(scene))
    steps_until(stage, lambda: not unread(stage))
    assert queued(stage) == 3 * PAGE_SCENES


def test_a_tag_that_is_renamed_again_half_way_is_expanded_once_more(stage: Stage) -> None:
    tag = tagged(stage, 2 * PAGE_SCENES)
    stage.mark(tag, tag, kind="tag")
    stage.step()
    stage.session.queue.clear()  # as if they were sent, with the first name
    stage.mark(tag, kind="tag")
    steps_until(stage, lambda: not unread(stage))
    assert queued(stage) == 2 * PAGE_SCENES


def test_many_names_with_few_scenes_each_take_few_steps(stage: Stage) -> None:
    tags = [tagged(stage, 1, f"tag {number}") for number in range(120)]
    stage.mark(*tags, kind="tag")
    assert steps_until(stage, lambda: not unread(stage)) <= 4
    assert queued(stage) == 120


def test_marks_behind_hundreds_of_names_are_read_at_once(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.configure(enabled=False)
    stage.mark(*range(1, 1_010), kind="performer")
    scene = stage.scene()
    stage.mark(scene)
    monkeypatch.setattr(Expansion, "step", lambda self, now: None)  # none of them gets done
    assert steps_until(stage, lambda: scene in stage.session.queue) == 3


def test_clearing_the_queue_ends_an_expansion(stage: Stage) -> None:
    stage.mark(tagged(stage, 3 * PAGE_SCENES), kind="tag")
    stage.step()
    assert Asked(stage, "clear_queue").answer()["cleared"] >= PAGE_SCENES
    stage.run_for(10)
    assert (queued(stage), unread(stage)) == (0, 0)


# names that are gone


def lost(stage: Stage, count: int = 1) -> None:
    """Marks as the hooks of deleted tags leave them."""
    for id in range(1, count + 1):
        inbox.put(stage.data_dir, {"kind": "any", "id": id, "event": "Tag.Destroy.Post", "fields": []})


def wanted(stage: Stage) -> Any:
    return stage.session.store.fact(WANTED)


def test_a_deleted_name_is_remembered_as_a_comparison_to_come(stage: Stage) -> None:
    stage.step()
    lost(stage)
    stage.clock.now += 5
    stage.step()
    assert (wanted(stage), unread(stage), queued(stage)) == (stage.clock.now, 0, 0)


def test_a_kill_before_it_is_remembered_forgets_no_deletion(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*_: object) -> None:
        raise Killed

    stage.step()
    lost(stage)
    with monkeypatch.context() as patch:
        patch.setattr(type(stage.session.store), "remember", die)
        with pytest.raises(Killed):
            stage.step()
    stage.reopen()
    assert unread(stage) == 1
    stage.step()
    assert wanted(stage) is not None


def test_a_bulk_deletion_asks_stash_nothing(stage: Stage) -> None:
    stage.step()
    stage.stash.clear_requests()
    lost(stage, 600)
    steps_until(stage, lambda: not unread(stage))
    assert stage.stash.count() == 0 and wanted(stage) is not None


def test_clearing_the_queue_forgets_the_comparison_and_the_marks_that_ask_for_one(stage: Stage) -> None:
    stage.configure(enabled=False)
    lost(stage)
    stage.step()
    lost(stage, 2)
    assert Asked(stage, "clear_queue").answer()["cleared_unread_changes"] in (0, 2)
    assert (wanted(stage), unread(stage)) == (None, 0)
