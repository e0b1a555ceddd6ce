"""The Plex double's agents: they ask providers as Plex was seen to, and take from them what Plex takes."""

from __future__ import annotations

import urllib.error
import urllib.request
from urllib.parse import urlencode

import pytest
from plexapi.server import PlexServer

from tests.doubles.plex_agents_scan import FORMS, filename, guess
from tests.doubles.plex_agents_stub import IDENTIFIER, StubProvider

MEDIA = "/media/Movies"


@pytest.fixture
def stub():
    with StubProvider("/a/path") as provider:
        yield provider


@pytest.fixture
def section(plex, stub):
    return plex.add_section("Movies", [MEDIA], agent_id=plex.register(stub.url))


def ask(plex, method, path, **arguments):
    """The status and the text of an answer."""
    url = f"{plex.url}/{path}?{urlencode(arguments, doseq=True)}"
    request = urllib.request.Request(url, headers={"X-Plex-Token": plex.token}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as problem:
        with problem:
            return problem.code, ""


def scan(plex, section, *files, **values):
    for file in files:
        plex.lay_file(section, file, 1000, **values)
    assert ask(plex, "GET", f"library/sections/{section}/refresh")[0] == 200
    assert plex.agents_done()


def called(plex):
    return [(call.what, call.status) for call in plex.provider_calls()]


# registration


def test_a_provider_is_asked_at_its_whole_address_before_it_is_taken(plex, stub):
    assert ask(plex, "POST", "media/providers/metadata", uri=stub.url + "?a=query")[0] == 200
    (asked,) = stub.asked
    assert (asked.method, asked.target) == ("GET", "/a/path?includePreferences=1")
    assert asked.headers["user-agent"].startswith("PlexMediaServer/")
    assert not [name for name in asked.headers if name.startswith("x-plex-")]


WRONG = {
    "identifier without custom": {"identifier": "tv.plex.agents.stash2plex"},
    "identifier with a dash": {"identifier": IDENTIFIER + "-2"},
    "no title": {"title": ""},
    "no types": {"Types": []},
    "a collection": {"Types": [{"type": 18, "Scheme": [{"scheme": IDENTIFIER}]}]},
    "another scheme": {"Types": [{"type": 1, "Scheme": [{"scheme": "stash"}]}]},
    "no match": {"Feature": [{"type": "metadata", "key": "/library/metadata"}]},
    "a key without a slash": {"Feature": [{"type": "metadata", "key": "m"}, {"type": "match", "key": "/x"}]},
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_a_provider_that_breaks_the_contract_is_refused_with_a_reason(plex, stub, wrong):
    stub.root.update(wrong)
    assert ask(plex, "POST", "media/providers/metadata", uri=stub.url)[0] == 400
    assert len(plex.provider_refusals()) == 1


def test_what_is_no_provider_is_refused(plex, stub):
    stub.root = None
    assert ask(plex, "POST", "media/providers/metadata", uri=stub.url)[0] == 400
    assert ask(plex, "POST", "media/providers/metadata", uri="http://127.0.0.1:1")[0] == 400


def test_an_identifier_is_there_once_and_its_provider_stays_while_an_agent_has_it(plex, stub):
    agent = plex.register(stub.url)
    assert ask(plex, "POST", "media/providers/metadata", uri=stub.url)[0] == 409
    (provider,) = plex._routes.agents.providers
    assert ask(plex, "DELETE", f"media/providers/metadata/{provider}")[0] == 403
    assert ask(plex, "DELETE", f"media/providers/metadata/group/{agent}/items/{provider}")[0] == 403
    assert ask(plex, "DELETE", f"media/providers/metadata/group/{agent}")[0] == 200
    assert ask(plex, "DELETE", f"media/providers/metadata/{provider}")[0] == 200
    assert ask(plex, "GET", f"media/providers/metadata/{provider}")[0] == 404


def test_a_second_provider_joins_an_agent_behind_the_first_and_leaves_it(plex, stub):
    agent = plex.register(stub.url, "Both")
    with StubProvider(identifier="tv.plex.agents.custom.other") as other:
        assert ask(plex, "POST", "media/providers/metadata", uri=other.url)[0] == 200
        first, second = plex._routes.agents.providers
        path = f"media/providers/metadata/group/{agent}/items/{second}"
        status, told = ask(plex, "PUT", path)
        assert status == 200 and told.index(f'ProviderId="{first}"') < told.index(f'ProviderId="{second}"')
        assert ask(plex, "DELETE", path)[0] == 200
    status, told = ask(plex, "PUT", f"media/providers/metadata/group/{agent}", title="One")
    assert 'title="One"' in told and f'ProviderId="{second}"' not in told


def test_a_library_is_made_with_an_agent_or_set_to_one(plex, stub):
    agent = plex.register(stub.url)
    fields = {"type": "movie", "agent": IDENTIFIER, "language": "en-US", "location": ["/a", "/b"]}
    more = {"metadataAgentProviderGroupId": agent}
    assert ask(plex, "POST", "library/sections", **fields)[0] == 400
    assert ask(plex, "POST", "library/sections", name="New", **{**fields, "type": "show"})[0] == 400
    assert ask(plex, "POST", "library/sections", name="New", metadataAgentProviderGroupId="99", **fields)[0] == 400
    status, told = ask(plex, "POST", "library/sections", name="Newest", **fields, **more)
    assert status == 200 and f'metadataAgentProviderGroupId="{agent}"' in told and 'path="/b"' in told
    other = plex.add_section("Old", ["/c"])
    assert ask(plex, "PUT", f"library/sections/{other}", **more)[0] == 200
    assert f'metadataAgentProviderGroupId="{agent}"' in ask(plex, "GET", "library/sections")[1].split('title="Old"')[1]


# a scan


def test_a_scan_matches_a_new_file_and_takes_over_its_metadata(plex, stub, section):
    picture = stub.home + "/images/1"
    stub.add(
        "7",
        title="A title",
        summary="What happens",
        studio="Studio",
        year=2020,
        originallyAvailableAt="2020-02-03",
        duration=60_000,
        thumb=picture,
        Genre=[{"tag": "x"}, {"tag": "y"}],
        Role=[{"tag": "Ann", "order": 1, "role": "Herself"}],
        Director=[{"tag": "D"}],
        Rating=[{"image": "imdb://image.rating", "type": "audience", "value": 8.5}],
    )
    stub.found = ["7"]
    scan(plex, section, f"{MEDIA}/Studio/A.File (2019).mp4")
    (item,) = plex.items().values()
    assert item["guid"] == f"{IDENTIFIER}://movie/7"
    shown = [item[name] for name in ("title", "summary", "studio", "year", "originallyAvailableAt", "audienceRating")]
    assert shown == ["A title", "What happens", "Studio", "2020", "2020-02-03", "8.5"]
    assert (item["genres"], item["actors"], item["directors"]) == (["x", "y"], ["Ann"], ["D"])
    assert item["roles"] == {"Ann": "Herself"}
    assert [each["ratingKey"] for each in item["posters"] if each["selected"]] == [picture]
    assert called(plex) == [("match", 200), ("metadata", 200), ("extras", 200), ("image", 200)]


def test_match_and_metadata_are_asked_with_plex_s_headers_and_the_page_of_a_get_in_its_query(plex, stub, section):
    stub.add("7")
    stub.found = ["7"]
    scan(plex, section, f"{MEDIA}/Studio/A.File (2019).mp4")
    match, metadata = (
        one for one in stub.asked if one.target.startswith("/a/path/library/metadata") and "extras" not in one.target
    )
    assert match.body == {"type": 1, "title": "A File", "year": 2019, "filename": "Studio/A.File (2019).mp4"}
    assert metadata.target.startswith("/a/path/library/metadata/7?X-Plex-Container-Start=0")
    for one in (match, metadata):
        assert one.headers["x-plex-client-identifier"] and one.headers["x-plex-language"] == "en-US"
        assert one.headers["accept-encoding"] == "gzip"


def test_a_file_nobody_knows_stays_unmatched_under_its_own_name_and_a_refresh_does_not_match_it(plex, stub, section):
    scan(plex, section, f"{MEDIA}/Unknown film.mp4")
    (key,) = plex.items()
    stub.add("7")
    stub.found = ["7"]
    assert ask(plex, "PUT", f"library/metadata/{key}/refresh")[0] == 200 and plex.agents_done()
    assert (plex.item(key)["guid"], plex.item(key)["title"]) == (f"local://{key}", "Unknown film")
    assert called(plex) == [("match", 200)]


@pytest.mark.parametrize("status", [500, 503])
def test_a_provider_that_fails_leaves_the_item_unmatched(plex, stub, section, status):
    stub.add("7")
    stub.found, stub.status = ["7"], status
    scan(plex, section, f"{MEDIA}/a.mp4")
    (item,) = plex.items().values()
    assert item["guid"].startswith("local://") and called(plex) == [("match", status)]


def test_a_provider_that_does_not_answer_is_offline(plex, stub, section):
    stub.gone = True
    scan(plex, section, f"{MEDIA}/a.mp4")
    assert called(plex) == [("match", 0)]
    assert 'online="0"' in ask(plex, "GET", "media/providers/metadata")[1]


def test_many_new_files_are_all_matched(plex, stub, section):
    stub.add("7", title="The same")
    stub.found = ["7"]
    scan(plex, section, *(f"{MEDIA}/{number}.mp4" for number in range(20)))
    assert {item["title"] for item in plex.items().values()} == {"The same"} and len(plex.items()) == 20
    assert sorted(call.asked["title"] for call in plex.provider_calls() if call.what == "match") == sorted(
        str(number) for number in range(20)
    )


def test_a_library_without_the_agent_asks_nobody(plex, stub, section):
    other = plex.add_section("Other", ["/other"])
    scan(plex, other, "/other/a.mp4")
    assert called(plex) == [] and stub.count("POST", "matches") == 0


def test_the_hashes_of_the_file_are_sent_where_they_are_to_be(plex, stub, section):
    part = {"hash": "f" * 40, "openSubtitleHash": "0123456789abcdef"}
    scan(plex, section, f"{MEDIA}/a.mp4", part=part)
    plex.send_hashes = True
    scan(plex, section, f"{MEDIA}/b.mp4", part=part)
    bodies = [call.asked for call in plex.provider_calls()]
    assert "hash" not in bodies[0] and {**bodies[1], **part} == bodies[1]


# what a file is called


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("relative", "S/a.mp4"),
        ("slash", "/S/a.mp4"),
        ("root_name", "Movies/S/a.mp4"),
        ("absolute", "/media/Movies/S/a.mp4"),
        ("basename", "a.mp4"),
        ("backslashes", "S\\a.mp4"),
    ],
)
def test_the_field_filename_has_one_of_the_forms_that_it_may_have(plex, section, form, expected):
    assert form in FORMS
    plex.filename_form = form
    scan(plex, section, "/media/Movies/S/a.mp4")
    assert [call.asked["filename"] for call in plex.provider_calls()] == [expected]


@pytest.mark.parametrize(
    ("form", "expected"),
    [("relative", "S\\a.mp4"), ("slash", "/S/a.mp4"), ("root_name", "Movies\\S\\a.mp4"), ("basename", "a.mp4")],
)
def test_a_windows_path_has_them_too(form, expected):
    assert filename("D:\\Movies\\S\\a.mp4", ["D:\\", "D:\\Movies\\"], form) == expected


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("/m/Some.Film.2019.1080p.mp4", {"title": "Some Film 1080p", "year": 2019}),
        ("/m/Some Film (2019).mkv", {"title": "Some Film", "year": 2019}),
        ("/m/2001.mp4", {"title": "2001", "year": 2001}),
        ("/m/12345678.mp4", {"title": "12345678"}),
        ("D:\\m\\a_b.mp4", {"title": "a b"}),
    ],
)
def test_a_title_and_a_year_are_made_of_the_name(file, expected):
    assert guess(file) == expected


# identities


@pytest.fixture
def item(plex, stub, section):
    """An item that was matched with number 7, with metadata of its own."""
    stub.add("7", title="Seven", summary="Old", Genre=[{"tag": "x"}])
    stub.found = ["7"]
    scan(plex, section, f"{MEDIA}/a.mp4")
    (key,) = plex.items()
    return key


def test_fix_match_asks_with_what_a_person_typed_and_lists_what_comes(plex, stub, item):
    stub.add("8", title="Eight", year=2001, score=80)
    stub.found = ["7", "8"]
    status, told = ask(plex, "GET", f"library/metadata/{item}/matches", manual=1, title="typed", year=1999)
    assert status == 200 and told.index("Seven") < told.index("Eight") and 'score="80"' in told
    body = plex.provider_calls()[-1].asked
    assert (body["manual"], body["title"], body["year"], body["filename"]) == (1, "typed", 1999, "a.mp4")
    assert body["guid"] == f"{IDENTIFIER}://movie/7"


def test_another_identity_brings_its_metadata_and_nothing_of_the_former(plex, stub, item):
    guid = stub.add("8", title="Eight", Genre=[{"tag": "y"}])
    assert ask(plex, "PUT", f"library/metadata/{item}/match", guid=guid, name="Eight")[0] == 200
    assert plex.agents_done()
    shown = plex.item(item)
    assert (shown["guid"], shown["title"], shown["summary"], shown["genres"]) == (guid, "Eight", "", ["y"])


@pytest.mark.parametrize("guid", [f"{IDENTIFIER}://7", f"{IDENTIFIER}://show/7", "imdb://tt1", "tv.other://movie/7"])
def test_a_guid_that_plex_cannot_ask_by_is_written_and_nobody_is_asked(plex, item, guid):
    before = called(plex)
    assert ask(plex, "PUT", f"library/metadata/{item}/match", guid=guid, name="x")[0] == 200
    assert plex.agents_done() and called(plex) == before
    assert (plex.item(item)["guid"], plex.item(item)["title"]) == (guid, "Seven")


def test_a_refresh_brings_what_is_new_and_removes_no_tag_and_changes_nothing_that_is_locked(plex, stub, item):
    plex._state.items[int(item)].locks = frozenset({"title"})
    stub.add("7", title="Other", summary="New", Genre=[{"tag": "y"}])
    assert ask(plex, "PUT", f"library/metadata/{item}/refresh")[0] == 200 and plex.agents_done()
    shown = plex.item(item)
    assert (shown["title"], shown["summary"], shown["genres"]) == ("Seven", "New", ["x", "y"])
    assert stub.count("POST", "matches") == 1


UNREADABLE = {
    "isAdult as text": {"isAdult": "true"},
    "isAdult as a number": {"isAdult": 1},
    "Children as an array": {"Children": []},
    "a year as text": {"year": "2020"},
    "a null": {"summary": None},
    "no title": {"title": ""},
    "a genre without tag": {"Genre": [{"name": "x"}]},
    "genres as text": {"Genre": "x"},
}


@pytest.mark.parametrize("fault", UNREADABLE.values(), ids=UNREADABLE)
def test_metadata_with_one_fault_is_not_taken_at_all(plex, stub, item, fault):
    stub.add("7", **{"title": "New", "summary": "New", **fault})
    assert ask(plex, "PUT", f"library/metadata/{item}/refresh")[0] == 200 and plex.agents_done()
    assert (plex.item(item)["title"], plex.item(item)["summary"]) == ("Seven", "Old")


def test_a_provider_that_fails_at_a_refresh_leaves_everything_as_it_was(plex, stub, item):
    before = plex.item(item)
    stub.status = 503
    assert ask(plex, "PUT", f"library/metadata/{item}/refresh")[0] == 200 and plex.agents_done()
    assert plex.item(item) == before and called(plex)[-1] == ("metadata", 503)


def test_a_picture_that_a_person_gave_stays(plex, stub, item):
    own = plex.give_picture(item, "posters", "of a person")
    stub.add("7", thumb=stub.home + "/images/1")
    assert ask(plex, "PUT", f"library/metadata/{item}/refresh")[0] == 200 and plex.agents_done()
    assert [each["ratingKey"] for each in plex.item(item)["posters"] if each["selected"]] == [own]


def test_an_item_without_identity_shows_what_its_file_says(plex, stub, item):
    assert ask(plex, "PUT", f"library/metadata/{item}/unmatch")[0] == 200
    shown = plex.item(item)
    assert (shown["guid"], shown["title"], shown["summary"], shown["genres"]) == (f"local://{item}", "a", "", [])


def test_a_match_without_a_guid_is_refused(plex, item):
    assert ask(plex, "PUT", f"library/metadata/{item}/match", name="x")[0] == 400


def test_plexapi_lists_candidates_and_fixes_a_match(plex, stub, item):
    guid = stub.add("8", title="Eight")
    stub.found = ["8"]
    video = PlexServer(plex.url, plex.token).fetchItem(int(item))
    (found,) = video.matches(title="Eight", year="")
    assert (found.name, found.guid) == ("Eight", guid)
    video.fixMatch(found)
    assert plex.agents_done() and plex.item(item)["title"] == "Eight"
    video.unmatch()
    assert plex.item(item)["guid"] == f"local://{item}"
