"""The Plex double, driven by plexapi."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from plexapi.exceptions import BadRequest, NotFound, Unauthorized
from plexapi.server import PlexServer

from tests.doubles.plex_server import PlexDouble
from tests.doubles.plex_steps import connect, seed

ODD = ["A, B & C", "100% + #1", "[brackets]", "größe 雪"]


@pytest.fixture(params=["append", "replace"])
def both(request: pytest.FixtureRequest) -> Iterator[PlexDouble]:
    with PlexDouble(mode=request.param) as double:
        yield double


@pytest.fixture
def plex() -> Iterator[PlexDouble]:
    with PlexDouble() as double:
        yield double


def test_plexapi_lists_a_section_page_by_page(plex: PlexDouble) -> None:
    seed(plex, 250)
    titles = [movie.title for movie in connect(plex).all()]
    assert titles == [f"Scene {n}" for n in range(250)]
    assert plex.count(path_contains="/all") == 3


def test_plexapi_reads_the_file_of_an_item(plex: PlexDouble) -> None:
    seed(plex)
    assert connect(plex).all()[0].locations == ["/media/0.mp4"]


def test_plexapi_fetches_several_items_at_once_and_the_missing_ones_are_left_out(plex: PlexDouble) -> None:
    seed(plex, 3)
    found = PlexServer(plex.url, plex.token).fetchItems([1, 3, 99])
    assert [movie.ratingKey for movie in found] == [1, 3]


def test_plexapi_finds_an_item_by_the_base_name_of_its_file(plex: PlexDouble) -> None:
    seed(plex, 3)
    found = connect(plex).fetchItems("/library/sections/1/all?type=1&file=1.mp4")
    assert [movie.title for movie in found] == ["Scene 1"]


def test_plexapi_batch_edits_arrive_as_one_put_and_lock_what_they_set(both: PlexDouble) -> None:
    key = seed(both, genres=["Old"])
    movie = connect(both).all()[0]
    both.clear_requests()
    movie.batchEdits().editTitle("New").editSummary("Text").editStudio("Studio").addGenre("New genre").saveEdits()
    assert both.count("PUT") == 1
    item = both.item(key)
    assert (item["title"], item["summary"], item["studio"]) == ("New", "Text", "Studio")
    assert item["genres"] == ["Old", "New genre"]
    assert item["locks"] == ["genre", "studio", "summary", "title"]


@pytest.mark.parametrize("tag", ODD)
def test_plexapi_adds_and_removes_tags_with_odd_letters(both: PlexDouble, tag: str) -> None:
    key = seed(both, genres=["Keep"])
    movie = connect(both).all()[0]
    movie.addGenre(tag)
    assert both.item(key)["genres"] == ["Keep", tag]
    movie.reload().removeGenre(tag)
    assert both.item(key)["genres"] == ["Keep"]


def test_plexapi_edits_many_items_in_one_put(plex: PlexDouble) -> None:
    seed(plex, 5)
    section = connect(plex)
    section.batchMultiEdits(section.all()).addCollection("All of them").saveMultiEdits()
    assert all(item["collections"] == ["All of them"] for item in plex.items().values())
    assert plex.count("PUT") == 1


def test_plexapi_sees_a_collection_that_came_from_a_tag(plex: PlexDouble) -> None:
    seed(plex, 2, collections=["Studio"])
    found = connect(plex).collections()
    assert [(each.title, each.childCount) for each in found] == [("Studio", 2)]
    assert [movie.title for movie in found[0].items()] == ["Scene 0", "Scene 1"]


def test_plexapi_uploads_a_poster_and_finds_it_by_its_hash(plex: PlexDouble, tmp_path: Path) -> None:
    seed(plex)
    (tmp_path / "cover.jpg").write_bytes(b"picture")
    movie = connect(plex).all()[0]
    before = movie.thumb
    movie.uploadPoster(filepath=str(tmp_path / "cover.jpg"))
    chosen = [poster for poster in movie.posters() if poster.selected]
    assert [poster.ratingKey for poster in chosen] == [f"upload://posters/{hashlib.sha1(b'picture').hexdigest()}"]
    assert movie.reload().thumb != before


def test_plexapi_selects_an_earlier_poster_and_locks_it(plex: PlexDouble, tmp_path: Path) -> None:
    key = seed(plex)
    (tmp_path / "cover.jpg").write_bytes(b"picture")
    movie = connect(plex).all()[0]
    movie.uploadPoster(filepath=str(tmp_path / "cover.jpg"))
    movie.posters()[0].select()
    movie.lockPoster()
    assert [picture["selected"] for picture in plex.item(key)["posters"]] == [True, False]
    assert plex.item(key)["locks"] == ["thumb"]


def test_plexapi_deletes_a_poster_and_that_locks_the_field(plex: PlexDouble) -> None:
    key = seed(plex)
    connect(plex).all()[0].deletePoster()
    assert (plex.item(key)["thumb"], plex.item(key)["locks"]) == ("", ["thumb"])


@pytest.mark.parametrize("status, error", [(401, Unauthorized), (404, NotFound), (503, BadRequest)])
def test_plexapi_turns_faults_into_its_errors(plex: PlexDouble, status: int, error: type) -> None:
    seed(plex)
    section = connect(plex)
    plex.faults.add("status", status=status)
    with pytest.raises(error):
        section.all()
    assert len(section.all()) == 1
