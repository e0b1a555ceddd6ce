"""A scene's cover: its bytes once, nothing when we know it, none when it is no picture; and no stranger asked."""

from __future__ import annotations

import hashlib
import io

import pytest
import requests

from stash import covers
from tests import canaries
from tests.doubles.stash_http import PLACEHOLDER
from tests.doubles.stash_scripted import Given, ScriptedStash
from validation.errors import Kind, Trouble

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF" + b"j" * 300
PNG = b"\x89PNG\r\n\x1a\n" + b"p" * 300
PICTURES = {
    "jpeg": JPEG,
    "png": PNG,
    "gif 87": b"GIF87a" + b"g" * 300,
    "gif 89": b"GIF89a" + b"g" * 300,
    "webp": b"RIFF\x00\x10\x00\x00WEBPVP8 " + b"w" * 300,
    "avif": b"\x00\x00\x00\x1cftypavif" + b"a" * 300,
    "moving avif": b"\x00\x00\x00\x1cftypavis" + b"a" * 300,
    "avif of a phone": b"\x00\x00\x00\x1cftypmif1" + b"a" * 300,
    "larger than a chunk": JPEG + b"x" * (3 * covers.CHUNK_BYTES + 7),
    "just small enough": JPEG + b"x" * (covers.LIMIT_BYTES - len(JPEG)),
}
NO_PICTURES = {
    "the placeholder": PLACEHOLDER,
    "svg with a head": b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>',
    "a login page": b"<!DOCTYPE html><html><body>log in</body></html>",
    "nothing": b"",
    "one byte": b"\xff",
    "a word": b"no cover",
    "an mp4": b"\x00\x00\x00\x20ftypisom" + b"v" * 300,
    "a wave": b"RIFF\x00\x10\x00\x00WAVEfmt " + b"w" * 300,
    "json": b'{"error": "no"}',
    "a picture after white space": b"\n" + JPEG,
}


@pytest.fixture
def scripted():
    with ScriptedStash() as made:
        yield made


def raised_by(call, *arguments):
    with pytest.raises(Trouble) as raised:
        call(*arguments)
    return raised.value


def with_cover(stash, content):
    return int(stash.add_scene(path="/data/a.mp4", cover=content))


# what is a cover


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_comes_with_its_bytes_and_the_name_that_stash_gives_them(stash, client, name):
    found = client.cover(with_cover(stash, PICTURES[name]))
    assert found.content == PICTURES[name] and not found.unchanged
    assert found.etag == f'"{hashlib.md5(PICTURES[name], usedforsecurity=False).hexdigest()}"'
    assert client.requests == 1


@pytest.mark.parametrize("name", NO_PICTURES)
def test_what_is_no_picture_is_no_cover(stash, client, name):
    assert client.cover(with_cover(stash, NO_PICTURES[name] or None)) is None
    assert not covers.is_picture(NO_PICTURES[name])


def test_an_empty_answer_is_no_cover(scripted, connect):
    assert connect(scripted).cover(1) is None


def test_a_scene_without_a_cover_has_none(stash, client):
    assert client.cover(with_cover(stash, None)) is None


def test_a_scene_that_is_gone_has_none(client):
    assert client.cover(999) is None


def test_the_type_that_is_told_does_not_count(scripted, connect):
    scripted.answer = lambda asked: Given(200, PLACEHOLDER, {"Content-Type": "image/jpeg"})
    assert connect(scripted).cover(1) is None
    scripted.answer = lambda asked: Given(200, JPEG, {"Content-Type": "text/html"})
    assert connect(scripted).cover(1) == covers.Cover("", JPEG)


# what is known already


def test_a_cover_that_we_know_comes_without_its_bytes(stash, client):
    scene = with_cover(stash, JPEG)
    known = client.cover(scene).etag
    assert client.cover(scene, known) == covers.Cover(known, unchanged=True)


def test_a_cover_that_became_another_comes_whole(stash, client):
    scene = with_cover(stash, JPEG)
    known = client.cover(scene).etag
    stash.change(scene, cover=PNG)
    found = client.cover(scene, known)
    assert (found.content, found.unchanged, found.etag != known) == (PNG, False, True)


def test_a_cover_that_was_removed_is_none_even_when_we_knew_it(stash, client):
    scene = with_cover(stash, JPEG)
    known = client.cover(scene).etag
    stash.change(scene, cover=None)
    assert client.cover(scene, known) is None


def test_nothing_new_is_no_answer_when_we_know_nothing(scripted, connect):
    scripted.answer = lambda asked: Given(304)
    assert raised_by(connect(scripted).cover, 1).kind is Kind.UNEXPECTED
    assert connect(scripted).cover(1, '"known"') == covers.Cover('"known"', unchanged=True)


# what is too much


def test_a_cover_that_is_too_large_is_given_up_before_it_came_whole(scripted, connect):
    whole = 16 * covers.LIMIT_BYTES
    scripted.answer = lambda asked: Given(200, JPEG.ljust(whole, b"x"))
    trouble = raised_by(connect(scripted).cover, 1)
    assert trouble.kind is Kind.TOO_LARGE and "10 MB" in trouble.message
    assert scripted.sent_bytes < whole


def test_one_byte_too_many_is_too_large_and_the_next_cover_comes(stash, client):
    large, small = with_cover(stash, JPEG.ljust(covers.LIMIT_BYTES + 1, b"x")), with_cover(stash, PNG)
    assert raised_by(client.cover, large).kind is Kind.TOO_LARGE
    assert client.cover(small).content == PNG


def test_half_a_cover_is_none_at_all(scripted, connect):
    scripted.answer = lambda asked: Given(200, JPEG, promised=len(JPEG) + 1)
    assert raised_by(connect(scripted).cover, 1).kind is Kind.STASH_AWAY


@pytest.mark.parametrize("headers", [{}, {"Content-Length": "?"}, {"Content-Length": str(len(JPEG))}])
def test_a_whole_cover_is_taken_whatever_was_promised(headers):
    assert covers.read(as_older_urllib3_reads(JPEG, headers), "").content == JPEG


def test_half_a_cover_is_none_at_all_with_an_older_urllib3_too():
    response = as_older_urllib3_reads(JPEG, {"Content-Length": str(len(JPEG) + 1)})
    with pytest.raises(requests.RequestException):
        covers.read(response, "")


def as_older_urllib3_reads(content, headers):
    """Before its version 2.0 the end of a broken connection looks like the end of the content."""
    response = requests.Response()
    response.status_code, response.raw = 200, io.BytesIO(content)
    response.headers.update(headers)
    return response


# who may ask, and whom


def login_page(asked):
    """The way to the login, on another host."""
    return Given(302, b"", {"Location": "http://localhost:9/login"})


def test_the_way_to_the_login_means_the_next_credential(locked, connect):
    locked.change(1, cover=JPEG)
    client = connect(locked, ["bad", locked.sessions.issue(""), locked.cookie()])
    assert client.cover(1).content == JPEG and client.requests == 3
    assert client.cover(1).content == JPEG and client.requests == 4


def test_a_wrong_key_means_the_cookie(locked, connect):
    locked.change(1, cover=JPEG)
    client = connect(locked, [locked.cookie()], canaries.API_KEY)
    assert client.cover(1).content == JPEG and client.requests == 2


def test_a_right_key_is_enough(locked, connect):
    locked.change(1, cover=JPEG)
    locked.api_key = canaries.API_KEY
    assert connect(locked, ["bad"], canaries.API_KEY).cover(1).content == JPEG


def test_covers_alone_keep_a_cookie_alive_and_only_its_newest_form_is_sent(locked, connect, clock):
    locked.change(1, cover=JPEG)
    client = connect(locked, [locked.cookie()])
    for _ in range(5):
        clock[0] += 50 * 60
        assert client.cover(1).content == JPEG
        assert [cookie.name for cookie in client.s.cookies] == ["session"]


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_means_the_next_credential_and_ends_with_the_last(scripted, connect, status):
    scripted.answer = lambda asked: Given(status)
    assert raised_by(connect(scripted, ["one", "two"], "key").cover, 1).kind is Kind.STASH_REFUSED
    assert [(asked.headers.get("apikey"), asked.headers.get("cookie")) for asked in scripted.asked] == [
        ("key", None),
        (None, "session=one"),
        (None, "session=two"),
    ]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("same_host", [True, False])
def test_no_other_place_is_ever_asked_for_a_cover(scripted, connect, status, same_host):
    with ScriptedStash(lambda asked: Given(200, JPEG)) as stranger:
        place = "/elsewhere" if same_host else stranger.url
        scripted.answer = lambda asked: Given(status, b"", {"Location": place})
        assert raised_by(connect(scripted, ["a-cookie"]).cover, 1).kind is Kind.STASH_REFUSED
        assert stranger.asked == [] and [asked.path for asked in scripted.asked] == ["/scene/1/screenshot"]


# a Stash that has trouble


@pytest.mark.parametrize("status", [204, 206, 300, 400, 429, 500, 502, 503, 504, 599])
def test_any_other_answer_is_trouble_with_this_cover(stash, client, status):
    scene = with_cover(stash, JPEG)
    stash.faults.picture_status(status)
    trouble = raised_by(client.cover, scene)
    assert trouble.kind is Kind.UNEXPECTED and str(status) in trouble.message
    assert client.cover(scene).content == JPEG


def test_a_closed_port_and_a_dropped_connection_mean_that_stash_is_away(scripted, stash, connect):
    scripted.answer = lambda asked: Given(body=None)
    assert raised_by(connect(scripted).cover, 1).kind is Kind.STASH_AWAY
    client = connect(stash)
    stash.kill()
    assert raised_by(client.cover, 1).kind is Kind.STASH_AWAY


@pytest.mark.parametrize("known", ["line\nbreak", "\x00", "日本", "x" * 5_000])
def test_a_name_that_no_stash_gives_harms_nobody(stash, client, known):
    """The name comes from our database, which may have been damaged."""
    scene = with_cover(stash, JPEG)
    assert client.cover(scene, known).content == JPEG


@pytest.mark.parametrize("answer", [lambda asked: Given(500), lambda asked: Given(401), login_page])
def test_no_credential_is_in_what_is_said_about_it(scripted, connect, answer):
    scripted.answer = answer
    cookie = f"{canaries.COOKIE_HEAD}a-cookie{canaries.COOKIE_TAIL}"
    trouble = raised_by(connect(scripted, [cookie], canaries.API_KEY).cover, 1)
    assert canaries.MARKER not in trouble.message + repr(trouble)
