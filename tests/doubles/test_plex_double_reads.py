"""What the Plex double shows, to whom, and what it notes."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote, urlencode

import pytest
import requests

from tests.canaries import PLEX_TOKEN
from tests.doubles.plex_server import PlexDouble
from tests.doubles.plex_steps import connect, listing, put, seed


@pytest.fixture
def plex() -> Iterator[PlexDouble]:
    with PlexDouble() as double:
        yield double


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as made:
        made.headers["X-Plex-Token"] = PLEX_TOKEN
        yield made


def test_listings_truncate_tags_and_details_do_not(plex: PlexDouble, session: requests.Session) -> None:
    seed(plex, genres=list("abc"), actors=list("defg"), labels=["x"], locks=["title"])
    listed = listing(plex, session)["Metadata"][0]
    assert (listed["Genre"], len(listed["Role"])) == ([{"tag": "a"}, {"tag": "b"}], 3)
    assert "Label" not in listed and "Field" not in listed
    full = session.get(f"{plex.url}/library/metadata/1", headers={"Accept": "application/json"}, timeout=10)
    item = full.json()["MediaContainer"]["Metadata"][0]
    assert [len(item[name]) for name in ("Genre", "Role", "Label", "Field")] == [3, 4, 1, 1]
    assert item["Genre"][0] == {"id": 1, "filter": "genre=1", "tag": "a"}


def test_json_and_xml_tell_the_same(plex: PlexDouble, session: requests.Session) -> None:
    seed(plex, year=2020)
    item = listing(plex, session)["Metadata"][0]
    assert (item["ratingKey"], item["year"], item["Media"][0]["Part"][0]["size"]) == ("1", 2020, 100)
    text = session.get(f"{plex.url}/library/sections/1/all?type=1", timeout=10).text
    assert 'ratingKey="1"' in text and 'year="2020"' in text and 'size="100"' in text


@pytest.mark.parametrize("in_query", [True, False])
def test_pages_may_be_asked_for_in_the_query_or_in_headers(
    plex: PlexDouble,
    session: requests.Session,
    in_query: bool,
) -> None:
    seed(plex, 5)
    paging = {"X-Plex-Container-Start": "3", "X-Plex-Container-Size": "10"}
    found = listing(plex, session, "type=1&" + urlencode(paging)) if in_query else listing(plex, session, **paging)
    assert (found["size"], found["totalSize"], found["offset"]) == (2, 5, 3)
    assert plex.requests()[-1].page == (3, 10)


def test_a_page_of_size_zero_holds_only_counts(plex: PlexDouble, session: requests.Session) -> None:
    seed(plex, 5)
    found = listing(plex, session, "type=1&X-Plex-Container-Size=0")
    assert (found["size"], found["totalSize"], "Metadata" in found) == (0, 5, False)


def test_pages_can_be_capped_and_required(plex: PlexDouble, session: requests.Session) -> None:
    seed(plex, 5)
    plex.page_cap = 2
    assert listing(plex, session, "type=1&X-Plex-Container-Size=5")["size"] == 2
    plex.require_size = True
    assert session.get(f"{plex.url}/library/sections/1/all?type=1", timeout=10).status_code == 400


def test_the_newest_come_first_when_sorted_by_added_at(plex: PlexDouble, session: requests.Session) -> None:
    seed(plex, 3)
    plex.add_item("1", "/media/old.mp4", title="Old", addedAt=5)
    found = listing(plex, session, "type=1&sort=addedAt:desc")["Metadata"]
    assert [item["title"] for item in found] == ["Scene 2", "Scene 1", "Scene 0", "Old"]


def test_the_file_filter_gives_every_item_of_that_base_name(plex: PlexDouble, session: requests.Session) -> None:
    seed(plex)
    plex.add_item("1", "/media/other/0.mp4", versions=[{"file": "/media/other/0 (4K).mp4", "size": 5}])
    assert listing(plex, session, "type=1&file=0.mp4")["size"] == 2
    assert listing(plex, session, "type=1&file=" + quote("0 (4K).mp4"))["size"] == 1
    assert "Metadata" not in listing(plex, session, "type=1&file=none.mp4")


def test_a_moved_file_is_found_under_its_new_name_only(plex: PlexDouble, session: requests.Session) -> None:
    plex.move_item(seed(plex), "/media/new.mp4")
    assert listing(plex, session, "type=1&file=new.mp4")["size"] == 1
    assert listing(plex, session, "type=1&file=0.mp4")["size"] == 0


def test_the_file_filter_without_a_type_is_a_server_error(plex: PlexDouble, session: requests.Session) -> None:
    seed(plex)
    url = f"{plex.url}/library/sections/1/all?file=0.mp4"
    assert session.get(url, timeout=10).status_code == 500
    plex.file_needs_type = False
    assert session.get(url, timeout=10).status_code == 200


def test_a_comma_in_the_file_filter_means_or_unless_switched_off(plex: PlexDouble, session: requests.Session) -> None:
    seed(plex)
    plex.add_item("1", "/media/a, b.mp4")
    query = "type=1&file=" + quote("a, b.mp4")
    assert listing(plex, session, query)["size"] == 0
    plex.comma_means_or = False
    assert listing(plex, session, query)["size"] == 1


def test_an_item_that_is_gone_is_an_html_404(plex: PlexDouble, session: requests.Session) -> None:
    key = seed(plex)
    plex.remove_item(key)
    answer = session.get(f"{plex.url}/library/metadata/{key}", headers={"Accept": "application/json"}, timeout=10)
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "text/html")
    assert "<h1>404 Not Found</h1>" in answer.text


def test_a_section_tells_its_folders_and_whether_a_scan_runs(plex: PlexDouble) -> None:
    seed(plex)
    plex.set_refreshing("1")
    section = connect(plex)
    assert (section.locations, section.refreshing) == (["/media"], True)


def test_a_scan_that_is_asked_for_is_remembered(plex: PlexDouble) -> None:
    seed(plex)
    connect(plex).update("/media/new folder")
    assert plex.scans() == [{"section": "1", "path": "/media/new folder", "force": ""}]


def test_only_identity_answers_without_the_right_token(plex: PlexDouble) -> None:
    assert requests.get(f"{plex.url}/identity", timeout=10).status_code == 200
    assert requests.get(f"{plex.url}/", timeout=10).status_code == 401
    assert requests.get(f"{plex.url}/?X-Plex-Token=wrong", timeout=10).status_code == 401
    plex.token = "right"
    assert requests.get(f"{plex.url}/?X-Plex-Token=right", timeout=10).status_code == 200


def test_a_token_can_change_while_running(plex: PlexDouble, session: requests.Session) -> None:
    plex.token = "new"
    assert session.get(f"{plex.url}/", timeout=10).status_code == 401


def test_a_guest_may_read_but_not_write(plex: PlexDouble) -> None:
    key = seed(plex)
    plex.guest_token = "guest"
    with requests.Session() as guest:
        guest.headers["X-Plex-Token"] = "guest"
        assert guest.get(f"{plex.url}/library/metadata/{key}", timeout=10).status_code == 200
        assert put(plex, guest, key, **{"title.value": "New"}).status_code == 403


def test_the_log_tells_method_path_query_status_and_sizes(plex: PlexDouble, session: requests.Session) -> None:
    key = seed(plex)
    put(plex, session, key, **{"title.value": "A & B"})
    entry = plex.requests()[-1]
    assert (entry.method, entry.path, entry.status) == ("PUT", "/library/sections/1/all", 200)
    assert entry.args["title.value"] == "A & B"
    assert entry.bytes_in > 100 and entry.bytes_out > 100


def test_the_counter_counts_by_method_and_path(plex: PlexDouble, session: requests.Session) -> None:
    key = seed(plex)
    put(plex, session, key)
    session.get(f"{plex.url}/identity", timeout=10)
    assert (plex.count(), plex.count("PUT"), plex.count("GET", "/identity"), plex.count("GET", "/all")) == (2, 1, 1, 0)
    plex.clear_requests()
    assert plex.count() == 0
