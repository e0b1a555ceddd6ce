"""What a PUT does to the items of the Plex double."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import pytest
import requests

from tests.canaries import PLEX_TOKEN
from tests.doubles.plex_server import PlexDouble
from tests.doubles.plex_steps import connect, put, seed


@pytest.fixture(params=["append", "replace"])
def both(request: pytest.FixtureRequest) -> Iterator[PlexDouble]:
    with PlexDouble(mode=request.param) as double:
        yield double


@pytest.fixture
def plex() -> Iterator[PlexDouble]:
    with PlexDouble() as double:
        yield double


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as made:
        made.headers["X-Plex-Token"] = PLEX_TOKEN
        yield made


def test_added_tags_are_appended_or_replace_the_list(both: PlexDouble, session: requests.Session) -> None:
    key = seed(both, genres=["A", "B"])
    put(both, session, key, **{"genre[0].tag.tag": "C"})
    assert both.item(key)["genres"] == (["C"] if both.mode == "replace" else ["A", "B", "C"])


def test_the_wanted_list_with_named_removals_ends_alike_in_both_modes(
    both: PlexDouble,
    session: requests.Session,
) -> None:
    key = seed(both, actors=["Ann", "Bob, Jr."])
    put(
        both,
        session,
        key,
        **{"actor[0].tag.tag": "Ann", "actor[1].tag.tag": "Cleo", "actor[].tag.tag-": quote("Bob, Jr.")},
    )
    assert both.item(key)["actors"] == ["Ann", "Cleo"]


def test_a_removal_that_is_encoded_once_does_not_remove_a_tag_with_a_comma(
    plex: PlexDouble,
    session: requests.Session,
) -> None:
    key = seed(plex, genres=["A, B"])
    put(plex, session, key, **{"genre[].tag.tag-": "A, B"})
    assert plex.item(key)["genres"] == ["A, B"]


def test_an_empty_tag_argument_removes_all_of_a_kind(both: PlexDouble, session: requests.Session) -> None:
    key = seed(both, genres=["A"], actors=["B"])
    put(both, session, key, **{"genre[].tag": ""})
    assert (both.item(key)["genres"], both.item(key)["actors"]) == ([], ["B"])


@pytest.mark.parametrize("space", ["+", "%20"])
@pytest.mark.parametrize("brackets", ["[0]", "%5B0%5D"])
def test_both_spellings_of_spaces_and_brackets_are_read(
    plex: PlexDouble,
    session: requests.Session,
    space: str,
    brackets: str,
) -> None:
    key = seed(plex)
    session.put(f"{plex.url}/library/metadata/{key}?genre{brackets}.tag.tag=Two{space}words", timeout=10)
    assert plex.item(key)["genres"] == ["Two words"]


def test_an_empty_value_clears_and_the_attribute_disappears(plex: PlexDouble, session: requests.Session) -> None:
    key = seed(plex, studio="Studio", tagline="Line")
    put(plex, session, key, **{"studio.value": "", "tagline.value": ""})
    assert (plex.item(key)["studio"], plex.item(key)["tagline"]) == ("", "")
    assert "studio=" not in session.get(f"{plex.url}/library/metadata/{key}", timeout=10).text


def test_the_year_follows_the_date(plex: PlexDouble, session: requests.Session) -> None:
    key = seed(plex)
    put(plex, session, key, **{"originallyAvailableAt.value": "2023-05-06"})
    assert (plex.item(key)["originallyAvailableAt"], plex.item(key)["year"]) == ("2023-05-06", "2023")


def test_locks_are_shown_as_fields_and_can_be_taken_off(plex: PlexDouble, session: requests.Session) -> None:
    key = seed(plex)
    put(plex, session, key, **{"title.locked": 1, "genre.locked": 1})
    assert '<Field locked="1" name="genre"/>' in session.get(f"{plex.url}/library/metadata/{key}", timeout=10).text
    put(plex, session, key, **{"genre.locked": 0})
    assert plex.item(key)["locks"] == ["title"]


@pytest.mark.parametrize("name", ["nonsense.value", "genres[0].tag.tag", "genre[0].tag.nonsense", "Title.locked"])
def test_an_unknown_field_is_refused_and_nothing_is_changed(
    plex: PlexDouble,
    session: requests.Session,
    name: str,
) -> None:
    key = seed(plex)
    assert put(plex, session, key, **{"title.value": "New", name: "x"}).status_code == 400
    assert plex.item(key)["title"] == "Scene 0"


def test_a_bad_value_for_a_known_field_is_a_server_error(plex: PlexDouble, session: requests.Session) -> None:
    assert put(plex, session, seed(plex), **{"originallyAvailableAt.value": "2023"}).status_code == 500


def test_a_put_without_id_edits_the_whole_section_and_is_remembered(
    plex: PlexDouble,
    session: requests.Session,
) -> None:
    seed(plex, 3)
    put(plex, session, None, **{"studio.value": "Oops"})
    assert {item["studio"] for item in plex.items().values()} == {"Oops"}
    assert len(plex.whole_section_edits()) == 1


def test_an_unknown_id_changes_nothing_in_the_section_form_and_is_404_in_the_other(
    plex: PlexDouble,
    session: requests.Session,
) -> None:
    seed(plex)
    assert put(plex, session, "99", **{"title.value": "New"}).status_code == 200
    assert session.put(f"{plex.url}/library/metadata/99?title.value=New", timeout=10).status_code == 404
    assert plex.item("1")["title"] == "Scene 0"


def test_tags_keep_the_spelling_seen_first_and_labels_begin_with_a_capital(
    plex: PlexDouble,
    session: requests.Session,
) -> None:
    key = seed(plex, 2, genres=["Drama"])
    put(plex, session, key, **{"genre[0].tag.tag": "DRAMA", "label[0].tag.tag": "mine"})
    assert (plex.item(key)["genres"], plex.item(key)["labels"]) == (["Drama"], ["Mine"])


def test_a_refresh_overwrites_only_what_is_not_locked(plex: PlexDouble) -> None:
    key = seed(plex, genres=["Mine"], locks=["genre"])
    plex.refresh_item(key, title="Agent's title", genres=["Agent's genre"])
    assert (plex.item(key)["title"], plex.item(key)["genres"]) == ("Agent's title", ["Mine"])


def test_pure_tag_edits_do_not_move_the_updated_time(plex: PlexDouble, session: requests.Session) -> None:
    key = seed(plex)
    before = plex.item(key)["updatedAt"]
    put(plex, session, key, **{"genre[0].tag.tag": "A"})
    assert plex.item(key)["updatedAt"] == before
    put(plex, session, key, **{"title.value": "A"})
    assert plex.item(key)["updatedAt"] > before


def test_renaming_a_collection_renames_the_tag_and_a_taken_name_is_a_conflict(
    plex: PlexDouble,
    session: requests.Session,
) -> None:
    seed(plex, 2, collections=["One", "Two"])
    one = connect(plex).collections()[0].ratingKey
    rename = f"{plex.url}/library/sections/1/all?type=18&id={one}&title.value="
    assert session.put(rename + "Two", timeout=10).status_code == 409
    assert session.put(rename + "Three", timeout=10).status_code == 200
    assert plex.item("1")["collections"] == ["Three", "Two"]


def test_a_viewers_rating_is_set_and_taken_back(plex: PlexDouble, session: requests.Session) -> None:
    key = seed(plex)
    rate = f"{plex.url}/:/rate?key={key}&identifier=com.plexapp.plugins.library&rating="
    session.put(rate + "7.5", timeout=10)
    assert plex.item(key)["userRating"] == "7.5"
    session.put(rate + "-1", timeout=10)
    assert plex.item(key)["userRating"] == ""
