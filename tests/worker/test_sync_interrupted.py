"""What was under way when Plex said no or went away: it arrives later, and what had arrived is still known as ours."""

from __future__ import annotations

from typing import Any

import pytest

from plex.projection import FEW_TAGS, SHORT_SUMMARY
from tests.worker.steps import FULL, Stage
from tests.worker.test_pictures import BOTH, NONE, jpeg, selected, shows, sync_all


@pytest.fixture
def preserving(either: Stage) -> Stage:
    """People's edits are preserved: the case in which it matters what is ours."""
    either.configure(preserve_plex_edits=True)
    return either


def away(stage: Stage, *scenes: int) -> None:
    """Work on the scenes until Plex does not answer any more."""
    stage.mark(*scenes)
    stage.run_until(lambda step: bool(step.state), within_s=60)


# tags


@pytest.mark.parametrize(
    "fault", ["drop", "drop_after", "maintenance", "html", {"status": 401}, {"status": 500}, {"status": 418}], ids=str
)
def test_tags_arrive_after_a_write_that_failed(preserving: Stage, fault: Any) -> None:
    scene = preserving.scene(**FULL)
    kind, options = ("status", fault) if isinstance(fault, dict) else (fault, {})
    preserving.plex.faults.add(kind, method="PUT", **options)
    preserving.settle(scene)
    preserving.run_for(60)
    shown = preserving.item(scene)
    assert (sorted(shown["genres"]), sorted(shown["actors"])) == (["Blue", "Green"], ["Ann", "Bea"])
    assert preserving.uncharged(scene)


@pytest.mark.parametrize("killed", [False, True])
def test_tags_that_arrived_unseen_go_when_stash_dropped_them_meanwhile(preserving: Stage, killed: bool) -> None:
    scene = preserving.scene(item={"genres": ["Own"]}, **{**FULL, "tags": []})
    preserving.settle(scene)
    preserving.plex.faults.add("drop_after", method="PUT")
    preserving.stash.change(scene, tags=["Blue", "Green"])
    away(preserving, scene)
    assert sorted(preserving.item(scene)["genres"]) == ["Blue", "Green", "Own"]
    if killed:
        preserving.reopen()
    preserving.save(scene, tags=["Red"])
    preserving.run()
    assert sorted(preserving.item(scene)["genres"]) == ["Own", "Red"]


def test_tags_that_arrived_unseen_are_still_ours_after_another_attempt_in_vain(preserving: Stage) -> None:
    scene = preserving.scene(item={"genres": ["Own"]}, **{**FULL, "tags": []})
    preserving.settle(scene)
    preserving.plex.faults.add("drop_after", method="PUT")
    preserving.stash.change(scene, tags=["Blue", "Green"])
    away(preserving, scene)
    preserving.plex.faults.add("drop", method="PUT")
    preserving.stash.change(scene, tags=["Red"])
    preserving.clock.now += 20
    away(preserving)
    assert preserving.plex.faults.left() == 0
    preserving.run()
    assert sorted(preserving.item(scene)["genres"]) == ["Own", "Red"]


def test_tags_that_arrived_though_plex_said_no_are_ours(preserving: Stage) -> None:
    scene = preserving.scene(item={"genres": ["Own"]}, **{**FULL, "tags": []})
    preserving.settle(scene)
    preserving.plex.faults.add("status", status=400, method="PUT")
    preserving.plex.faults.add("status", status=418, method="PUT", match="genre", applied=True)
    preserving.save(scene, tags=["Blue"], code="X")
    preserving.run()
    assert preserving.item(scene)["genres"] == ["Own", "Blue"] and preserving.plex.faults.left() == 0
    preserving.save(scene, tags=[])
    preserving.run()
    assert preserving.item(scene)["genres"] == ["Own"] and preserving.uncharged(scene)


def test_a_tag_that_never_arrived_and_that_a_person_adds_now_is_theirs(preserving: Stage) -> None:
    scene = preserving.scene(**{**FULL, "tags": []})
    preserving.settle(scene)
    preserving.plex.refused_fields = ["genre"]
    preserving.save(scene, tags=["Blue"])
    preserving.run()
    preserving.save(scene, tags=[])
    preserving.run()
    preserving.plex.refused_fields = []
    preserving.plex.refresh_item(preserving.keys[scene], genres=["Blue"])
    preserving.save(scene, tags=["Blue"])
    preserving.run()
    preserving.save(scene, tags=[])
    preserving.run()
    assert preserving.item(scene)["genres"] == ["Blue"]


def test_a_list_that_plex_refuses_once_is_right_after_the_next_attempt(preserving: Stage) -> None:
    scene = preserving.scene(item={"genres": ["Own"]}, **FULL)
    preserving.settle(scene)
    preserving.plex.refused_fields = ["genre"]
    preserving.save(scene, tags=["Blue", "Red"])
    preserving.run()
    assert sorted(preserving.item(scene)["genres"]) == ["Blue", "Green", "Own"]
    preserving.plex.refused_fields = []
    preserving.run_for(60)
    assert sorted(preserving.item(scene)["genres"]) == ["Blue", "Own", "Red"]


def test_tags_left_out_because_the_edit_was_too_large_arrive_when_they_fit(preserving: Stage) -> None:
    preserving.plex.url_limit = 3_000
    tags = [f"Tag {number:03}" for number in range(100)]
    scene = preserving.scene(details="word " * 900, tags=tags)
    preserving.settle(scene)
    assert len(preserving.item(scene)["genres"]) == FEW_TAGS
    preserving.save(scene, tags=tags[-10:], details="short")
    preserving.run()
    assert sorted(preserving.item(scene)["genres"]) == tags[-10:]


def test_tags_of_a_piece_that_went_through_before_plex_found_the_edit_too_large_are_ours(preserving: Stage) -> None:
    tags = [f"Tag {number:03} {'x' * 60}" for number in range(100)]
    scene = preserving.scene(item={"genres": ["Own"]}, tags=tags)
    preserving.plex.faults.add("status", status=413, method="PUT", skip=1)
    preserving.settle(scene)
    assert sorted(preserving.item(scene)["genres"]) == ["Own", *tags[:FEW_TAGS]]
    preserving.save(scene, tags=["Red"])
    preserving.run()
    assert sorted(preserving.item(scene)["genres"]) == ["Own", "Red"]


def test_a_scene_that_was_sent_shortened_has_its_pictures_locked_too(stage: Stage) -> None:
    stage.plex.url_limit = 3_000
    scene = stage.scene(details="x" * 3_500, cover=jpeg("one"))
    stage.settle(scene)
    assert len(stage.item(scene)["summary"]) == SHORT_SUMMARY
    stage.plex.refresh_item(stage.keys[scene])
    assert shows(stage, scene, jpeg("one")) == BOTH and {"thumb", "art"} <= set(stage.item(scene)["locks"])


# pictures


def test_a_poster_that_arrived_before_plex_went_away_gives_way_to_the_next_cover(preserving: Stage) -> None:
    scene = preserving.scene(cover=jpeg("one"))
    preserving.plex.faults.add("drop", method="POST", match="/arts")
    away(preserving, scene)
    assert shows(preserving, scene, jpeg("one")) == {**NONE, "posters": True}
    preserving.save(scene, cover=jpeg("two"))
    preserving.run()
    assert shows(preserving, scene, jpeg("two")) == BOTH


def test_a_poster_that_arrived_before_plex_went_away_is_not_sent_again(stage: Stage) -> None:
    scene = stage.scene(cover=jpeg("one"))
    stage.plex.faults.add("drop", method="POST", match="/arts")
    away(stage, scene)
    stage.run()
    assert shows(stage, scene, jpeg("one")) == BOTH and stage.plex.uploads()["requests"] == 2


@pytest.mark.parametrize("meanwhile", [{}, {"cover": jpeg("three")}, {"cover": None}], ids=["", "another", "none"])
def test_our_poster_gives_way_also_after_plex_refused_its_successor(preserving: Stage, meanwhile: Any) -> None:
    scene = preserving.scene(cover=jpeg("one"))
    preserving.settle(scene)
    preserving.plex.faults.add("status", status=400, method="POST", match="/posters")
    preserving.save(scene, cover=jpeg("two"))
    preserving.run()
    assert shows(preserving, scene, jpeg("one")) == {**NONE, "posters": True}
    preserving.clock.now += 2
    preserving.save(scene, details="Edited", **meanwhile)
    preserving.run_for(60)
    if meanwhile == {"cover": None}:
        preserving.save(scene, cover=jpeg("two"))
        preserving.run()
    assert shows(preserving, scene, meanwhile.get("cover") or jpeg("two")) == BOTH


def test_a_cover_that_went_and_came_back_is_not_sent_again(stage: Stage) -> None:
    scene = stage.scene(cover=jpeg("one"))
    stage.settle(scene)
    for cover in (None, jpeg("one")):
        stage.clock.now += 5
        stage.save(scene, cover=cover, details=f"Edited with {cover and len(cover)}")
        stage.run()
    assert shows(stage, scene, jpeg("one")) == BOTH and stage.plex.uploads()["requests"] == 2


def test_our_background_gives_way_also_after_it_was_switched_off_for_a_while(preserving: Stage) -> None:
    scene = preserving.scene(cover=jpeg("one"))
    preserving.settle(scene)
    preserving.configure(sync_background=False)
    preserving.run_for(40)
    preserving.save(scene, cover=jpeg("two"))
    preserving.run()
    assert shows(preserving, scene, jpeg("two")) == {**NONE, "posters": True}
    preserving.configure(sync_background=True)
    preserving.run_for(40)
    preserving.settle(scene)
    assert shows(preserving, scene, jpeg("two")) == BOTH


def test_a_picture_that_a_person_chose_is_found_by_a_full_comparison_after_an_edit_of_texts(stage: Stage) -> None:
    scene = stage.scene(cover=jpeg("one"))
    stage.settle(scene)
    stage.plex.give_picture(stage.keys[scene], "posters", "own")
    stage.save(scene, title="Edited")
    stage.run()
    assert shows(stage, scene, jpeg("one")) == {"posters": False, "arts": True}
    sync_all(stage, scene)
    assert shows(stage, scene, jpeg("one")) == BOTH and stage.plex.uploads()["requests"] == 2 + 1, "chosen, not sent"


def test_a_poster_that_arrived_though_plex_said_no_gives_way_to_the_next_cover(preserving: Stage) -> None:
    scene = preserving.scene(cover=jpeg("one"))
    preserving.plex.faults.add("status", status=418, method="POST", match="/posters", applied=True)
    preserving.settle(scene)
    assert shows(preserving, scene, jpeg("one")) == BOTH and scene in preserving.session.store.waits([scene])
    preserving.save(scene, cover=jpeg("two"))
    preserving.run()
    assert shows(preserving, scene, jpeg("two")) == BOTH


def test_choosing_our_picture_again_is_tried_again_after_plex_refused_it(stage: Stage) -> None:
    scene = stage.scene(cover=jpeg("one"))
    stage.settle(scene)
    stage.plex.give_picture(stage.keys[scene], "posters", "own")
    stage.plex.faults.add("status", status=400, method="PUT", match="/poster?")
    sync_all(stage, scene)
    assert shows(stage, scene, jpeg("one")) == {**NONE, "arts": True}
    stage.run_for(60)
    assert shows(stage, scene, jpeg("one")) == BOTH and stage.uncharged(scene)


@pytest.mark.parametrize("chosen", ["the frame that Plex took", "our earlier one"])
def test_an_older_picture_that_a_person_went_back_to_stays(preserving: Stage, chosen: str) -> None:
    scene = preserving.scene(cover=jpeg("one"))
    preserving.settle(scene)
    frame, earlier = (picture["ratingKey"] for picture in preserving.item(scene)["posters"])
    preserving.save(scene, cover=jpeg("two"))
    preserving.run()
    back = frame if chosen.startswith("the frame") else earlier
    preserving.plex.select_picture(preserving.keys[scene], "posters", back)
    if back == earlier:
        preserving.save(scene, cover=jpeg("three"))
        preserving.run()
    sync_all(preserving, scene)
    assert selected(preserving, scene, "posters") == back


def test_a_save_that_changed_nothing_is_known_from_then_on(stage: Stage) -> None:
    scene = stage.scene(cover=jpeg("one"))
    stage.settle(scene)
    stage.clock.now += 5
    stage.save(scene)
    stage.run()
    before = stage.session.stash.requests
    stage.session.queue.put([scene], "test", stage.clock.now)
    assert stage.session.drain.step(stage.clock.now).settled == 1
    assert stage.session.stash.requests - before == 1, "the scene, and not its cover"
