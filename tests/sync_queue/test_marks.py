"""Reading the inbox: oldest first, damaged files aside, nothing lost."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_queue import inbox, marks

DAMAGED = {
    "empty": b"",
    "cut off": b'{"kind":"scene","i',
    "no object": b"[1,2]",
    "a number": b"5",
    "null": b"null",
    "no kind": b'{"id":1}',
    "kind we do not know": b'{"kind":"hologram","id":1}',
    "kind of another type": b'{"kind":1,"id":1}',
    "id of another type": b'{"kind":"scene","id":"1"}',
    "id that is a switch": b'{"kind":"scene","id":true}',
    "id beyond every database": b'{"kind":"scene","id":9223372036854775808}',
    "id below zero": b'{"kind":"scene","id":-1}',
    "thousands of digits": b'{"kind":"scene","id":' + b"9" * 5_000 + b"}",
    "deeply nested": b'{"kind":' + b"[" * 100_000,
    "invalid utf-8": b'{"kind":"\xff\xfe\xfd"}',
    "nul bytes": b"\x00" * 100,
}


def put_raw(data_dir, name, content):
    folder = os.path.join(data_dir, inbox.FOLDER)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "wb") as file:
        file.write(content)


def test_a_mark_is_read_as_it_was_put(data_dir):
    name = inbox.put(data_dir, {"kind": "scene", "id": 7, "event": "Scene.Update.Post", "fields": ["title"]})
    assert marks.read(data_dir, 10) == ([marks.Mark("scene", 7, name)], [])


def test_a_request_is_read_with_its_operation_and_reply(data_dir):
    name = inbox.put(data_dir, {"kind": "request", "operation": "sync_all", "reply": "abc"})
    assert marks.read(data_dir, 10)[0] == [marks.Mark("request", 0, name, "sync_all", "abc")]


def test_the_oldest_marks_come_first_also_when_a_clock_gave_fewer_digits(data_dir):
    for name in ("999-1-1.json", "1000-1-1.json", "1000-1-2.json", "x-1-1.json"):
        put_raw(data_dir, name, b'{"kind":"scene","id":1}')
    found, _ = marks.read(data_dir, 3)
    assert [mark.file for mark in found] == ["x-1-1.json", "999-1-1.json", "1000-1-1.json"]


@pytest.mark.parametrize("kind", DAMAGED)
def test_a_damaged_mark_is_set_aside_and_the_others_are_read(data_dir, kind):
    put_raw(data_dir, "1-1-1.json", DAMAGED[kind])
    good = inbox.put(data_dir, {"kind": "scene", "id": 7})
    found, damaged = marks.read(data_dir, 10)
    assert ([mark.file for mark in found], damaged) == ([good], ["1-1-1.json"])
    assert marks.read(data_dir, 10) == (found, [])
    assert any(name.startswith("1-1-1.json" + marks.DAMAGED) for name in os.listdir(os.path.join(data_dir, "inbox")))


@given(st.binary(max_size=80))
def test_any_bytes_are_a_mark_or_set_aside(tmp_path_factory, content):
    data_dir = str(tmp_path_factory.mktemp("inbox"))
    put_raw(data_dir, "1-1-1.json", content)
    found, damaged = marks.read(data_dir, 10)
    assert len(found) + len(damaged) == 1


def test_an_inbox_that_does_not_exist_yet_is_empty(tmp_path):
    missing = str(tmp_path / "none")
    assert marks.read(missing, 10) == ([], [])
    assert (marks.waiting(missing), marks.count(missing), marks.sweep_leftovers(missing, 1e12)) == (False, 0, 0)


def test_waiting_marks_are_counted_and_temporary_files_are_not(data_dir):
    put_raw(data_dir, ".1-1-1.json.tmp", b"{")
    assert (marks.waiting(data_dir), marks.count(data_dir)) == (False, 0)
    inbox.put(data_dir, {"kind": "scene", "id": 1})
    inbox.put(data_dir, {"kind": "scene", "id": 2})
    assert (marks.waiting(data_dir), marks.count(data_dir)) == (True, 2)


def test_removed_marks_are_gone_and_may_be_removed_twice(data_dir):
    inbox.put(data_dir, {"kind": "scene", "id": 1})
    found, _ = marks.read(data_dir, 10)
    marks.remove(data_dir, found)
    marks.remove(data_dir, found)
    assert marks.count(data_dir) == 0


def test_leftovers_of_killed_writers_go_after_an_hour_and_nothing_else(data_dir):
    put_raw(data_dir, ".1-1-1.json.tmp", b"{")
    inbox.put(data_dir, {"kind": "scene", "id": 1})
    written = os.stat(os.path.join(data_dir, inbox.FOLDER, ".1-1-1.json.tmp")).st_mtime
    assert marks.sweep_leftovers(data_dir, written + marks.LEFTOVER_S - 1) == 0
    assert marks.sweep_leftovers(data_dir, written + marks.LEFTOVER_S + 1) == 1
    assert marks.count(data_dir) == 1


def name_at(seconds):
    return f"{int(seconds * 1e9)}-1-1.json"


@pytest.mark.parametrize(
    ("written_at", "pours"),
    [
        ([], False),
        ([99.9], True),
        ([99.0, 99.5, 99.9], True),
        ([99.0, 99.5], False),
        ([95.0, 99.9], False),
        ([101.0], False),
    ],
    ids=["no marks", "one just now", "a bulk edit", "it is over", "it lasts too long", "a clock was set back"],
)
def test_marks_pour_in_while_the_newest_is_fresh_and_the_oldest_has_not_waited_long(tmp_path, written_at, pours):
    (tmp_path / "inbox").mkdir()
    for seconds in written_at:
        (tmp_path / "inbox" / name_at(seconds)).write_text("{}")
    assert marks.burst(str(tmp_path), 100.0) is pours


def test_a_request_brings_its_arguments(data_dir):
    inbox.put(data_dir, {"kind": "request", "operation": "o", "reply": "r", "args": ["scene_id=12", "b=x=y"]})
    inbox.put(data_dir, {"kind": "request", "operation": "o", "reply": "r"})
    first, second = marks.read(data_dir, 10)[0]
    assert (first.args, second.args) == ((("scene_id", "12"), ("b", "x=y")), ())


def test_arguments_that_are_none_make_a_mark_damaged(data_dir):
    os.makedirs(os.path.join(data_dir, "inbox"), exist_ok=True)
    for number, args in enumerate(("7", '"text"', "[1]", '{"a": 1}')):
        with open(os.path.join(data_dir, "inbox", f"{number}-1-1.json"), "w", encoding="utf-8") as file:
            file.write('{"kind": "request", "operation": "o", "reply": "r", "args": %s}' % args)
    found, damaged = marks.read(data_dir, 10)
    assert (found, len(damaged)) == ([], 4)


def test_a_mark_tells_whether_it_came_since(data_dir):
    assert not marks.come_since(data_dir, 0.0)
    inbox.put(data_dir, {"kind": "scene", "id": 1})
    put_at = int(os.listdir(os.path.join(data_dir, "inbox"))[0].partition("-")[0]) / 1e9
    assert marks.come_since(data_dir, put_at - 1) and not marks.come_since(data_dir, put_at + 1)


def test_it_is_seen_that_somebody_asks_even_among_damaged_marks(data_dir):
    put_raw(data_dir, f"{10**19}-1-1.json", b"half a mar")
    inbox.put(data_dir, {"kind": "scene", "id": 1})
    assert not marks.asked_since(data_dir, 0.0)
    name = inbox.put(data_dir, {"kind": "request", "operation": "sync_all", "reply": "abc"})
    put_at = marks._age_key(name)[0] / 1e9
    assert marks.asked_since(data_dir, put_at - 1) and not marks.asked_since(data_dir, put_at + 1)
