"""What becomes of a scene that has trouble of its own: matched anew, shortened, given up with a reason, forgotten."""

from __future__ import annotations

from typing import Any

import pytest

from plex.projection import FEW_TAGS, SHORT_SUMMARY
from reconcile.compare import Comparer
from tests.worker.steps import Killed, Stage
from worker.sync import Sync

HOUR_S = 3_600.0


# stale


def test_an_item_that_plex_made_anew_is_matched_anew_at_once(stage: Stage) -> None:
    scene = stage.scene()
    stage.settle(scene)
    stage.plex.remove_item(stage.keys[scene])
    stage.give_plex(scene)
    stage.save(scene, title="Edited")
    assert stage.run() < 5
    assert stage.differing() == {} and stage.uncharged(scene)


def test_an_item_that_plex_lost_between_read_and_write_is_matched_anew_at_once(stage: Stage) -> None:
    scene = stage.scene()
    stage.settle(scene)
    stage.plex.faults.add("status", status=404, method="PUT")
    stage.save(scene, title="Edited")
    assert stage.run() < 5
    assert stage.differing() == {} and stage.uncharged(scene)


def test_an_item_that_is_gone_for_good_makes_the_scene_wait_as_missing(stage: Stage) -> None:
    scene = stage.scene()
    stage.settle(scene)
    stage.plex.remove_item(stage.keys[scene])
    stage.settle(scene)
    stage.save(scene, title="Edited")
    stage.run()
    assert stage.session.store.numbers()["waiting"] == {"missing": 1}


# ambiguous


def test_two_files_of_the_same_name_and_size_are_a_dead_letter_with_both_named(stage: Stage) -> None:
    scene = stage.scene(in_plex=False)
    keys = [stage.give_plex(scene, file=f"/media/{folder}/s1.mp4", title=folder) for folder in ("one", "two")]
    stage.settle(scene)
    letter = stage.dead()[scene]
    assert letter["kind"] == "ambiguous" and "/media/one/s1.mp4" in letter["reason"] and "/two/" in letter["reason"]
    assert [stage.plex.item(key)["title"] for key in keys] == ["one", "two"]


@pytest.mark.parametrize("strict", [True, False])
def test_a_file_that_agrees_only_by_name_is_refused_under_strict_matching(stage: Stage, strict: bool) -> None:
    stage.configure(strict_matching=strict)
    scene = stage.scene(in_plex=False)
    stage.give_plex(scene, size=1)
    stage.settle(scene)
    if strict:
        letter = stage.dead()[scene]
        assert letter["kind"] == "ambiguous" and "/media/s1.mp4" in letter["reason"]
        assert stage.item(scene)["title"] == "s1"
    else:
        assert stage.differing() == {} and stage.dead() == {}


def test_switching_strict_matching_off_lets_a_saved_scene_through(stage: Stage) -> None:
    scene = stage.scene(in_plex=False)
    stage.give_plex(scene, size=1)
    stage.settle(scene)
    stage.configure(strict_matching=False)
    stage.run_for(40)
    stage.settle(scene)
    assert stage.differing() == {} and stage.dead() == {}


# permanent, too large, gone


def test_a_scene_that_plex_refuses_is_a_dead_letter_and_the_others_arrive(stage: Stage) -> None:
    bad, *good = stage.scenes(5)
    stage.refuse_puts_of(bad, status=400)
    stage.settle(bad, *good)
    assert stage.differing(*good) == {} and list(stage.dead()) == [bad]
    assert stage.dead()[bad]["kind"] == "permanent" and "400" in stage.dead()[bad]["reason"]
    assert stage.puts(bad) == 3, "once as a whole, and once for each of its two fields"


def test_a_scene_without_a_file_is_a_dead_letter(stage: Stage) -> None:
    scene = stage.scene()
    stage.stash.library.scene(scene).files.clear()
    stage.settle(scene)
    assert "no file" in stage.dead()[scene]["reason"] and stage.plex.count() == 0


@pytest.mark.parametrize("status", [413, 414, 431])
def test_an_edit_that_is_too_large_goes_through_shortened(either: Stage, status: int) -> None:
    either.plex.url_limit, either.plex.url_limit_status = 3_000, status
    scene = either.scene(details="word " * 900, tags=[f"Tag {number}" for number in range(200)])
    either.settle(scene)
    shown = either.item(scene)
    assert shown["title"] == "Title 1" and len(shown["genres"]) == FEW_TAGS
    assert shown["summary"] == either.stash.scene(scene)["details"][:SHORT_SUMMARY]
    assert either.uncharged(scene)


@pytest.mark.parametrize("status", [413, 414, 431])
def test_an_edit_that_is_too_large_even_shortened_is_a_dead_letter(stage: Stage, status: int) -> None:
    bad, good = stage.scenes(2)
    stage.refuse_puts_of(bad, status=status)
    stage.settle(bad, good)
    assert stage.dead()[bad]["kind"] == "too large" and stage.puts(bad) == 2
    assert stage.differing(good) == {}


@pytest.mark.parametrize("length", [10, 5_000])
def test_a_long_edit_arrives_whole(either: Stage, length: int) -> None:
    scene = either.scene(
        details="é, & " * (length // 5),
        tags=[f"{number}" * 20 for number in range(100)],
        performers=[f"Performer {number}" for number in range(60)],
    )
    either.settle(scene)
    either.stash.change(scene, tags=[f"{number}" * 20 for number in range(50, 150)], performers=["Only"])
    either.settle(scene)
    shown, wanted = either.shown(scene), either.wanted(scene)
    assert (shown["genres"], shown["actors"]) == (wanted["genres"], wanted["actors"])
    assert shown["summary"] == wanted["summary"].strip()


def test_a_scene_that_left_stash_is_done_with_and_its_item_stays_and_is_known_to_have_been_ours(stage: Stage) -> None:
    gone, *rest = stage.scenes(5)
    stage.settle(gone, *rest)
    stage.stash.destroy(gone)
    stage.save(*rest, title="Edited")
    stage.settle(gone)
    assert stage.item(gone)["title"] == "Title 1"
    assert [row.item for row in stage.session.store.log([gone])[gone]] == [stage.keys[gone]] and stage.uncharged(gone)
    assert stage.differing(*rest) == {}


def test_a_destroyed_scene_no_longer_waits(stage: Stage) -> None:
    scene = stage.scene(in_plex=False)
    stage.settle(scene)
    assert stage.next_due_s() is not None
    stage.stash.destroy(scene)
    stage.mark(scene, kind="destroyed")
    stage.run()
    assert stage.next_due_s() is None


# a worker that dies


def test_a_scene_that_kills_the_worker_three_times_is_a_dead_letter_and_the_others_arrive(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    deadly, *rest = stage.scenes(5)
    send = Sync.apply

    def deadly_apply(sync: Sync, push: Any, force: bool) -> Any:
        if push.work.scene.id == deadly:
            raise Killed
        return send(sync, push, force)

    monkeypatch.setattr(Sync, "apply", deadly_apply)
    stage.mark(deadly, *rest)
    kills = 0
    while kills < 9:
        try:
            stage.run()
            break
        except Killed:
            kills += 1
            stage.reopen()
    assert kills == 3
    assert stage.dead()[deadly]["kind"] == "poison" and list(stage.dead()) == [deadly]
    assert stage.differing(*rest) == {} and stage.uncharged(*rest)


def test_a_fault_of_our_own_is_charged_to_the_scene_that_met_it(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    odd, *rest = stage.scenes(5)
    compare = Comparer.compare

    def faulty(comparer: Comparer, work: Any, item: Any) -> Any:
        if work.scene.id == odd:
            raise ZeroDivisionError
        return compare(comparer, work, item)

    monkeypatch.setattr(Comparer, "compare", faulty)
    stage.mark(odd, *rest)
    stage.run_for(2 * HOUR_S)
    assert list(stage.dead()) == [odd] and stage.differing(*rest) == {}
