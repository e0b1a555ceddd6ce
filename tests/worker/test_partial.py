"""Plex refuses some fields of a scene: the others arrive, and only the rest is tried again, for as long as set."""

from __future__ import annotations

import pytest

from plex.model import word
from tests.worker.steps import FULL, Stage

FIELDS = {
    "title": "title",
    "studio": "studio",
    "summary": "summary",
    "tagline": "tagline",
    "originallyAvailableAt": "originallyAvailableAt",
    "actor": "actors",
    "genre": "genres",
    "director": "directors",
    "collection": "collections",
}
REASON = "Plex refused the request (HTTP 400)"
HOUR_S = 3_600.0


def other_fields(stage: Stage, scene: int, refused: str) -> bool:
    """Whether Plex shows all fields of the scene but the refused one, and of that nothing."""
    shown, wanted = stage.shown(scene), stage.wanted(scene)
    differing = [name for name in shown if shown[name] != wanted[name]]
    return differing == [FIELDS[refused]]


def edited(stage: Stage, scene: int) -> list[set[str]]:
    """The fields that each PUT for the scene names."""
    asked = [set(r.args) for r in stage.plex.requests() if r.method == "PUT" and r.args.get("id") == stage.keys[scene]]
    return [{name.split(".")[0].split("[")[0] for name in names if "." in name} for names in asked]


@pytest.mark.parametrize("refused", FIELDS)
def test_a_refused_field_keeps_no_other_and_is_tried_again_alone(
    either: Stage, capfd: pytest.CaptureFixture[str], refused: str
) -> None:
    either.plex.refused_fields = [refused]
    scene = either.scene(**FULL)
    either.settle(scene)
    assert other_fields(either, scene, refused)
    assert f"Scene {scene} waits 30 s (failed part): {word(refused)}: {REASON}\n" in capfd.readouterr().err
    either.plex.refused_fields = []
    either.plex.clear_requests()
    either.run_for(60)
    assert either.differing() == {} and either.uncharged(scene)
    assert edited(either, scene) == [{refused}]


def test_each_refused_field_has_its_reason_in_the_log(stage: Stage, capfd: pytest.CaptureFixture[str]) -> None:
    stage.plex.refused_fields = ["tagline", "genre"]
    stage.configure(sync_rating=True)
    scene = stage.scene(**FULL, rating100=80)
    stage.plex.faults.add("status", method="PUT", match="/:/rate", status=400)
    stage.settle(scene)
    said = capfd.readouterr().err
    assert f"(failed part): tagline, tags, rating: {REASON}\n" in said
    assert stage.item(scene)["title"] == "A title" and "summary" in stage.item(scene)["locks"]


def test_a_field_that_only_its_value_makes_refused_is_tried_again_alone(stage: Stage) -> None:
    stage.plex.faults.add("status", times=None, method="PUT", match="tagline.value=BAD", status=400)
    scene = stage.scene(**{**FULL, "code": "BAD"})
    stage.settle(scene)
    assert other_fields(stage, scene, "tagline")
    stage.save(scene, code="GOOD")
    stage.run()
    assert stage.differing() == {} and stage.uncharged(scene)


def test_a_field_that_stays_refused_is_given_up_after_max_retries_with_its_reason(
    stage: Stage, capfd: pytest.CaptureFixture[str]
) -> None:
    stage.configure(max_retries=2)
    stage.plex.refused_fields = ["tagline"]
    scene = stage.scene(**FULL)
    stage.settle(scene)
    stage.plex.clear_requests()
    stage.run_for(HOUR_S)
    letter = stage.dead()[scene]
    assert (letter["kind"], letter["attempts"], letter["reason"]) == ("failed part", 3, f"tagline: {REASON}")
    assert f"Scene {scene} is given up (failed part): tagline: {REASON}\n" in capfd.readouterr().err
    assert {*map(frozenset, edited(stage, scene))} == {frozenset({"tagline"})}, "never the others again"
    assert other_fields(stage, scene, "tagline")

    stage.plex.clear_requests()
    stage.run_for(HOUR_S)
    assert stage.plex.count() == 0, "given up is given up"


@pytest.mark.parametrize("still", [True, False])
def test_what_was_given_up_gets_a_new_chance_when_the_scene_is_saved(stage: Stage, still: bool) -> None:
    stage.configure(max_retries=1)
    stage.plex.refused_fields = ["tagline"]
    scene = stage.scene(**FULL)
    stage.settle(scene)
    stage.run_for(HOUR_S)
    assert scene in stage.dead()
    stage.plex.refused_fields = ["tagline"] if still else []
    stage.save(scene, details="Edited")
    stage.run()
    assert stage.dead() == {} and stage.item(scene)["summary"] == "Edited"
    assert (stage.differing() == {}) is not still
    stage.run_for(HOUR_S)
    assert (scene in stage.dead()) is still


def test_a_rating_that_is_refused_alone_is_tried_again_alone(stage: Stage, capfd: pytest.CaptureFixture[str]) -> None:
    stage.configure(sync_rating=True)
    scene = stage.scene(**FULL, rating100=80)
    stage.plex.faults.add("status", method="PUT", match="/:/rate", status=400)
    stage.settle(scene)
    assert stage.differing() == {} and stage.item(scene)["userRating"] == ""
    assert f"(failed part): rating: {REASON}\n" in capfd.readouterr().err
    stage.plex.clear_requests()
    stage.run_for(60)
    assert stage.item(scene)["userRating"] == "8" and stage.uncharged(scene)
    assert [r.path for r in stage.plex.requests() if r.method == "PUT"] == ["/:/rate"]


@pytest.mark.parametrize("fault", ["maintenance", "drop", "drop_after", "html"])
def test_a_plex_that_goes_away_at_the_rating_charges_nothing(stage: Stage, fault: str) -> None:
    stage.configure(sync_rating=True)
    scene = stage.scene(**FULL, rating100=80)
    stage.plex.faults.add(fault, method="PUT", match="/:/rate")
    stage.mark(scene)
    stage.run_until(lambda step: bool(step.state), within_s=30)
    assert stage.uncharged(scene)
    stage.run()
    assert stage.item(scene)["userRating"] == "8" and stage.uncharged(scene)


@pytest.mark.parametrize("status", [400, 409, 418])
def test_a_rating_that_stays_refused_is_given_up_alone(stage: Stage, status: int) -> None:
    stage.configure(sync_rating=True, max_retries=1)
    scene = stage.scene(**FULL, rating100=80)
    stage.plex.faults.add("status", times=None, method="PUT", match="/:/rate", status=status)
    stage.settle(scene)
    stage.run_for(HOUR_S)
    assert stage.dead()[scene]["kind"] == "failed part" and stage.dead()[scene]["reason"].startswith("rating: ")
    assert stage.differing() == {}


def test_an_edit_of_which_every_field_is_refused_is_given_up_at_once(stage: Stage) -> None:
    stage.plex.refused_fields = list(FIELDS)
    scene = stage.scene(**FULL)
    stage.settle(scene)
    assert stage.dead()[scene]["kind"] == "permanent" and stage.dead()[scene]["reason"] == REASON
    stage.plex.clear_requests()
    stage.run_for(HOUR_S)
    assert stage.plex.count() == 0
    stage.plex.refused_fields = []
    stage.save(scene, title="Edited")
    stage.run()
    assert stage.differing() == {} and stage.dead() == {}


def test_scenes_with_refused_fields_delay_no_other(stage: Stage) -> None:
    others, bad, good = stage.scenes(60), stage.scenes(60, **FULL), stage.scenes(60)
    stage.settle(*others)
    stage.plex.refused_fields = ["tagline"]
    stage.mark(*bad, *good)
    stage.save(*others, details="Edited")
    assert stage.run() < 5
    assert stage.differing(*good, *others) == {} and all(other_fields(stage, scene, "tagline") for scene in bad)
    assert stage.session.state == "" and stage.session.store.outages() == []
    assert stage.session.store.numbers()["waiting"] == {"failed part": 60}


@pytest.mark.parametrize("fault", ["maintenance", "drop", "drop_after"])
def test_a_plex_that_goes_away_between_two_fields_charges_nothing(either: Stage, fault: str) -> None:
    either.plex.faults.add("status", method="PUT", status=400)
    either.plex.faults.add(fault, method="PUT", skip=2)
    scene = either.scene(**FULL)
    either.settle(scene)
    assert either.differing() == {} and either.uncharged(scene)


def test_a_plex_that_lost_the_item_between_two_fields_shows_them_on_the_new_one(stage: Stage) -> None:
    scene = stage.scene(**FULL)
    stage.plex.faults.add("status", method="PUT", status=400)
    stage.plex.faults.add("status", method="PUT", status=404, skip=2)
    stage.settle(scene)
    assert stage.differing() == {} and stage.uncharged(scene)


def test_refused_fields_of_two_items_of_one_scene_are_both_tried_again(stage: Stage) -> None:
    other = stage.plex.add_section("More", ["/more"])
    scene = stage.scene(**FULL)
    again = stage.plex.add_item(other, file=stage.item(scene)["file"], size=stage.item(scene)["size"], title="again")
    stage.plex.refused_fields = ["studio"]
    stage.settle(scene)
    assert (stage.item(scene)["studio"], stage.plex.item(again)["studio"]) == ("", "")
    stage.plex.refused_fields = []
    stage.run_for(60)
    assert (stage.item(scene)["studio"], stage.plex.item(again)["studio"]) == ("Studio One", "Studio One")
    assert stage.uncharged(scene)
