"""What Plex should show of a scene, and when that counts as changed."""

from __future__ import annotations

import pytest

from plex.projection import FEW_TAGS, SHORT_SUMMARY, fingerprint, project, shrunk
from validation.scene import Scene, SceneFile

SCENE = Scene(
    id=1,
    title="T",
    code="C",
    details="words " * 200,
    director="D",
    date="2024-01-02",
    studio="S",
    performers=["A", "B"],
    tags=[f"tag {number}" for number in range(50)],
    files=(SceneFile(path="/d/a.mp4", size=5), SceneFile(path="/d/b.mp4", size=6)),
)


def test_a_scene_in_the_words_of_plex():
    shown = project(SCENE)
    assert shown.scalars == {
        "title": "T",
        "studio": "S",
        "summary": SCENE.details,
        "tagline": "C",
        "originallyAvailableAt": "2024-01-02",
    }
    assert shown.lists == {"actor": ("A", "B"), "genre": SCENE.tags, "director": ("D",), "collection": ("S",)}


def test_an_empty_scene_wants_everything_empty():
    shown = project(Scene(id=1))
    assert set(shown.scalars.values()) == {""} and set(shown.lists.values()) == {()}


def test_the_shrunk_form_is_shorter_and_says_the_same_kind_of_things():
    full, small = project(SCENE), shrunk(project(SCENE))
    assert small.scalars["summary"] == full.scalars["summary"][:SHORT_SUMMARY]
    assert small.lists["genre"] == full.lists["genre"][:FEW_TAGS]
    assert shrunk(small) == small


def digest(scene=SCENE, shape="x"):
    return fingerprint(scene, project(scene), shape)


CHANGES = [{"title": "U"}, {"studio": ""}, {"tags": ("tag 1",)}, {"performers": ("B", "A")}, {"files": SCENE.files[:1]}]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: next(iter(change)))
def test_what_is_seen_or_decides_the_match_changes_the_fingerprint(change):
    assert digest(SCENE.model_copy(update=change)) != digest()


def test_settings_change_the_fingerprint():
    assert digest(shape="y") != digest()


def test_the_order_of_files_and_what_plex_never_shows_do_not_change_it():
    other = SCENE.model_copy(update={"files": SCENE.files[::-1], "organized": True, "updated_at": "later", "id": 2})
    assert digest(other) == digest()
