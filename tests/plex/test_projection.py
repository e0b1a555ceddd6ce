"""What Plex should show of a scene, and when that counts as changed."""

from __future__ import annotations

import pytest

from plex.projection import (
    FEW_TAGS,
    LIST_SWITCHES,
    PICTURE_SWITCHES,
    SCALAR_SWITCHES,
    SHORT_SUMMARY,
    fingerprint,
    half_stars,
    project,
    shrunk,
)
from validation.scene import Scene, SceneFile
from validation.settings import Settings

ALL = Settings(sync_rating=True)

SCENE = Scene(
    id=1,
    title="T",
    code="C",
    details="words " * 200,
    director="D",
    date="2024-01-02",
    rating100=73,
    studio="S",
    performers=["A", "B"],
    tags=[f"tag {number}" for number in range(50)],
    files=(SceneFile(path="/d/a.mp4", size=5), SceneFile(path="/d/b.mp4", size=6)),
)


def test_a_scene_in_the_words_of_plex():
    shown = project(SCENE, ALL)
    assert shown.scalars == {
        "title": "T",
        "studio": "S",
        "summary": SCENE.details,
        "tagline": "C",
        "originallyAvailableAt": "2024-01-02",
    }
    assert shown.lists == {"actor": ("A", "B"), "genre": SCENE.tags, "director": ("D",), "collection": ("S",)}
    assert (shown.rating, shown.pictures) == ("7", ("posters", "arts"))


def test_an_empty_scene_wants_everything_empty():
    shown = project(Scene(id=1), ALL)
    assert set(shown.scalars.values()) == {""} and set(shown.lists.values()) == {()} and shown.rating == ""


@pytest.mark.parametrize(("name", "switch"), [*SCALAR_SWITCHES.items(), *LIST_SWITCHES.items()])
def test_a_field_that_is_switched_off_is_not_in_the_projection(name, switch):
    on, off = project(SCENE, ALL), project(SCENE, Settings(sync_rating=True, **{switch: False}))
    assert {*on.scalars, *on.lists} - {*off.scalars, *off.lists} == {name}
    assert (on.rating, on.pictures) == (off.rating, off.pictures)


@pytest.mark.parametrize(("kind", "switch"), PICTURE_SWITCHES.items())
def test_a_picture_that_is_switched_off_is_not_in_the_projection(kind, switch):
    assert set(project(SCENE, ALL).pictures) - set(project(SCENE, Settings(**{switch: False})).pictures) == {kind}


def test_a_rating_is_left_alone_unless_it_is_switched_on():
    assert project(SCENE, Settings()).rating is None


HALF_STARS = [(None, ""), (1, "1"), (4, "1"), (14, "1"), (15, "2"), (50, "5"), (95, "10"), (100, "10")]


@pytest.mark.parametrize(("stars", "half"), HALF_STARS)
def test_a_rating_in_half_stars(stars, half):
    assert half_stars(stars) == half


def test_too_many_tags_are_cut_to_the_same_ones_whatever_their_order():
    few = Settings(max_tags=10)
    shuffled = SCENE.model_copy(update={"tags": SCENE.tags[::-1]})
    cut, other = project(SCENE, few).lists["genre"], project(shuffled, few).lists["genre"]
    assert len(cut) == 10 and set(cut) == set(other) and cut == other[::-1]


def test_tags_to_leave_out_are_left_out_in_any_spelling():
    without = Settings(tag_exclude=("TAG 7", "tag 8 "))
    assert set(SCENE.tags) - set(project(SCENE, without).lists["genre"]) == {"tag 7", "tag 8"}


def test_the_shrunk_form_is_shorter_and_says_the_same_kind_of_things():
    full, small = project(SCENE, ALL), shrunk(project(SCENE, ALL))
    assert small.scalars["summary"] == full.scalars["summary"][:SHORT_SUMMARY]
    assert small.lists["genre"] == full.lists["genre"][:FEW_TAGS]
    assert shrunk(small) == small


def digest(scene=SCENE, shape="x"):
    return fingerprint(scene, project(scene, ALL), shape)


CHANGES = [{"title": "U"}, {"studio": ""}, {"tags": ("tag 1",)}, {"performers": ("B", "A")}, {"files": SCENE.files[:1]}]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: next(iter(change)))
def test_what_is_seen_or_decides_the_match_changes_the_fingerprint(change):
    assert digest(SCENE.model_copy(update=change)) != digest()


def test_settings_change_the_fingerprint():
    assert digest(shape="y") != digest()


def test_the_order_of_files_and_what_plex_never_shows_do_not_change_it():
    other = SCENE.model_copy(update={"files": SCENE.files[::-1], "organized": True, "updated_at": "later", "id": 2})
    assert digest(other) == digest()
