"""Posters and backgrounds in the Plex double."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import pytest
import requests

from tests.canaries import PLEX_TOKEN
from tests.doubles.plex_server import PlexDouble
from tests.doubles.plex_steps import seed
from tests.waiting import until


@pytest.fixture
def plex() -> Iterator[PlexDouble]:
    with PlexDouble() as double:
        yield double


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as made:
        made.headers["X-Plex-Token"] = PLEX_TOKEN
        yield made


def test_the_same_bytes_are_stored_once_and_other_bytes_for_ever(plex: PlexDouble, session: requests.Session) -> None:
    posters = f"{plex.url}/library/metadata/{seed(plex)}/posters"
    for data in (b"one", b"one", b"three"):
        session.post(posters, data=data, timeout=10)
    assert plex.uploads() == {"requests": 3, "files": 2, "bytes": 8}


def test_selecting_a_poster_answers_with_a_bare_path(plex: PlexDouble, session: requests.Session) -> None:
    key = seed(plex)
    base = f"{plex.url}/library/metadata/{key}"
    session.post(f"{base}/posters", data=b"one", timeout=10)
    first = plex.item(key)["posters"][0]["ratingKey"]
    answer = session.put(f"{base}/poster?url={quote(first, safe='')}", timeout=10)
    assert answer.text == plex.item(key)["thumb"]


def test_a_poster_can_be_fetched_by_url_and_read_back(plex: PlexDouble, session: requests.Session) -> None:
    key = seed(plex, 2)
    session.post(f"{plex.url}/library/metadata/2/posters", data=b"other", timeout=10)
    plex.guest_token = "seen-by-plex"
    source = f"{plex.url}{plex.item('2')['thumb']}?X-Plex-Token={plex.guest_token}"
    session.post(f"{plex.url}/library/metadata/{key}/posters?url={quote(source, safe='')}", timeout=10)
    assert session.get(plex.url + plex.item(key)["thumb"], timeout=10).content == b"other"


def test_backgrounds_are_kept_apart_from_posters(plex: PlexDouble, session: requests.Session) -> None:
    key = seed(plex)
    session.post(f"{plex.url}/library/metadata/{key}/arts", data=b"wide", timeout=10)
    assert (len(plex.item(key)["arts"]), plex.item(key)["posters"]) == (2, [])


def test_an_agent_takes_away_pictures_that_are_not_locked(plex: PlexDouble, session: requests.Session) -> None:
    key = seed(plex)
    for kind in ("posters", "arts"):
        plex.give_picture(key, kind, "ours")
    session.put(f"{plex.url}/library/metadata/{key}?thumb.locked=1", timeout=10)
    plex.refresh_item(key)
    assert [picture["selected"] for picture in plex.item(key)["posters"]] == [False, True]
    assert [picture["selected"] for picture in plex.item(key)["arts"]] == [True, False]


def test_the_number_of_the_picture_changes_whoever_changes_it(plex: PlexDouble) -> None:
    key = seed(plex)
    seen = [plex.item(key)["thumb"]]
    given = plex.give_picture(key, "posters", "one")
    seen.append(plex.item(key)["thumb"])
    assert plex.select_picture(key, "posters", plex.item(key)["posters"][0]["ratingKey"])
    seen.append(plex.item(key)["thumb"])
    assert plex.select_picture(key, "posters", given) and not plex.select_picture(key, "posters", "none")
    seen.append(plex.item(key)["thumb"])
    assert len(set(seen)) == 4
    assert plex.select_picture(key, "posters", given) and plex.item(key)["thumb"] == seen[-1]


def test_an_upload_takes_effect_although_its_answer_never_comes(plex: PlexDouble, session: requests.Session) -> None:
    key = seed(plex)
    plex.faults.add("hang", applied=True, method="POST", match="/posters")
    with pytest.raises(requests.ReadTimeout):
        session.post(f"{plex.url}/library/metadata/{key}/posters", data=b"one", timeout=(10, 0.2))
    until(lambda: plex.uploads() == {"requests": 1, "files": 1, "bytes": 3})


def test_a_rating_is_shown_with_a_decimal_and_taken_away_by_minus_one(
    plex: PlexDouble,
    session: requests.Session,
) -> None:
    key = seed(plex)
    detail, rate = f"{plex.url}/library/metadata/{key}", f"{plex.url}/:/rate?key={key}&rating="
    session.put(rate + "7", timeout=10)
    assert 'userRating="7.0"' in session.get(detail, timeout=10).text
    session.put(rate + "-1", timeout=10)
    assert "userRating" not in session.get(detail, timeout=10).text
    plex.rate_item(key, "0")
    assert 'userRating="0.0"' in session.get(detail, timeout=10).text
