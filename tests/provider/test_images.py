"""Pictures as Plex asks for them: the right bytes, none when it has them, and nothing of Stash's key."""

import gzip
import hashlib
import http.client
import logging
import socket
from urllib.parse import urlsplit

import pytest

from provider import pictures
from provider.scene import Entry, Person
from tests import canaries
from tests.doubles.stash_http import PLACEHOLDER
from tests.doubles.stash_scripted import Given, ScriptedStash
from tests.provider.drawing import cover, read
from tests.provider.front import Front
from tests.waiting import until

JPEG = cover()
SECRET = canaries.secret("segment", "-_").replace(".", "-")
ENTRY = Entry(id=1, updated_at="2026-01-02T03:04:05+01:00")


def tag(content, variant=""):
    return f'"{hashlib.md5(content).hexdigest()}{variant}"'


def path_of(url):
    parts = urlsplit(url)
    return parts.path + ("?" + parts.query if parts.query else "")


@pytest.fixture
def front(stash):
    with Front(stash.url) as made:
        yield made


@pytest.fixture
def scripted():
    with ScriptedStash() as made:
        yield made


# -- the golden way ----------------------------------------------------------------------------


def test_plex_gets_a_scenes_cover_as_it_is(stash, front):
    stash.add_scene("/d/a.mp4", cover=JPEG)
    status, headers, body = front.ask("/images/scene/1?t=20260102")
    assert (status, body) == (200, JPEG)
    assert headers["content-type"] == "image/jpeg"
    assert headers["content-length"] == str(len(JPEG))
    assert headers["etag"] == tag(JPEG)
    assert headers["cache-control"] == "public, max-age=31536000, immutable"
    assert headers["x-content-type-options"] == "nosniff"


def test_plex_gets_a_performers_picture(stash, front):
    number = stash.portray("Ann", JPEG)
    status, headers, body = front.ask(f"/images/performer/{number}")
    assert (status, body) == (200, JPEG)
    assert headers["etag"] == tag(JPEG) and headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("path", ["/images/scene/1", "/images/scene/1/poster", "/images/performer/1"])
def test_the_head_is_that_of_the_whole_answer_and_costs_no_picture(stash, front, path):
    stash.add_scene("/d/a.mp4", cover=JPEG)
    stash.portray("Ann", JPEG)
    whole = front.ask(path)
    stash.pictures.clear()
    status, headers, body = front.ask(path, "HEAD")
    assert (status, body) == (200, b"")
    for name in ("content-type", "content-length", "etag", "cache-control"):
        assert headers[name] == whole.headers[name]
    assert sum(sent for *_, sent in stash.pictures) <= pictures.BEGINNING_BYTES


@pytest.mark.parametrize("path", ["/images/scene/1", "/images/scene/1/poster", "/images/performer/1"])
def test_who_holds_a_picture_gets_no_bytes_and_stash_sends_none(stash, front, path):
    stash.add_scene("/d/a.mp4", cover=JPEG)
    stash.portray("Ann", JPEG)
    for held in ("{}", "W/{}", '"other", {}'):
        for method in ("GET", "HEAD"):
            reply = front.ask(path, method, If_None_Match=held.format(tag(JPEG)))
            assert (reply.status, reply.body, reply.headers.get("etag")) == (304, b"", tag(JPEG)), reply
    assert {(code, sent) for _, code, sent in stash.pictures} == {(304, 0)}


def test_who_holds_something_else_gets_the_picture(stash, front):
    stash.add_scene("/d/a.mp4", cover=JPEG)
    for held in ('"another"', "", "nonsense", '"unfinished', "*", '"a b"', ", ,"):
        assert front.ask("/images/scene/1", If_None_Match=held).body == JPEG, held


def test_a_changed_cover_has_another_address_and_other_bytes(stash, front):
    stash.add_scene("/d/a.mp4", cover=JPEG)
    before = front.ask("/images/scene/1")
    stash.change("1", cover=cover(320, 200))
    after = front.ask("/images/scene/1", If_None_Match=before.headers["etag"])
    assert (after.status, after.body) == (200, cover(320, 200))
    later = ENTRY.model_copy(update={"updated_at": "2026-01-02T03:04:06+01:00"})
    assert front.urls.scene("http://x", ENTRY) != front.urls.scene("http://x", later)


def test_the_content_type_is_what_the_bytes_are(stash, front):
    for kind in ("JPEG", "PNG", "GIF", "WEBP", "AVIF"):
        number = stash.add_scene(f"/d/{kind}.mp4", cover=cover(kind=kind))
        for method in ("GET", "HEAD"):
            reply = front.ask(f"/images/scene/{number}", method)
            assert reply.headers["content-type"] == "image/" + kind.lower()


def test_two_hundred_at_once_all_get_their_picture(stash, front):
    contents = [cover(64 + number, 36) for number in range(10)]
    for number, content in enumerate(contents):
        stash.add_scene(f"/d/{number}.mp4", cover=content)
    asked = [(("GET", "HEAD")[n % 2], f"/images/scene/{n // 2 % 10 + 1}") for n in range(200)]
    for (method, path), reply in zip(asked, front.ask_all(asked)):
        content = contents[int(path.rpartition("/")[2]) - 1]
        assert (reply.status, reply.headers["content-length"]) == (200, str(len(content)))
        assert reply.body == (content if method == "GET" else b"")


# -- addresses -----------------------------------------------------------------------------------


def test_an_address_names_the_picture_its_date_and_no_key(front):
    assert front.urls.scene("http://plex:9090/", ENTRY) == "http://plex:9090/images/scene/1?t=202601020304050100"
    assert front.urls.background("http://plex:9090", ENTRY) == front.urls.scene("http://plex:9090", ENTRY)


def test_a_base_from_the_settings_is_put_in_place_of_where_plex_asked(stash):
    person = Person(id=7, name="Ann", image_path="/x?t=1")
    own = Front(stash.url, base_url="http://own:9090")
    public = Front(stash.url, base_url="http://own:9090", image_base_url="https://pictures.example/p/")
    assert own.urls.performer("http://x", person) == "http://own:9090/images/performer/7"
    assert public.urls.performer("http://x", person) == "https://pictures.example/p/images/performer/7"


def test_a_performer_without_a_picture_has_no_address(front):
    assert front.urls.performer("http://x", Person(id=7, name="Ann", image_path="/x?default=true")) == ""


@pytest.mark.parametrize("mode", ["fit", "crop"])
def test_with_posters_the_poster_has_an_address_of_its_mode_and_the_background_is_the_cover(stash, mode):
    urls = Front(stash.url, poster=mode).urls
    other = Front(stash.url, poster={"fit": "crop", "crop": "fit"}[mode]).urls
    assert urls.scene("http://x", ENTRY).startswith("http://x/images/scene/1/poster?t=202601020304050100")
    assert urls.scene("http://x", ENTRY) != other.scene("http://x", ENTRY), "Plex keeps a picture by its address"
    assert urls.background("http://x", ENTRY) == other.background("http://x", ENTRY)


@pytest.mark.parametrize("mode", ["original", "fit"])
def test_every_address_we_make_is_answered(stash, mode):
    stash.add_scene("/d/a.mp4", cover=JPEG)
    number = stash.portray("Ann", JPEG)
    with Front(stash.url, secret=SECRET, poster=mode) as front:
        person = Person(id=number, name="Ann", updated_at="2026-01-01T00:00:00Z", image_path="/x")
        dateless = Entry(id=1)
        urls = [
            made(front.url, entry) for made in (front.urls.scene, front.urls.background) for entry in (ENTRY, dateless)
        ]
        for url in [*urls, front.urls.performer(front.url, person)]:
            assert front.ask(path_of(url)).status == 200, url
            assert front.ask(path_of(url), "HEAD").status == 200, url


def test_with_a_secret_only_addresses_of_ours_are_answered(stash):
    stash.add_scene("/d/a.mp4", cover=JPEG)
    stash.add_scene("/d/b.mp4", cover=JPEG)
    with Front(stash.url, secret=SECRET) as front:
        signed = path_of(front.urls.scene(front.url, ENTRY))
        bare = signed.partition("&sig=")[0]
        others = [
            bare,
            "/images/scene/1",
            bare + "&sig=",
            bare + "&sig=%C3%A4%00",
            signed[:-1],
            signed.replace("scene/1", "scene/2"),
            signed.replace("scene/1", "performer/1"),
            signed.replace("scene/1", "scene/1/poster"),
            signed.replace("t=2026", "t=2027"),
            signed.replace("t=2026", "t=x2026"),
            signed + "&t=1",
        ]
        assert [front.ask(path).status for path in others] == [403] * len(others)
        assert stash.pictures == []
        assert front.ask(signed).status == 200


NO_NUMBERS = ["0", "-1", "01", "1.0", "1e1", "+1", "%20", "x", str(2**63), "9" * 5000, "%D9%A3", "%00", "1%00", "1%0a"]


def test_what_is_no_number_is_unknown_and_stash_is_not_asked(stash, front):
    stash.add_scene("/d/a.mp4", cover=JPEG)
    for number in [*NO_NUMBERS, "..%2f1", "1/../1", "http:%2f%2fx%2f"]:
        for path in ("/images/scene/{}", "/images/scene/{}/poster", "/images/performer/{}"):
            assert front.ask(path.format(number)).status in (400, 404), number
    assert stash.pictures == []


def test_the_largest_number_is_asked_for_like_any(stash, front):
    assert front.ask(f"/images/scene/{2**63 - 1}").status == 404
    assert front.ask("/images/scene/%d" % 2**53).status == 404


def test_pictures_can_be_asked_for_and_not_changed(front):
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        assert front.ask("/images/scene/1", method).status == 405


# -- what is no picture --------------------------------------------------------------------------


NO_PICTURES = [
    None,
    PLACEHOLDER,
    b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>',
    b"<!DOCTYPE html><script>alert(1)</script>",
    b"\n" + JPEG,
    b"\xff\xd8",
    b"RIFF\x00\x10\x00\x00WAVEfmt ",
    b"\x00\x00\x00\x20ftypisom" + b"v" * 300,
]


@pytest.mark.parametrize("mode", ["original", "fit"])
def test_a_scene_without_a_real_cover_has_no_picture(stash, mode):
    with Front(stash.url, poster=mode) as front:
        for content in NO_PICTURES:
            number = stash.add_scene("/d/a.mp4", cover=content)
            for path in (f"/images/scene/{number}", f"/images/scene/{number}/poster"):
                assert [front.ask(path, method).status for method in ("GET", "HEAD")] == [404, 404], content


def test_the_silhouette_of_a_performer_without_a_picture_is_none(stash, front):
    number = stash.portray("Ann", None)
    for method in ("GET", "HEAD", "GET"):
        assert front.ask(f"/images/performer/{number}", method).status == 404
    stash.portray("Ann", JPEG)
    assert front.ask(f"/images/performer/{number}").body == JPEG


def test_each_picture_is_compared_with_a_silhouette_once(stash, front):
    number = stash.portray("Ann", JPEG)
    for _ in range(3):
        assert front.ask(f"/images/performer/{number}").status == 200
    assert ["default=true" in path for path, *_ in stash.pictures].count(True) == 1


def test_what_stash_does_not_have_is_not_found_and_not_remembered_as_such(posters):
    for path in ("/images/scene/9", "/images/scene/9/poster", "/images/performer/9"):
        status, headers, _ = posters.ask(path)
        assert (status, headers["content-type"], headers["cache-control"]) == (404, "application/json", "no-cache")


def test_a_picture_larger_than_20_mb_is_none(scripted):
    scripted.answer = lambda asked: Given(200, JPEG, promised=pictures.MOST_BYTES + 1)
    with Front(scripted.url) as front:
        assert front.ask("/images/scene/1").status == front.ask("/images/scene/1", "HEAD").status == 404


def test_a_picture_that_does_not_end_breaks_off_at_20_mb(scripted):
    bomb = gzip.compress(JPEG + bytes(2 * pictures.MOST_BYTES), 1)
    scripted.answer = lambda asked: Given(200, bomb, {"Content-Encoding": "gzip"})
    with Front(scripted.url) as front:
        with pytest.raises((http.client.IncompleteRead, ConnectionError)):
            front.ask("/images/scene/1")
        assert "content-length" not in front.ask("/images/scene/1", "HEAD").headers


def test_half_a_picture_never_looks_like_a_whole_one(scripted):
    content = JPEG + bytes(200_000)
    scripted.answer = lambda asked: Given(200, content, promised=len(content) + 1)
    with Front(scripted.url) as front:
        with pytest.raises((http.client.IncompleteRead, ConnectionError)):
            front.ask("/images/scene/1")
    with Front(scripted.url, poster="crop") as front:
        assert front.ask("/images/scene/1/poster").status == 503


def test_a_stash_that_knows_neither_ranges_nor_conditions_is_understood(scripted):
    scripted.answer = lambda asked: Given(200, JPEG, {"Last-Modified": "Fri, 02 Jan 2026 03:04:05 GMT"})
    with Front(scripted.url) as front:
        whole, head = front.ask("/images/scene/1"), front.ask("/images/scene/1", "HEAD")
        assert whole.body == JPEG and head.headers["content-length"] == str(len(JPEG))
        assert front.ask("/images/scene/1", If_None_Match=whole.headers["etag"]).status == 304


# -- stash away, and strangers -------------------------------------------------------------------


def test_while_stash_is_away_the_answer_is_503_and_then_the_picture(stash, front):
    stash.add_scene("/d/a.mp4", cover=JPEG)
    stash.stop()
    for path in ("/images/scene/1", "/images/performer/1"):
        assert [front.ask(path, method).status for method in ("GET", "HEAD")] == [503, 503]
    stash.start()
    until(lambda: front.ask("/images/scene/1").body == JPEG, what="Stash to be asked again")


def test_a_stash_that_fails_is_away_too(stash, front):
    stash.add_scene("/d/a.mp4", cover=JPEG)
    for fault in (500, 502, 503, 418):
        stash.faults.picture_status(fault)
        assert [front.ask("/images/scene/1").status for _ in range(2)] == [503, 200]


def test_the_key_opens_a_locked_stash_and_shows_nowhere(tmp_path, stash):
    stash.sessions.credentials = canaries.LOGIN
    stash.api_key = canaries.API_KEY
    stash.add_scene("/d/a.mp4", cover=JPEG)
    stash.portray("Ann", JPEG)
    with Front(stash.url, stash_api_key=canaries.API_KEY, secret=SECRET, poster="fit") as front:
        urls = [front.urls.scene(front.url, ENTRY), front.urls.background(front.url, ENTRY)]
        replies = [front.ask(path_of(url), method) for url in urls for method in ("GET", "HEAD")]
        replies.append(front.ask("/images/scene/1"))
    assert [reply.status for reply in replies] == [200] * 4 + [403]
    assert canaries.MARKER not in repr((urls, replies))


@pytest.mark.parametrize("key", ["", canaries.secret("another-key-of-stash")])
def test_a_stash_that_refuses_us_is_503_without_a_word_of_the_key(stash, key):
    stash.sessions.credentials = canaries.LOGIN
    stash.api_key = canaries.API_KEY
    stash.add_scene("/d/a.mp4", cover=JPEG)
    with Front(stash.url, stash_api_key=key) as front:
        reply = front.ask("/images/scene/1")
    assert reply.status == 503 and b"S2P_STASH_API_KEY" in reply.body
    assert canaries.MARKER not in repr(reply)


def test_who_goes_away_in_the_middle_leaves_room_for_others(stash, front):
    stash.add_scene("/d/a.mp4", cover=JPEG + bytes(15_000_000))
    stash.add_scene("/d/b.mp4", cover=JPEG)
    there = urlsplit(front.url)
    for _ in range(2 * pictures.WHOLE_AT_ONCE):
        with socket.create_connection((there.hostname, there.port), 30) as impatient:
            impatient.sendall(b"GET /images/scene/1 HTTP/1.1\r\nHost: x\r\n\r\n")
            assert impatient.recv(100)
    assert front.ask("/images/scene/2").body == JPEG


def test_slow_readers_leave_stash_free_for_questions(stash, front):
    stash.add_scene("/d/a.mp4", cover=JPEG + bytes(15_000_000))
    there, slow = urlsplit(front.url), []
    try:
        for _ in range(20):
            slow.append(socket.create_connection((there.hostname, there.port), 30))
            slow[-1].sendall(b"GET /images/scene/1 HTTP/1.1\r\nHost: x\r\n\r\n")
        for one in slow[: pictures.WHOLE_AT_ONCE]:
            assert one.recv(100)
        assert front.ask("/images/scene/1", "HEAD").status == 200
    finally:
        for one in slow:
            one.close()


# -- posters -------------------------------------------------------------------------------------


@pytest.fixture
def posters(stash):
    with Front(stash.url, poster="fit") as made:
        yield made


def test_a_landscape_cover_becomes_a_poster(stash, posters):
    stash.add_scene("/d/a.mp4", cover=cover(1600, 900))
    status, headers, body = posters.ask("/images/scene/1/poster?t=1")
    assert (status, headers["content-type"], headers["content-length"]) == (200, "image/jpeg", str(len(body)))
    assert read(body).size == (1000, 1500)
    assert headers["cache-control"] == "public, max-age=31536000, immutable"
    assert posters.ask("/images/scene/1").body == cover(1600, 900), "the background stays as it is"


def test_who_holds_a_poster_gets_no_bytes_and_stash_sends_none(stash, posters):
    stash.add_scene("/d/a.mp4", cover=JPEG)
    etag = posters.ask("/images/scene/1/poster").headers["etag"]
    stash.pictures.clear()
    for method in ("GET", "HEAD"):
        status, headers, body = posters.ask("/images/scene/1/poster", method, If_None_Match=etag)
        assert (status, body, headers["etag"]) == (304, b"", etag)
    assert [(code, sent) for _, code, sent in stash.pictures] == [(304, 0)] * 2


def test_who_holds_the_cover_or_a_poster_of_another_mode_does_not_hold_the_poster(stash, posters):
    stash.add_scene("/d/a.mp4", cover=JPEG)
    for held in (tag(JPEG), tag(JPEG, "-crop2")):
        assert posters.ask("/images/scene/1/poster", If_None_Match=held).status == 200


def test_a_poster_is_made_once_and_the_head_is_right_before_and_after(stash, posters):
    stash.add_scene("/d/a.mp4", cover=JPEG)
    heads = [posters.ask("/images/scene/1/poster", "HEAD")]
    replies = posters.ask_all([("GET", "/images/scene/1/poster")] * 50)
    heads.append(posters.ask("/images/scene/1/poster", "HEAD"))
    (body,) = {reply.body for reply in replies}
    assert {head.headers["content-length"] for head in heads} == {str(len(body))}
    assert {reply.headers["etag"] for reply in [*heads, *replies]} == {tag(JPEG, "-fit1")}
    assert [code for _, code, _ in stash.pictures].count(200) == 1


def test_a_changed_cover_becomes_another_poster(stash, posters):
    stash.add_scene("/d/a.mp4", cover=JPEG)
    before = posters.ask("/images/scene/1/poster")
    stash.change("1", cover=cover(1000, 400))
    after = posters.ask("/images/scene/1/poster", If_None_Match=before.headers["etag"])
    assert after.status == 200 and after.body != before.body


def test_a_cover_of_a_posters_shape_goes_through_unchanged(stash, posters):
    content = cover(600, 900, kind="PNG")
    stash.add_scene("/d/a.mp4", cover=content)
    reply, head = (posters.ask("/images/scene/1/poster", method) for method in ("GET", "HEAD"))
    assert (reply.body, reply.headers["content-type"]) == (content, "image/png")
    assert head.headers["content-length"] == str(len(content))
    assert posters.ask("/images/scene/1/poster", If_None_Match=reply.headers["etag"]).status == 304


def test_a_damaged_cover_goes_through_unchanged_with_one_warning(stash, posters, caplog):
    stash.add_scene("/d/a.mp4", cover=JPEG[:2000])
    with caplog.at_level(logging.WARNING, "stash2plex"):
        for _ in range(3):
            assert posters.ask("/images/scene/1/poster").body == JPEG[:2000]
    (warning,) = [record.getMessage() for record in caplog.records if record.name.startswith("stash2plex")]
    assert warning.startswith("Scene 1's cover is handed on as it is")


def test_a_poster_is_made_again_after_stash_was_away(stash, posters):
    stash.add_scene("/d/a.mp4", cover=JPEG)
    stash.faults.picture_status(500)
    assert posters.ask("/images/scene/1/poster").status == 503
    assert posters.ask("/images/scene/1/poster").status == 200
