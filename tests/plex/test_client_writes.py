"""What we change in Plex besides the fields of an edit: pictures, the viewer's rating, a look for new files."""

from __future__ import annotations

import hashlib

import pytest

from plex.exceptions import BrokenOff, TimedOut
from plex.model import BACKGROUND, POSTER, Picture
from tests.waiting import until
from validation.errors import Kind, Trouble

KINDS = [POSTER, BACKGROUND]
PICTURE = b"\xff\xd8\xff" + bytes(range(256)) * 8
OTHER = b"\x89PNG\r\n\x1a\n"
SOON_S = 0.3


def trouble_of(call, *arguments):
    with pytest.raises(Trouble) as raised:
        call(*arguments)
    return raised.value


def sha1(content):
    return hashlib.sha1(content).hexdigest()


@pytest.fixture
def key(plex, section):
    return plex.add_item(section, file="/media/a.mp4", size=5, title="a")


@pytest.fixture
def writes(client, key):
    """Every write by name, ready to be called."""
    return {
        "edit": lambda: client.edit("1", key, "title.value=new"),
        "upload": lambda: client.upload(key, POSTER, PICTURE),
        "select": lambda: client.select(key, POSTER, "media://x"),
        "rate": lambda: client.rate(key, "7"),
        "refresh": lambda: client.refresh("1", "/media"),
    }


WRITES = ("edit", "upload", "select", "rate", "refresh")


@pytest.mark.parametrize("kind", KINDS)
def test_an_uploaded_picture_is_shown_and_known_by_its_hash(plex, client, key, kind):
    client.machine()
    before = client.requests
    client.upload(key, kind, PICTURE)
    assert client.requests - before == 1
    selected = [picture for picture in client.pictures(key, kind) if picture.selected]
    assert [picture.sha1 for picture in selected] == [sha1(PICTURE)]
    other = next(other for other in KINDS if other != kind)
    assert [picture.sha1 for picture in client.pictures(key, other) if picture.selected] == [""]


def test_every_byte_of_a_large_picture_arrives(plex, client, key):
    large = bytes(range(256)) * 20_000  # 5 MB, more than any buffer on the way
    client.upload(key, POSTER, large)
    assert [picture.sha1 for picture in client.pictures(key, POSTER)] == ["", sha1(large)]
    assert plex.uploads()["bytes"] == len(large)


def test_a_picture_that_is_there_can_be_selected_again_without_sending_it(plex, client, key):
    client.upload(key, POSTER, PICTURE)
    client.upload(key, POSTER, OTHER)
    first = next(picture for picture in client.pictures(key, POSTER) if picture.sha1 == sha1(PICTURE))
    client.select(key, POSTER, first.key)
    assert [picture.sha1 for picture in client.pictures(key, POSTER) if picture.selected] == [sha1(PICTURE)]
    assert plex.uploads()["requests"] == 2


def test_pictures_tell_uploads_from_those_that_plex_found(plex, client, key):
    client.upload(key, BACKGROUND, PICTURE)
    found, uploaded = client.pictures(key, BACKGROUND)
    assert (found.sha1, found.selected) == ("", False)
    assert uploaded == Picture(f"upload://art/{sha1(PICTURE)}", True, sha1(PICTURE))


@pytest.mark.parametrize("picture_key", ["media://1.bundle/none.jpg", "a&b=c #?%", "\ud800", ""])
def test_a_picture_that_the_item_does_not_have_is_a_stale_match(plex, client, key, picture_key):
    assert trouble_of(client.select, key, POSTER, picture_key).kind is Kind.STALE_MATCH


@pytest.mark.parametrize(("value", "shown"), [("0", "0"), ("7", "7"), ("10", "10"), ("", "")])
def test_a_rating_is_set_and_taken_away(plex, client, key, value, shown):
    client.rate(key, "3")
    client.rate(key, value)
    assert plex.item(key)["userRating"] == shown
    assert client.items([key])[key].rating == shown


@pytest.mark.parametrize("value", ["11", "-1", "7.5", "x", "5&key=2"])
def test_no_rating_that_plex_does_not_know_is_sent(plex, client, key, value):
    assert trouble_of(client.rate, key, value).kind is Kind.PERMANENT
    assert plex.count() == 0


@pytest.mark.parametrize("folder", ["/media/a b", "/media/100% & #1+?", "D:\\Médias\\x", "\\\\nas\\share\\雪"])
def test_a_folder_to_scan_arrives_as_it_is(plex, client, section, folder):
    client.refresh(section, folder)
    assert plex.scans() == [{"section": section, "path": folder, "force": ""}]


def test_a_scan_of_a_folder_finds_its_new_files_and_no_others(plex, client, section):
    plex.lay_file(section, "/media/new/a.mp4", 7, title="found")
    plex.lay_file(section, "/media/newer/b.mp4")
    client.refresh(section, "/media/new")
    assert [(row["file"], row["title"]) for row in plex.items().values()] == [("/media/new/a.mp4", "found")]


def test_the_version_costs_no_request_of_its_own(plex, client):
    assert (client.version(), client.machine(), plex.count()) == (plex.version, plex.machine_id, 1)


@pytest.mark.parametrize("bad_key", ["", "1,2", "x", "1/../2", "1?a=b"])
def test_an_item_named_by_something_else_than_a_number_is_not_touched(plex, client, key, bad_key):
    calls = [
        (client.upload, bad_key, POSTER, PICTURE),
        (client.pictures, bad_key, POSTER),
        (client.select, bad_key, POSTER, "x"),
        (client.rate, bad_key, "1"),
        (client.refresh, bad_key, "/media"),
    ]
    assert {trouble_of(*call).kind for call in calls} == {Kind.PERMANENT}
    assert plex.count() == 0


@pytest.mark.parametrize("name", WRITES)
@pytest.mark.parametrize("fault", ["html", "json", "other_root"])
def test_a_write_answered_by_something_else_than_plex_is_no_success(plex, client, writes, name, fault):
    client.machine()
    plex.faults.add(fault)
    assert trouble_of(writes[name]).kind is Kind.UNREACHABLE


@pytest.mark.parametrize("name", WRITES)
@pytest.mark.parametrize(
    ("status", "kind"), [(400, Kind.PERMANENT), (401, Kind.REFUSED), (413, Kind.TOO_LARGE), (503, Kind.BUSY)]
)
def test_a_refused_write_is_what_its_status_says(plex, client, writes, name, status, kind):
    client.machine()
    plex.faults.add("status", status=status)
    assert trouble_of(writes[name]).kind is kind


@pytest.mark.parametrize("name", WRITES)
def test_a_write_is_sent_once_even_when_its_answer_is_lost(plex, client, writes, name):
    client.machine()
    plex.faults.add("drop_after")
    assert isinstance(trouble_of(writes[name]), BrokenOff)
    assert plex.count() == 2


@pytest.mark.parametrize("item_key", ["998", "999"])
def test_an_item_that_is_gone_is_a_stale_match(client, section, item_key):
    calls = [
        (client.upload, item_key, POSTER, PICTURE),
        (client.pictures, item_key, POSTER),
        (client.select, item_key, POSTER, "x"),
        (client.rate, item_key, "1"),
    ]
    assert {trouble_of(*call).kind for call in calls} == {Kind.STALE_MATCH}


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "hang", "applied": True},
        {"kind": "latency", "seconds": 60},
        {"kind": "status", "status": 504, "applied": True},
    ],
    ids=["silence", "late answer", "proxy gave up"],
)
def test_an_upload_that_timed_out_may_have_taken_effect(plex, client, deadline, key, fault):
    client.machine()
    plex.faults.add(method="POST", **fault)
    with deadline(SOON_S):
        assert isinstance(trouble_of(client.upload, key, POSTER, PICTURE), TimedOut)
    plex.faults.clear()
    until(lambda: [picture.sha1 for picture in client.pictures(key, POSTER)] == ["", sha1(PICTURE)])


def test_an_answer_past_the_deadline_is_a_time_out_too(plex, client, deadline, key):
    client.machine()
    plex.faults.add("drip_headers", times=None, chunk=1, pause_s=0.05)
    with deadline(SOON_S):
        assert isinstance(trouble_of(client.upload, key, POSTER, PICTURE), TimedOut)


def test_a_refused_connection_is_no_time_out(plex, client, key):
    plex.down()
    trouble = trouble_of(client.upload, key, POSTER, PICTURE)
    assert trouble.kind is Kind.UNREACHABLE and not isinstance(trouble, (TimedOut, BrokenOff))
