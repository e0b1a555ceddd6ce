"""Which of Stash's values stand in which of Plex's fields, by the settings that shape them."""

from __future__ import annotations

import json

import pytest

from provider import scene
from provider.metadata import Mapping, title
from provider.settings import Settings
from tests.provider import schemas

BASE = "http://provider:9090"
WHOLE = {
    "id": "7",
    "title": "A Title",
    "code": "C-1",
    "details": "D",
    "date": "2024-05-06",
    "rating100": 73,
    "director": "Dee",
    "updated_at": "2024-05-06T07:08:09Z",
    "files": [{"path": "/data/a.mp4", "size": 1, "duration": 2.5}],
    "studio": {"name": "S", "parent_studio": {"name": "P"}},
    "groups": [{"group": {"name": "G"}}, {"group": {"name": "s"}}],
    "performers": [
        {
            "id": "1",
            "name": "Ann",
            "updated_at": "2024-01-01T00:00:00Z",
            "image_path": "http://stash/performer/1/image",
        },
        {"id": "2", "name": "Bob", "updated_at": "2024-01-01T00:00:00Z", "image_path": None},
    ],
    "tags": [{"name": name} for name in "lkjihgfedcba"],
}


def mapped(raw=WHOLE, **settings):
    """The object for a scene, as Plex gets it."""
    mapping = Mapping(Settings(stash_url="http://stash", **settings))
    movie = json.loads(mapping.whole(scene.parse(raw), BASE).body())
    container = {"offset": 0, "totalSize": 1, "size": 1, "identifier": movie["guid"].split(":")[0], "Metadata": [movie]}
    schemas.check_metadata({"MediaContainer": container})
    return movie


def test_what_the_settings_do_not_ask_for_is_left_out():
    assert not {"contentRating", "Collection", "Rating", "score"} & set(mapped())


def test_too_many_tags_are_cut_as_the_plugin_cuts_them():
    assert len(mapped()["Genre"]) == 12
    assert mapped(max_tags=10)["Genre"] == [{"tag": name} for name in "jihgfedcba"]


def test_studio_and_groups_become_collections_when_asked_for_and_none_twice():
    assert mapped(collections=True)["Collection"] == [{"tag": "S"}, {"tag": "G"}]


@pytest.mark.parametrize(
    "name, badge",
    [
        ("imdb", "imdb://image.rating"),
        ("tmdb", "themoviedb://image.rating"),
        ("rottentomatoes", "rottentomatoes://image.rating.upright"),
    ],
)
def test_a_rating_needs_one_of_the_badges_that_plex_knows(name, badge):
    assert mapped(ratings=name)["Rating"] == [{"image": badge, "type": "audience", "value": 7.3}]
    assert "Rating" not in mapped({**WHOLE, "rating100": None}, ratings=name)


def test_faces_are_named_only_where_the_public_can_reach_them():
    assert all("thumb" not in role for role in mapped()["Role"])
    roles = mapped(image_base_url="https://images.example")["Role"]
    assert roles[0]["thumb"].startswith("https://images.example/images/performer/1?")
    assert "thumb" not in roles[1]


def test_pictures_lie_at_the_public_address_else_at_ours_else_where_plex_reached_us():
    for settings, base in (
        ({}, BASE),
        ({"base_url": "http://ours:1"}, "http://ours:1"),
        ({"base_url": "http://ours:1", "image_base_url": "https://images.example"}, "https://images.example"),
    ):
        movie = mapped(**settings)
        assert all(url.startswith(f"{base}/images/scene/7") for url in (movie["thumb"], movie["art"]))


def test_a_changed_scene_has_another_address_for_its_picture():
    later = {**WHOLE, "updated_at": "2024-05-06T07:08:10Z"}
    assert mapped()["thumb"] != mapped(later)["thumb"]


def test_posters_are_made_when_asked_for_and_the_background_stays_as_it_is():
    movie = mapped(poster="fit")
    assert "/images/scene/7/poster?" in movie["thumb"] and "/images/scene/7?" in movie["art"]


@pytest.mark.parametrize(
    "raw, expected",
    [
        ({"title": "T"}, "T"),
        ({"title": "", "files": [{"path": "/a/The.Name.mp4"}]}, "The.Name"),
        ({"title": None, "files": [{"path": "D:\\a\\Name.mkv"}]}, "Name"),
        ({"files": [{"path": "/a/.hidden"}]}, "hidden"),
        ({"files": [{"path": "/a/no ending"}]}, "no ending"),
        ({"files": []}, "Scene 7"),
    ],
)
def test_a_scene_without_title_is_called_after_its_file(raw, expected):
    assert title(scene.parse({"id": "7", **raw})) == expected


def test_a_scene_that_says_nothing_is_still_a_movie():
    movie = mapped({"id": "7"})
    assert {name for name in movie if name not in ("thumb", "art", "Image")} == {
        *("ratingKey", "key", "guid", "type", "title", "isAdult")
    }
