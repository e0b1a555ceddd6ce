"""Covers become posters and backgrounds: sent when they changed, never twice, and never over a person's choice."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from tests.worker.steps import Stage

KINDS = {"posters": "sync_poster", "arts": "sync_background"}


def jpeg(text: str) -> bytes:
    return b"\xff\xd8\xff\xe0" + text.encode() * 50


def selected(stage: Stage, scene: int, kind: str) -> str:
    """The key of the picture that Plex shows."""
    return next((p["ratingKey"] for p in stage.item(scene)[kind] if p["selected"]), "")


def shows(stage: Stage, scene: int, cover: bytes) -> dict[str, bool]:
    """Of which kinds of picture Plex shows these bytes."""
    sha1 = hashlib.sha1(cover, usedforsecurity=False).hexdigest()
    return {kind: selected(stage, scene, kind).endswith(sha1) for kind in KINDS}


def sent(stage: Stage) -> int:
    return int(stage.plex.uploads()["requests"])


def sync_all(stage: Stage, *scenes: int) -> None:
    """Compare these with Plex even if nothing seems to have changed."""
    stage.session.queue.put(scenes, "test", stage.clock.now, force=True)
    stage.run()


BOTH, NONE = dict.fromkeys(KINDS, True), dict.fromkeys(KINDS, False)


def test_a_cover_becomes_poster_and_background_and_both_are_locked(stage: Stage) -> None:
    scene = stage.scene(cover=jpeg("one"))
    stage.settle(scene)
    assert shows(stage, scene, jpeg("one")) == BOTH and sent(stage) == 2
    assert {"thumb", "art"} <= set(stage.item(scene)["locks"])
    assert stage.puts(scene) == 1, "the locks travel with everything else"


@pytest.mark.parametrize(("kind", "switch"), KINDS.items())
def test_a_picture_that_is_switched_off_is_left_alone_until_it_is_switched_on(
    stage: Stage, kind: str, switch: str
) -> None:
    stage.configure(**{switch: False})
    scene = stage.scene(cover=jpeg("one"))
    stage.settle(scene)
    assert shows(stage, scene, jpeg("one")) == {**BOTH, kind: False}
    stage.configure(**{switch: True})
    stage.run_for(40)
    stage.settle(scene)
    assert shows(stage, scene, jpeg("one")) == BOTH and sent(stage) == 2


def test_an_edit_that_leaves_the_cover_alone_sends_no_picture(stage: Stage) -> None:
    scene = stage.scene(cover=jpeg("one"))
    stage.settle(scene)
    stage.save(scene, title="Edited")
    stage.run()
    assert stage.differing() == {} and sent(stage) == 2


def test_a_new_cover_alone_is_sent_without_an_edit(stage: Stage) -> None:
    scene = stage.scene(cover=jpeg("one"))
    stage.settle(scene)
    puts = stage.puts(scene)
    stage.save(scene, cover=jpeg("two"))
    stage.run()
    assert shows(stage, scene, jpeg("two")) == BOTH and sent(stage) == 4 and stage.puts(scene) == puts


def test_a_save_that_changes_nothing_costs_plex_no_request(stage: Stage) -> None:
    scene = stage.scene(cover=jpeg("one"))
    stage.settle(scene)
    stage.plex.clear_requests()
    stage.clock.now += 5
    stage.save(scene, title=stage.stash.scene(scene)["title"])
    stage.run()
    assert [request.path for request in stage.plex.requests()] == []


def test_comparing_everything_twice_sends_nothing_and_looks_at_no_picture(stage: Stage) -> None:
    scenes = [stage.scene(cover=jpeg(str(number))) for number in range(60)]
    stage.settle(*scenes)
    for _ in range(2):
        stage.plex.clear_requests()
        sync_all(stage, *scenes)
        assert sent(stage) == 120 and stage.plex.count("PUT") == 0
        assert stage.plex.count(path_contains="/posters") == 0 == stage.plex.count(path_contains="/arts")


NO_COVERS = [None, b"", b"<svg/>", b"not a picture", b"x" * 10_000_001, b"\xff\xd8\xff" * 4_000_000]


@pytest.mark.parametrize("cover", NO_COVERS)
def test_what_is_no_cover_leaves_the_picture_in_plex_alone(stage: Stage, cover: Any) -> None:
    scene = stage.scene(cover=cover)
    stage.settle(scene)
    assert sent(stage) == 0 and stage.differing() == {} and stage.uncharged(scene)
    assert not {"thumb", "art"} & set(stage.item(scene)["locks"])


def test_a_cover_that_came_after_the_scan_follows_by_itself(stage: Stage) -> None:
    """Stash makes covers after the hook of a scan, and no hook tells of it."""
    scene = stage.scene()
    stage.settle(scene)
    stage.run_for(130)
    stage.stash.change(scene, cover=jpeg("generated"))
    stage.run_for(300)
    assert shows(stage, scene, jpeg("generated")) == BOTH


def test_the_same_cover_of_two_scenes_is_stored_once_by_plex(stage: Stage) -> None:
    scenes = [stage.scene(cover=jpeg("same")) for _ in range(2)]
    stage.settle(*scenes)
    assert all(shows(stage, scene, jpeg("same")) == BOTH for scene in scenes)
    sync_all(stage, *scenes)
    assert sent(stage) == 4


def test_a_picture_that_was_reset_in_plex_is_chosen_again_and_not_sent_again(stage: Stage) -> None:
    scene = stage.scene(cover=jpeg("one"))
    stage.settle(scene)
    first = stage.item(scene)["posters"][0]["ratingKey"]
    stage.plex.select_picture(stage.keys[scene], "posters", first)
    assert shows(stage, scene, jpeg("one")) == {"posters": False, "arts": True}
    sync_all(stage, scene)
    assert shows(stage, scene, jpeg("one")) == BOTH and sent(stage) == 2


# people


def test_a_picture_that_a_person_gave_stays_while_edits_are_preserved(stage: Stage) -> None:
    stage.configure(preserve_plex_edits=True)
    scene = stage.scene(cover=jpeg("one"))
    own = stage.plex.give_picture(stage.keys[scene], "posters", "own")
    stage.settle(scene)
    stage.save(scene, cover=jpeg("two"))
    stage.run()
    sync_all(stage, scene)
    assert selected(stage, scene, "posters") == own
    assert shows(stage, scene, jpeg("two")) == {"posters": False, "arts": True}
    assert stage.item(scene)["locks"] == []


def test_a_picture_that_a_person_chose_later_stays_while_edits_are_preserved(stage: Stage) -> None:
    stage.configure(preserve_plex_edits=True)
    scene = stage.scene(cover=jpeg("one"))
    stage.settle(scene)
    assert shows(stage, scene, jpeg("one")) == BOTH
    own = stage.plex.give_picture(stage.keys[scene], "posters", "own")
    stage.save(scene, title="Edited", cover=jpeg("two"))
    stage.run()
    sync_all(stage, scene)
    assert selected(stage, scene, "posters") == own
    assert shows(stage, scene, jpeg("two")) == {"posters": False, "arts": True}


def test_our_own_picture_follows_the_cover_while_edits_are_preserved(stage: Stage) -> None:
    stage.configure(preserve_plex_edits=True)
    scene = stage.scene(cover=jpeg("one"))
    stage.settle(scene)
    stage.save(scene, cover=jpeg("two"))
    stage.run()
    assert shows(stage, scene, jpeg("two")) == BOTH


def test_a_locked_picture_is_left_alone_while_edits_are_preserved(stage: Stage) -> None:
    stage.configure(preserve_plex_edits=True)
    scene = stage.scene(cover=jpeg("one"), item={"locks": ["thumb"]})
    stage.settle(scene)
    assert shows(stage, scene, jpeg("one")) == {"posters": False, "arts": True}


# trouble


def test_an_upload_that_took_effect_although_it_timed_out_is_not_sent_again(stage: Stage) -> None:
    stage.configure(read_timeout=5, sync_background=False)
    scene = stage.scene(cover=jpeg("one"))
    stage.plex.faults.add("hang", applied=True, method="POST", seconds=7)
    stage.settle(scene)
    assert shows(stage, scene, jpeg("one"))["posters"] and sent(stage) == 1
    assert stage.uncharged(scene) and stage.session.store.outages() == []


def test_an_upload_that_plex_refuses_keeps_the_rest_and_is_tried_again_alone(
    stage: Stage, capfd: pytest.CaptureFixture[str]
) -> None:
    scene = stage.scene(cover=jpeg("one"))
    stage.plex.faults.add("status", method="POST", match="/posters", status=400)
    stage.settle(scene)
    assert stage.differing() == {} and shows(stage, scene, jpeg("one")) == {"posters": False, "arts": True}
    assert "(failed part): poster: Plex refused the request (HTTP 400)" in capfd.readouterr().err
    stage.plex.clear_requests()
    stage.run_for(60)
    assert shows(stage, scene, jpeg("one")) == BOTH and stage.uncharged(scene)
    assert stage.plex.count("PUT") == 0 and stage.plex.count("POST") == 1


def test_an_upload_that_is_refused_for_good_is_given_up_by_name(stage: Stage) -> None:
    stage.configure(max_retries=2)
    scene = stage.scene(cover=jpeg("one"))
    stage.plex.faults.add("status", times=None, method="POST", match="/posters", status=400)
    stage.settle(scene)
    stage.run_for(600)
    letter = stage.dead()[scene]
    assert (letter["kind"], letter["attempts"]) == ("failed part", 3) and letter["reason"].startswith("poster: ")


def test_a_plex_that_goes_away_between_edit_and_picture_charges_nothing(stage: Stage) -> None:
    scene = stage.scene(cover=jpeg("one"))
    stage.plex.faults.add("drop", times=3, method="POST")
    stage.settle(scene)
    assert shows(stage, scene, jpeg("one")) == BOTH and stage.uncharged(scene)


def test_a_cover_that_stash_cannot_read_keeps_the_rest_and_is_tried_again(stage: Stage) -> None:
    scene = stage.scene(cover=jpeg("one"))
    stage.settle(scene)
    stage.save(scene, cover=jpeg("two"), title="Edited")
    stage.stash.faults.picture_status(500, times=1)
    stage.run()
    assert stage.differing() == {} and shows(stage, scene, jpeg("two")) == NONE
    stage.run_for(60)
    assert shows(stage, scene, jpeg("two")) == BOTH and stage.uncharged(scene)


@pytest.mark.parametrize("edited", [{"cover": jpeg("two")}, {"title": "Edited"}])
def test_a_cover_that_stash_never_reads_is_given_up_by_name_and_blocks_nobody(
    stage: Stage, edited: dict[str, Any]
) -> None:
    stage.configure(max_retries=1)
    scene, other = stage.scene(cover=jpeg("one")), stage.scene()
    stage.settle(scene, other)
    stage.stash.faults.picture_status(500, times=99)
    stage.clock.now += 5
    stage.save(scene, **edited)
    stage.save(other, title="Meanwhile")
    stage.run_for(200)
    assert stage.differing() == {}
    assert stage.dead()[scene]["reason"] == "poster, background: Stash does not give the cover (HTTP 500)"
