"""Posters and backgrounds in the Plex double."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import pytest
import requests

from tests.doubles.plex_server import PlexDouble
from tests.doubles.plex_steps import seed


@pytest.fixture
def plex() -> Iterator[PlexDouble]:
    with PlexDouble() as double:
        yield double


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as made:
        made.headers["X-Plex-Token"] = "plex-token"
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
    source = f"{plex.url}{plex.item('2')['thumb']}?X-Plex-Token=plex-token"
    session.post(f"{plex.url}/library/metadata/{key}/posters?url={quote(source, safe='')}", timeout=10)
    assert session.get(plex.url + plex.item(key)["thumb"], timeout=10).content == b"other"


def test_backgrounds_are_kept_apart_from_posters(plex: PlexDouble, session: requests.Session) -> None:
    key = seed(plex)
    session.post(f"{plex.url}/library/metadata/{key}/arts", data=b"wide", timeout=10)
    assert (len(plex.item(key)["arts"]), plex.item(key)["posters"]) == (2, [])
