"""What Plex holds after edits in Stash: adding, renaming, removing, clearing, and locks."""

from __future__ import annotations

from typing import Any

import pytest

from tests.worker.steps import FULL, Stage

EDITS: dict[str, dict[str, Any]] = {
    "add performers": {"performers": ["Ann", "Bea", "Cleo"]},
    "add tags": {"tags": ["Blue", "Green", "Red"]},
    "rename a performer": {"performers": ["Ann", "Beatrice"]},
    "rename a tag": {"tags": ["Navy", "Green"]},
    "rename a tag in case only": {"tags": ["BLUE", "Green"]},
    "swap all tags": {"tags": ["Red", "Pink"]},
    "remove a performer": {"performers": ["Bea"]},
    "remove a tag": {"tags": ["Green"]},
    "remove all performers": {"performers": []},
    "remove all tags": {"tags": []},
    "change the studio": {"studio": "Studio Two"},
    "remove the studio": {"studio": None},
    "remove the director": {"director": ""},
    "change the director": {"director": "Someone Else"},
    "clear the texts": {"details": "", "code": "", "date": None},
    "shorten the date to a year": {"date": "2023"},
    "shorten the date to a month": {"date": "2023-05"},
    "a tag with comma, ampersand and quotes": {"tags": ['Salt, "Pepper" & Vinegar', "50% = half", "a+b", "#1; ok?"]},
    "all at once": {
        "title": "B",
        "studio": "Studio Two",
        "performers": ["Cleo"],
        "tags": ["Red"],
        "details": "",
        "director": "",
        "date": "2020",
        "code": "X",
    },
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_an_edit_ends_alike_whether_plex_appends_or_replaces_tags(either: Stage, edit: dict[str, Any]) -> None:
    scene = either.scene(**FULL)
    either.settle(scene)
    assert either.differing() == {}
    either.save(scene, **edit)
    either.run()
    assert either.differing() == {} and either.puts(scene) <= 2
    either.save(scene, **FULL)
    either.run()
    assert either.differing() == {} and either.plex.whole_section_edits() == []


def test_tags_that_plex_already_had_are_replaced_by_those_of_stash(either: Stage) -> None:
    scene = either.scene(item={"genres": ["Old, bad", "blue"], "actors": ["Nobody"], "directors": ["Else"]}, **FULL)
    either.settle(scene)
    assert either.differing() == {}


# the quality gate


def test_an_unfinished_scene_wipes_nothing(stage: Stage) -> None:
    before = {"summary": "by hand", "genres": ["Own"], "actors": ["Own"], "studio": "Own", "tagline": "Own"}
    scene = stage.scene(title="Only a title", details="", code="CODE", director="Dee", item=before)
    shown = stage.shown(scene)
    stage.settle(scene)
    assert stage.shown(scene) == shown and stage.plex.count() == 0
    assert stage.session.tally["skipped"] == 1


@pytest.mark.parametrize("field", ["studio", "performers", "tags", "details", "date"])
def test_one_word_is_enough_to_be_finished(stage: Stage, field: str) -> None:
    nothing: dict[str, Any] = {"details": "", "studio": None, "performers": [], "tags": [], "date": None}
    scene = stage.scene(item={"summary": "old", "genres": ["Old"]}, **{**nothing, field: FULL[field]})
    stage.settle(scene)
    assert stage.differing() == {}


def test_a_scene_that_becomes_empty_leaves_plex_as_it_was(stage: Stage) -> None:
    scene = stage.scene(**FULL)
    stage.settle(scene)
    shown = stage.shown(scene)
    stage.save(scene, details="", studio=None, performers=[], tags=[], date=None, title="Other")
    stage.run()
    assert stage.shown(scene) == shown


def test_an_empty_title_leaves_the_one_in_plex(stage: Stage) -> None:
    scene = stage.scene(**{**FULL, "title": ""}, item={"title": "Plex's own"})
    stage.settle(scene)
    assert stage.item(scene)["title"] == "Plex's own" and "title" not in stage.item(scene)["locks"]
    assert stage.item(scene)["summary"] == "Some details"


# locks


def test_a_refresh_in_plex_undoes_nothing_that_we_set(stage: Stage) -> None:
    scene = stage.scene(**FULL)
    stage.settle(scene)
    stage.plex.refresh_item(stage.keys[scene])
    assert stage.differing() == {}


def test_a_refresh_in_plex_does_not_bring_back_what_was_cleared(stage: Stage) -> None:
    scene = stage.scene(**FULL)
    stage.settle(scene)
    stage.save(scene, tags=[], details="", director="")
    stage.run()
    stage.plex.refresh_item(stage.keys[scene], genres=["Agent's"], summary="Agent's", directors=["Agent's"])
    assert stage.differing() == {}


def test_a_refresh_in_plex_does_not_bring_back_what_only_plex_ever_had(stage: Stage) -> None:
    agents = {"genres": ["Agent's"], "studio": "Agent's"}
    scene = stage.scene(title="T", details="D", item=agents)
    stage.settle(scene)
    stage.plex.refresh_item(stage.keys[scene], **agents)
    assert stage.differing() == {}


def test_a_field_that_stash_never_had_stays_open_to_plex(stage: Stage) -> None:
    scene = stage.scene(title="T", details="D")
    stage.settle(scene)
    assert stage.item(scene)["locks"] == ["summary", "title"]
    stage.plex.refresh_item(stage.keys[scene], genres=["Agent's"])
    assert stage.item(scene)["genres"] == ["Agent's"]


def test_what_a_person_changed_in_plex_is_set_back_when_the_scene_is_saved(either: Stage) -> None:
    scene = either.scene(**FULL)
    either.settle(scene)
    either.plex.refresh_item(either.keys[scene], contentRating="XXX")
    with either.plex._state.lock:
        either.plex._state.set_locks(either.plex._find(either.keys[scene]), ())
    either.plex.refresh_item(either.keys[scene])
    assert either.differing() != {}
    either.save(scene, code="ABC-2")
    either.run()
    assert either.differing() == {} and "genre" in either.item(scene)["locks"]
