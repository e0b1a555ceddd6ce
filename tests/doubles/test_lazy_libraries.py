"""A promised library is, to whoever asks, like one that was made at once; it is made as far as it is looked at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.canaries import PLEX_TOKEN
from tests.doubles.plex_server import PlexDouble
from tests.doubles.plex_steps import listing, put
from tests.doubles.stash_server import StashDouble

COUNT = 7
FIRST_PAGE = {"X-Plex-Container-Start": "0", "X-Plex-Container-Size": "2"}
FIND = "query($f:SceneFilterType,$p:FindFilterType){findScenes(scene_filter:$f,filter:$p){count scenes{id title}}}"
described: list[int] = []


def scene(number: int) -> dict[str, Any]:
    """The nth scene; whoever asks for it is noted."""
    described.append(number)
    tags = {"studio": f"Studio {number % 3}", "tags": [f"Tag {number % 2}", "Every"]}
    return {"path": f"/d/{number}.mp4", "size": number, "title": f"Title {number % 4}", **tags}


def dated_scene(number: int) -> dict[str, Any]:
    """The same, each older than the one before it."""
    return {**scene(number), "updated_at": f"2024-01-0{8 - number}T00:00:00Z"}


def item(number: int) -> dict[str, Any]:
    """The nth item, with what people gave it."""
    described.append(number)
    shown = {"title": f"Title {number % 4}", "label": [f"Studio {number % 3}"], "genre": ["Every"]}
    return {"file": f"/m/{number}.mp4", "size": number, **shown, "locks": ["title"]}


def collected(number: int) -> dict[str, Any]:
    """The same in a collection, which has a key of its own."""
    return {**item(number), "collection": [f"Studio {number % 3}"]}


def pictured(number: int) -> dict[str, Any]:
    """The same with a poster."""
    return {**item(number), "pictures": {"posters": f"poster {number}"}}


def clock() -> float:
    return 1_700_000_000.0


@pytest.fixture
def stashes() -> Iterator[tuple[StashDouble, StashDouble]]:
    """The same library twice, promised and made."""
    with StashDouble(clock=clock) as promised, StashDouble(clock=clock) as made:
        promised.promise_scenes(COUNT, f"{__name__}:scene")
        for number in range(1, COUNT + 1):
            made.add_scene(**scene(number))
        described.clear()
        yield promised, made


@pytest.fixture
def plexes() -> Iterator[tuple[PlexDouble, PlexDouble]]:
    """The same library twice, promised and made."""
    with PlexDouble(now=clock) as promised, PlexDouble(now=clock) as made:
        promised.promise_items(promised.add_section("Movies", ["/m"]), COUNT, f"{__name__}:item")
        made.add_items(made.add_section("Movies", ["/m"]), [item(number) for number in range(1, COUNT + 1)])
        described.clear()
        yield promised, made


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as opened:
        opened.headers["X-Plex-Token"] = PLEX_TOKEN
        yield opened


# --- Stash ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "asked",
    [
        {"p": {"per_page": 3, "sort": "id"}},
        {"p": {"per_page": 3, "page": 2, "sort": "updated_at", "direction": "DESC"}},
        {"p": {"per_page": -1, "sort": "title"}},
        {"f": {"id": {"value": 4, "modifier": "GREATER_THAN"}}, "p": {"per_page": 2, "direction": "DESC"}},
        {"f": {"id": {"value": 4, "modifier": "GREATER_THAN"}, "title": {"value": "Title 2", "modifier": "EQUALS"}}},
        {"f": {"tags": {"value": ["1"], "modifier": "INCLUDES"}}},
        {"f": {"path": {"value": "/d/5", "modifier": "INCLUDES"}}},
    ],
)
def test_promised_scenes_are_found_like_others(stashes, asked) -> None:
    promised, made = stashes
    assert promised.gql(FIND, asked) == made.gql(FIND, asked)


@pytest.mark.parametrize(
    "look",
    [
        lambda stash: stash.scenes(),
        lambda stash: stash.gql('{findTags(filter:{sort:"name"}){count tags{name scene_count}}}'),
        lambda stash: stash.gql("{findScene(id:3){tags{name scene_count} studio{name scene_count}}}"),
        lambda stash: (stash.destroy(3), stash.scenes()),
        lambda stash: (stash.rename("tag", "Every", "All"), stash.merge_tags(["Tag 0"], "All"), stash.scenes()),
        lambda stash: (stash.add_scene("/d/new.mp4"), stash.change(2, tags=["Every", "New"]), stash.scenes()),
        lambda stash: (stash.lose_database(), stash.add_scene("/d/new.mp4"), stash.scenes()),
    ],
)
def test_promised_scenes_are_what_others_are_whatever_happens_to_them(stashes, look) -> None:
    promised, made = stashes
    assert look(promised) == look(made)


def test_a_page_of_promised_scenes_makes_those_and_no_others(stashes) -> None:
    promised, _ = stashes
    promised.gql(FIND, {"p": {"per_page": 2, "page": 2, "sort": "id"}})
    assert described == [3, 4]
    promised.gql(FIND, {"p": {"per_page": 3, "page": 1, "sort": "id"}})
    assert described == [3, 4, 1, 2]


def test_promised_scenes_may_be_as_old_as_they_like() -> None:
    with StashDouble() as stash:
        stash.promise_scenes(COUNT, f"{__name__}:dated_scene")
        described.clear()
        newer = {"updated_at": {"value": "2024-01-04T00:00:00Z", "modifier": "GREATER_THAN"}}
        found = stash.gql(FIND, {"f": newer, "p": {"sort": "updated_at"}})["findScenes"]
        assert [one["id"] for one in found["scenes"]] == ["3", "2", "1"]
        assert stash.scene(2)["updated_at"] == "2024-01-06T00:00:00Z"
        assert sorted(described) == [1, 2, 3]


# --- Plex -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "query",
    [
        "type=1",
        "type=1&sort=addedAt",
        "type=1&sort=addedAt:desc",
        "type=1&sort=titleSort",
        "type=1&file=5.mp4",
        "type=1&title=Title+2",
        "type=1&id=3,5",
    ],
)
@pytest.mark.parametrize("page", [{}, FIRST_PAGE], ids=["whole", "page"])
def test_promised_items_are_listed_like_others(plexes, session, query, page) -> None:
    promised, made = ([row["ratingKey"] for row in _rows(plex, session, query, page)] for plex in plexes)
    assert promised == made
    assert promised


@pytest.mark.parametrize(
    "look",
    [
        lambda plex, session: None,
        lambda plex, session: plex.remove_item(3),
        lambda plex, session: plex.move_item(3, "/m/moved.mp4"),
        lambda plex, session: put(plex, session, "3", **{"title.value": "Edited", "genre[0].tag.tag": "New"}),
        lambda plex, session: plex.add_item("1", "/m/new.mp4", title="New"),
    ],
)
def test_promised_items_are_what_others_are_whatever_happens_to_them(plexes, session, look) -> None:
    for plex in plexes:
        look(plex, session)
    promised, made = (_known(plex.items()) for plex in plexes)
    assert promised == made


def test_a_page_of_promised_items_makes_those_and_no_others(plexes, session) -> None:
    promised, _ = plexes
    assert listing(promised, session, "type=1&sort=addedAt", **FIRST_PAGE)["totalSize"] == COUNT
    assert listing(promised, session, "type=1&file=6.mp4")["size"] == 1
    assert described == [1, 2, 6]


def test_making_an_item_is_no_change_of_its_library(plexes, session) -> None:
    promised, _ = plexes
    before = _changed_at(promised, session)
    listing(promised, session)
    assert _changed_at(promised, session) == before


def test_the_collections_of_promised_items_are_there_when_somebody_asks_for_them(session) -> None:
    with PlexDouble() as plex:
        plex.promise_items(plex.add_section("Movies", ["/m"]), COUNT, f"{__name__}:collected")
        found = {row["title"]: row["childCount"] for row in _rows(plex, session, "type=18", {})}
    assert found == {"Studio 0": "2", "Studio 1": "3", "Studio 2": "2"}


def test_a_promised_item_may_have_a_picture_that_a_person_gave_it() -> None:
    with PlexDouble(now=clock) as promised, PlexDouble(now=clock) as made:
        promised.promise_items(promised.add_section("Movies", ["/m"]), 1, f"{__name__}:pictured")
        made.give_picture(made.add_item(made.add_section("Movies", ["/m"]), **item(1)), "posters", "poster 1")
        assert promised.item(1) == made.item(1)
        assert promised.item(1)["posters"]


def _rows(plex: PlexDouble, session: requests.Session, query: str, page: dict[str, str]) -> Any:
    return listing(plex, session, query, **page)["Metadata"]


def _known(items: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(items.values(), key=lambda one: str(one["file"]))


def _changed_at(plex: PlexDouble, session: requests.Session) -> Any:
    answer = session.get(f"{plex.url}/library/sections", headers={"Accept": "application/json"}, timeout=10)
    return answer.json()["MediaContainer"]["Directory"][0]["contentChangedAt"]
