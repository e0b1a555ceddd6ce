"""The golden set of the provider contract, G1 to G23, over real sockets; every answer is held against its schema."""

from __future__ import annotations

import json
import unicodedata
from contextlib import ExitStack

import pytest

from provider.contract import IDENTIFIER
from tests import canaries
from tests.doubles.stash_server import StashDouble
from tests.provider import schemas
from tests.provider.service import MATCHES, Service

PICTURE = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 8
NAME = "/Library A/Studio/Some Scene.mp4"
G2 = {
    "title": "Studio 2024 01 02 Some Scene",
    "year": 2024,
    "filename": NAME,
    "manual": 0,
    "includeAdult": 1,
}


def fill(stash):
    """The library of this file: scene 1 has everything, 2 and 3 share a file name, the others have hard names."""
    studio, parent = "Studio", "Network"
    stash.add_scene(
        path="/data/Library A/Studio/Some Scene.mp4",
        title="Some Scene",
        code="SC-001",
        details="What happens.\nAnd then.",
        date="2024-01-02",
        rating100=85,
        director="A Director",
        studio=studio,
        performers=["Ann Example", "Bob Sample"],
        tags=["Indoor", "Outdoor"],
        cover=PICTURE,
    )
    double = stash.library.find_name("studio", studio)
    double.parent_studio = stash.library.ensure_named("studio", [parent])[0]
    stash.add_scene(path="/data/one/Twice.mp4", title="Twice, first", date="2001")
    stash.add_scene(path="/data/two/Twice.mp4", title="Twice, second")
    stash.add_scene(path=unicodedata.normalize("NFD", "/data/Library A/Café/Ångström é.mp4"), title="Decomposed")
    stash.add_scene(path="/data/Library A/100% [a+b]{2}(c)^$.|?*/x_y.mp4", title="Signs")
    stash.add_scene(path="/data/Library A/🎬/★ 日本語.mp4", title="Emoji")
    stash.add_scene(path="/data/Library A/" + "long " * 180 + "/" + "n" * 90 + ".mp4", title="Long")
    stash.add_scene(path="/data/no title/The stem.of it.mkv", title="")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with ExitStack() as stack:
        stash = stack.enter_context(StashDouble(credentials=("user", "password")))
        stash.api_key = canaries.API_KEY
        fill(stash)
        folder = tmp_path_factory.mktemp("golden")
        service = Service(
            folder,
            stash,
            library_roots="/plex/Library A;/plex/Other",
            path_rules="/plex => /nowhere ; /data => /plex",
            ratings="imdb",
            content_rating="XXX",
            image_base_url="http://images.example",
            cache_s="0",
        )
        stack.enter_context(service)
        yield service, stash


@pytest.fixture
def service(world):
    return world[0]


@pytest.fixture
def stash(world):
    return world[1]


def keys(reply):
    schemas.check_match(reply.json)
    return [item["ratingKey"] for item in reply.items]


@pytest.mark.parametrize("path", ["/", "", "/?includePreferences=1", "?includePreferences=1"])
def test_g1_the_root_says_what_we_are(service, path):
    reply = service.ask(path)
    schemas.check_root(reply.json)
    provider = reply.json["MediaProvider"]
    assert provider["identifier"] == IDENTIFIER and provider["title"] and provider["version"]
    assert provider["Types"] == [{"type": 1, "Scheme": [{"scheme": IDENTIFIER}]}]
    assert {one["type"] for one in provider["Feature"]} == {"metadata", "match"}


def test_g2_a_scanned_file_is_matched_to_its_scene(service):
    reply = service.match(**G2)
    assert keys(reply) == ["1"]
    container, item = reply.container, reply.items[0]
    assert {name: container[name] for name in ("offset", "totalSize", "size", "identifier")} == {
        "offset": 0,
        "totalSize": 1,
        "size": 1,
        "identifier": IDENTIFIER,
    }
    assert item["key"] == "/library/metadata/1" and item["guid"] == f"{IDENTIFIER}://movie/1"
    assert (item["type"], item["title"], item["year"]) == ("movie", "Some Scene", 2024)
    assert (item["originallyAvailableAt"], item["score"]) == ("2024-01-02", 100)
    assert item["thumb"].startswith("http://images.example/images/scene/1?t=")


VARIANTS = {
    "no leading slash": NAME[1:],
    "without the root's own name": "/Studio/Some Scene.mp4",
    "without it and without slash": "Studio/Some Scene.mp4",
    "absolute": "/plex" + NAME,
    "backslashes": NAME.replace("/", "\\"),
    "doubled slashes": NAME.replace("/", "//"),
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_g3_the_same_scene_for_every_spelling_of_its_file(service, variant):
    assert keys(service.match(filename=VARIANTS[variant])) == ["1"]


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_g3_unicode_forms(service, form):
    name = unicodedata.normalize(form, "/Library A/Café/Ångström é.mp4")
    assert keys(service.match(filename=name)) == ["4"]


def test_g3_signs_of_expressions_emoji_and_long_names(service):
    assert keys(service.match(filename="/Library A/100% [a+b]{2}(c)^$.|?*/x_y.mp4")) == ["5"]
    assert keys(service.match(filename="Library A/🎬/★ 日本語.mp4")) == ["6"]
    assert keys(service.match(filename="Library A/" + "long " * 180 + "/" + "n" * 90 + ".mp4")) == ["7"]


@pytest.mark.parametrize("name", ["", "/", "..", "../x.mp4", "a/\0.mp4", "x" * 5_000, "\\", "C:\\", "//", "%", "_"])
def test_g3_what_names_no_file_is_no_match_and_no_error(service, name):
    assert keys(service.match(filename=name)) == []


def test_g4_two_scenes_that_may_be_meant_are_none(service):
    assert keys(service.match(filename="Twice.mp4")) == []


def test_g5_a_person_gets_both_the_better_one_first(service):
    assert keys(service.match(title="", filename="two/Twice.mp4", manual=1)) == ["3", "2"]
    reply = service.match(title="", filename="Twice.mp4", manual=1)
    assert set(keys(reply)) == {"2", "3"} and all(item["score"] <= 85 for item in reply.items)


def test_g6_no_match_is_an_empty_answer(service):
    reply = service.match(filename="/Library A/Studio/Another.mp4")
    assert reply.status == 200 and keys(reply) == []
    assert (reply.container["size"], reply.container["totalSize"], reply.container["offset"]) == (0, 0, 0)


def test_g7_a_person_finds_by_title(service):
    reply = service.match(title="some scene", manual=1, filename="unknown.mp4")
    assert keys(reply) == ["1"] and reply.items[0]["score"] < 85
    assert keys(service.match(title="some scene", filename="unknown.mp4")) == []


@pytest.mark.parametrize(
    "title", ["1", "stash-1", "http://nas:9999/scenes/1", "https://stash.example/sub/scenes/1?qsort=date", "STASH:1 "]
)
def test_g8_a_person_names_the_scene_itself(service, title):
    assert keys(service.match(title=title, manual=1, filename="two/Twice.mp4")) == ["1"]


def test_g9_our_own_guid_comes_before_any_path(service):
    assert keys(service.match(guid=f"{IDENTIFIER}://movie/3", filename=NAME)) == ["3"]


@pytest.mark.parametrize("guid", ["imdb://tt0000001", "plex://movie/5d77", f"{IDENTIFIER}://movie/x", "", None, 7])
def test_g10_another_guid_is_passed_over(service, guid):
    assert keys(service.match(guid=guid, filename=NAME)) == ["1"]


@pytest.mark.parametrize("field", ["hash", "oshash", "ohash", "openSubtitlesHash", "openSubtitleHash"])
def test_g11_a_hash_finds_what_no_path_does(service, stash, field):
    oshash = stash.library.scenes[1].files[0].oshash
    assert keys(service.match(**{field: oshash.upper(), "filename": "unknown.mp4"})) == ["1"]


@pytest.mark.parametrize("value", ["0" * 24, "0" * 40, "not a hash", "", None, 5, ["0" * 16]])
def test_g12_what_is_no_hash_of_ours_is_not_looked_for(service, stash, value):
    stash.clear_requests()
    assert keys(service.match(hash=value, filename="unknown.mp4")) == []
    assert stash.count("findScenes") <= 3  # what changed, the path, and the name


@pytest.mark.parametrize("kind", [2, 3, 4, "2", 18, -1])
def test_g13_what_is_no_movie_is_no_match(service, kind):
    assert keys(service.match(**{**G2, "type": kind})) == []


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'"x"', b"{}", b'{"type":null}', b'{"type":"x"}', b'{"type":[1]}', b"\xff\xfe"]
)
def test_g14_what_is_no_match_request_is_malformed(service, body):
    reply = service.ask(MATCHES, "POST", body)
    assert reply.status == 400
    schemas.check_error(reply.json)


@pytest.mark.parametrize("flag", [0, 1, None, "0", "1", True, False])
def test_g15_adult_scenes_are_served_unless_that_is_switched_off(service, flag):
    assert keys(service.match(**{**G2, "includeAdult": flag})) == ["1"]


def test_g15_with_strict_adult_plex_has_to_ask_for_them(stash, tmp_path):
    with Service(tmp_path, stash, strict_adult="true") as strict:
        name = "/data" + NAME
        for flag, found in ((0, []), (None, []), (1, ["1"]), ("1", ["1"]), (True, ["1"])):
            assert keys(strict.match(filename=name, includeAdult=flag)) == found


def test_g16_everything_that_stash_knows_of_a_scene(service):
    reply = service.ask("/library/metadata/1")
    schemas.check_metadata(reply.json)
    item = reply.items[0]
    pictures = {name: item.pop(name) for name in ("thumb", "art", "Image")}
    assert item == {
        "ratingKey": "1",
        "key": "/library/metadata/1",
        "guid": f"{IDENTIFIER}://movie/1",
        "type": "movie",
        "title": "Some Scene",
        "originallyAvailableAt": "2024-01-02",
        "year": 2024,
        "summary": "What happens.\nAnd then.",
        "tagline": "SC-001",
        "studio": "Studio",
        "contentRating": "XXX",
        "isAdult": True,
        "duration": 60_000,
        "Genre": [{"tag": "Indoor"}, {"tag": "Outdoor"}],
        "Role": [{"tag": "Ann Example", "order": 1}, {"tag": "Bob Sample", "order": 2}],
        "Director": [{"tag": "A Director"}],
        "Studio": [{"tag": "Studio"}, {"tag": "Network"}],
        "Rating": [{"image": "imdb://image.rating", "type": "audience", "value": 8.5}],
    }
    assert [one["type"] for one in pictures["Image"]] == ["coverPoster", "background"]
    assert pictures["thumb"].startswith("http://images.example/images/scene/1?")


def test_g16_what_stash_does_not_know_is_left_out(service):
    reply = service.ask("/library/metadata/8")
    schemas.check_metadata(reply.json)
    item = reply.items[0]
    assert item["title"] == "The stem.of it"
    assert not {"originallyAvailableAt", "year", "summary", "studio", "Genre", "Role", "Rating"} & set(item)


def test_g16_of_a_partial_date_the_year_is_kept(service):
    item = service.ask("/library/metadata/2").items[0]
    assert item["year"] == 2001 and "originallyAvailableAt" not in item


def test_g17_the_pictures_of_a_scene(service):
    reply = service.ask("/library/metadata/1/images")
    schemas.check_images(reply.json)
    assert [one["type"] for one in reply.container["Image"]] == ["coverPoster", "background"]
    assert "Metadata" not in reply.container


@pytest.mark.parametrize("what", ["extras", "children", "grandchildren", "reviews", "a/b"])
def test_g18_there_are_no_parts_of_a_scene(service, what):
    reply = service.ask(f"/library/metadata/1/{what}")
    schemas.check_empty(reply.json)
    assert reply.status == 200 and reply.items == []


@pytest.mark.parametrize("key", ["999999", "99999999999999999999999", "0", "abc", "-1"])
@pytest.mark.parametrize("what", ["", "/images"])
def test_g19_an_unknown_scene_is_not_there(service, key, what):
    reply = service.ask(f"/library/metadata/{key}{what}")
    schemas.check_error(reply.json)
    assert reply.status == 404


@pytest.mark.parametrize(
    "key", ["bad%20key!", "a%2Fb", "..%2F1", "%2e%2e", "1%00", "%ff", "1.5", "1:2", "%F0%9F%8E%AC"]
)
def test_g20_a_key_that_is_none_is_refused(service, key):
    assert service.ask(f"/library/metadata/{key}").status in (400, 404)
    assert service.ask(f"/library/metadata/{key}/images").status in (400, 404)


def test_g21_without_stash_nothing_is_told_to_be_gone_and_what_is_remembered_helps(tmp_path):
    with StashDouble() as stash:
        fill(stash)
        with Service(tmp_path, stash, library_roots="/data/Library A", cache_s="0") as service:
            assert keys(service.match(filename=NAME)) == ["1"]
            assert service.ask("/library/metadata/1").status == 200
            stash.stop()
            assert keys(service.match(filename=NAME)) == ["1"]
            assert service.ask("/library/metadata/1").items[0]["title"] == "Some Scene"
            for reply in (
                service.match(filename="/Library A/unseen.mp4"),
                service.ask("/library/metadata/2"),
                service.ask("/library/metadata/2/images"),
                service.ask("/images/scene/1"),
            ):
                assert reply.status == 503
                schemas.check_error(reply.json)
            stash.start()
            assert _soon(lambda: service.ask("/library/metadata/2").status == 200)
            assert keys(service.match(filename="/Library A/unseen.mp4")) == []


@pytest.mark.parametrize("start, size, shown", [(0, 1, 1), (1, 1, 1), (0, 0, 0), (5, 20, 0), (0, 20, 2)])
def test_g22_pages_are_asked_for_by_query_or_by_header(service, start, size, shown):
    body = json.dumps({"type": 1, "title": "", "filename": "Twice.mp4", "manual": 1}).encode()
    by_query = service.ask(f"{MATCHES}?X-Plex-Container-Start={start}&X-Plex-Container-Size={size}", "POST", body)
    by_header = service.ask(MATCHES, "POST", body, X_Plex_Container_Start=str(start), X_Plex_Container_Size=str(size))
    assert by_query.json == by_header.json
    container = by_query.container
    assert (container["offset"], container["size"], container["totalSize"]) == (start, shown, 2)
    for reply in (by_query, by_header):
        assert reply.headers["x-plex-container-start"] == str(start)
        assert reply.headers["x-plex-container-total-size"] == "2"


@pytest.mark.parametrize("value", ["x", "-1", "1e3", "", "9" * 30, "١"])
def test_g22_a_page_that_is_none_is_the_first(service, value):
    from urllib.parse import quote

    reply = service.ask(f"/library/metadata/1/images?X-Plex-Container-Start={quote(value)}")
    assert reply.container["offset"] == 0 and reply.container["size"] == 2


def test_g23_a_picture_with_and_without_its_bytes(service, stash):
    reply = service.ask("/images/scene/1?t=1")
    assert (reply.status, reply.headers["content-type"], reply.body) == (200, "image/jpeg", PICTURE)
    head = service.ask("/images/scene/1?t=1", "HEAD")
    assert (head.status, head.headers["content-type"], head.body) == (200, "image/jpeg", b"")
    assert head.headers["etag"] == reply.headers["etag"]
    again = service.ask("/images/scene/1?t=1", If_None_Match=reply.headers["etag"])
    assert (again.status, again.body) == (304, b"")
    told = repr(reply.headers) + repr(head.headers) + service.ask("/library/metadata/1").body.decode()
    assert stash.api_key not in told and "apikey" not in told.lower()


def test_a_change_in_stash_is_seen_although_much_is_remembered(stash, tmp_path):
    with Service(tmp_path, stash, cache_s="3600") as service:
        before = service.ask("/library/metadata/6").items[0]
        stash.change(6, title="Changed")
        assert _soon(lambda: service.ask("/library/metadata/6").items[0]["title"] == "Changed"), before
        stash.change(6, title="Emoji")


def _soon(true):
    from tests.waiting import until

    return until(true, 60)
