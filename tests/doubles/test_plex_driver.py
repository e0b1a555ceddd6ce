"""The driver plays Plex's order, and lets no answer pass that breaks the contract."""

from __future__ import annotations

import pytest

from tests.doubles.plex_agents_http import ProviderAway
from tests.doubles.plex_agents_stub import StubProvider
from tests.doubles.plex_driver import PlexDriver

FILE, PLACES = "/media/Studio/a.mp4", ["/media"]


@pytest.fixture
def stub():
    with StubProvider("/a/path") as provider:
        picture = provider.home + "/images/7"
        provider.add("7", thumb=picture, Image=[{"type": "coverPoster", "url": picture}])
        provider.found = ["7"]
        yield provider


@pytest.fixture
def driver(stub):
    with PlexDriver(stub.url) as driver:
        yield driver


def asked(stub):
    return [f"{one.method} {one.target.split('?')[0]}" for one in stub.asked]


def test_a_file_is_asked_about_in_plex_s_order(stub, driver):
    seen = driver.scan(FILE, PLACES)
    item = "/a/path/library/metadata/7"
    assert asked(stub) == [
        "GET /a/path",
        "POST /a/path/library/metadata/matches",
        f"GET {item}",
        f"GET {item}/extras",
        f"GET {item}/images",
        "GET /images/7",
        "HEAD /images/7",
    ]
    assert stub.asked[0].target.endswith("?includePreferences=1")
    assert seen.guid == stub.items["7"]["guid"] and list(seen.pictures) == [stub.home + "/images/7"]
    assert driver.slowest_s > 0


def test_a_file_nobody_knows_is_asked_about_once(stub, driver):
    stub.found = []
    assert driver.scan(FILE, PLACES).guid == ""
    assert asked(stub)[1:] == ["POST /a/path/library/metadata/matches"]


@pytest.mark.parametrize("paging", ["query", "headers"])
def test_the_page_of_a_get_is_named_in_one_place(stub, paging):
    with PlexDriver(stub.url, paging=paging) as driver:
        driver.metadata("7")
    last = stub.asked[-1]
    assert ("X-Plex-Container-Size=20" in last.target, "x-plex-container-size" in last.headers) == (
        paging == "query",
        paging == "headers",
    )


def test_many_files_are_matched_by_several_threads(stub, driver):
    files = [f"/media/{number}.mp4" for number in range(24)]
    assert [seen.file for seen in driver.scan_all(files, PLACES, at_once=6)] == files
    assert stub.count("POST", "matches") == 24 and stub.count("GET", "/a/path") == 1


BROKEN = {
    "an unknown field": {"ratingCount": 3},
    "isAdult as a number": {"isAdult": 1},
    "an empty text": {"summary": ""},
    "a null": {"summary": None},
    "an empty list": {"Genre": []},
    "a duration in seconds as float": {"duration": 61.5},
    "a date without day": {"originallyAvailableAt": "2020-02"},
    "a date of another year": {"originallyAvailableAt": "2020-02-03", "year": 2019},
    "a relative picture": {"thumb": "/images/1"},
    "a guid without type": {"guid": "tv.plex.agents.custom.stash2plex://7"},
    "another key": {"key": "/library/metadata/8"},
    "a badge Plex does not know": {"Rating": [{"image": "stash://x", "type": "audience", "value": 5}]},
    "roles out of order": {"Role": [{"tag": "B", "order": 2}, {"tag": "A", "order": 1}]},
    "a score": {"score": 100},
}


@pytest.mark.parametrize("fault", BROKEN.values(), ids=BROKEN)
def test_metadata_that_breaks_the_contract_does_not_pass(stub, driver, fault):
    driver.metadata("7")
    stub.items["7"].update(fault)
    with pytest.raises(AssertionError, match="not an answer of kind metadata"):
        driver.metadata("7")


def test_two_candidates_pass_only_when_a_person_chooses(stub, driver):
    stub.add("8", score=80)
    stub.found = ["7", "8"]
    assert len(driver.match("x", manual=True)) == 2
    with pytest.raises(AssertionError, match="2 candidates"):
        driver.match("x")


@pytest.mark.parametrize(
    "wrong",
    [
        {"identifier": "tv.plex.agents.stash2plex"},
        {"Feature": [{"type": name, "key": "/x"} for name in ("metadata", "match", "images")]},
        {"Feature": [{"type": "match", "key": "/x"}, {"type": "match", "key": "/y"}]},
        {"Types": [{"type": 2, "Scheme": [{"scheme": "tv.plex.agents.custom.stash2plex"}]}]},
    ],
)
def test_a_root_document_that_breaks_the_contract_does_not_pass(stub, driver, wrong):
    stub.root.update(wrong)
    with pytest.raises(AssertionError, match="not an answer of kind root"):
        driver.root()


def test_an_error_passes_as_a_refusal_and_as_nothing_else(stub, driver):
    assert driver.refused(driver.calls.get("/library/metadata/9")).status == 404
    with pytest.raises(AssertionError, match="status 404"):
        driver.metadata("9")
    with pytest.raises(AssertionError, match="status 200"):
        driver.refused(driver.calls.root())


def test_a_picture_may_lack_in_a_scan_and_not_when_it_is_asked_for(stub, driver):
    url = stub.home + "/images/7"
    stub.status = 404
    assert driver.picture(url, may_lack=True).status == 404
    with pytest.raises(AssertionError, match="status 404"):
        driver.picture(url)


def test_a_provider_that_is_gone_is_away(stub, driver):
    driver.root()
    stub.gone = True
    with pytest.raises(ProviderAway):
        driver.match("x")
