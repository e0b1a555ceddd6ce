"""Scenes of Stash's answers as the provider reads them."""

from __future__ import annotations

import pytest

from provider import scene
from validation.errors import Trouble


def entry(**fields):
    return scene.parse({"id": "1", **fields})


@pytest.mark.parametrize(
    "stated, date, year",
    [
        ("2024-05-06", "2024-05-06", 2024),
        ("2024-05", "", 2024),
        ("2024", "", 2024),
        ("", "", None),
        (None, "", None),
        ("2024-13-01", "", None),
        ("soon", "", None),
        (20240506, "", None),
    ],
)
def test_of_a_partial_date_the_year_is_kept_and_no_day_is_invented(stated, date, year):
    read = entry(date=stated)
    assert (read.date, read.year) == (date, year)


@pytest.mark.parametrize(
    "duration, expected",
    [(12.3456, 12346), (60, 60_000), (0, None), (-1, None), (None, None), ("x", None), (True, None)],
)
def test_a_duration_is_whole_milliseconds_of_the_first_file(duration, expected):
    files = [{"path": "/a.mp4", "size": 1, "duration": duration}, {"path": "/b.mp4", "size": 1, "duration": 99}]
    assert entry(files=files).duration_ms == expected
    assert entry(files=files).paths == ("/a.mp4", "/b.mp4")


def test_studios_are_the_scenes_own_and_its_parents_and_none_twice():
    studio = {"name": "A", "parent_studio": {"name": "B", "parent_studio": {"name": "a", "parent_studio": None}}}
    assert entry(studio=studio).studios == ("A", "B")
    assert entry(studio=None).studios == ()


def test_people_keep_their_order_and_a_silhouette_is_no_picture():
    rows = [
        {"id": "5", "name": "Ann", "updated_at": "x", "image_path": "http://s/performer/5/image?t=1"},
        {"id": "4", "name": "Bob", "updated_at": "x", "image_path": "http://s/performer/4/image?t=1&default=true"},
        {"id": "3", "name": " ANN ", "updated_at": "x", "image_path": None},
        {"id": "2", "name": "\x00", "updated_at": "x", "image_path": None},
    ]
    people = entry(performers=rows).people
    assert [(one.id, one.name, one.pictured) for one in people] == [(5, "Ann", True), (4, "Bob", False)]
    assert entry(performers=rows).performers == ("Ann", "Bob")


def test_groups_are_named_when_they_were_asked_for():
    assert entry(groups=[{"group": {"name": "G"}}, {"group": None}, None]).groups == ("G",)
    assert entry().groups == ()


@pytest.mark.parametrize("raw", [None, [], {}, {"id": "x"}, {"id": "1", "performers": [{"id": "x", "name": "A"}]}])
def test_what_is_no_scene_is_trouble(raw):
    with pytest.raises(Trouble):
        scene.parse(raw)


def test_a_row_of_a_comparison():
    row = scene.brief({"id": "7", "title": " A\nB ", "files": [{"path": "/a"}, {}, {"path": None}, {"path": "/b"}]})
    assert (row.id, row.title, row.paths) == (7, "A B", ("/a", "/b"))
    with pytest.raises(Trouble):
        scene.brief({"id": None})
